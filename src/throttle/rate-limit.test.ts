import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../util/clock.ts'
import { Pace, Quota, type RateLimiter } from './rate-limit.ts'

/** Takes whatever there is, at each of these times. */
function takeAll(limiter: RateLimiter, times: readonly number[]): number[] {
  return times.flatMap((now) => {
    const taken: number[] = []
    while (limiter.available(now) > 0) {
      limiter.take(now)
      taken.push(now)
    }
    return taken
  })
}
const every = (stepMs: number, untilMs: number): number[] =>
  Array.from({ length: Math.floor(untilMs / stepMs) }, (_, at) => at * stepMs)

describe('a pace', () => {
  test.each([
    [1, 1, 20],
    [10, 1, 20],
    [1000, 1, 20],
    [5, 10, 20],
    [1000, 1, 7.3],
    [30, 1, 33],
  ])('%i in %i s, asked every %f ms: the mean is exact', (count, seconds, stepMs) => {
    const rate = { count, per: seconds * SECOND }
    const spanMs = 300 * SECOND
    const taken = takeAll(new Pace(rate), every(stepMs, spanMs))
    const allowed = (spanMs * count) / rate.per
    expect(taken.length / allowed).toBeGreaterThan(0.99)
    // Both ends of a span of so many distances.
    expect(taken.length).toBeLessThanOrEqual(allowed + 1)
  })

  test.each([
    ['a start', 0, 1],
    ['a tenth of a second lost', 100, 11],
    ['half a second lost: no more than a quarter is made good', 500, 26],
    ['a pause', 1100, 1],
    ['a long pause', 10_000, 1],
  ])('after %s', (what, lostMs, expected) => {
    const pace = new Pace({ count: 100, per: SECOND })
    // What was due 10 ms after the last one is late by `lostMs`.
    if (what !== 'a start') takeAll(pace, every(10, SECOND))
    expect(takeAll(pace, [SECOND + lostMs]).length).toBe(expected)
  })

  test('says when the next one is', () => {
    const pace = new Pace({ count: 4, per: SECOND })
    pace.take(1000)
    expect([pace.available(1000), pace.waitMs(1000)]).toEqual([0, 250])
    expect(pace.available(1250)).toBe(1)
    pace.giveBack()
    expect(pace.available(1000)).toBe(1)
  })
})

describe('a quota', () => {
  test('no span holds more than the quota, wherever it begins', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: MINUTE, max: 3 * MINUTE }),
        fc.array(fc.integer({ min: 1, max: 20 * SECOND }), { minLength: 1, maxLength: 200 }),
        (count, per, gaps) => {
          let now = 0
          const times = gaps.map((gap) => {
            now += gap
            return now
          })
          const taken = takeAll(new Quota({ count, per }, 0), times)
          for (const [at, start] of taken.entries()) {
            // The one after the quota's worth must lie a whole span later.
            const after = taken[at + count]
            if (after !== undefined) expect(after - start).toBeGreaterThanOrEqual(per)
          }
        },
      ),
      { seed: 7, numRuns: 300 },
    )
  })

  test.each([[20], [1000], [100_000]])('%i an hour are used up to a hundredth', (count) => {
    const hours = 20
    const taken = takeAll(new Quota({ count, per: HOUR }, 0), every(SECOND, hours * HOUR))
    expect(taken.length / (hours * count)).toBeGreaterThan(0.99)
  })

  test('all at once, then nothing until the first are out of the span', () => {
    const quota = new Quota({ count: 3, per: HOUR }, 0)
    expect(takeAll(quota, [0]).length).toBe(3)
    const waitMs = quota.waitMs(0)
    expect(waitMs).toBeGreaterThanOrEqual(HOUR)
    expect(waitMs).toBeLessThanOrEqual(HOUR + HOUR / 200)
    expect([quota.available(waitMs - 1), quota.available(waitMs)]).toEqual([0, 3])
  })

  test('what was taken together comes back together, and once it is taken again a span later', () => {
    const quota = new Quota({ count: 5, per: DAY }, 0)
    for (const at of [0, 0, 0, 6 * HOUR, 6 * HOUR]) quota.take(at)
    const piece = DAY / 200
    const ends = [piece, Math.floor((6 * HOUR) / piece + 1) * piece]
    const back = [ends[0]! + DAY, ends[1]! + DAY, ends[0]! + 2 * DAY + piece, ends[1]! + 2 * DAY + piece]
    let at = 7 * HOUR
    const seen = back.map(() => {
      const next = quota.returns(7 * HOUR, at)
      at = next.at
      return [next.at, next.count]
    })
    expect(seen).toEqual(back.map((each, n) => [each, n % 2 === 0 ? 3 : 2]))
    expect(quota.returns(7 * HOUR, 1000 * DAY).at - 1000 * DAY).toBeLessThan(DAY)
  })

  test('of a rate that was lowered the first come back to nobody', () => {
    const pieces = [
      { ageMs: 40 * MINUTE, count: 6 },
      { ageMs: 10 * MINUTE, count: 4 },
    ]
    const quota = new Quota({ count: 3, per: HOUR }, 0, pieces)
    expect([quota.waitMs(0), quota.returns(0, 0).count]).toEqual([50 * MINUTE, 3])
    expect([quota.available(20 * MINUTE), quota.available(50 * MINUTE)]).toEqual([0, 3])
  })

  test('pieces bring it back', () => {
    const quota = new Quota({ count: 10, per: HOUR }, 0)
    for (let n = 0; n < 7; n++) quota.take(n * 5 * MINUTE)
    const again = new Quota({ count: 10, per: HOUR }, 999 * HOUR, quota.pieces(30 * MINUTE))
    expect(again.available(999 * HOUR)).toBe(3)
    expect(again.available(999.5 * HOUR + 18 * SECOND)).toBe(4)
  })

  test('however often it is brought back, nothing counts for less than the span', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: HOUR }),
        fc.array(fc.integer({ min: 1, max: MINUTE }), { maxLength: 60 }),
        (at, runs) => {
          const rate = { count: 1, per: HOUR }
          let quota = new Quota(rate, at)
          quota.take(at)
          let [now, base, age] = [at, 0, 0]
          for (const ran of runs) {
            if (age + ran >= HOUR) break
            // The next process has a monotonic time of its own.
            const pieces = quota.pieces(now + ran)
            age += ran
            base += 7_919_333
            now = base
            quota = new Quota(rate, now, pieces)
            expect(quota.available(now)).toBe(0)
          }
          expect(quota.available(now + HOUR - age - 1)).toBe(0)
          expect(quota.available(now + HOUR - age + HOUR / 200)).toBe(1)
        },
      ),
    )
  })

  test('memory does not grow with the quota', () => {
    const quota = new Quota({ count: 10_000_000, per: HOUR }, 0)
    for (let now = 0; now < HOUR; now += 100) quota.take(now)
    expect(quota.pieces(HOUR).length).toBeLessThanOrEqual(201)
  })
})
