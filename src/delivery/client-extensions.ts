// What a server offers in its answer to EHLO (RFC 5321 §4.1.1.1), as far as the client makes use of it. Pure.

import type { SmtpReply } from '../mail/reply.ts'

export interface Extensions {
  /** Largest message the server takes (RFC 1870); absent when it names no limit. */
  readonly size?: number
  /** Whether SIZE was offered, so that MAIL may carry it. */
  readonly takesSize: boolean
  readonly pipelining: boolean
  readonly eightBitMime: boolean
  readonly smtpUtf8: boolean
  readonly dsn: boolean
  readonly startTls: boolean
  readonly requireTls: boolean
  readonly enhancedCodes: boolean
  readonly chunking: boolean
  /** Mechanisms in upper case. */
  readonly auth: readonly string[]
}

/** The extensions in a reply to EHLO; undefined stands for HELO, which offers none. */
export function extensionsOf(reply: SmtpReply | undefined): Extensions {
  const offered = new Map<string, string>()
  for (const line of reply?.lines.slice(1) ?? []) {
    // "AUTH=LOGIN" is how servers spoke before RFC 4954, and some still do.
    const [keyword = '', parameters = ''] = line
      .trim()
      .toUpperCase()
      .split(/[ =]+(.*)/, 2)
    offered.set(keyword, `${offered.get(keyword) ?? ''} ${parameters}`.trim())
  }
  const size = Number(/^\d{1,15}$/.exec(offered.get('SIZE') ?? '')?.[0] ?? 0)
  return {
    ...(size > 0 ? { size } : {}),
    takesSize: offered.has('SIZE'),
    pipelining: offered.has('PIPELINING'),
    eightBitMime: offered.has('8BITMIME'),
    smtpUtf8: offered.has('SMTPUTF8'),
    dsn: offered.has('DSN'),
    startTls: offered.has('STARTTLS'),
    requireTls: offered.has('REQUIRETLS'),
    enhancedCodes: offered.has('ENHANCEDSTATUSCODES'),
    chunking: offered.has('CHUNKING'),
    auth: (offered.get('AUTH') ?? '').split(/\s+/).filter((mechanism) => mechanism !== ''),
  }
}
