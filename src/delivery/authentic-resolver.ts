// Asks the configured name servers and tells whether they vouch for the answer: the AD bit of DNSSEC (RFC 6840 §5.7),
// which node:dns does not show. Speaks DNS itself over UDP, and over TCP where the answer does not fit. No cache.
// Invariant: what the name server could not validate (SERVFAIL), did not answer, or answered wrongly is `failed`, never
// an empty answer: the difference is what keeps DANE from being switched off by whoever drops packets.

import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { getServers } from 'node:dns'
import { connect, isIP, isIPv6 } from 'node:net'
import { type Answer, AUTHENTIC_DATA, type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet'
import type { Clock } from '../util/clock.ts'

export type AuthenticType = 'MX' | 'A' | 'CNAME' | 'TLSA' | 'SOA'

export type AuthenticAnswer =
  | {
      readonly kind: 'ok'
      /** The name server has validated all of it, also where it says that there is nothing. */
      readonly secure: boolean
      /** What the name has; without the CNAMEs that led there. Empty: there is no such record, or no such name. */
      readonly records: readonly Answer[]
      /** The name after all CNAMEs, in lower case. */
      readonly canonical: string
      /** Shortest life of all records; undefined for a denial. */
      readonly ttlMs: number | undefined
    }
  | { readonly kind: 'failed'; readonly detail: string }

export interface AuthenticResolver {
  ask(type: AuthenticType, name: string): Promise<AuthenticAnswer>
}

export interface NameServer {
  readonly address: string
  readonly port: number
}

const ROUNDS = 2
const EDNS_BYTES = 1232 // DNS flag day 2020: fits every path without fragments
const MAX_CNAMES = 16
const RCODE: Readonly<Record<number, string>> = {
  1: 'the name server did not understand the query',
  2: 'the name server failed (SERVFAIL), as it does when DNSSEC says that the answer is bogus',
  4: 'the name server does not answer such queries',
  5: 'the name server refused the query',
}
const NXDOMAIN = 3

/** Those of settings.delivery.resolvers, or the system's where there are none: `address`, `address:port`, `[v6]:port`. */
export function nameServers(configured: readonly string[]): readonly NameServer[] {
  return (configured.length > 0 ? configured : getServers()).flatMap((text) => {
    const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
    const address = match?.[1] ?? match?.[2] ?? text
    return isIP(address) === 0 ? [] : [{ address, port: Number(match?.[3] ?? 53) }]
  })
}

export function createAuthenticResolver(options: {
  readonly servers: readonly NameServer[]
  readonly timeoutMs: number
  readonly clock: Clock
}): AuthenticResolver {
  const { servers, timeoutMs, clock } = options
  return {
    async ask(type, name) {
      let detail = 'there is no name server to ask'
      for (let round = 0; round < ROUNDS; round++) {
        for (const server of servers) {
          const said = await inquire({ server, type, name, timeoutMs, clock })
          if (said.kind === 'ok') return said
          detail = said.detail
        }
      }
      return { kind: 'failed', detail }
    },
  }
}

interface Inquiry {
  readonly server: NameServer
  readonly type: AuthenticType
  readonly name: string
  readonly timeoutMs: number
  readonly clock: Clock
}

async function inquire(inquiry: Inquiry): Promise<AuthenticAnswer> {
  const { type, name, timeoutMs, clock } = inquiry
  const id = randomInt(0x10000)
  const query = encode({
    type: 'query',
    id,
    // AD in a query asks for AD in the answer, without all the signatures that DO would bring.
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ type, name }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: EDNS_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  })
  const isAnswer = (bytes: Buffer): DecodedPacket | undefined => answerTo(bytes, { id, type, name })
  const limit = new AbortController()
  const timer = clock.after(timeoutMs, () => limit.abort())
  try {
    const overUdp = await askUdp({ ...inquiry, query, isAnswer, signal: limit.signal })
    const packet = overUdp.flag_tc ? await askTcp({ ...inquiry, query, isAnswer, signal: limit.signal }) : overUdp
    return read(packet, type, name)
  } catch (error) {
    const detail = limit.signal.aborted ? 'the name server did not answer in time' : (error as Error).message
    return { kind: 'failed', detail }
  } finally {
    timer.cancel()
  }
}

/** The packet, if it is what was asked for: anything else may be forged, and the true one may still come. */
function answerTo(
  bytes: Buffer,
  asked: { readonly id: number; readonly type: string; readonly name: string },
): DecodedPacket | undefined {
  try {
    const packet = decode(bytes)
    const [question] = packet.questions ?? []
    const isOurs =
      packet.type === 'response' &&
      packet.id === asked.id &&
      question?.type === asked.type &&
      plain(question.name) === plain(asked.name)
    return isOurs ? packet : undefined
  } catch {
    // Not a DNS message.
    return undefined
  }
}

interface Exchange extends Inquiry {
  readonly query: Buffer
  readonly isAnswer: (bytes: Buffer) => DecodedPacket | undefined
  readonly signal: AbortSignal
}

function askUdp({ server, query, isAnswer, signal }: Exchange): Promise<DecodedPacket> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
  return new Promise<DecodedPacket>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('timeout')))
    socket.on('error', reject)
    socket.on('message', (bytes) => {
      const packet = isAnswer(bytes)
      if (packet !== undefined) resolve(packet)
    })
    // Connected, so that only this server is heard and a closed port is told; from a port the system chose at random.
    socket.connect(server.port, server.address, () => socket.send(query))
  }).finally(() => socket.close())
}

function askTcp({ server, query, isAnswer, signal }: Exchange): Promise<DecodedPacket> {
  const socket = connect({ host: server.address, port: server.port })
  return new Promise<DecodedPacket>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('timeout')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the name server closed the connection')))
    let pending = Buffer.alloc(0)
    socket.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes])
      const length = pending.length < 2 ? Number.POSITIVE_INFINITY : pending.readUInt16BE(0)
      if (pending.length < 2 + length) return
      const packet = isAnswer(pending.subarray(2, 2 + length))
      if (packet === undefined) reject(new Error('the name server gave a malformed answer'))
      else resolve(packet)
    })
    const size = Buffer.alloc(2)
    size.writeUInt16BE(query.length)
    socket.write(Buffer.concat([size, query]))
  }).finally(() => socket.destroy())
}

function read(packet: DecodedPacket, type: AuthenticType, name: string): AuthenticAnswer {
  const code = (packet.flags ?? 0) & 0x0f
  if (code !== 0 && code !== NXDOMAIN) return { kind: 'failed', detail: RCODE[code] ?? `DNS error ${code}` }
  const answers = packet.answers ?? []
  let canonical = plain(name)
  const chain: Answer[] = []
  for (let hop = 0; type !== 'CNAME' && hop < MAX_CNAMES; hop++) {
    const alias = answers.find((each) => each.type === 'CNAME' && plain(each.name) === canonical)
    if (alias?.type !== 'CNAME') break
    chain.push(alias)
    canonical = plain(alias.data)
  }
  const records = answers.filter((each) => each.type === type && plain(each.name) === canonical)
  const lives = [...chain, ...records].map((each) => ('ttl' in each ? (each.ttl ?? 0) : 0))
  const ttlMs = lives.length === 0 ? undefined : Math.min(...lives) * 1000
  return { kind: 'ok', secure: packet.flag_ad, records, canonical, ttlMs }
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
