// Whatever is said and in whichever order: only faults of the recipient or its system ever lead to an entry, and an
// entry that keeps mail back was asked for, put in by hand, or learned from such a fault.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CATEGORIES, type Category } from '../src/bounce/verdict.ts'
import type { Cause } from '../src/mail/outcome.ts'
import type { Ending } from '../src/suppression/policy.ts'
import { DAY, HOUR } from '../src/util/clock.ts'
import { Learning, said } from './support/learning.ts'

const WORDS = [
  '5.1.1 User unknown',
  '5.2.1 The email account that you tried to reach is inactive',
  '5.2.2 mailbox full',
  '4.2.2 mailbox full',
  '5.7.1 Client host [192.0.2.9] blocked using zen.spamhaus.org',
  '5.7.1 Spam message rejected',
  "5.7.26 rejected by domain's DMARC policy",
  '5.7.1 Relay access denied',
  '5.3.4 Message size exceeds fixed limit',
  '4.7.1 greylisted, try again later',
  '4.3.2 system not accepting messages',
  'xyzzy',
  '',
]
const reply = fc
  .record({
    code: fc.constantFrom(421, 450, 451, 452, 500, 535, 550, 551, 552, 553, 554),
    text: fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 40 })),
    command: fc.constantFrom('banner', 'EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'dot'),
  })
  .map(({ code, text, command }): Cause => ({ ...(said(code, text) as Extract<Cause, { kind: 'reply' }>), command }))
const other: fc.Arbitrary<Cause> = fc.constantFrom<Cause>(
  { kind: 'dns', code: '5.1.2', detail: 'no such domain' },
  { kind: 'dns', code: '5.1.10', detail: 'null MX' },
  { kind: 'dns', code: '4.4.3', detail: 'SERVFAIL', ours: true },
  { kind: 'connect', detail: 'ECONNREFUSED' },
  { kind: 'connect', detail: 'ENETUNREACH', ours: true },
  { kind: 'tls', detail: 'handshake' },
  { kind: 'timeout', detail: 'silence' },
  { kind: 'ambiguous', detail: 'connection lost' },
  { kind: 'local', code: '5.4.6', detail: 'a loop' },
  { kind: 'expired', by: 'throttle' },
  { kind: 'expired', by: 'hold' },
)
const last = fc.oneof(reply, other)
const cause = fc.oneof(
  { weight: 4, arbitrary: last },
  { weight: 1, arbitrary: last.map((each): Cause => ({ kind: 'expired', last: each })) },
)
const step = fc.record({
  what: fc.constantFrom('fail', 'fail', 'fail', 'fail', 'deliver', 'rm', 'wait'),
  cause,
  ending: fc.constantFrom<Ending>('deferred', 'failed', 'expired', 'bounced'),
  user: fc.integer({ min: 0, max: 3 }),
  wait: fc.integer({ min: 0, max: 2 * DAY }),
})
const MAY_SUPPRESS = new Set(['recipient', 'recipient-system'])

test('only faults of the recipient lead to an entry', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const learning = new Learning()
      try {
        for (const { what, cause: met, ending, user, wait } of steps) {
          const to = `user${user}@example.net`
          if (what === 'deliver') await learning.deliver(to)
          else if (what === 'wait') await learning.clock.advance(wait)
          else if (what === 'rm') await learning.list.remove({ scope: 'a', target: to, who: 'cli:ops', why: 'x' })
          else {
            const { verdict, suppression } = await learning.fail(to, { cause: met, ending })
            if (suppression !== undefined) expect(MAY_SUPPRESS).toContain(verdict.fault)
            if (ending === 'deferred') expect(suppression).toBeUndefined()
            if (verdict.kind === 'block' || verdict.kind === 'other') expect(suppression).toBeUndefined()
          }
        }
        for (const { evidence, scope } of learning.list.scan({})) {
          expect(MAY_SUPPRESS).toContain(CATEGORIES[evidence?.category as Category].fault)
          expect(scope).toBe('a')
        }
      } finally {
        await learning.close()
      }
    }),
    { numRuns: 60, seed: 1 },
  )
}, 60_000)

test('a trial is alone, whatever happens around it', async () => {
  const event = fc.record({
    what: fc.constantFrom('ask', 'ask', 'ask', 'fail', 'defer', 'deliver'),
    message: fc.integer({ min: 0, max: 4 }).map((n) => `m${n}`),
    wait: fc.integer({ min: 0, max: HOUR / 4 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const learning = new Learning()
      try {
        await learning.fail('jane@example.net')
        await learning.list.remove({ scope: 'a', target: 'jane@example.net', who: 'cli:ops', why: 'x' })
        let trial: { message: string; until: number } | undefined
        for (const { what, message, wait } of events) {
          await learning.clock.advance(wait)
          const now = learning.clock.now()
          const entry = learning.entry('jane@example.net')
          if (what === 'ask') {
            const { kind } = learning.gate.admission('a', 'jane@example.net' as never, message)
            const isOthers = trial !== undefined && trial.message !== message && trial.until > now
            if (entry?.reactivated !== undefined) {
              expect(kind).toBe(isOthers ? 'wait' : 'free')
              if (!isOthers) trial = { message, until: now + HOUR }
            } else expect(kind).toBe(entry === undefined ? 'free' : 'suppressed')
          } else if (trial?.message === message) {
            if (what === 'deliver') await learning.deliver('jane@example.net', { message })
            else await learning.fail('jane@example.net', { message, ending: what === 'fail' ? 'failed' : 'deferred' })
            trial = undefined
          }
        }
      } finally {
        await learning.close()
      }
    }),
    { numRuns: 40, seed: 2 },
  )
}, 60_000)
