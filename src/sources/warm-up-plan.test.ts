import { describe, expect, test } from 'vitest'
import type { WarmUpSettings } from '../config/schema.ts'
import { DAY, HOUR } from '../util/clock.ts'
import { braked, dayOf, isBraked, rateOfStep, standingOn, type WarmUpStanding } from './warm-up-plan.ts'

const plan: WarmUpSettings = {
  since: '2026-11-01',
  start: { count: 20, per: HOUR },
  growth: 1.4,
  days: 42,
  table: [],
  overflow: true,
  brakeDeferrals: 0.1,
  brakeComplaints: 0.003,
}
const FIRST = dayOf(Date.UTC(2026, 10, 1))

/** Lives through the days of a plan; `bad` are those on which it was braked, `idle` those without mail. */
function live(
  days: number,
  {
    bad = [],
    idle = () => false,
    restart = false,
  }: { bad?: number[]; idle?: (day: number) => boolean; restart?: boolean } = {},
): number[] {
  let kept: WarmUpStanding | undefined
  let usedOn: number | undefined
  const steps: number[] = []
  for (let day = FIRST; day < FIRST + days; day++) {
    let standing = standingOn({ plan, day, kept, usedOn })
    if (bad.includes(day - FIRST + 1)) standing = braked(standing, 'too many deferrals')
    steps.push(standing.step)
    kept = restart ? (JSON.parse(JSON.stringify(standing)) as WarmUpStanding) : standing
    if (!idle(day - FIRST + 1)) usedOn = day
  }
  return steps
}

describe('the plan', () => {
  test('is the one that others publish: 20 an hour, 1.4 times as much every day', () => {
    const counts = Array.from({ length: 12 }, (_, at) => rateOfStep(plan, at + 1)?.count)
    expect(counts).toEqual([20, 28, 39, 55, 77, 108, 151, 211, 295, 413, 579, 810])
    expect(rateOfStep(plan, 42)?.per).toBe(HOUR)
    expect(rateOfStep(plan, 43)).toBeUndefined()
  })

  test('or a table, which ends when it ends', () => {
    const own = { ...plan, table: [5, 50].map((count) => ({ count, per: DAY })) }
    expect([1, 2, 3].map((step) => rateOfStep(own, step)?.count)).toEqual([5, 50, undefined])
  })

  test('stays within numbers that can be counted', () => {
    const rate = rateOfStep({ ...plan, growth: 10, days: 365 }, 365)
    expect(Number.isSafeInteger((rate?.count ?? 0) * (rate?.per ?? 0))).toBe(true)
  })
})

describe('the day', () => {
  test('by the calendar while all goes well; then warm, and it stays so', () => {
    expect(live(50)).toEqual([...Array.from({ length: 43 }, (_, at) => at + 1), 43, 43, 43, 43, 43, 43, 43])
  })

  test('before the first one nothing', () => {
    expect(standingOn({ plan, day: FIRST - 1, kept: undefined, usedOn: undefined }).step).toBe(0)
  })

  test('needs nothing kept: a relay that was down, or is new, stands where the calendar does', () => {
    expect(standingOn({ plan, day: FIRST + 9, kept: undefined, usedOn: FIRST + 2 }).step).toBe(10)
  })

  test('a bad day takes its growth back, the day after stays, the next one grows', () => {
    expect(live(8, { bad: [4] })).toEqual([1, 2, 3, 3, 3, 4, 5, 6])
  })

  test('two bad days in a row', () => {
    expect(live(8, { bad: [4, 5] })).toEqual([1, 2, 3, 3, 2, 2, 3, 4])
  })

  test('the first day cannot be less', () => {
    expect(live(4, { bad: [1, 2] })).toEqual([1, 1, 1, 2])
  })

  test('is braked once a day', () => {
    const once = braked({ since: plan.since, step: 5, day: FIRST + 4 }, 'a')
    expect(braked(once, 'b')).toBe(once)
    expect([isBraked(once), once.why]).toEqual([true, 'a'])
  })

  test('what was kept is the same after a restart', () => {
    expect(live(20, { bad: [4, 9], restart: true })).toEqual(live(20, { bad: [4, 9] }))
  })

  test('days without the relay count, but not the one after a bad one', () => {
    const kept = { since: plan.since, step: 3, day: FIRST + 3, brakedOn: FIRST + 3 }
    expect(standingOn({ plan, day: FIRST + 6, kept, usedOn: FIRST + 3 }).step).toBe(5)
  })
})

describe('cold again', () => {
  test('after 30 days without mail, also when it was warm; it begins anew with the first mail', () => {
    const steps = live(90, { idle: (day) => day > 45 && day < 80 })
    expect(steps[44]).toBe(43)
    expect(steps[45 + 29]).toBe(43)
    // The 31st day without, and every day from then on until somebody sends.
    expect(steps.slice(45 + 30, 82)).toEqual([1, 1, 1, 1, 1, 2, 3])
  })

  test('a provider that never got anything counts from the first day', () => {
    const never = { plan, kept: undefined, usedOn: undefined }
    expect(standingOn({ ...never, day: FIRST + 30 }).step).toBe(31)
    expect(standingOn({ ...never, day: FIRST + 31 }).step).toBe(1)
  })
})

describe('hostile clocks and files', () => {
  test('another first day is another plan', () => {
    const kept = { since: '2026-01-01', step: 43, day: FIRST + 1 }
    expect(standingOn({ plan, day: FIRST + 1, kept, usedOn: FIRST }).step).toBe(2)
  })

  test('a clock that went back by an hour over midnight changes nothing, one that went back by days is not believed', () => {
    const kept = { since: plan.since, step: 3, day: FIRST + 5, brakedOn: FIRST + 5 }
    expect(standingOn({ plan, day: FIRST + 4, kept, usedOn: FIRST + 5 })).toBe(kept)
    expect(standingOn({ plan, day: FIRST + 1, kept, usedOn: FIRST + 5 }).step).toBe(2)
  })
})
