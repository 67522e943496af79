import { expect, test } from 'vitest'
import { CATEGORIES, type Verdict } from '../bounce/verdict.ts'
import type { Cause, Outcome, Way } from '../mail/outcome.ts'
import { HOUR, MINUTE } from '../util/clock.ts'
import { settlementOf } from './settlement.ts'

const way: Way = { site: 'a.test', source: 'default', durationMs: 1 }
const verdict = (action: Verdict['action']): Verdict => ({
  ...CATEGORIES['bad-mailbox'],
  category: 'bad-mailbox',
  action,
  rule: 'r',
})
const reply = (code: number) => ({ kind: 'reply' as const, command: 'RCPT' as const, reply: { code, lines: ['x'] } })
const settle = (outcome: Outcome, more: { action?: Verdict['action']; now?: number; lastCause?: Cause } = {}) =>
  settlementOf({
    outcome,
    attempts: 1,
    expiresAt: 72 * HOUR,
    lastCause: more.lastCause,
    schedule: { retry: [5 * MINUTE], jitter: 0 },
    now: more.now ?? 1000,
    random: 0.5,
    classify: () => verdict(more.action ?? 'fail'),
  })

test.each([
  ['a 250 delivers', settle({ kind: 'delivered', reply: { code: 250, lines: [] }, way }), { ending: 'delivered' }],
  [
    'a 5xx about the recipient fails',
    settle({ kind: 'failed', cause: reply(550), way }),
    { ending: 'failed', event: { kind: 'failed', at: 1000 } },
  ],
  [
    'a 5xx about us is tried again',
    settle({ kind: 'failed', cause: reply(550), way }, { action: 'slow' }),
    { ending: 'deferred', dueAt: 1000 + 5 * MINUTE },
  ],
  [
    'a 4xx is tried again',
    settle({ kind: 'deferred', cause: reply(451), way }),
    { ending: 'deferred', dueAt: 1000 + 5 * MINUTE },
  ],
  [
    'a receiver that names a later time is obeyed',
    settle({ kind: 'deferred', cause: reply(451), way, retryAfterMs: HOUR }),
    { ending: 'deferred', dueAt: 1000 + HOUR },
  ],
  [
    'a 4xx at the end of life expires and keeps its cause',
    settle({ kind: 'deferred', cause: reply(451), way }, { now: 72 * HOUR }),
    { ending: 'expired', cause: { kind: 'expired', last: reply(451) }, way },
  ],
  [
    'a 5xx about us at the end of life expires, too',
    settle({ kind: 'failed', cause: reply(554) }, { action: 'suspend', now: 73 * HOUR }),
    { ending: 'expired', cause: { kind: 'expired', last: reply(554) } },
  ],
  [
    'what was not tried does not count',
    settle({ kind: 'returned', reason: 'no slot', retryAfterMs: 500 }),
    { ending: 'returned', event: { kind: 'returned', dueAt: 1500 } },
  ],
  [
    'what our limits held back goes back in line',
    settle({ kind: 'returned', reason: 'no slot', retryAfterMs: 500, throttled: true }),
    { ending: 'returned' },
  ],
  [
    'what our limits held back until its life was over expires, and says so',
    settle({ kind: 'returned', reason: 'no slot', retryAfterMs: 500, throttled: true }, { now: 72 * HOUR }),
    { ending: 'expired', event: { kind: 'expired', at: 72 * HOUR }, cause: { kind: 'expired', by: 'throttle' } },
  ],
  [
    'what goes back in line has its last chance when its life ends',
    settle({ kind: 'returned', reason: 'no slot', retryAfterMs: 500, throttled: true }, { now: 72 * HOUR - 100 }),
    { ending: 'returned', dueAt: 72 * HOUR },
  ],
  [
    'what was tried before is tried once more',
    settle(
      { kind: 'returned', reason: 'no slot', retryAfterMs: 500, throttled: true },
      { now: 72 * HOUR, lastCause: reply(451) },
    ),
    { ending: 'returned' },
  ],
  [
    'a stop of the relay ends nothing, however old',
    settle({ kind: 'returned', reason: 'shutting down', retryAfterMs: 500 }, { now: 90 * HOUR }),
    { ending: 'returned' },
  ],
])('%s', (_, settlement, expected) => expect(settlement).toMatchObject(expected))
