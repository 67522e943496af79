// Warm-up over six weeks of a virtual clock, with restarts and kills in the middle: never more than the plan in any hour,
// nearly all of it, and everything else from the warm source. Brakes, cold addresses, drains, and who is asked first.

import { describe, expect, test } from 'vitest'
import type { Verdict } from '../../src/bounce/verdict.ts'
import type { Settings } from '../../src/config/schema.ts'
import type { Pacer } from '../../src/dispatch/pacer.ts'
import { rateOfStep } from '../../src/sources/warm-up-plan.ts'
import type { Store } from '../../src/store/store.ts'
import { DAY, HOUR, MINUTE } from '../../src/util/clock.ts'
import { load } from '../support/config-file.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'
import { BIG, messageOf, Sending, type Sent, SMALL } from './sending.ts'

const START = Date.UTC(2026, 10, 1)

function settings(warmUp: string, more = ''): Settings {
  return load(`
[[tenant]]
name = "default"
any_sender = true
pools = ["cold-only"]
[[source]]
name = "warm"
[[source]]
name = "cold"
${warmUp === '' ? '' : `[source.warm_up]\n${warmUp}`}
${more}
[[pool]]
name = "default"
sources = [{ source = "warm" }, { source = "cold" }]
[[pool]]
name = "cold-only"
sources = [{ source = "cold" }]
`).settings
}

interface Running {
  sending: Sending
  readonly clock: FakeClock
  readonly store: Store
  readonly settings: Settings
}

function run(
  warmUp: string,
  { at = START, more = '', pacer }: { at?: number; more?: string; pacer?: Pick<Pacer, 'limits' | 'restsUntil'> } = {},
): Running {
  const parts = { clock: new FakeClock(at), store: memoryStore(), settings: settings(warmUp, more) }
  return { sending: new Sending({ ...parts, ...(pacer && { pacer }) }), ...parts }
}

async function restart(running: Running, how: 'stop' | 'kill'): Promise<void> {
  if (how === 'stop') await running.sending.stop()
  // What was on its way to the disk when the process died may or may not arrive; here it does.
  await new Promise(setImmediate)
  running.sending = new Sending(running)
}

let ids = 0
/** An id whose message would leave from the source if nothing were in the way. */
function idOf(sending: Sending, source: string): string {
  for (;;) {
    const id = `0d${(++ids).toString(32).padStart(11, '0')}`
    if (sending.sourceOf('default', id) === source) return id
  }
}

const from = (sent: Sent): string | undefined => ('source' in sent ? sent.source : undefined)

async function sendMany(running: Running, count: number, place = BIG): Promise<Record<string, number>> {
  const by: Record<string, number> = {}
  for (let n = 0; n < count; n++) {
    const name = from(await running.sending.send(idOf(running.sending, 'cold'), place)) ?? 'waits'
    by[name] = (by[name] ?? 0) + 1
  }
  return by
}

const RATE_LIMITED: Verdict = {
  category: 'rate-limited',
  code: 70,
  kind: 'other',
  fault: 'sender',
  class: 'rate',
  action: 'slow',
  rule: 'x@1',
}
const deferred = (verdict: Partial<Verdict> = {}) =>
  ({
    kind: 'deferred',
    cause: { kind: 'reply', command: 'MAIL', reply: { code: 421, lines: ['4.7.0 slow down'] } },
    verdict: { ...RATE_LIMITED, ...verdict } as Verdict,
  }) as const

describe('six weeks', () => {
  test('never more than the plan in any hour, nearly all of it, the rest overflows; restarts and kills on the way', async () => {
    const running = run('since = "2026-11-01"\nstart = "20/h"\ngrowth = 1.04')
    const plan = running.settings.source[1]!.warmUp!
    const cold: number[] = []
    let stickyToCold = 0
    let overflowed = 0
    const perDay: number[] = []
    for (let day = 1; day <= 43; day++) {
      const before = cold.length
      const limit = rateOfStep(plan, day)?.count ?? 60
      for (let slot = 0; slot < 24 * 12; slot++) {
        // Twice the plan, five minutes at a time, and all of it would be the cold one's.
        for (let n = 0; n < Math.ceil(limit / 6); n++) {
          stickyToCold++
          const source = from(await running.sending.send(idOf(running.sending, 'cold'), BIG))
          if (source === 'cold') cold.push(running.clock.now())
          else if (source === 'warm') overflowed++
        }
        if (day === 10 && slot === 120) await restart(running, 'stop')
        if (day % 7 === 0 && slot % 30 === 5) await restart(running, 'kill')
        await running.clock.advance(5 * MINUTE)
      }
      if (cold.length > before) running.sending.tell({ kind: 'delivered' })
      perDay.push(cold.length - before)
    }
    expect(cold.length + overflowed).toBe(stickyToCold)
    // Any hour, wherever it begins: at most what the day it ends in allows.
    for (let first = 0, last = 0; last < cold.length; last++) {
      while (cold[first]! <= cold[last]! - HOUR) first++
      const step = Math.floor((cold[last]! - START) / DAY) + 1
      if (step <= 42) expect(last - first + 1).toBeLessThanOrEqual(rateOfStep(plan, step)!.count)
    }
    console.log(
      perDay.map((c, at) => Math.round((1000 * c) / (24 * (rateOfStep(plan, at + 1)?.count ?? 1e9))) / 10).join(' '),
    )
    for (const [at, count] of perDay.entries()) {
      const rate = rateOfStep(plan, at + 1)?.count
      if (rate === undefined) continue
      // What left in one moment comes back in one, an hour and up to five minutes later. A kill costs what was leased.
      const least = (at + 1) % 7 === 0 ? rate * 24 * 0.8 : rate * 24 * 0.9
      expect([at + 1, count >= least]).toEqual([at + 1, true])
    }
    // The 43rd day: warm, everything is its own again.
    expect(perDay[42]).toBe(24 * 12 * 10)
  }, 60_000)

  test('each provider has its own count, and sites without one have one together', async () => {
    const running = run('since = "2026-11-01"\nstart = "5/h"')
    const other = { ...SMALL, site: 'mx.other.test', line: 'mx.other.test' }
    expect(await sendMany(running, 20)).toEqual({ cold: 5, warm: 15 })
    expect(await sendMany(running, 20, SMALL)).toEqual({ cold: 5, warm: 15 })
    expect(await sendMany(running, 20, other)).toEqual({ warm: 20 })
  })

  test('before its first day nothing leaves from it', async () => {
    const running = run('since = "2026-11-03"')
    expect(await sendMany(running, 20)).toEqual({ warm: 20 })
    expect(await running.sending.send('0', BIG, { pool: 'cold-only' })).toEqual({ waitMs: 5 * MINUTE })
    const told: number[] = []
    running.sending.book.onChange(() => told.push(running.clock.now()))
    await running.clock.advance(2 * DAY)
    // Whoever waits is told at midnight.
    expect(told).toEqual([START + DAY, START + 2 * DAY])
    expect(await sendMany(running, 30)).toEqual({ cold: 20, warm: 10 })
  })

  test('without overflow what is beyond the plan waits', async () => {
    const running = run('since = "2026-11-01"\nstart = "5/h"\noverflow = false')
    expect(await sendMany(running, 20)).toEqual({ cold: 5, waits: 15 })
    expect(from(await running.sending.send(idOf(running.sending, 'warm'), BIG))).toBe('warm')
  })

  test('the rest overflows to a warm source before another one that is warmed up', async () => {
    const plan = '[source.warm_up]\nsince = "2026-11-01"\nstart = "5/h"'
    const running = run(plan.split('\n').slice(1).join('\n'), { more: `[[source]]\nname = "third"\n${plan}` })
    const [pool] = running.settings.pool
    const three = { ...pool!, sources: [...pool!.sources, { source: 'third', weight: 1 }] }
    running.sending = new Sending({ ...running, settings: { ...running.settings, pool: [three] } })
    expect(await sendMany(running, 30)).toEqual({ cold: 5, warm: 25 })
    await running.sending.book.begin({ name: 'warm', who: 'eve', why: 'x' })
    expect(await sendMany(running, 30)).toEqual({ third: 5, waits: 25 })
  })

  test('a pool that is warmed up as a whole: what one has left serves the other, then all wait', async () => {
    const running = run('since = "2026-11-01"\nstart = "5/h"')
    const all = {
      ...running.settings,
      source: running.settings.source.map((each) => ({ ...each, warmUp: running.settings.source[1]!.warmUp! })),
    }
    running.sending = new Sending({ ...running, settings: all })
    expect(await sendMany(running, 20)).toEqual({ cold: 5, warm: 5, waits: 10 })
    expect(running.sending.budget(BIG)).toHaveProperty('full')
  })
})

describe('brakes', () => {
  const deliver = (running: Running, count: number): void => {
    for (let n = 0; n < count; n++) running.sending.tell({ kind: 'delivered' })
  }

  async function day(running: Running, number: number): Promise<void> {
    await running.clock.advance(START + (number - 1) * DAY + HOUR - running.clock.now())
  }

  function complain({ sending: { journal } }: Running): void {
    const complaint = { kind: 'complained', message: '0d00000000000', n: 0 } as const
    journal.publish([journal.compose({ ...complaint, at: 0, tenant: 'default', recipient: 'a@big.test' }).record])
  }

  const allowed = (running: Running, place = BIG): number | undefined =>
    running.sending.book.warmUp('cold', place)?.rate.count

  test('deferrals: back at once, the same tomorrow, growing again after a good day; over a restart; recorded once', async () => {
    const running = run('since = "2026-11-01"')
    await day(running, 4)
    expect(allowed(running)).toBe(55)
    deliver(running, 30)
    for (let n = 0; n < 3; n++) running.sending.tell(deferred())
    expect(allowed(running)).toBe(55)
    running.sending.tell(deferred())
    expect([allowed(running), allowed(running, SMALL)]).toEqual([39, 55])
    for (let n = 0; n < 30; n++) running.sending.tell(deferred())
    await new Promise(setImmediate)
    expect(running.sending.records.filter(({ kind }) => kind === 'slowed')).toMatchObject([
      {
        target: { kind: 'warm-up', name: 'cold at big' },
        who: 'studs',
        why: '4 of 34 attempts within 4 h were put off or refused',
      },
    ])
    await restart(running, 'kill')
    expect(allowed(running)).toBe(39)
    const allowedOn: (number | undefined)[] = []
    for (const number of [5, 6, 7]) {
      await day(running, number)
      // A single one is no brake, and yesterday's have been counted.
      running.sending.tell(deferred())
      deliver(running, 30)
      allowedOn.push(allowed(running))
      await restart(running, number === 5 ? 'stop' : 'kill')
    }
    expect(allowedOn).toEqual([39, 55, 77])
  })

  test('the trouble of an evening is not counted again in the small hours', async () => {
    const running = run('since = "2026-11-01"')
    await day(running, 4)
    await running.clock.advance(22 * HOUR)
    for (let n = 0; n < 30; n++) running.sending.tell(deferred())
    expect(allowed(running)).toBe(39)
    await running.clock.advance(HOUR + 30 * MINUTE)
    for (let n = 0; n < 19; n++) running.sending.tell(deferred())
    expect(allowed(running)).toBe(39)
    running.sending.tell(deferred())
    expect(allowed(running)).toBe(28)
  })

  test('it is told when the plan grows again', async () => {
    const running = run('since = "2026-11-01"')
    await day(running, 4)
    for (let n = 0; n < 20; n++) running.sending.tell(deferred())
    for (const number of [5, 6]) {
      await day(running, number)
      allowed(running)
      await new Promise(setImmediate)
    }
    const kinds = running.sending.records.map(({ kind }) => kind).filter((kind) => kind !== 'deferred')
    expect(kinds).toEqual(['slowed', 'recovered'])
  })

  test.each([
    ['a full mailbox', { category: 'quota-issues', fault: 'recipient-system' }],
    ['greylisting', { category: 'greylisted', fault: 'policy' }],
    ['a fault of our own', { category: 'local-fault', fault: 'local' }],
  ] as const)('%s is nobody’s word on the source', async (_, verdict) => {
    const running = run('since = "2026-11-01"')
    await day(running, 4)
    for (let n = 0; n < 100; n++) running.sending.tell(deferred(verdict))
    expect(allowed(running)).toBe(55)
  })

  test('a block is a word on it, an unknown recipient is not', async () => {
    const running = run('since = "2026-11-01"')
    await day(running, 4)
    const failed = { ...deferred(), kind: 'failed' as const }
    const unknown = { category: 'bad-mailbox', kind: 'hard', fault: 'recipient' } as const
    for (let n = 0; n < 100; n++) running.sending.tell({ ...failed, verdict: { ...RATE_LIMITED, ...unknown } })
    expect(allowed(running)).toBe(55)
    const blocked = { category: 'spam-related', kind: 'block', fault: 'sender' } as const
    for (let n = 0; n < 20; n++) running.sending.tell({ ...failed, verdict: { ...RATE_LIMITED, ...blocked } })
    expect(allowed(running)).toBe(39)
  })

  test('complaints, however late they come', async () => {
    const running = run('since = "2026-11-01"')
    await day(running, 4)
    deliver(running, 100)
    complain(running)
    expect(allowed(running)).toBe(55)
    complain(running)
    expect(allowed(running)).toBe(39)
  })

  test('a brake of 1 never holds', async () => {
    const running = run('since = "2026-11-01"\nbrake_deferrals = 1')
    await day(running, 4)
    for (let n = 0; n < 100; n++) running.sending.tell(deferred())
    expect(allowed(running)).toBe(55)
  })

  /** On its fourth day, after 4 of 34 attempts were put off and 2 of 30 messages complained of. */
  test.each([
    ['nothing more', '', 39],
    ['a later first day', 'since = "2026-11-03"', 20],
    ['start', 'start = "100/h"', 196],
    ['growth', 'growth = 2', 80],
    ['days', 'days = 3', undefined],
    ['table', 'table = ["1/h", "2/h", "3/h", "9/h"]', 3],
    ['brake_deferrals alone', 'brake_deferrals = 0.2', 39],
    ['brake_complaints alone', 'brake_complaints = 0.1', 39],
    ['both brakes', 'brake_deferrals = 0.2\nbrake_complaints = 0.1', 55],
  ])('options: %s', async (_, keys, expected) => {
    const running = run(keys.startsWith('since') ? keys : `since = "2026-11-01"\n${keys}`)
    await day(running, 4)
    deliver(running, 30)
    for (let n = 0; n < 4; n++) running.sending.tell(deferred())
    for (let n = 0; n < 2; n++) complain(running)
    expect(allowed(running)).toBe(expected)
  })

  test('a warm source that nobody used for a month is cold again, and that is recorded', async () => {
    const running = run('since = "2026-11-01"\ndays = 3')
    await day(running, 5)
    expect(allowed(running)).toBeUndefined()
    deliver(running, 1)
    await running.clock.advance(MINUTE)
    await day(running, 35)
    expect(allowed(running)).toBeUndefined()
    await restart(running, 'kill')
    await day(running, 36)
    expect(allowed(running)).toBe(20)
    deliver(running, 1)
    await day(running, 37)
    expect(allowed(running)).toBe(28)
    await restart(running, 'kill')
    expect(allowed(running)).toBe(28)
    await running.sending.stop()
    expect(running.store.count('warm-up')).toBe(1)
  })
})

describe('who is asked', () => {
  test('the one that tried before, as long as it may', async () => {
    const running = run('since = "2026-11-01"\nstart = "5/h"')
    const { sending } = running
    const mine = idOf(sending, 'cold')
    expect(from(await sending.send(mine, BIG, { before: 'warm' }))).toBe('warm')
    expect(from(await sending.send(idOf(sending, 'warm'), BIG, { before: 'cold' }))).toBe('cold')
    // Not of the pool, not any more.
    expect(from(await sending.send(mine, BIG, { before: 'gone' }))).toBe('cold')
    await sendMany(running, 10)
    // Used up: its own, which is warm.
    expect(from(await sending.send(idOf(sending, 'warm'), BIG, { before: 'cold' }))).toBe('warm')
  })

  test('a source that rests at a place is not asked there, and is elsewhere; limits of the pacer count', async () => {
    const limit = { name: 'pace warm', rate: { count: 3, per: HOUR } }
    const pacer: Pick<Pacer, 'limits' | 'restsUntil'> = {
      limits: (_, source) => (source === 'warm' ? [limit] : []),
      restsUntil: (source, place) => (source === 'cold' && place.provider === 'big' ? START + HOUR : undefined),
    }
    const running = run('', { pacer })
    expect(await sendMany(running, 5)).toEqual({ warm: 3, waits: 2 })
    expect(await sendMany(running, 5, SMALL)).toEqual({ cold: 5 })
    const only = { ...running.settings, tenant: [{ ...running.settings.tenant[0]!, pool: 'cold-only', pools: [] }] }
    const cold = new Sending({ ...running, settings: only, pacer })
    expect(cold.budget(BIG)).toEqual({ resting: { sources: ['cold'], until: START + HOUR } })
    expect(cold.budget(SMALL)).toEqual({ permits: Number.POSITIVE_INFINITY })
  })

  test('connections that a receiver counts by address: one source that has used up its own leaves the other its own', () => {
    const { sending } = run('')
    const place = { ...BIG, sharedFrom: (source: string) => ({ name: `provider big from ${source}`, slots: 2 }) }
    const admit = (source: string) =>
      sending.limits.admit(messageOf({ id: idOf(sending, source), tenant: 'default' }), place)
    expect(sending.budget(place)).toEqual({ permits: 4 })
    const taken = [admit('cold'), admit('cold')]
    expect(sending.budget(place)).toEqual({ permits: 2 })
    expect([admit('cold'), admit('warm')]).toMatchObject([
      { full: { name: 'provider big from cold' } },
      { source: 'warm' },
    ])
    for (const permit of taken) if (!('waitMs' in permit)) sending.throttle.ended(permit)
    expect(admit('cold')).toMatchObject({ source: 'cold' })
  })

  test('a drain: nothing new, whoever waits is told, and it outlives a kill', async () => {
    const running = run('')
    let told = 0
    running.sending.book.onChange(() => told++)
    await running.sending.book.begin({ name: 'cold', who: 'eve', why: 'moves house' })
    expect(await sendMany(running, 5)).toEqual({ warm: 5 })
    await restart(running, 'kill')
    expect(await sendMany(running, 5)).toEqual({ warm: 5 })
    expect(running.sending.book.drain('cold')).toEqual({ name: 'cold', who: 'eve', why: 'moves house', since: START })
    expect(await running.sending.send('0', BIG, { pool: 'cold-only' })).toEqual({ waitMs: 5 * MINUTE })
    expect(await running.sending.book.end({ name: 'cold', who: 'eve', why: 'is back' })).toBeDefined()
    expect(await running.sending.book.end({ name: 'cold', who: 'eve', why: 'is back' })).toBeUndefined()
    expect(await sendMany(running, 5)).toEqual({ cold: 5 })
    expect(told).toBe(1)
    expect(running.sending.records).toMatchObject([
      { kind: 'resumed', target: { kind: 'source', name: 'cold' }, reason: 'drained', who: 'eve', why: 'is back' },
    ])
  })

  test('while its own pool stands still, a tenant sends from the others that its messages name', async () => {
    const running = run('')
    await running.sending.book.begin({ name: 'warm', who: 'eve', why: 'x' })
    const only = (pool: string) => ({ name: pool, move: true, sources: [{ source: pool, weight: 1 }] })
    const two = {
      ...running.settings,
      pool: [only('warm'), only('cold')],
      tenant: [{ ...running.settings.tenant[0]!, pool: 'warm', pools: ['cold'] }],
    }
    running.sending = new Sending({ ...running, settings: two })
    const lane = { tenant: 'default' }
    expect(running.sending.budget(BIG, lane)).toHaveProperty('resting')
    expect(running.sending.budget(BIG, { ...lane, pool: 'cold' })).toEqual({ permits: Number.POSITIVE_INFINITY })
    // Of older versions: mail for both pools stands in it.
    expect(running.sending.budget(BIG, { ...lane, mayHoldOthers: true })).toEqual({ permits: Number.POSITIVE_INFINITY })
    expect(await running.sending.send('0', BIG)).toEqual({ waitMs: 5 * MINUTE })
    expect(await running.sending.send('1', BIG, { pool: 'cold' })).toEqual({ source: 'cold' })
  })

  test('what was sent counts over a reload that changes the pool', async () => {
    const running = run('since = "2026-11-01"\nstart = "5/h"')
    expect(await sendMany(running, 10)).toEqual({ cold: 5, warm: 5 })
    await restart(running, 'stop')
    expect(await sendMany(running, 10)).toEqual({ warm: 10 })
    await running.clock.advance(HOUR + MINUTE)
    expect(await sendMany(running, 10)).toEqual({ cold: 5, warm: 5 })
  })
})
