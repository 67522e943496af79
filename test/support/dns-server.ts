// A name server on loopback for tests: zones are data, answers go over UDP and TCP, and it can fail in all the ways that
// real ones do. Counts what it was asked.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket as TcpSocket } from 'node:net'
import {
  type Answer,
  AUTHENTIC_DATA,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  TRUNCATED_RESPONSE,
} from 'dns-packet'

/** What a name has. A name that is not in the zones does not exist (NXDOMAIN). */
export interface Zone {
  readonly mx?: readonly (readonly [preference: number, exchange: string])[]
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  /** Each at most 255 bytes per string of DNS; longer ones are split. */
  readonly txt?: readonly string[]
  /** Usage, selector, matching type, data in hexadecimal digits. */
  readonly tlsa?: readonly (readonly [number, number, number, string])[]
  readonly cname?: string
  /** Answers about this name and those below it that are not in the zones are vouched for (AD), as by a validating server. */
  readonly secure?: boolean
  readonly ttl?: number
  /** Instead of an answer. `truncated`: the records come over TCP only. */
  readonly trouble?: 'servfail' | 'refused' | 'silence' | 'truncated' | 'garbage'
  /** The only type of question that meets the trouble; default: all. */
  readonly troubled?: (typeof TYPES)[number]
}

export type Zones = Record<string, Zone>

const SERVFAIL = 2
const NXDOMAIN = 3
const REFUSED = 5
const TYPES = ['MX', 'A', 'AAAA', 'TXT', 'TLSA', 'CNAME', 'SOA'] as const

export class DnsServer implements AsyncDisposable {
  /** Change it at will: it is read for every question. */
  zones: Zones
  /** `MX example.com`, in the order of arrival. */
  readonly questions: string[] = []
  overTcp = 0
  readonly #udp: Socket
  readonly #tcp: Server
  readonly #sockets = new Set<TcpSocket>()

  private constructor(zones: Zones) {
    this.zones = zones
    this.#udp = createSocket('udp4')
    this.#tcp = createServer((socket) => this.#serve(socket))
  }

  static async start(zones: Zones = {}): Promise<DnsServer> {
    for (;;) {
      const server = new DnsServer(zones)
      server.#tcp.listen(0, '127.0.0.1')
      await once(server.#tcp, 'listening')
      server.#udp.bind(server.#port, '127.0.0.1')
      // The port is free for TCP; another process may hold it for UDP.
      const isBound = await Promise.race([
        once(server.#udp, 'listening').then(() => true),
        once(server.#udp, 'error').then(() => false),
      ])
      if (isBound) {
        server.#udp.on('message', (query, from) => {
          const answer = server.#answer(query, 'udp')
          if (answer !== undefined) server.#udp.send(answer, from.port, from.address)
        })
        return server
      }
      server.#tcp.close()
    }
  }

  get #port(): number {
    return (this.#tcp.address() as AddressInfo).port
  }

  /** As settings.delivery.resolvers wants it. */
  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  count(question: string): number {
    return this.questions.filter((asked) => asked === question).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#udp.close()
    this.#tcp.close()
    await once(this.#tcp, 'close')
  }

  #serve(socket: TcpSocket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    let pending = Buffer.alloc(0)
    socket.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const length = pending.readUInt16BE(0)
        const answer = this.#answer(pending.subarray(2, 2 + length), 'tcp')
        pending = pending.subarray(2 + length)
        this.overTcp++
        if (answer === undefined) continue
        const size = Buffer.alloc(2)
        size.writeUInt16BE(answer.length)
        socket.write(Buffer.concat([size, answer]))
      }
    })
  }

  #answer(query: Buffer, by: 'udp' | 'tcp'): Buffer | undefined {
    const { id = 0, questions = [] } = decode(query)
    const [question] = questions
    if (question === undefined) return undefined
    const name = question.name.toLowerCase()
    this.questions.push(`${question.type} ${name}`)
    const zone = this.zones[name]
    const isTroubled = zone?.troubled === undefined || zone.troubled === question.type
    const trouble = isTroubled ? zone?.trouble : undefined
    if (trouble === 'silence') return undefined
    if (trouble === 'garbage') return Buffer.from([...query.subarray(0, 2), 0xff])
    const packet: Packet = { type: 'response', id, questions: [question] }
    const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE
    if (trouble === 'servfail') return encode({ ...packet, flags: flags | SERVFAIL })
    if (trouble === 'refused') return encode({ ...packet, flags: flags | REFUSED })
    if (trouble === 'truncated' && by === 'udp') return encode({ ...packet, flags: flags | TRUNCATED_RESPONSE })
    const type = TYPES.find((known) => known === question.type)
    const { answers, exists } = this.#records(name, type)
    // What an alias points to is no part of the answer to a question for the alias.
    const targets = answers.flatMap((each) => (each.type === 'CNAME' && type !== 'CNAME' ? [each.data] : []))
    const names = [name, ...targets]
    const vouched = names.every((each) => this.#isSecure(each)) ? AUTHENTIC_DATA : 0
    return encode({ ...packet, flags: flags | vouched | (exists ? 0 : NXDOMAIN), answers })
  }

  /** By the nearest name that says so. */
  #isSecure(name: string): boolean {
    const secure = this.zones[name]?.secure
    if (secure !== undefined) return secure
    const dot = name.indexOf('.')
    return dot !== -1 && dot < name.length - 1 && this.#isSecure(name.slice(dot + 1))
  }

  /** Follows CNAMEs within the zones, as a recursive server does. */
  #records(name: string, type: (typeof TYPES)[number] | undefined, depth = 0): { answers: Answer[]; exists: boolean } {
    const zone = this.zones[name]
    if (zone === undefined) return { answers: [], exists: false }
    const ttl = zone.ttl ?? 300
    if (zone.cname !== undefined && type !== 'CNAME' && depth < 8) {
      const target = this.#records(zone.cname, type, depth + 1)
      return { answers: [{ type: 'CNAME', name, ttl, data: zone.cname }, ...target.answers], exists: target.exists }
    }
    const answers: Answer[] = []
    if (type === 'MX')
      for (const [preference, exchange] of zone.mx ?? [])
        answers.push({ type, name, ttl, data: { preference, exchange } })
    if (type === 'A') for (const data of zone.a ?? []) answers.push({ type, name, ttl, data })
    if (type === 'AAAA') for (const data of zone.aaaa ?? []) answers.push({ type, name, ttl, data })
    if (type === 'TXT')
      for (const text of zone.txt ?? []) answers.push({ type, name, ttl, data: text.match(/.{1,255}/g) ?? [''] })
    if (type === 'CNAME' && zone.cname !== undefined) answers.push({ type, name, ttl, data: zone.cname })
    if (type === 'TLSA')
      for (const [usage, selector, matchingType, hex] of zone.tlsa ?? [])
        answers.push({ type, name, ttl, data: { usage, selector, matchingType, certificate: Buffer.from(hex, 'hex') } })
    return { answers, exists: true }
  }
}
