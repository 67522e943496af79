// The two things the queue keeps: the message (never changes after acceptance) and its recipients (the unit of state).

import type { EpochMs } from '../util/clock.ts'
import type { Domain, EmailAddress } from './address.ts'
import type { Cause, Way } from './outcome.ts'

export type BodyType = '7bit' | '8bitmime'

/** RFC 3461 parameters of MAIL. */
export interface DsnMail {
  readonly ret?: 'FULL' | 'HDRS'
  /** xtext as the client gave it. */
  readonly envid?: string
}

/** RFC 3461 parameters of RCPT. */
export interface DsnRcpt {
  readonly notify?: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[]
  /** `rfc822;xtext` as the client gave it. */
  readonly orcpt?: string
}

/** What the sender asked about TLS on the whole way (RFC 8689): REQUIRETLS, or `TLS-Required: No`. */
export type TlsWish = 'required' | 'optional'

/** Immutable after acceptance. */
export interface Message {
  readonly id: string
  readonly tenant: string
  /** Name of the credential; absent for a trusted network. */
  readonly credential?: string
  /** Envelope sender as submitted; '' is the null sender. */
  readonly sender: EmailAddress | ''
  /** Domain we sign as and take the return path from: of the From header if the tenant may use it, else the envelope's. */
  readonly senderDomain?: Domain
  readonly recipients: number // how many; their keys are (id, 0 … recipients-1)
  readonly receivedAt: EpochMs
  readonly expiresAt: EpochMs
  /** Bytes on the wire of prefix + body, without dot-stuffing. */
  readonly sizeBytes: number
  /** Headers that go in front of the body: Received, DKIM-Signature, added Message-ID and Date. Latin-1, CRLF lines. */
  readonly prefix: string
  /** The body in units of 256 KiB: more than one is read piece by piece. */
  readonly chunks: number
  readonly body: BodyType
  readonly smtpUtf8: boolean
  readonly dsn?: DsnMail
  readonly tlsWish?: TlsWish
  /** From the headers, decoded for people, cut to 255 characters each. */
  readonly headers: { readonly messageId: string; readonly from?: string; readonly subject?: string }
  readonly tags?: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
  readonly pool?: string
  readonly idempotencyKey?: string
  /** Its signed unsubscribe address works until then; absent when we added none. */
  readonly unsubscribeUntil?: EpochMs
  /** Where it came from. */
  readonly client: {
    readonly address: string
    readonly helo?: string
    readonly listener: string
    readonly tls?: string
  }
}

/**
 * Where one recipient stands. queue/state.ts says who may change what into what.
 * `waiting.attempts` counts attempts begun, the one in flight included: a claim stores attempts + 1 and a dueAt in
 * the future before connecting, so a crash needs no special state.
 */
export type RecipientState =
  | { readonly kind: 'waiting'; readonly attempts: number; readonly dueAt: EpochMs }
  | {
      readonly kind: 'held'
      readonly attempts: number
      readonly at: EpochMs
      readonly who: string
      readonly why: string
    }
  | { readonly kind: 'delivered'; readonly at: EpochMs }
  | { readonly kind: 'failed'; readonly at: EpochMs }
  | { readonly kind: 'expired'; readonly at: EpochMs }
  | { readonly kind: 'suppressed'; readonly at: EpochMs }
  | { readonly kind: 'cancelled'; readonly at: EpochMs; readonly who: string; readonly why: string }
  | { readonly kind: 'bounced'; readonly at: EpochMs }

export interface Recipient {
  readonly id: string
  readonly n: number
  readonly tenant: string
  readonly address: EmailAddress
  /** That of its message: which lane it stands in. Absent also in what older versions accepted. */
  readonly pool?: string
  readonly state: RecipientState
  readonly dsn?: DsnRcpt
  /** Attempts whose outcome is recorded; fewer than begun while one is under way, or after the relay ended during one. */
  readonly settled?: number
  /** Why the last attempt did not deliver. */
  readonly lastCause?: Cause
  readonly lastWay?: Way
  readonly lastAt?: EpochMs
  /** When an operator let it go on. */
  readonly releasedAt?: EpochMs
}

/** tenant × pool × destination domain, where waiting recipients stand in line. Without a pool: that of the tenant. */
export interface LaneName {
  readonly tenant: string
  readonly domain: Domain
  readonly pool?: string
}

export function isFinal(state: RecipientState): boolean {
  return state.kind !== 'waiting' && state.kind !== 'held'
}
