// The only place that asks DNS. Answers are typed, because what follows from them differs: "does not exist" and "exists
// without such a record" are facts, everything else (SERVFAIL, timeout, refusal, nonsense) says nothing about the domain
// and must never fail a mail. No cache here: mx.ts keeps what it has learned.

import { Resolver as DnsResolver } from 'node:dns/promises'
import { MINUTE } from '../util/clock.ts'

export interface MxRecord {
  /** As the zone has it; '' is the root, the mark of a null MX (RFC 7505). */
  readonly exchange: string
  readonly preference: number
}

export type Answer<Item> =
  | { readonly kind: 'ok'; readonly items: readonly Item[]; readonly ttlMs: number }
  | { readonly kind: 'nodata' }
  | { readonly kind: 'nxdomain' }
  /** `ours`: no name server of ours answered; without it the fault may be the zone's. */
  | { readonly kind: 'failed'; readonly detail: string; readonly ours?: true }

export interface Resolver {
  mx(name: string): Promise<Answer<MxRecord>>
  /** IPv6 and then IPv4 addresses of a host; CNAMEs are followed. */
  addresses(host: string): Promise<Answer<string>>
  /** The TXT records of a name, the strings of each put together. */
  txt(name: string): Promise<Answer<string>>
}

export interface ResolverOptions {
  /** `address` or `address:port`; empty = those of the system. */
  readonly servers: readonly string[]
  readonly timeoutMs: number
}

const TRIES = 2
// node:dns hides the TTL of MX and TXT records; what it names is mostly cached by the name server next door anyway.
const UNKNOWN_TTL_MS = 5 * MINUTE

export function createResolver(options: ResolverOptions): Resolver {
  const dns = new DnsResolver({ timeout: options.timeoutMs, tries: TRIES, maxTimeout: options.timeoutMs })
  if (options.servers.length > 0) dns.setServers(options.servers)
  return {
    mx: (name) =>
      answerOf(async () => {
        const records = await dns.resolveMx(name)
        return {
          items: records.map(({ exchange, priority }) => ({ exchange, preference: priority })),
          ttlMs: UNKNOWN_TTL_MS,
        }
      }),
    addresses: async (host) => {
      const [six, four] = await Promise.all([
        answerOf(async () => timed(await dns.resolve6(host, { ttl: true }))),
        answerOf(async () => timed(await dns.resolve4(host, { ttl: true }))),
      ])
      return merged(six, four)
    },
    txt: (name) =>
      answerOf(async () => {
        const records = await dns.resolveTxt(name)
        return { items: records.map((strings) => strings.join('')), ttlMs: UNKNOWN_TTL_MS }
      }),
  }
}

function timed(records: readonly { readonly address: string; readonly ttl: number }[]): Answered<string> {
  const seconds = records.reduce((least, record) => Math.min(least, record.ttl), Number.POSITIVE_INFINITY)
  return { items: records.map((record) => record.address), ttlMs: seconds * 1000 }
}

interface Answered<Item> {
  readonly items: readonly Item[]
  readonly ttlMs: number
}

async function answerOf<Item>(ask: () => Promise<Answered<Item>>): Promise<Answer<Item>> {
  try {
    const answered = await ask()
    return answered.items.length === 0 ? { kind: 'nodata' } : { kind: 'ok', ...answered }
  } catch (error) {
    return negative(error)
  }
}

function negative(error: unknown): Answer<never> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  switch (code) {
    case 'ENOTFOUND':
    case 'EBADNAME': // not a name that DNS could hold
      return { kind: 'nxdomain' }
    case 'ENODATA':
      return { kind: 'nodata' }
    default:
      return {
        kind: 'failed',
        detail: FAILURES[code] ?? `DNS error ${code}`,
        ...(!OF_ZONES.has(code) && { ours: true }),
      }
  }
}

/** A name server that could not find out says so by these; anything else means that it does not serve us. */
const OF_ZONES: ReadonlySet<string> = new Set(['ESERVFAIL', 'EBADRESP'])

const FAILURES: Readonly<Record<string, string>> = {
  ESERVFAIL: 'the name server failed (SERVFAIL)',
  EREFUSED: 'the name server refused the query',
  ETIMEOUT: 'the name server did not answer in time',
  ECONNREFUSED: 'no name server could be reached',
  EBADRESP: 'the name server gave a malformed answer',
  EFORMERR: 'the name server did not understand the query',
  ENOTIMP: 'the name server does not answer such queries',
}

/** One answer of the two families: addresses of either are enough; without any, doubt beats denial. */
function merged(six: Answer<string>, four: Answer<string>): Answer<string> {
  if (six.kind === 'ok' && four.kind === 'ok') {
    return { kind: 'ok', items: [...six.items, ...four.items], ttlMs: Math.min(six.ttlMs, four.ttlMs) }
  }
  if (four.kind === 'ok') return four
  if (six.kind === 'ok') return six
  if (four.kind === 'failed') return four
  if (six.kind === 'failed') return six
  return four.kind === 'nxdomain' ? four : six
}
