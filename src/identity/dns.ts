// The only file here that asks DNS, with the name servers that delivery uses.

import { Resolver } from 'node:dns/promises'
import { reverseName } from './address.ts'
import type { Answer, Lookup } from './lookup.ts'

export interface LookupOptions {
  /** `address` or `address:port`; empty = those of the system. */
  readonly servers: readonly string[]
  readonly timeoutMs: number
}

const TRIES = 2

export function createLookup({ servers, timeoutMs }: LookupOptions): Lookup {
  const dns = new Resolver({ timeout: timeoutMs, tries: TRIES, maxTimeout: timeoutMs })
  if (servers.length > 0) dns.setServers(servers)
  return {
    txt: (name) => answerOf(async () => (await dns.resolveTxt(name)).map((strings) => strings.join(''))),
    mx: (name) =>
      answerOf(async () =>
        (await dns.resolveMx(name)).map(({ exchange, priority }) => ({
          exchange: plain(exchange),
          preference: priority,
        })),
      ),
    a: (name) => answerOf(() => dns.resolve4(name)),
    aaaa: (name) => answerOf(() => dns.resolve6(name)),
    cname: (name) => answerOf(async () => (await dns.resolveCname(name)).map(plain)),
    ptr: (address) => answerOf(async () => (await dns.resolvePtr(reverseName(address))).map(plain)),
  }
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

async function answerOf<Item>(ask: () => Promise<readonly Item[]>): Promise<Answer<Item>> {
  try {
    const items = await ask()
    return items.length === 0 ? { kind: 'nodata' } : { kind: 'ok', items }
  } catch (error) {
    return negative(error)
  }
}

function negative(error: unknown): Answer<never> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  switch (code) {
    case 'ENOTFOUND':
    case 'EBADNAME': // not a name that DNS could hold
      return { kind: 'nxdomain' }
    case 'ENODATA':
      return { kind: 'nodata' }
    default:
      return { kind: 'failed', detail: FAILURES[code] ?? `DNS error ${code}`, isTimeout: code === 'ETIMEOUT' }
  }
}

const FAILURES: Readonly<Record<string, string>> = {
  ESERVFAIL: 'the name server failed (SERVFAIL)',
  EREFUSED: 'the name server refused the query',
  ETIMEOUT: 'the name server did not answer in time',
  ECONNREFUSED: 'no name server could be reached',
  EBADRESP: 'the name server gave a malformed answer',
}
