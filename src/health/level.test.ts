import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AlertLevel } from '../journal/record.ts'
import { LEVELS, levelOf } from './level.ts'

const THRESHOLDS = [0.02, 0.05, 0.1]
const level = (value: number, before?: AlertLevel) =>
  levelOf({ value, thresholds: THRESHOLDS, before, clear: 0.8 })?.level

describe('levelOf', () => {
  test.each([
    [0.019, undefined, undefined],
    [0.02, undefined, 'warn'],
    [0.049, undefined, 'warn'],
    [0.05, undefined, 'bad'],
    [0.1, undefined, 'critical'],
    [1, undefined, 'critical'],
    // Once raised, it stays until it is clearly over.
    [0.017, 'warn', 'warn'],
    [0.015, 'warn', undefined],
    [0.041, 'bad', 'bad'],
    [0.039, 'bad', 'warn'],
    [0.015, 'critical', undefined],
    [0.081, 'critical', 'critical'],
    [0.079, 'critical', 'bad'],
    [0.06, 'warn', 'bad'],
  ] as const)('%s after %s is %s', (value, before, after) => {
    expect(level(value, before)).toBe(after)
  })

  test('two thresholds have two levels', () => {
    expect(levelOf({ value: 5, thresholds: [1, 2], before: undefined, clear: 1 })).toEqual({
      level: 'bad',
      threshold: 2,
    })
  })

  const value = fc.double({ min: 0, max: 1, noNaN: true })
  const before = fc.constantFrom(undefined, ...LEVELS)
  const rank = (found: AlertLevel | undefined): number => (found === undefined ? 0 : LEVELS.indexOf(found) + 1)

  test('more is never better, and what was raised makes it never better', () => {
    fc.assert(
      fc.property(value, value, before, (one, other, was) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)]
        expect(rank(level(less, was))).toBeLessThanOrEqual(rank(level(more, was)))
        expect(rank(level(one, was))).toBeGreaterThanOrEqual(rank(level(one)))
      }),
    )
  })

  test('the same value twice changes nothing the second time', () => {
    fc.assert(
      fc.property(value, before, (one, was) => {
        const first = level(one, was)
        expect(level(one, first)).toBe(first)
      }),
    )
  })
})
