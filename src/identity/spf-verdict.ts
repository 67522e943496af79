// What a receiver makes of an address of ours: SPF evaluated by mailauth, with our look-ups. Loaded when it is wanted: most
// commands never ask.

import type { Answer, Lookup } from './lookup.ts'

export interface SpfVerdict {
  readonly result: 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'permerror' | 'temperror'
  /** Why, for permerror and temperror. */
  readonly detail: string
}

export async function spfVerdict(asked: {
  readonly address: string
  readonly domain: string
  readonly helo: string
  readonly lookup: Lookup
}): Promise<SpfVerdict> {
  const { spf } = await import('mailauth/lib/spf/index.js')
  const { status } = await spf({
    ip: asked.address,
    sender: `postmaster@${asked.domain}`,
    helo: asked.helo,
    mta: asked.helo,
    strict: true,
    resolver: (name, type) => resolve(asked.lookup, name, type),
  })
  return { result: status.result as SpfVerdict['result'], detail: status.comment || '' }
}

/** As node:dns answers, and fails. */
async function resolve(lookup: Lookup, name: string, type: string): Promise<string[] | string[][]> {
  switch (type) {
    case 'TXT':
      return itemsOf(await lookup.txt(name)).map((text) => [text])
    case 'MX':
      // Its types know texts only; what it reads of an MX are these two fields.
      return itemsOf(await lookup.mx(name)).map(({ exchange, preference }) => ({
        exchange,
        priority: preference,
      })) as unknown as string[]
    case 'A':
      return itemsOf(await lookup.a(name))
    case 'AAAA':
      return itemsOf(await lookup.aaaa(name))
    default:
      // PTR by its name in the reverse zone: nobody should use that mechanism (RFC 7208 §5.5).
      throw dnsError('ENODATA')
  }
}

function itemsOf<Item>(answer: Answer<Item>): Item[] {
  switch (answer.kind) {
    case 'ok':
      return [...answer.items]
    case 'nodata':
      throw dnsError('ENODATA')
    case 'nxdomain':
      throw dnsError('ENOTFOUND')
    case 'failed':
      throw dnsError(answer.isTimeout ? 'ETIMEOUT' : 'ESERVFAIL', answer.detail)
  }
}

function dnsError(code: string, detail = code): Error {
  return Object.assign(new Error(detail), { code })
}
