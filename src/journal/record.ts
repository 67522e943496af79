// The records: one entry in the journal for everything that happens, and the spine of CLI, API, log and metrics. Every
// kind names what happened in one word; docs/records.md lists the fields.

import type { ReportKind } from '../bounce/report.ts'
import type { Verdict } from '../bounce/verdict.ts'
import type { EmailAddress } from '../mail/address.ts'
import type { Cause, Way } from '../mail/outcome.ts'
import type { SmtpReply } from '../mail/reply.ts'
import type { EpochMs } from '../util/clock.ts'

export const RECORD_KINDS = [
  'accepted',
  'suppressed',
  'delivered',
  'deferred',
  'failed',
  'expired',
  'held',
  'released',
  'retried',
  'cancelled',
  'bounced',
  'complained',
  'unsubscribed',
  'reported',
  'suppression-added',
  'suppression-removed',
  'dsn-sent',
  'alert',
  'suspended',
  'resumed',
  'slowed',
  'recovered',
] as const
export type RecordKind = (typeof RECORD_KINDS)[number]

export interface JournalRecord {
  readonly kind: RecordKind
  readonly at: EpochMs
  readonly tenant: string
  /** Absent for records that are not about one message (suppressions made by hand). */
  readonly message?: string
  readonly n?: number
  readonly recipient: EmailAddress | string
  /** Attempts begun so far, this one included. */
  readonly attempt?: number
  /** delivered: the reply to the dot. */
  readonly reply?: SmtpReply
  /** deferred, failed, expired: why. */
  readonly cause?: Cause
  readonly way?: Way
  readonly verdict?: Verdict
  /** deferred: when it is tried again. */
  readonly dueAt?: EpochMs
  /** held, released, retried, cancelled, suppression-…, suspended, resumed: who did it and why. */
  readonly who?: string
  readonly why?: string
  /** accepted: what a timeline begins with. */
  readonly sender?: string
  readonly sizeBytes?: number
  readonly credential?: string
  readonly subject?: string
  readonly messageId?: string
  readonly client?: string
  /** suppressed, suppression-added: scope and reason of the entry. reason of suspended, resumed: drained, missing. */
  readonly scope?: string
  readonly reason?: string
  /** bounced, complained, unsubscribed, reported: the mail that came back, and how it was found to be about this recipient. */
  readonly report?: {
    readonly id: string
    readonly kind: ReportKind
    readonly evidence: string
    readonly link?: string
  }
  /** suppression-added: it is held back as pending until then. */
  readonly pendingUntil?: EpochMs
  /** With a cause: the enhanced code that describes it (RFC 3463), the receiver's own or ours. */
  readonly status?: string
  /** alert: the receiver it is about. */
  readonly site?: string
  /** alert: what it is about and how bad it is; absent for a surge of hard bounces. */
  readonly alert?: RecordedAlert
  /** suspended, resumed: whose mail; slowed, recovered: which path. */
  readonly target?: { readonly kind: string; readonly name: string }
  /** slowed: messages a second from then on. */
  readonly pace?: number
  /** suspended, and slowed by a rule: when it ends by itself. */
  readonly suspendedUntil?: EpochMs
  /** An attempt's final dot was sent and no reply seen: the one place where a duplicate may come from. */
  readonly ambiguous?: boolean
}

export type AlertLevel = 'warn' | 'bad' | 'critical'

export interface RecordedAlert {
  readonly name: string
  readonly scope: { readonly kind: string; readonly name: string }
  /** Raised again with another level when it gets worse, or better without being over. */
  readonly state: 'raised' | 'cleared'
  /** Of it when it was raised; cleared: the level it had. */
  readonly level: AlertLevel
  /** A share (0 to 1), milliseconds or a count, as its name says; absent when there is too little mail to tell. */
  readonly value?: number
  /** That was reached, or for `cleared` the one it is below again. */
  readonly threshold: number
}

/** A record with its place in the journal. */
export interface StoredRecord extends JournalRecord {
  /** `<time>-<sequence>`; usable as a cursor. */
  readonly position: string
}
