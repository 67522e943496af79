// Every state × every event: the table is the specification.

import { expect, test } from 'vitest'
import type { RecipientState } from '../mail/message.ts'
import { IllegalTransition, mayHappen, type StateEvent, transition } from './state.ts'

const who = 'cli:jane'
const why = 'ticket 7'
const STATES: Record<RecipientState['kind'], RecipientState> = {
  waiting: { kind: 'waiting', attempts: 2, dueAt: 100 },
  held: { kind: 'held', attempts: 2, at: 50, who, why },
  delivered: { kind: 'delivered', at: 50 },
  failed: { kind: 'failed', at: 50 },
  expired: { kind: 'expired', at: 50 },
  suppressed: { kind: 'suppressed', at: 50 },
  cancelled: { kind: 'cancelled', at: 50, who, why },
  bounced: { kind: 'bounced', at: 50 },
}
const EVENTS: Record<StateEvent['kind'], StateEvent> = {
  claimed: { kind: 'claimed', dueAt: 900 },
  delivered: { kind: 'delivered', at: 900 },
  failed: { kind: 'failed', at: 900 },
  expired: { kind: 'expired', at: 900 },
  suppressed: { kind: 'suppressed', at: 900 },
  bounced: { kind: 'bounced', at: 900 },
  deferred: { kind: 'deferred', dueAt: 900 },
  returned: { kind: 'returned', dueAt: 900 },
  held: { kind: 'held', at: 900, who, why },
  cancelled: { kind: 'cancelled', at: 900, who, why },
  released: { kind: 'released', dueAt: 900 },
  retried: { kind: 'retried', dueAt: 900 },
}
const LEGAL: Partial<Record<RecipientState['kind'], Partial<Record<StateEvent['kind'], RecipientState>>>> = {
  waiting: {
    claimed: { kind: 'waiting', attempts: 3, dueAt: 900 },
    deferred: { kind: 'waiting', attempts: 2, dueAt: 900 },
    retried: { kind: 'waiting', attempts: 2, dueAt: 900 },
    returned: { kind: 'waiting', attempts: 1, dueAt: 900 },
    delivered: { kind: 'delivered', at: 900 },
    failed: { kind: 'failed', at: 900 },
    expired: { kind: 'expired', at: 900 },
    suppressed: { kind: 'suppressed', at: 900 },
    held: { kind: 'held', attempts: 2, at: 900, who, why },
    cancelled: { kind: 'cancelled', at: 900, who, why },
  },
  held: {
    released: { kind: 'waiting', attempts: 2, dueAt: 900 },
    cancelled: { kind: 'cancelled', at: 900, who, why },
    delivered: { kind: 'delivered', at: 900 },
    failed: { kind: 'failed', at: 900 },
    expired: { kind: 'expired', at: 900 },
    suppressed: { kind: 'suppressed', at: 900 },
    deferred: STATES.held,
    returned: { kind: 'held', attempts: 1, at: 50, who, why },
  },
  cancelled: {
    delivered: { kind: 'delivered', at: 900 },
    failed: STATES.cancelled,
    expired: STATES.cancelled,
    suppressed: STATES.cancelled,
    deferred: STATES.cancelled,
    returned: STATES.cancelled,
  },
  failed: {
    delivered: { kind: 'delivered', at: 900 },
    failed: STATES.failed,
    expired: STATES.failed,
    suppressed: STATES.failed,
    deferred: STATES.failed,
    returned: STATES.failed,
  },
  delivered: { bounced: { kind: 'bounced', at: 900 } },
}

const PAIRS = Object.values(STATES).flatMap((state) => Object.values(EVENTS).map((event) => ({ state, event })))

test.each(PAIRS)('$state.kind × $event.kind', ({ state, event }) => {
  const expected = LEGAL[state.kind]?.[event.kind]
  expect(mayHappen(state, event)).toBe(expected !== undefined)
  if (expected === undefined) expect(() => transition(state, event)).toThrow(IllegalTransition)
  else expect(transition(state, event)).toEqual(expected)
})

test.each(['claimed', 'deferred', 'returned', 'retried'] as const)(
  '%s falls on a whole millisecond, as keys of the schedule do',
  (kind) => {
    expect(transition(STATES.waiting, { kind, dueAt: 900.25 })).toMatchObject({ dueAt: 901 })
  },
)
