// One change of one recipient: the event, what the journal says of it, and what else belongs into its transaction.
// Composes, writes nothing.

import type { JournalRecord } from '../journal/record.ts'
import type { Recorded } from '../journal/record-failure.ts'
import type { Recipient } from '../mail/message.ts'
import type { Cause, Way } from '../mail/outcome.ts'
import type { Write } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'
import { type StateEvent, transition } from './state.ts'

export interface Change {
  readonly recipient: Recipient
  readonly event: StateEvent
  readonly records: readonly JournalRecord[]
  /** Strikes and suppressions. */
  readonly more?: readonly Write[]
  readonly lastCause?: Cause
  readonly lastWay?: Way
}

/** What the journal says of an attempt that was begun and never settled. */
export const LOST_ATTEMPT = {
  kind: 'deferred',
  cause: {
    kind: 'ambiguous',
    detail: 'the relay ended during this attempt; whether the message was taken is not known',
  },
  ambiguous: true,
} as const

/** The recipient after the change. Throws IllegalTransition. */
export function changed(recipient: Recipient, change: Change, now: EpochMs): Recipient {
  return {
    ...recipient,
    state: transition(recipient.state, change.event),
    ...(change.event.kind === 'deferred' ? { settled: attemptsOf(recipient) } : {}),
    ...(change.event.kind === 'released' ? { releasedAt: now } : {}),
    ...(change.lastCause === undefined && change.lastWay === undefined ? {} : { lastAt: now }),
    ...(change.lastCause === undefined ? {} : { lastCause: change.lastCause }),
    ...(change.lastWay === undefined ? {} : { lastWay: change.lastWay }),
  }
}

/** Attempts begun; of recipients that are neither waiting nor held nobody counts any more. */
export function attemptsOf({ state }: Recipient): number {
  return state.kind === 'waiting' || state.kind === 'held' ? state.attempts : 0
}

export type RecordPart = Pick<JournalRecord, 'kind'> & Partial<JournalRecord>

export function recordAbout(recipient: Recipient, at: EpochMs, more: RecordPart): JournalRecord {
  return {
    at,
    tenant: recipient.tenant,
    message: recipient.id,
    n: recipient.n,
    recipient: recipient.address,
    attempt: attemptsOf(recipient),
    ...more,
  }
}

export function suppressionRecords(recipient: Recipient, at: EpochMs, recorded: Recorded): JournalRecord[] {
  const { suppression, verdict, records } = recorded
  if (suppression === undefined) return [...records]
  const { scope, reason, who, pendingUntil } = suppression
  const pending = pendingUntil === undefined ? {} : { pendingUntil }
  return [
    recordAbout(recipient, at, { kind: 'suppression-added', scope, reason, who, verdict, ...pending }),
    ...records,
  ]
}
