// Quotas over restarts, clean and not, and over steps of the wall clock: never more than the quota in any span.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../src/store/lmdb.ts'
import { type Store, StoreError } from '../../src/store/store.ts'
import { pruneQuotas, QuotaBook } from '../../src/throttle/quota-book.ts'
import type { RateLimiter } from '../../src/throttle/rate-limit.ts'
import { DAY, HOUR, MINUTE } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'

let directory = ''
let store: Store
let writes = 0
let errors: unknown[] = []
const START = Date.UTC(2026, 0, 1)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'studs-quota-'))
  writes = 0
  errors = []
  open()
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

function open(): void {
  const opened = openStore({ directory, mapSize: 2 ** 26, minFree: 0, clock: new FakeClock() })
  store = {
    ...opened,
    get: opened.get.bind(opened),
    range: opened.range.bind(opened),
    close: opened.close.bind(opened),
    write: (...given) => {
      writes++
      return opened.write(...given)
    },
  } as Store
}

function book(clock: FakeClock): {
  open: (rate: { count: number; per: number }, name?: string) => RateLimiter
  forget: (name: string) => void
  close: () => Promise<void>
  leased: () => Promise<void>
} {
  let next = Promise.withResolvers<void>()
  const made = new QuotaBook({
    store,
    clock,
    onLease: () => {
      next.resolve()
      next = Promise.withResolvers()
    },
    onError: (error) => {
      errors.push(error)
      next.resolve()
      next = Promise.withResolvers()
    },
  })
  return {
    open: (rate, name = 'tenant a') => made.open(name, rate),
    forget: (name) => made.forget(name),
    close: () => made.close(),
    leased: () => next.promise,
  }
}

/** Takes up to `wanted`, as leases come. */
async function take(
  from: ReturnType<typeof book>,
  quota: RateLimiter,
  clock: FakeClock,
  wanted: number,
): Promise<number> {
  let taken = 0
  while (taken < wanted) {
    const now = clock.monotonic()
    if (quota.available(now) > 0) {
      quota.take(now)
      taken++
    } else if (quota.waitMs(now) > MINUTE) break
    else await from.leased()
  }
  return taken
}

test('a clean stop forgets nothing and gives back what was leased', async () => {
  const clock = new FakeClock(START)
  const first = book(clock)
  expect(await take(first, first.open({ count: 1000, per: DAY }), clock, 700)).toBe(700)
  await first.close()
  const second = book(clock)
  expect(await take(second, second.open({ count: 1000, per: DAY }), clock, 1000)).toBe(300)
})

test('a crash forgets nothing: what may have been sent counts as sent, and that is little', async () => {
  const clock = new FakeClock(START)
  const first = book(clock)
  expect(await take(first, first.open({ count: 1000, per: DAY }), clock, 700)).toBe(700)
  const second = book(clock) // the first one never wrote its end
  const rest = await take(second, second.open({ count: 1000, per: DAY }), clock, 1000)
  expect(rest).toBeLessThanOrEqual(300)
  expect(rest).toBeGreaterThanOrEqual(260)
})

test('it is written seldom', async () => {
  const clock = new FakeClock(START)
  const from = book(clock)
  await take(from, from.open({ count: 10_000, per: DAY }), clock, 10_000)
  expect(writes).toBeLessThanOrEqual(110)
})

test.each<[string, number]>([
  ['stood still', 0],
  ['went back an hour', -HOUR],
  ['went back a year', -365 * DAY],
])('at a restart during which the clock %s the quota is still used up', async (_, step) => {
  const first = book(new FakeClock(START))
  const clock = new FakeClock(START)
  await take(first, first.open({ count: 50, per: DAY }), clock, 50)
  await first.close()
  const second = book(new FakeClock(START + step))
  expect(await take(second, second.open({ count: 50, per: DAY }), new FakeClock(START + step), 50)).toBe(0)
})

/** A wall clock that is `step` wrong, on a machine that has run for `ms` since it was started for the `boot`th time. */
function machine(ms: number, { step = 0, boot = 'first' } = {}): FakeClock {
  return Object.assign(new FakeClock(START + ms + step), { sinceBoot: () => ({ boot, ms }) })
}

test.each<[string, FakeClock, number]>([
  ['an hour ahead', machine(MINUTE, { step: HOUR }), 0],
  ['a day ahead', machine(MINUTE, { step: DAY }), 0],
  ['a year ahead', machine(MINUTE, { step: 365 * DAY }), 0],
  ['a day behind', machine(MINUTE, { step: -DAY }), 0],
  ['a day behind after two days', machine(2 * DAY, { step: -DAY }), 50],
  ['a year behind after two days', machine(2 * DAY, { step: -365 * DAY }), 50],
  ['right, the machine started anew', machine(2 * DAY, { boot: 'second' }), 50],
])('a clock %s: what counts is the time that passed', async (_, later, left) => {
  const first = book(machine(0))
  await take(first, first.open({ count: 50, per: DAY }), machine(0), 50)
  await first.close()
  expect(await pruneQuotas(store, later)).toBe(left === 0 ? 0 : 1)
  const second = book(later)
  expect(await take(second, second.open({ count: 50, per: DAY }), later, 50)).toBe(left)
})

test('what was leased long before a crash counts from the crash', async () => {
  const clock = new FakeClock(START)
  const first = book(clock)
  const quota = first.open({ count: 1000, per: DAY })
  // The lease is written with the first; most of it is used ten hours later.
  expect(await take(first, quota, clock, 1)).toBe(1)
  await clock.advance(10 * HOUR)
  let late = 0
  for (; quota.available(clock.monotonic()) > 0 && late < 20; late++) quota.take(clock.monotonic())
  expect(late).toBe(20)
  const restarted = new FakeClock(START + 10 * HOUR)
  const second = book(restarted)
  const again = second.open({ count: 1000, per: DAY })
  await restarted.advance(23 * HOUR)
  // Before the late ones are a day old nobody may have them again.
  expect(await take(second, again, restarted, 1000)).toBeLessThanOrEqual(1000 - late)
})

test('a row of a quota that is in use is not taken for one that is over', async () => {
  const clock = new FakeClock(START)
  const first = book(clock)
  const quota = first.open({ count: 1000, per: DAY })
  // One every six hours: the lease of the first would do for days.
  for (let n = 0; n < 12; n++) {
    expect(await take(first, quota, clock, 1)).toBe(1)
    await store.write([])
    await pruneQuotas(store, clock)
    await clock.advance(6 * HOUR)
  }
  const second = book(clock)
  expect(await take(second, second.open({ count: 1000, per: DAY }), clock, 1000)).toBeLessThanOrEqual(996)
})

test('a quota that nobody used for long gives its lease back', async () => {
  const clock = new FakeClock(START)
  const from = book(clock)
  expect(await take(from, from.open({ count: 1000, per: DAY }, 'seldom'), clock, 1)).toBe(1)
  from.forget('seldom')
  await store.write([])
  expect(await take(from, from.open({ count: 1000, per: DAY }, 'seldom'), clock, 1000)).toBe(999)
})

test('time that really passed counts', async () => {
  const first = book(new FakeClock(START))
  await take(first, first.open({ count: 50, per: DAY }), new FakeClock(START), 50)
  await first.close()
  const clock = new FakeClock(START + DAY + HOUR)
  const second = book(clock)
  expect(await take(second, second.open({ count: 50, per: DAY }), clock, 50)).toBe(50)
})

test('another rate than before starts with what was taken', async () => {
  const clock = new FakeClock(START)
  const from = book(clock)
  await take(from, from.open({ count: 100, per: DAY }), clock, 60)
  expect(await take(from, from.open({ count: 80, per: DAY }), clock, 100)).toBe(20)
})

test('without room in the store nothing is given out, and it goes on afterwards', async () => {
  const clock = new FakeClock(START)
  const from = book(clock)
  const quota = from.open({ count: 100, per: DAY })
  const write = store.write
  store = Object.assign(store, { write: () => Promise.reject(new StoreError('full', 'no room')) })
  expect(quota.available(0)).toBe(0)
  await from.leased()
  expect(errors.length).toBe(1)
  expect(quota.waitMs(clock.monotonic())).toBe(5000)
  store = Object.assign(store, { write })
  await clock.advance(5000)
  expect(await take(from, quota, clock, 100)).toBe(100)
})

test('rows that count nothing any more are removed', async () => {
  const clock = new FakeClock(START)
  const from = book(clock)
  await take(from, from.open({ count: 100, per: HOUR }, 'old'), clock, 10)
  await take(from, from.open({ count: 100, per: 2 * DAY }, 'new'), clock, 10)
  await from.close()
  expect(await pruneQuotas(store, new FakeClock(START + HOUR - 1))).toBe(0)
  expect(await pruneQuotas(store, new FakeClock(START + DAY))).toBe(1)
  expect(store.range('quota', {}).length).toBe(1)
})

test('permits that come free while a lease is written are not given out without one', async () => {
  const clock = new FakeClock(START)
  const from = book(clock)
  const quota = from.open({ count: 300, per: HOUR })
  expect(await take(from, quota, clock, 297)).toBe(297)
  // A lease for the last three is on its way, or there; meanwhile the whole span passes, and what was leased is taken.
  quota.available(clock.monotonic())
  await clock.advance(HOUR + MINUTE)
  let taken = 0
  for (let now = clock.monotonic(); quota.available(now) > 0 && taken < 1000; taken++) quota.take(now)
  expect(quota.available(clock.monotonic())).toBe(0)
  expect(taken).toBeLessThanOrEqual(12)
  expect(taken + (await take(from, quota, clock, 1000))).toBe(300)
  // As after a crash: nothing of the span is left, whatever the store knows.
  const second = book(clock)
  expect(await take(second, second.open({ count: 300, per: HOUR }), clock, 1000)).toBe(0)
})
