import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { memoryStore } from '../../test/support/memory-store.ts'
import { DAY, MINUTE, SECOND } from '../util/clock.ts'
import type { Limit, Waiter } from './limit.ts'
import { QuotaBook } from './quota-book.ts'
import { Throttle } from './throttle.ts'

function start() {
  const clock = new FakeClock()
  const quotas = new QuotaBook({
    store: memoryStore(),
    clock,
    onLease: (name) => throttle.look(name),
    onError: (error) => expect(error).toBeUndefined(),
  })
  const throttle: Throttle = new Throttle({ clock, quotas })
  return { clock, throttle }
}

/** A line that takes what it is given and comes again for as long as it has anything. */
function greedy({ throttle }: ReturnType<typeof start>, limits: readonly Limit[], sent: string[]) {
  const left = new Map<string, number>()
  const queue = (tenant: string, messages: number): void => {
    left.set(tenant, messages)
    throttle.wait(limits[0]!, tenant, waiter)
  }
  const waiter: Waiter = {
    wake(tenant, permits) {
      for (let n = 0; n < permits; n++) {
        const rest = left.get(tenant) ?? 0
        if (rest === 0) return
        const permit = throttle.take(limits)
        if ('waitMs' in permit) break
        left.set(tenant, rest - 1)
        sent.push(tenant)
      }
      if ((left.get(tenant) ?? 0) > 0) throttle.wait(limits[0]!, tenant, waiter)
    },
  }
  return { queue }
}
const count = (sent: readonly string[], tenant: string): number => sent.filter((each) => each === tenant).length

describe('fair between tenants', () => {
  test('two at one line share a rate, however much each has', async () => {
    const at = start()
    const sent: string[] = []
    const line = greedy(at, [at.throttle.rate({ name: 'path', rate: { count: 10, per: SECOND } })], sent)
    line.queue('bulk', 10_000)
    line.queue('shop', 10_000)
    await at.clock.advance(60 * SECOND)
    expect(sent.length).toBeGreaterThanOrEqual(594)
    expect(sent.length).toBeLessThanOrEqual(601)
    expect(Math.abs(count(sent, 'bulk') - count(sent, 'shop'))).toBeLessThanOrEqual(1)
  })

  test('one with a hundred lines gets no more than one with a single line', async () => {
    const at = start()
    const sent: string[] = []
    const limits = [at.throttle.rate({ name: 'provider', rate: { count: 100, per: SECOND } })]
    for (let n = 0; n < 100; n++) greedy(at, limits, sent).queue('bulk', 1000)
    greedy(at, limits, sent).queue('shop', 10_000)
    await at.clock.advance(20 * SECOND)
    expect(count(sent, 'shop') / sent.length).toBeCloseTo(0.5, 1)
    expect(sent.length).toBeGreaterThanOrEqual(1980)
    expect(sent.length).toBeLessThanOrEqual(2011)
  })

  test('a handful of permits is divided, not given to the first', async () => {
    const at = start()
    const sent: string[] = []
    const limit = at.throttle.rate({ name: 'quota', rate: { count: 100, per: MINUTE } })
    const line = greedy(at, [limit], sent)
    line.queue('bulk', 10_000)
    line.queue('shop', 10_000)
    // Leases come as the store writes them.
    for (let n = 0; sent.length < 100 && n < 500; n++) await at.clock.advance(20)
    expect([sent.length, count(sent, 'bulk')]).toEqual([100, 50])
    await at.clock.advance(MINUTE)
    const before = sent.length
    for (let n = 0; sent.length < 200 && n < 500; n++) await at.clock.advance(20)
    expect(Math.abs(count(sent.slice(before), 'bulk') - count(sent.slice(before), 'shop'))).toBeLessThanOrEqual(4)
  })

  test('a tick of many permits is divided', async () => {
    const at = start()
    const sent: string[] = []
    const limit = at.throttle.rate({ name: 'path', rate: { count: 1000, per: SECOND } })
    const line = greedy(at, [limit], sent)
    line.queue('bulk', 10_000)
    line.queue('shop', 10_000)
    await at.clock.advance(40)
    expect(count(sent, 'shop') / sent.length).toBeGreaterThan(0.4)
    expect(count(sent, 'bulk') / sent.length).toBeGreaterThan(0.4)
  })

  test('what one does not use the others get', async () => {
    const at = start()
    const sent: string[] = []
    const line = greedy(at, [at.throttle.rate({ name: 'path', rate: { count: 10, per: SECOND } })], sent)
    line.queue('bulk', 10_000)
    line.queue('shop', 5)
    await at.clock.advance(10 * SECOND)
    expect([count(sent, 'shop'), sent.length >= 99]).toEqual([5, true])
  })
})

test('limits stack: the tightest binds, and what it refuses takes nothing of the others', async () => {
  const at = start()
  const wide = at.throttle.rate({ name: 'wide', rate: { count: 100, per: SECOND } })
  const tight = at.throttle.rate({ name: 'tight', rate: { count: 2, per: SECOND } })
  expect(at.throttle.take([wide, tight])).toMatchObject({ limits: [wide, tight] })
  await at.clock.advance(20)
  const before = wide.limiter.waitMs(at.clock.monotonic())
  expect(at.throttle.take([wide, tight])).toMatchObject({ full: tight })
  expect(wide.limiter.waitMs(at.clock.monotonic())).toBe(before)
})

test('messages that are put off are spread over the time in which there will be permits', () => {
  const at = start()
  const limit = at.throttle.rate({ name: 'tag', rate: { count: 4, per: SECOND } })
  at.throttle.take([limit])
  const waits = Array.from({ length: 4 }, () => at.throttle.take([limit])).map((result) =>
    'waitMs' in result ? result.waitMs : 0,
  )
  // The first has the next permit, the others come after it.
  expect(waits).toEqual([250, 250, 500, 750])
})

test('a quota: those that are put off come when permits really come back, no more than there will be', async () => {
  const at = start()
  const limit = at.throttle.rate({ name: 'tag', rate: { count: 5, per: DAY } })
  const ask = (): number => {
    const result = at.throttle.take([limit])
    return 'waitMs' in result ? result.waitMs : 0
  }
  const takeFive = async (): Promise<void> => {
    const askedAt = at.clock.now()
    for (let taken = 0; taken < 5; ) {
      const waitMs = ask()
      if (waitMs === 0) taken++
      else await at.clock.advance(waitMs)
    }
    // Leases are written meanwhile.
    expect(at.clock.now() - askedAt).toBeLessThan(SECOND)
  }
  await takeFive()
  const waits = Array.from({ length: 12 }, ask)
  const piece = DAY / 200
  const days = waits.map((waitMs) => Math.floor(waitMs / (DAY - piece)))
  expect(days).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3])
  expect(new Set(waits.slice(0, 5))).toEqual(new Set([at.throttle.waitMs(limit)]))
  await at.clock.advance(waits[0]!)
  await takeFive()
  // What comes now stands behind the last that was put off.
  expect(Math.floor(ask() / (DAY - piece))).toBe(2)
})

describe('at a pace that was learned', () => {
  const putOff = (name: string, messages: number): number[] => {
    const at = start()
    const limit = at.throttle.rate({ name, rate: { count: 0.1, per: 30 * SECOND } })
    at.throttle.take([limit])
    return Array.from({ length: messages }, () => at.throttle.take([limit])).map((result) =>
      'waitMs' in result ? result.waitMs : 0,
    )
  }

  test.each(['pace x@mx.test', 'slow x@mx.test'])('%s: nobody is put off for long, it may be over soon', (name) => {
    const waits = putOff(name, 100)
    expect(Math.max(...waits)).toBe(15 * MINUTE)
    // Not all of them at once.
    for (const wait of [5 * MINUTE, 10 * MINUTE, 15 * MINUTE])
      expect(waits.filter((each) => each === wait).length).toBeGreaterThan(30)
  })

  test('one that an operator has set is known to last', () => {
    expect(Math.max(...putOff('path x@mx.test', 100))).toBe(99 * 5 * MINUTE)
  })

  test('is not forgotten before its next permit', async () => {
    const at = start()
    const rate = { count: 0.1, per: 30 * SECOND }
    at.throttle.take([at.throttle.rate({ name: 'pace x@mx.test', rate })])
    await at.clock.advance(2 * MINUTE)
    for (let n = 0; n < 2000; n++) at.throttle.rate({ name: `path ${n}`, rate: { count: 1, per: SECOND } })
    expect(at.throttle.take([at.throttle.rate({ name: 'pace x@mx.test', rate })])).toMatchObject({ waitMs: 3 * MINUTE })
  })
})

test('places that nobody uses any more are forgotten, those in use are not', async () => {
  const at = start()
  for (let n = 0; n < 50; n++) at.throttle.slots({ name: `slow connections ${n}`, slots: 1 })
  const used = at.throttle.slots({ name: 'slow connections used', slots: 1 })
  at.throttle.take([used])
  await at.clock.advance(2 * 60 * MINUTE)
  for (let n = 0; n < 2000; n++) at.throttle.rate({ name: `path ${n}`, rate: { count: 1, per: SECOND } })
  expect(at.throttle.size).toBeLessThanOrEqual(2001)
  expect(at.throttle.slots({ name: 'slow connections used', slots: 1 })).toBe(used)
})

test('a permit that was not used is there again', () => {
  const at = start()
  const limit = at.throttle.rate({ name: 'path', rate: { count: 1, per: 10 * SECOND } })
  const permit = at.throttle.take([limit])
  if (!('limits' in permit)) throw new Error('no permit')
  expect(at.throttle.take([limit])).toHaveProperty('waitMs')
  at.throttle.giveBack(permit)
  expect(at.throttle.take([limit])).toHaveProperty('limits')
})

test('places come free when attempts end, not with time', async () => {
  const at = start()
  const slots = at.throttle.slots({ name: 'provider big', slots: 2 })
  const sent: string[] = []
  const line = greedy(at, [slots], sent)
  const [one] = [at.throttle.take([slots]), at.throttle.take([slots])]
  line.queue('shop', 5)
  await at.clock.advance(60 * SECOND)
  expect(sent).toEqual([])
  if ('limits' in one!) at.throttle.ended(one)
  expect(sent).toEqual(['shop'])
})

test('a rate that is changed takes those who wait along', async () => {
  const at = start()
  const sent: string[] = []
  const slow = at.throttle.rate({ name: 'path', rate: { count: 1, per: 30 * SECOND } })
  greedy(at, [slow], sent).queue('shop', 3)
  at.throttle.take([slow])
  at.throttle.rate({ name: 'path', rate: { count: 10, per: SECOND } })
  at.throttle.wakeAll()
  await at.clock.advance(SECOND)
  expect(at.throttle.size).toBe(1)
})

test('one timer for ten thousand who wait, and none when nobody does', async () => {
  const at = start()
  const sent: string[] = []
  for (let n = 0; n < 10_000; n++) {
    const limit = at.throttle.rate({ name: `path ${n}`, rate: { count: 5, per: SECOND } })
    greedy(at, [limit], sent).queue('shop', 2)
  }
  expect(at.clock.pending).toBe(1)
  await at.clock.advance(SECOND)
  expect(sent.length).toBe(20_000)
  expect(at.clock.pending).toBe(0)
})

describe('a rate that changes', () => {
  test('goes on from what was sent last: no permits are given for the change itself', async () => {
    const { clock, throttle } = start()
    let sent = 0
    for (let n = 0; n < 600; n++) {
      // Ten a second and a hair more, another one every tenth of a second.
      const limits = [throttle.rate({ name: 'pace', rate: { count: 10 + (n % 2) / 1000, per: SECOND } })]
      while (!('waitMs' in throttle.take(limits))) sent++
      await clock.advance(100)
    }
    expect(sent).toBeLessThanOrEqual(602)
    expect(sent).toBeGreaterThanOrEqual(590)
  })

  test('slower and faster by much: the wait is the new one', async () => {
    const { clock, throttle } = start()
    const slow = { name: 'pace', rate: { count: 1, per: 30 * SECOND } }
    throttle.take([throttle.rate(slow)])
    expect(throttle.waitMs(throttle.rate({ name: 'pace', rate: { count: 10, per: SECOND } }))).toBe(100)
    expect(throttle.waitMs(throttle.rate(slow))).toBe(30 * SECOND)
    await clock.advance(30 * SECOND)
    expect(throttle.spare(slow)).toBe(1)
  })
})

test('those put off for want of a place come back as often as places come free', async () => {
  const { clock, throttle } = start()
  const limits = [throttle.slots({ name: 'shared', slots: 1 })]
  for (let n = 0; n < 60; n++) {
    const permit = throttle.take(limits)
    if ('waitMs' in permit) throw new Error('there was a place')
    await clock.advance(200)
    throttle.ended(permit)
  }
  throttle.take(limits)
  const waits = Array.from({ length: 1000 }, () => {
    const refused = throttle.take(limits)
    return 'waitMs' in refused ? refused.waitMs : Number.NaN
  })
  expect(Math.max(...waits)).toBeGreaterThan(150 * SECOND)
  expect(waits.filter((ms) => ms <= 10 * SECOND).length).toBeLessThan(70)
})

test('who comes back within seconds has been waiting all the time; later it is another wait', async () => {
  const { clock, throttle } = start()
  const limit = throttle.rate({ name: 'path', rate: { count: 1, per: SECOND } })
  const waiter: Waiter = { wake: () => undefined }
  throttle.wait(limit, 'bulk', waiter)
  const began = clock.monotonic()
  // Woken by the rate, or because everybody is.
  await clock.advance(2 * SECOND)
  expect(limit.waiting.size).toBe(0)
  await clock.advance(2 * SECOND)
  throttle.wait(limit, 'bulk', waiter)
  expect(limit.waitingSince).toBe(began)
  throttle.wakeAll()
  await clock.advance(6 * SECOND)
  throttle.wait(limit, 'bulk', waiter)
  expect(limit.waitingSince).toBe(clock.monotonic())
})
