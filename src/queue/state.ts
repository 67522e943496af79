// The state of a recipient, and the only way it changes.
//
//   waiting    stands in its lane until dueAt, or is being tried right now (a claim has moved dueAt ahead: a crash
//              leaves it simply due later)
//   held       an operator keeps it back; an attempt under way still ends as it ends
//   delivered  the receiver took it; a report that comes back makes it `bounced`
//   failed     refused for good · expired: its life ended · suppressed: not to be mailed · cancelled: by an operator
//
// The runner causes claimed, delivered, deferred, failed, expired, returned and suppressed; operators cause held,
// released, retried and cancelled; the bounce listener causes bounced. queue.ts is the only caller that writes.

import type { RecipientState } from '../mail/message.ts'
import { assertNever } from '../util/assert.ts'
import type { EpochMs } from '../util/clock.ts'

export type StateEvent =
  /** An attempt begins; dueAt is when to try again if we die now. */
  | { readonly kind: 'claimed'; readonly dueAt: EpochMs }
  | { readonly kind: 'delivered' | 'failed' | 'expired' | 'suppressed' | 'bounced'; readonly at: EpochMs }
  | { readonly kind: 'deferred'; readonly dueAt: EpochMs }
  /** The attempt was not made: it does not count. */
  | { readonly kind: 'returned'; readonly dueAt: EpochMs }
  | { readonly kind: 'held' | 'cancelled'; readonly at: EpochMs; readonly who: string; readonly why: string }
  | { readonly kind: 'released' | 'retried'; readonly dueAt: EpochMs }

export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition'
  constructor(state: RecipientState, event: StateEvent) {
    super(`a recipient that is ${state.kind} cannot be ${event.kind}`)
  }
}

/** Keys of the schedule hold whole milliseconds: a state must say the same. */
const whole = Math.ceil

/** The next state. Throws IllegalTransition for what cannot happen; whoever lets people cause events checks `mayHappen`. */
export function transition(state: RecipientState, event: StateEvent): RecipientState {
  switch (state.kind) {
    case 'waiting':
      return fromWaiting(state, event)
    case 'held':
      return fromHeld(state, event)
    case 'cancelled':
      // The attempt was under way when it was cancelled: a delivery is the truth, anything else changes nothing.
      if (event.kind === 'delivered') return { kind: 'delivered', at: event.at }
      if (isAttemptEnd(event)) return state
      break
    case 'delivered':
      if (event.kind === 'bounced') return { kind: 'bounced', at: event.at }
      break
    case 'failed':
      // By an operator, while an attempt was under way: the same.
      if (event.kind === 'delivered') return { kind: 'delivered', at: event.at }
      if (isAttemptEnd(event)) return state
      break
    case 'expired':
    case 'suppressed':
    case 'bounced':
      break
    default:
      assertNever(state)
  }
  throw new IllegalTransition(state, event)
}

export function mayHappen(state: RecipientState, event: StateEvent): boolean {
  try {
    transition(state, event)
    return true
  } catch (error) {
    if (error instanceof IllegalTransition) return false
    throw error
  }
}

function fromWaiting(state: Extract<RecipientState, { kind: 'waiting' }>, event: StateEvent): RecipientState {
  switch (event.kind) {
    case 'claimed':
      return { kind: 'waiting', attempts: state.attempts + 1, dueAt: whole(event.dueAt) }
    case 'deferred':
    case 'retried':
      return { kind: 'waiting', attempts: state.attempts, dueAt: whole(event.dueAt) }
    case 'returned':
      return { kind: 'waiting', attempts: Math.max(0, state.attempts - 1), dueAt: whole(event.dueAt) }
    case 'delivered':
    case 'failed':
    case 'expired':
    case 'suppressed':
      return { kind: event.kind, at: event.at }
    case 'held':
      return { kind: 'held', attempts: state.attempts, at: event.at, who: event.who, why: event.why }
    case 'cancelled':
      return { kind: 'cancelled', at: event.at, who: event.who, why: event.why }
    case 'released':
    case 'bounced':
      throw new IllegalTransition(state, event)
    default:
      return assertNever(event)
  }
}

function fromHeld(state: Extract<RecipientState, { kind: 'held' }>, event: StateEvent): RecipientState {
  switch (event.kind) {
    case 'released':
      return { kind: 'waiting', attempts: state.attempts, dueAt: whole(event.dueAt) }
    case 'cancelled':
      return { kind: 'cancelled', at: event.at, who: event.who, why: event.why }
    // The attempt was under way when it was held.
    case 'delivered':
    case 'failed':
    case 'expired':
    case 'suppressed':
      return { kind: event.kind, at: event.at }
    case 'deferred':
      return state
    case 'returned':
      return { ...state, attempts: Math.max(0, state.attempts - 1) }
    case 'claimed':
    case 'held':
    case 'retried':
    case 'bounced':
      throw new IllegalTransition(state, event)
    default:
      return assertNever(event)
  }
}

function isAttemptEnd(event: StateEvent): boolean {
  return ['failed', 'expired', 'suppressed', 'deferred', 'returned'].includes(event.kind)
}
