import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { memoryStore } from '../../test/support/memory-store.ts'
import { createJournal } from '../journal/journal.ts'
import type { Store } from '../store/store.ts'
import { DAY, HOUR, MINUTE } from '../util/clock.ts'
import { createSuspensions, type Suspensions } from './suspensions.ts'

/** Its wall clock can be set. */
class SteppingClock extends FakeClock {
  stepMs = 0

  override now(): number {
    return super.now() + this.stepMs
  }
}

const NOW = Date.UTC(2026, 0, 1)
const start = (store: Store, clock: FakeClock) => {
  const made = createSuspensions({ store, journal: createJournal({ store, clock }), clock })
  made.onChange(() => undefined)
  return made
}
const given = (clock: FakeClock, forMs: number) =>
  ({ kind: 'domain', name: 'a.test', who: 'rule x:1', why: 'busy', until: clock.now() + forMs }) as const

const leftOf = (suspensions: Suspensions, clock: FakeClock) =>
  (suspensions.get('domain', 'a.test')?.until ?? 0) - clock.now()

test('made by a clock that was years ahead, it lasts no longer than it was meant to', async () => {
  const store = memoryStore()
  const ahead = new FakeClock(NOW + 1000 * DAY)
  const first = start(store, ahead)
  await first.add(given(ahead, 2 * HOUR))
  first.close()
  const clock = new FakeClock(NOW)
  const again = start(store, clock)
  expect(again.list()).toMatchObject([{ since: NOW, until: NOW + 2 * HOUR }])
  await clock.advance(2 * HOUR + MINUTE)
  expect(again.list()).toEqual([])
  again.close()
})

test('the same when the clock goes back while it holds', async () => {
  const clock = new SteppingClock(NOW + 1000 * DAY)
  const suspensions = start(memoryStore(), clock)
  await suspensions.add(given(clock, 2 * HOUR))
  await clock.advance(HOUR)
  clock.stepMs = -1000 * DAY
  await clock.advance(3 * HOUR)
  expect(suspensions.list()).toEqual([])
  suspensions.close()
})

test.each([
  ['ahead', [2 * DAY]],
  ['ahead and back again', [2 * DAY, 0]],
  ['back and right again', [-2 * DAY, 0]],
])('a step of the clock %s ends none before its time', async (_, steps) => {
  const clock = new SteppingClock(NOW)
  const suspensions = start(memoryStore(), clock)
  await suspensions.add(given(clock, 2 * HOUR))
  for (const step of steps) {
    const leftMs = leftOf(suspensions, clock)
    clock.stepMs = step
    expect([leftOf(suspensions, clock), suspensions.list()[0]?.until]).toEqual([leftMs, clock.now() + leftMs])
    await clock.advance(10 * MINUTE)
  }
  expect(suspensions.get('domain', 'a.test')).toBeDefined()
  clock.stepMs = 0
  await clock.advance(2 * HOUR)
  expect(suspensions.list()).toEqual([])
  suspensions.close()
})

describe('from one run to the next', () => {
  const machine = (boot: string, ms: number, stepMs = 0) =>
    Object.assign(new FakeClock(NOW + ms + stepMs), { sinceBoot: () => ({ boot, ms }) })
  const leftAfter = async (next: FakeClock) => {
    const store = memoryStore()
    const before = machine('a', 0)
    const first = start(store, before)
    await first.add(given(before, 2 * HOUR))
    first.close()
    const again = start(store, next)
    const [found] = again.list()
    again.close()
    return found && { leftMs: found.until - next.now(), agoMs: next.now() - found.since }
  }

  test.each([
    ['as ever', machine('a', HOUR)],
    ['set ahead', machine('a', HOUR, 2 * DAY)],
    ['set back', machine('a', HOUR, -2 * DAY)],
    ['right, and the machine was started', machine('b', HOUR)],
  ])('the clock %s: what is left is left', async (_, next) => {
    expect(await leftAfter(next)).toEqual({ leftMs: HOUR, agoMs: HOUR })
  })

  test('only a start of the machine makes the wall clock count, never for longer than it was meant to', async () => {
    expect(await leftAfter(machine('b', HOUR, 2 * DAY))).toBeUndefined()
    expect(await leftAfter(machine('b', HOUR, -2 * DAY))).toEqual({ leftMs: 2 * HOUR, agoMs: 0 })
  })
})
