import { describe, expect, test } from 'vitest'
import { HOUR, MINUTE } from '../util/clock.ts'
import { lifetimeOf, nextAttemptAt } from './schedule.ts'

const schedule = { retry: [5 * MINUTE, 10 * MINUTE, 4 * HOUR], jitter: 0.1 }
const at = (attempts: number, more: { retryAfterMs?: number; random?: number; now?: number } = {}) =>
  nextAttemptAt({ schedule, attempts, now: 0, expiresAt: 72 * HOUR, random: 0.5, ...more })

describe('nextAttemptAt', () => {
  test.each([
    [1, 5 * MINUTE],
    [2, 10 * MINUTE],
    [3, 4 * HOUR],
    [9, 4 * HOUR],
  ])('after attempt %i waits %i ms', (attempts, wait) => expect(at(attempts)).toBe(wait))

  test('spreads by ± jitter', () => {
    expect(at(1, { random: 0 })).toBe(4.5 * MINUTE)
    expect(at(1, { random: 0.999_999 })).toBe(5.5 * MINUTE)
  })

  test('a receiver that asks for later is obeyed, for earlier is not, for absurdly late is not', () => {
    expect(at(1, { retryAfterMs: 30 * MINUTE })).toBe(30 * MINUTE)
    expect(at(1, { retryAfterMs: 1 })).toBe(5 * MINUTE)
    expect(at(1, { retryAfterMs: 1000 * HOUR })).toBe(12 * HOUR)
  })

  test('the last attempt is at the end of life, and none after it', () => {
    expect(at(3, { now: 71 * HOUR })).toBe(72 * HOUR)
    expect(at(3, { now: 72 * HOUR })).toBeUndefined()
  })
})

test.each([
  [undefined, 72 * HOUR],
  [{ preset: 'standard' as const }, 72 * HOUR],
  [{ preset: 'transactional' as const }, 8 * HOUR],
  [{ preset: 'patient' as const }, 120 * HOUR],
  [{ preset: 'patient' as const, lifetime: HOUR }, HOUR],
])('lifetime of %j', (tenant, expected) => expect(lifetimeOf(tenant, 72 * HOUR)).toBe(expected))
