// What an attempt did for one recipient, and why. Plain data: it crosses thread boundaries and lies in the journal.

import { replyText, type SmtpCommand, type SmtpReply } from './reply.ts'

/** The way an attempt went; as much of it as was reached. */
export interface Way {
  readonly site: string
  /** Name of the source used. */
  readonly source: string
  /** Host name of the MX (or static route). */
  readonly mx?: string
  readonly mxAddress?: string
  readonly localAddress?: string
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; absent on a plaintext connection. */
  readonly tls?: string
  /**
   * How the server's certificate was verified: by its TLSA records, as its domain's MTA-STS policy demands, or (also
   * where nobody demanded it) by a certificate authority and its name. Absent: encrypted for whoever answered.
   */
  readonly tlsVerified?: 'dane' | 'mta-sts' | 'pki'
  /** The next hop offers DSN (RFC 3461) and was given our parameters: it reports by itself from here on. */
  readonly dsnPassedOn?: boolean
  /** From taking the attempt up to its end. */
  readonly durationMs: number
}

/** What was wrong with TLS, in the words of RFC 8460 §4.3. */
export type TlsFailure =
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure'
  | 'tlsa-invalid'
  | 'dnssec-invalid'
  | 'sts-policy-fetch-error'
  | 'sts-policy-invalid'
  | 'sts-webpki-invalid'

export type Cause =
  | { readonly kind: 'reply'; readonly reply: SmtpReply; readonly command: SmtpCommand }
  /**
   * `code` is the enhanced code that fits (RFC 3463), e.g. 5.1.2 for a domain that does not exist. `ours`: our own
   * resolver gave no answer, so that nothing was learned of the domain.
   */
  | { readonly kind: 'dns'; readonly code: string; readonly detail: string; readonly ours?: true }
  | {
      readonly kind: 'connect' | 'tls' | 'timeout' | 'protocol'
      readonly detail: string
      readonly command?: SmtpCommand
      /** The fault lies on this side (no network, no free file descriptor, no such local address): not the host's. */
      readonly ours?: true
      /** With tls: what was wrong. */
      readonly failure?: TlsFailure
    }
  /** The final dot was sent and no (valid) reply was seen: the message may have been taken (RFC 1047). */
  | { readonly kind: 'ambiguous'; readonly detail: string }
  /** Found before or beside SMTP: loops (5.4.6), 8BITMIME (5.6.3), SMTPUTF8 (5.6.7), prohibited addresses (5.4.4). */
  | { readonly kind: 'local'; readonly code: string; readonly detail: string }
  /**
   * The message's life ended; `last` is why the last attempt failed, absent when there was none. `by` says that it was
   * we who let it end: no attempt was made for our own limits (throttle), or an operator held it (hold).
   */
  | { readonly kind: 'expired'; readonly last?: Cause; readonly by?: 'throttle' | 'hold' }

export type Outcome =
  | { readonly kind: 'delivered'; readonly reply: SmtpReply; readonly way: Way }
  | { readonly kind: 'deferred'; readonly cause: Cause; readonly way?: Way; readonly retryAfterMs?: number }
  | { readonly kind: 'failed'; readonly cause: Cause; readonly way?: Way }
  /**
   * Not tried (no slot in time, shutting down): goes back in line and does not count as an attempt. `throttled`: our own
   * limits on the path are why.
   */
  | { readonly kind: 'returned'; readonly reason: string; readonly retryAfterMs: number; readonly throttled?: true }

/** One line for people: the reply verbatim, or what happened instead, with the enhanced code that fits. */
export function causeText(cause: Cause): string {
  switch (cause.kind) {
    case 'reply':
      return replyText(cause.reply)
    case 'expired':
      return expiryText(cause)
    default:
      return `${cause.kind} ${causeStatus(cause, false)}: ${cause.detail}`
  }
}

const EXPIRED_BY = {
  throttle: 'expired before an attempt, held back by the limits of the path',
  hold: 'expired while it was held',
} as const

function expiryText({ by, last }: Extract<Cause, { kind: 'expired' }>): string {
  const text = by === undefined ? 'expired' : EXPIRED_BY[by]
  if (last !== undefined) return `${text}; last: ${causeText(last)}`
  return by === undefined ? 'expired before the first attempt' : text
}

/** The enhanced code that describes a cause in a DSN or record (RFC 3463); falls back on class.0.0. */
export function causeStatus(cause: Cause, permanent: boolean): string {
  switch (cause.kind) {
    case 'reply':
      return cause.reply.enhanced ?? `${Math.floor(cause.reply.code / 100)}.0.0`
    case 'dns':
    case 'local':
      return cause.code
    case 'connect':
      return '4.4.1'
    case 'tls':
      return '4.7.5'
    case 'timeout':
    case 'ambiguous':
      return '4.4.2'
    case 'protocol':
      return '4.5.0'
    case 'expired':
      return cause.last === undefined ? '4.4.7' : causeStatus(cause.last, permanent)
  }
}
