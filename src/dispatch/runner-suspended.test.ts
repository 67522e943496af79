// Which lanes a change of suspensions concerns, and that it costs the others nothing.

import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { memoryStore } from '../../test/support/memory-store.ts'
import { createJournal } from '../journal/journal.ts'
import type { Domain } from '../mail/address.ts'
import { createSuspensions, type SuspensionKind } from '../throttle/suspensions.ts'
import { DAY, HOUR, MINUTE } from '../util/clock.ts'
import { type Lane, Lanes } from './lanes.ts'
import { SuspendedLanes } from './runner-suspended.ts'

function start(clock = new FakeClock(Date.UTC(2026, 0, 1))) {
  const store = memoryStore()
  const suspensions = createSuspensions({ store, clock, journal: createJournal({ store, clock }) })
  const lanes = new Lanes()
  const suspended = new SuspendedLanes({ lanes, suspensions, clock, onPark: () => undefined })
  let told = 0
  suspensions.onChange((changed) => {
    told++
    suspended.wake(changed)
  })
  const now = clock.now()
  const laneOf = (domain: string): Lane => {
    lanes.wake({ tenant: 'shop', domain: domain as Domain }, now)
    return lanes.takeDue(now)!
  }
  const suspend = (kind: SuspensionKind, name: string, forMs = HOUR) =>
    suspensions.add({ kind, name, who: 'eve', why: 'x', until: clock.now() + forMs })
  const resume = (kind: SuspensionKind, name: string) => suspensions.remove({ kind, name, who: 'eve', why: 'x' })
  /** Domains of the lanes that are to be looked at again. */
  const due = (): string[] => {
    const found: string[] = []
    for (;;) {
      const lane = lanes.takeDue(clock.now())
      if (lane === undefined) return found.sort()
      found.push(lane.domain)
    }
  }
  return { clock, suspensions, suspended, laneOf, suspend, resume, due, told: () => told }
}

test('a storm of suspensions wakes only whom it concerns, each once', async () => {
  const { suspended, laneOf, suspend, resume, due, told } = start()
  const [one, other] = [await suspend('domain', 'one.test'), await suspend('tenant', 'shop')]
  for (let n = 0; n < 100; n++) suspended.park(laneOf(`${n}.test`), n < 10 ? one : other)
  for (let n = 0; n < 300; n++) await suspend('domain', `storm${n}.test`)
  expect([told(), due()]).toEqual([302, []])
  await resume('domain', 'one.test')
  expect(due()).toEqual(Array.from({ length: 10 }, (_, n) => `${n}.test`))
  // A new end may be an earlier one.
  await suspend('tenant', 'shop', MINUTE)
  expect(due()).toHaveLength(90)
  await resume('tenant', 'shop')
  expect(due()).toEqual([])
})

test('lanes without a source look again when one of theirs may have changed, there or everywhere', async () => {
  const { clock, suspended, suspensions, laneOf, suspend, resume, due } = start()
  const place = (site: string, provider?: string) =>
    ({ kind: 'site', site, line: site, slots: 1, validMs: 1, ...(provider && { provider }) }) as const
  const park = (domain: string, at: ReturnType<typeof place>) => {
    const lane = laneOf(domain)
    suspended.parkResting(lane, at, { sources: ['a', 'b'] })
    return lane
  }
  await suspend('source', 'a@big', HOUR)
  await suspend('source', 'b@big', 2 * HOUR)
  await suspend('source', 'c@big', MINUTE)
  const big = park('1.test', place('mx.big.test', 'big'))
  const small = park('2.test', place('mx.small.test'))
  // The first of its own pool to end, whatever else rests there.
  expect(suspended.by(big)).toBe(suspensions.get('source', 'a@big'))
  expect([suspended.by(small), suspended.isWithoutSource(small)]).toEqual([undefined, true])
  await resume('source', 'b@big')
  expect(due()).toEqual(['1.test'])
  suspended.parkResting(big, place('mx.big.test', 'big'), { sources: ['a'] })
  await suspend('source', 'a@mx.small.test')
  expect(due()).toEqual(['2.test'])
  suspended.parkResting(small, place('mx.small.test'), { sources: ['a'] })
  await suspend('source', 'z')
  expect(due()).toEqual(['1.test', '2.test'])
  suspended.parkResting(small, place('mx.small.test'), { sources: ['x'] })
  await clock.advance(MINUTE)
  expect(due()).toEqual(['2.test'])
})

test('what a lane waits for ends when it ends, and says so, also while the clock is wrong', async () => {
  let stepMs = 0
  class SteppingClock extends FakeClock {
    override now(): number {
      return super.now() + stepMs
    }
  }
  const { clock, suspended, laneOf, suspend, due } = start(new SteppingClock(Date.UTC(2026, 0, 1)))
  await suspend('source', 'a', HOUR)
  const lane = laneOf('1.test')
  suspended.parkResting(lane, { kind: 'site', site: 's', line: 's', slots: 1, validMs: 1 }, { sources: ['a'] })
  stepMs = -2 * DAY
  await clock.advance(MINUTE)
  expect(suspended.by(lane)!.until - clock.now()).toBe(HOUR - MINUTE)
  await clock.advance(HOUR)
  expect(due()).toEqual(['1.test'])
})
