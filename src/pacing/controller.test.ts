import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../util/clock.ts'
import { createPaceController, PACE, type PaceController, type PaceSnapshot, type Signal } from './controller.ts'

const FLOOR = (PACE.floor.count * SECOND) / PACE.floor.per

interface Heard {
  readonly signal: Signal
  readonly afterMs: number
}

const signal = fc.constantFrom<Signal>('accepted', 'accepted', 'accepted', 'deferred', 'refused', 'absent')
const afterMs = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 0, max: 5 * SECOND }),
  fc.integer({ min: 0, max: 2 * HOUR }),
)
/** Runs of the same answer: what receivers say comes in runs. */
const course: fc.Arbitrary<Heard[]> = fc
  .array(fc.record({ signal, afterMs, times: fc.integer({ min: 1, max: 60 }) }), { maxLength: 40 })
  .map((runs) => runs.flatMap(({ times, ...heard }) => Array.from({ length: times }, () => heard)))

function play(controller: PaceController, heard: readonly Heard[], each: (at: number, signal: Signal) => void, at = 0) {
  let now = at
  for (const { signal, afterMs } of heard) {
    now += afterMs
    controller.heard(signal, now)
    each(now, signal)
  }
  return now
}

/** Sends as fast as it may, but no faster than `demand`; the receiver takes `hidden` a second, and two or more at once. */
function run(
  controller: PaceController,
  { demand, hidden, from, until }: { demand: number; hidden: (at: number) => number; from: number; until: number },
  each: (at: number, signal: Signal) => void = () => undefined,
): void {
  let tokens = 1
  let now = from
  while (now < until) {
    const gapMs = SECOND / Math.min(demand, controller.rate(now) ?? demand)
    now += gapMs
    tokens = Math.min(Math.max(2, 2 * hidden(now)), tokens + (gapMs * hidden(now)) / SECOND)
    const signal = tokens < 1 ? 'deferred' : 'accepted'
    if (signal === 'accepted') tokens--
    controller.heard(signal, now, now - 1)
    each(now, signal)
  }
}

function slowed(): PaceController {
  const controller = createPaceController()
  run(controller, { demand: 50, hidden: () => 10, from: 0, until: 10 * MINUTE })
  return controller
}

/** How fast it may be at most. */
function mostAfter(before: PaceSnapshot, after: PaceSnapshot): number {
  if (before.opening !== undefined) return 2 * before.rate
  if (after.opening !== undefined) return Math.max(before.rate, 0.25 * after.opening)
  if ((before.silences ?? 0) < 2) return before.rate * (1 + PACE.increase)
  return Math.max(before.rate, 0.5 * (after.ceiling ?? 0))
}

describe('whatever is heard', () => {
  test('the pace is never below the floor, and always a number', () => {
    fc.assert(
      fc.property(course, (heard) => {
        const controller = createPaceController()
        play(controller, heard, (at) => {
          const rate = controller.rate(at)
          if (rate !== undefined) expect(rate).toBeGreaterThanOrEqual(FLOOR)
          if (rate !== undefined) expect(rate).toBeLessThan(Number.POSITIVE_INFINITY)
        })
      }),
    )
  })

  test('only what was taken makes it faster', () => {
    fc.assert(
      fc.property(course, (heard) => {
        const controller = createPaceController()
        let before: number | undefined
        play(controller, heard, (at, signal) => {
          const rate = controller.rate(at)
          if (signal !== 'accepted' && before !== undefined && rate !== undefined)
            expect(rate).toBeLessThanOrEqual(before)
          before = rate
        })
      }),
    )
  })

  test('it never goes up by more than a step allows, but for the first answer after silence', () => {
    fc.assert(
      fc.property(course, (heard) => {
        const controller = createPaceController()
        let before: PaceSnapshot | undefined
        play(controller, heard, (at) => {
          const after = controller.snapshot(at)
          if (before !== undefined && after !== undefined)
            expect(after.rate).toBeLessThanOrEqual(mostAfter(before, after) + 1e-9)
          before = after
        })
      }),
    )
  })

  test('with nothing put off there is no limit', () => {
    fc.assert(
      fc.property(fc.array(afterMs, { maxLength: 500 }), (gaps) => {
        const controller = createPaceController()
        const heard = gaps.map((gap) => ({ signal: 'accepted' as const, afterMs: gap }))
        play(controller, heard, (at) => expect(controller.rate(at)).toBeUndefined())
      }),
    )
  })

  test('after trouble, with everything taken, it only goes up, until nothing speaks for a limit', () => {
    fc.assert(
      fc.property(course, fc.array(afterMs, { minLength: 50, maxLength: 400 }), (heard, gaps) => {
        const controller = createPaceController()
        const end = play(controller, heard, () => undefined)
        let before = controller.rate(end) ?? Number.POSITIVE_INFINITY
        play(
          controller,
          gaps.map((gap) => ({ signal: 'accepted' as const, afterMs: gap })),
          (at) => {
            const rate = controller.rate(at) ?? Number.POSITIVE_INFINITY
            expect(rate).toBeGreaterThanOrEqual(before)
            before = rate
          },
          end,
        )
      }),
    )
  })

  test('it is never above twice what was asked for', () => {
    const per = fc.double({ min: 0.02, max: 500, noNaN: true })
    fc.assert(
      fc.property(per, per, (demand, hidden) => {
        const controller = createPaceController()
        const until = Math.min(6 * HOUR, (3000 * SECOND) / demand)
        run(controller, { demand, hidden: () => hidden, from: 0, until }, (at) => {
          const rate = controller.rate(at)
          if (rate !== undefined) expect(rate).toBeLessThanOrEqual(Math.max(FLOOR, 2 * demand * 1.001))
        })
      }),
      { numRuns: 60 },
    )
  })

  test('when it was made does not matter', () => {
    fc.assert(
      fc.property(course, fc.integer({ min: 1, max: 30 * DAY }), (heard, later) => {
        const first = createPaceController()
        const second = createPaceController()
        const rates: (number | undefined)[] = []
        play(first, heard, (at) => rates.push(first.rate(at)))
        let n = 0
        // To the millionth: large times are not as fine.
        play(second, heard, (at) => expect(second.rate(at) ?? 0).toBeCloseTo(rates[n++] ?? 0, 6), later)
      }),
    )
  })

  test('a snapshot goes on where it was, in another process with another clock', () => {
    fc.assert(
      fc.property(course, course, fc.integer({ min: -DAY, max: DAY }), (before, after, shift) => {
        const first = createPaceController()
        const end = play(first, before, () => undefined)
        const snapshot = first.snapshot(end)
        fc.pre(snapshot !== undefined)
        const stored = JSON.parse(JSON.stringify(snapshot)) as PaceSnapshot
        const second = createPaceController({}, { ...stored, at: stored.at + shift })
        expect(second.rate(end + shift)).toBe(first.rate(end))
        expect(second.snapshot(end + shift)?.ceiling).toBe(first.snapshot(end)?.ceiling)
        play(
          second,
          after,
          (at) => {
            const rate = second.rate(at)
            if (rate !== undefined) expect(rate).toBeGreaterThanOrEqual(FLOOR)
          },
          end + shift,
        )
      }),
    )
  })
})

describe('it finds the pace of the receiver', () => {
  test.each([1 / 60, 0.5, 20, 1000])('%d a second', (hidden) => {
    const controller = createPaceController()
    const settledAt = Math.max(10 * MINUTE, (600 * SECOND) / hidden)
    const until = settledAt + Math.max(10 * MINUTE, (2000 * SECOND) / hidden)
    const count = { accepted: 0, deferred: 0, refused: 0, absent: 0 }
    run(controller, { demand: 5 * hidden, hidden: () => hidden, from: 0, until }, (at, signal) => {
      if (at > settledAt) count[signal]++
    })
    expect((count.accepted * SECOND) / (until - settledAt) / hidden).toBeGreaterThan(0.9)
    expect(count.deferred / (count.accepted + count.deferred)).toBeLessThan(0.02)
  })

  test('goes down with it and comes back step by step', () => {
    const controller = slowed()
    const drop = 20 * MINUTE
    const relax = 40 * MINUTE
    const hidden = (at: number): number => (at >= drop && at < relax ? 1 : 10)
    run(controller, { demand: 50, hidden, from: 10 * MINUTE, until: relax })
    expect(controller.rate(relax)).toBeLessThan(1.2)
    let steps = 0
    let last = controller.rate(relax)
    let backAt = Number.POSITIVE_INFINITY
    run(controller, { demand: 50, hidden, from: relax, until: relax + 20 * MINUTE }, (at) => {
      const rate = controller.rate(at)
      if (rate !== last) steps++
      last = rate
      if ((rate ?? 0) > 9) backAt = Math.min(backAt, at)
    })
    expect(backAt - relax).toBeLessThan(10 * MINUTE)
    expect(steps).toBeGreaterThan(8)
  })

  test('learns nothing about a pace that nobody asks for', () => {
    const controller = slowed()
    const before = controller.rate(10 * MINUTE) ?? 0
    let most = 0
    run(controller, { demand: 2, hidden: () => 1000, from: 10 * MINUTE, until: HOUR }, (at) => {
      most = Math.max(most, controller.rate(at) ?? Number.POSITIVE_INFINITY)
    })
    // The step that was under way may still end.
    expect(most).toBeLessThan(before * 1.05)
    run(controller, { demand: 1.5 * before, hidden: () => 1000, from: HOUR, until: HOUR + 5 * MINUTE })
    expect(controller.rate(HOUR + 5 * MINUTE)).toBeGreaterThan(1.2 * before)
  })

  test('one put off now and then is not about the pace', () => {
    const controller = createPaceController()
    for (let n = 0; n < 20_000; n++) {
      controller.heard(n % 70 === 69 ? 'deferred' : 'accepted', n * 100)
      expect(controller.rate(n * 100)).toBeUndefined()
    }
  })
})

describe('what is under way when the pace goes down', () => {
  /** 200 accepted over 10 s, then all put off until there is a limit. */
  const broken = (): { controller: PaceController; at: number } => {
    const controller = createPaceController()
    let at = 0
    for (; at < 10 * SECOND; at += 50) controller.heard('accepted', at, at - 20)
    while (controller.rate(at) === undefined) {
      at += 5
      controller.heard('deferred', at, at - 20)
    }
    return { controller, at }
  }

  test('counts once, by the time of sending', () => {
    const { controller, at } = broken()
    const rate = controller.rate(at)
    for (let n = 1; n <= 500; n++) controller.heard('deferred', at + n * 30, at - 1)
    expect(controller.rate(at + 15_000)).toBe(rate)
    for (let n = 1; n <= 5; n++) controller.heard('deferred', at + 15_000 + n, at + 10_000)
    expect(controller.rate(at + 16_000)).toBeLessThan(rate ?? 0)
  })

  test('and by the round trip, where that is not known', () => {
    const { controller, at } = broken()
    const rate = controller.rate(at)
    for (let n = 1; n <= 100; n++) controller.heard('deferred', at + (n * PACE.roundTrip) / 101)
    expect(controller.rate(at + PACE.roundTrip)).toBe(rate)
  })
})

describe('a receiver that lets nobody in', () => {
  test('is believed sooner, slows more, and is asked down to the floor', () => {
    const down = (signal: Signal): { heard: number; left: number } => {
      const controller = slowed()
      const before = controller.rate(10 * MINUTE) ?? 0
      let heard = 0
      const at = (): number => 11 * MINUTE + heard * SECOND
      while (controller.rate(at()) === before) {
        heard++
        controller.heard(signal, at())
      }
      return { heard, left: (controller.rate(at()) ?? 0) / before }
    }
    expect(down('refused').heard).toBeLessThan(down('deferred').heard)
    expect(down('refused').left).toBeLessThan(down('deferred').left)
    const controller = slowed()
    for (let n = 0; n < 40; n++) controller.heard('refused', 11 * MINUTE + n * 10 * SECOND)
    expect(controller.rate(30 * MINUTE)).toBe(FLOOR)
  })

  test('gets a share of what it took when it answers, and not the rest at once', () => {
    const controller = slowed()
    const before = controller.rate(10 * MINUTE) ?? 0
    for (let at = 10 * MINUTE; at < 17 * MINUTE; at += 10 * SECOND) controller.heard('refused', at)
    expect(controller.rate(17 * MINUTE)).toBe(FLOOR)
    controller.heard('accepted', 17 * MINUTE)
    expect(controller.rate(17 * MINUTE)).toBe(FLOOR)
    controller.heard('accepted', 18 * MINUTE)
    const at = 18 * MINUTE
    expect(controller.rate(at)).toBeGreaterThan(0.05 * before)
    expect(controller.rate(at)).toBeLessThan(0.2 * before)
  })
})

describe('a limit is forgotten', () => {
  test('when the receiver has taken everything, well below it, for long', () => {
    const controller = slowed()
    let forgottenAt = 0
    run(controller, { demand: 2, hidden: () => 10, from: 10 * MINUTE, until: DAY / 2 }, (at) => {
      if (forgottenAt === 0 && controller.rate(at) === undefined) forgottenAt = at
    })
    expect(forgottenAt).toBeGreaterThan(HOUR)
  })

  test('not while it binds', () => {
    const controller = slowed()
    run(controller, { demand: 50, hidden: () => 10, from: 10 * MINUTE, until: 6 * HOUR }, (at) =>
      expect(controller.rate(at)).toBeDefined(),
    )
  })

  test('when nothing was heard for a day', () => {
    const controller = slowed()
    expect(controller.rate(10 * MINUTE + DAY - SECOND)).toBeDefined()
    expect(controller.rate(10 * MINUTE + DAY + SECOND)).toBeUndefined()
    expect(controller.snapshot(10 * MINUTE + DAY + SECOND)).toBeUndefined()
  })
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0])('a snapshot of a rate of %d says nothing', (rate) => {
  expect(createPaceController({}, { rate, at: 0 }).rate(0)).toBeUndefined()
})

test('options are what it goes by', () => {
  const controller = createPaceController({ floor: { count: 1, per: SECOND } })
  for (let n = 0; n < 60; n++) controller.heard('refused', n * 10 * SECOND)
  expect(controller.rate(10 * MINUTE)).toBe(1)
  const tolerant = createPaceController({ tolerance: 0.5 })
  run(tolerant, { demand: 15, hidden: () => 10, from: 0, until: MINUTE }, (at) =>
    expect(tolerant.rate(at)).toBeUndefined(),
  )
})
