// What an outcome means for its recipient: which event, which record. Pure given the verdict.
// A 5xx that is about us (a listed IP, a rate) is not the end of the message: its verdict says retry, and the message
// waits until its life ends. A message whose life ended keeps the last cause, so that its verdict is about the receiver;
// one that our own limits kept from ever being tried says so.

import type { Verdict } from '../bounce/verdict.ts'
import type { Cause, Outcome, Way } from '../mail/outcome.ts'
import type { SmtpReply } from '../mail/reply.ts'
import { assertNever } from '../util/assert.ts'
import type { EpochMs } from '../util/clock.ts'
import { nextAttemptAt, type Schedule } from './schedule.ts'
import type { StateEvent } from './state.ts'

export type Settlement =
  | { readonly ending: 'delivered'; readonly event: StateEvent; readonly reply: SmtpReply; readonly way: Way }
  | {
      readonly ending: 'deferred'
      readonly event: StateEvent
      readonly dueAt: EpochMs
      readonly cause: Cause
      readonly way?: Way
    }
  | { readonly ending: 'failed' | 'expired'; readonly event: StateEvent; readonly cause: Cause; readonly way?: Way }
  /** No attempt was made: the state changes, nothing is recorded. */
  | { readonly ending: 'returned'; readonly event: StateEvent; readonly dueAt: EpochMs }

export interface SettlementInput {
  readonly outcome: Outcome
  /** Attempts begun, this one included. */
  readonly attempts: number
  readonly expiresAt: EpochMs
  /** Why the attempt before did not deliver. */
  readonly lastCause?: Cause | undefined
  readonly schedule: Schedule
  readonly now: EpochMs
  readonly random: number
  /** Asked only for refusals. */
  readonly classify: (cause: Cause, way: Way | undefined) => Verdict
}

export function settlementOf(input: SettlementInput): Settlement {
  const { outcome, now } = input
  switch (outcome.kind) {
    case 'delivered':
      return { ending: 'delivered', event: { kind: 'delivered', at: now }, reply: outcome.reply, way: outcome.way }
    case 'returned': {
      // Only where nobody was ever asked: of a message that was tried, the last reply tells more than our own limits.
      if (outcome.throttled && now >= input.expiresAt && input.lastCause === undefined)
        return { ending: 'expired', event: { kind: 'expired', at: now }, cause: { kind: 'expired', by: 'throttle' } }
      const dueAt =
        now < input.expiresAt ? Math.min(now + outcome.retryAfterMs, input.expiresAt) : now + outcome.retryAfterMs
      return { ending: 'returned', event: { kind: 'returned', dueAt }, dueAt }
    }
    case 'failed': {
      const isOver = input.classify(outcome.cause, outcome.way).action === 'fail'
      if (isOver) return { ending: 'failed', event: { kind: 'failed', at: now }, ...causeOf(outcome) }
      return againOrExpired(input, outcome, undefined)
    }
    case 'deferred':
      return againOrExpired(input, outcome, outcome.retryAfterMs)
    default:
      return assertNever(outcome)
  }
}

function againOrExpired(
  input: SettlementInput,
  outcome: Extract<Outcome, { kind: 'deferred' | 'failed' }>,
  retryAfterMs: number | undefined,
): Settlement {
  const { schedule, attempts, now, expiresAt, random } = input
  const dueAt = nextAttemptAt({ schedule, attempts, now, expiresAt, retryAfterMs, random })
  if (dueAt !== undefined) return { ending: 'deferred', event: { kind: 'deferred', dueAt }, dueAt, ...causeOf(outcome) }
  const { cause, ...way } = causeOf(outcome)
  return { ending: 'expired', event: { kind: 'expired', at: now }, cause: { kind: 'expired', last: cause }, ...way }
}

function causeOf(outcome: Extract<Outcome, { kind: 'deferred' | 'failed' }>): { cause: Cause; way?: Way } {
  return outcome.way === undefined ? { cause: outcome.cause } : { cause: outcome.cause, way: outcome.way }
}
