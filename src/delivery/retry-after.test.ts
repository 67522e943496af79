import { expect, test } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../util/clock.ts'
import { retryAfter } from './retry-after.ts'

test.each([
  [450, ['4.7.1 Greylisted, please try again in 5 minutes'], 5 * MINUTE],
  [451, ['4.7.1 Greylisting in action, please come back in 00:04:57'], 4 * MINUTE + 57 * SECOND],
  [450, ['4.2.0 Greylisted for 300 seconds'], 5 * MINUTE],
  [421, ['4.7.0 Too many connections, retry after 2 hours'], 2 * HOUR],
  [451, ['Retry-After: 120'], 120 * SECOND],
  [450, ['retry in 300'], 300 * SECOND],
  [451, ['4.7.1 Please try again later', 'wait 15 min'], 15 * MINUTE],
  [421, ['4.7.0 Try again in 30s'], 30 * SECOND],
  [450, ['Retry in 1 hr.'], HOUR],
  [451, ['try again after 900 hours'], 24 * HOUR],
  [450, ['4.7.1 please try again later'], undefined],
  [
    421,
    [
      '4.7.0 [192.0.2.1] Our system has detected an unusual rate. To protect our users, mail has been temporarily rate limited.',
    ],
    undefined,
  ],
  [452, ['4.2.2 The mailbox is full, try again. See https://example.com/?p=6590'], undefined],
  [450, ['4.7.1 try again in 0 minutes'], undefined],
  [451, ['deferred. 5 minutes of fame'], undefined],
  [550, ['5.7.1 try again in 5 minutes'], undefined],
  [451, [''], undefined],
])('%i %j', (code, lines, wait) => {
  expect(retryAfter({ code, lines })).toBe(wait)
})

test('a hostile text is read quickly', () => {
  const lines = [`try ${'again '.repeat(50_000)}`, 'retry '.repeat(50_000)]
  const before = performance.now()
  expect(retryAfter({ code: 450, lines })).toBeUndefined()
  expect(performance.now() - before).toBeLessThan(100)
})
