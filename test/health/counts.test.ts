// What is counted, where, for how long; over restarts, steps of the clock and more sites than are kept apart.

import { afterEach, describe, expect, test } from 'vitest'
import type { Cause, Way } from '../../src/mail/outcome.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/util/clock.ts'
import { memoryStore } from '../support/memory-store.ts'
import { GMAIL_MX, type Patient, SettableClock, startPatient } from './fixture.ts'

const patients: Patient[] = []
afterEach(async () => {
  for (const { health } of patients.splice(0)) await health.stop()
})
async function start(given: Parameters<typeof startPatient>[0] = {}): Promise<Patient> {
  const patient = await startPatient(given)
  patients.push(patient)
  return patient
}

const relay = ({ health }: Patient) => health.read({ kind: 'relay', limit: 1 })[0]!

describe('scopes', () => {
  test('a record counts for the relay, its tenant, source, path and provider', async () => {
    const patient = await start()
    patient.tell('delivered', 3, { tenant: 'shop', source: 'mta1', site: GMAIL_MX })
    patient.tell('deferred', 2, { tenant: 'bulk', source: 'mta2', site: 'mx.example.net' })
    const names = (kind: 'tenant' | 'source' | 'path' | 'provider') =>
      patient.health.read({ kind, limit: 10 }).map(({ name, hour }) => [name, hour.delivered, hour.deferred])
    expect(relay(patient).hour).toMatchObject({ delivered: 3, deferred: 2 })
    expect(names('tenant')).toEqual([
      ['shop', 3, 0],
      ['bulk', 0, 2],
    ])
    expect(names('source')).toEqual([
      ['mta1', 3, 0],
      ['mta2', 0, 2],
    ])
    expect(names('provider')).toEqual([['google', 3, 0]])
    expect(names('path')).toEqual([
      [`mta1->${GMAIL_MX}`, 3, 0],
      ['mta2->mx.example.net', 0, 2],
    ])
  })

  const OURS: readonly (readonly [string, Cause])[] = [
    ['an error of ours', { kind: 'local', code: '4.3.0', detail: 'see the log' }],
    ['our name server', { kind: 'dns', code: '4.4.3', detail: 'no answer', ours: true }],
    ['no network', { kind: 'connect', detail: 'ENETUNREACH', ours: true }],
    ['a limit of ours', { kind: 'expired', by: 'throttle' }],
    ['an operator', { kind: 'expired', by: 'hold' }],
    ['never tried', { kind: 'expired' }],
    [
      'our name server, until the end',
      { kind: 'expired', last: { kind: 'dns', code: '4.4.3', detail: 'no answer', ours: true } },
    ],
  ]
  test.each(OURS)('%s is no bounce and no deferral of the receiver', async (_, cause) => {
    const patient = await start()
    patient.tell(cause.kind === 'expired' ? 'expired' : 'deferred', 4, { cause, category: 'transient' })
    expect(relay(patient).day).toMatchObject({ ours: 4, deferred: 0, hard: 0, soft: 0 })
  })

  test("the recipient's fault is hard, everything else that receivers say is soft", async () => {
    const patient = await start()
    patient.tell('failed', 2, { category: 'bad-mailbox' })
    patient.tell('failed', 3, { category: 'spam-related' })
    patient.tell('expired', 1, {
      category: 'quota-issues',
      cause: { kind: 'expired', last: { kind: 'connect', detail: 'refused' } },
    })
    expect(relay(patient).hour).toMatchObject({ hard: 2, soft: 4, ours: 0 })
  })

  test('what comes back later counts where it was sent from', async () => {
    const ways = new Map<string, Way>()
    const patient = await start({ ways })
    patient.tell('delivered', 10, { source: 'mta1', site: GMAIL_MX })
    const [first] = patient.records
    ways.set(`${first!.message}.0`, first!.way!)
    const { record } = patient.journal.compose({ ...first!, kind: 'complained' })
    const { way: _, ...withoutWay } = record
    patient.journal.publish([withoutWay])
    patient.tell('complained', 1)
    expect(relay(patient).day).toMatchObject({ delivered: 10, complained: 2 })
    expect(patient.health.read({ kind: 'provider', limit: 1 })[0]!.day).toMatchObject({ complained: 1 })
  })

  test('latency is from acceptance to delivery', async () => {
    const patient = await start()
    patient.tell('delivered', 90, { afterMs: 700 })
    patient.tell('delivered', 10, { afterMs: 20 * MINUTE })
    const { p50Ms, p95Ms } = relay(patient).hour
    expect(p50Ms).toBeGreaterThan(300)
    expect(p50Ms).toBeLessThan(SECOND)
    expect(p95Ms).toBeGreaterThan(15 * MINUTE)
    expect(p95Ms).toBeLessThan(HOUR)
  })
})

describe('time', () => {
  test('the windows are a minute, an hour and a day', async () => {
    const patient = await start()
    patient.tell('delivered', 5)
    const windows = (): number[] => {
      const { minute, hour, day } = relay(patient)
      return [minute.delivered, hour.delivered, day.delivered]
    }
    expect(windows()).toEqual([5, 5, 5])
    await patient.clock.advance(61 * SECOND)
    expect(windows()).toEqual([0, 5, 5])
    patient.tell('delivered', 2)
    expect(windows()).toEqual([2, 7, 7])
    await patient.clock.advance(61 * MINUTE)
    expect(windows()).toEqual([0, 0, 7])
    await patient.clock.advance(23 * HOUR)
    expect(patient.health.read({ kind: 'relay', limit: 1 })).toEqual([])
    // The hourly tidying forgot what had nothing for a day.
    expect(patient.health.size).toBe(0)
  })

  test('a day has its hours, oldest first', async () => {
    const patient = await start()
    for (let hour = 0; hour < 5; hour++) {
      patient.tell('delivered', hour + 1)
      await patient.clock.advance(HOUR)
    }
    expect(
      relay(patient)
        .hours.map(({ delivered }) => delivered)
        .slice(-7),
    ).toEqual([0, 1, 2, 3, 4, 5, 0])
  })

  test('the same hour of the last seven days, and nothing of before', async () => {
    const patient = await start()
    for (let day = 0; day < 10; day++) {
      patient.tell('delivered', 10 * (day + 1))
      await patient.clock.advance(DAY)
    }
    patient.tell('delivered', 1)
    // Days 4 to 10: 40 … 100.
    expect(relay(patient).usual).toMatchObject({ delivered: 70 })
    const hours = patient.store.keys('health', {}).filter((key) => key.toString('latin1').startsWith('hour\0'))
    // A row an hour and scope (relay, tenant, source, path) that had mail, and none older than eight days.
    expect(hours).toHaveLength(8 * 4)
  })

  test.each([
    ['an hour forward', HOUR],
    ['an hour back', -HOUR],
    ['a day forward', DAY],
    ['a day back', -DAY],
    ['a year forward', 365 * DAY],
  ])('a clock that is set %s forgets nothing and doubles nothing', async (_, stepMs) => {
    const patient = await start()
    patient.tell('delivered', 4)
    await patient.clock.advance(2 * HOUR)
    patient.tell('delivered', 3)
    await patient.clock.advance(2 * MINUTE)
    patient.clock.skewMs += stepMs
    await patient.clock.advance(2 * MINUTE)
    patient.tell('delivered', 2)
    expect(relay(patient)).toMatchObject({ minute: { delivered: 2 }, hour: { delivered: 5 }, day: { delivered: 9 } })
    await patient.health.stop()
    const again = await start({ store: patient.store, clock: patient.clock })
    expect(relay(again)).toMatchObject({ hour: { delivered: 5 }, day: { delivered: 9 } })
  })

  test('a small step back counts on', async () => {
    const patient = await start()
    patient.tell('delivered', 4)
    patient.clock.skewMs -= 20 * SECOND
    await patient.clock.advance(SECOND)
    patient.tell('delivered', 3)
    expect(relay(patient).minute.delivered).toBe(7)
  })
})

describe('restart', () => {
  test('what was stored is there again: hour and day', async () => {
    const patient = await start()
    patient.tell('delivered', 40, { afterMs: 5 * SECOND })
    await patient.clock.advance(3 * HOUR)
    patient.tell('deferred', 7)
    await patient.health.stop()
    const again = await start({ store: patient.store, clock: patient.clock })
    expect(relay(again).day).toEqual(relay(patient).day)
    expect(relay(again).hour).toEqual(relay(patient).hour)
    // Counting on, it goes on from there.
    again.tell('deferred', 1)
    await again.health.stop()
    expect(relay(await start({ store: patient.store, clock: patient.clock })).day).toMatchObject({
      delivered: 40,
      deferred: 8,
    })
  })

  test('without an end, all but the last minute is there', async () => {
    const patient = await start()
    patient.tell('delivered', 5)
    await patient.clock.advance(MINUTE)
    patient.tell('delivered', 2)
    const again = await start({ store: patient.store, clock: patient.clock })
    expect(relay(again).day.delivered).toBe(5)
  })

  test('a store that is full for a while misses nothing', async () => {
    const store = memoryStore()
    const write = store.write
    let isFull = true
    store.write = (writes, urgency) => (isFull ? Promise.reject(new Error('no room')) : write(writes, urgency))
    const patient = await start({ store })
    patient.tell('delivered', 5)
    await patient.clock.advance(5 * MINUTE)
    expect(store.count('health')).toBe(0)
    isFull = false
    await patient.clock.advance(MINUTE)
    expect(relay(await start({ store, clock: patient.clock })).day.delivered).toBe(5)
  })

  test('a day later only the usual is left', async () => {
    const patient = await start()
    patient.tell('delivered', 6)
    await patient.health.stop()
    await patient.clock.advance(DAY)
    const again = await start({ store: patient.store, clock: patient.clock })
    expect(again.health.size).toBe(0)
    again.tell('delivered', 1)
    expect(relay(again)).toMatchObject({ day: { delivered: 1 }, usual: { delivered: 6 } })
  })
})

describe('bounds', () => {
  test('100,000 sites: so many are kept apart, and none is lost', { timeout: 30_000 }, async () => {
    const patient = await start({ settings: { health: { maxPaths: 500 } } })
    patient.tell('delivered', 300, { site: 'busy.example' })
    for (let site = 0; site < 100_000; site++) patient.tell('delivered', 1, { site: `mx${site}.example` })
    const paths = patient.health.read({ kind: 'path', limit: 1000 })
    expect(paths.length).toBeLessThanOrEqual(501)
    expect(paths.reduce((sum, { day }) => sum + day.delivered, 0)).toBe(100_300)
    expect(paths.map(({ name }) => name).slice(0, 2)).toEqual(['*', 'default->busy.example'])
    expect(relay(patient).day.delivered).toBe(100_300)
    await patient.health.stop()
    const again = await start({ store: patient.store, clock: patient.clock, settings: { health: { maxPaths: 500 } } })
    const restored = again.health.read({ kind: 'path', limit: 1000 })
    expect(restored.reduce((sum, { day }) => sum + day.delivered, 0)).toBe(100_300)
    expect(patient.store.count('health')).toBeLessThan(1100)
  })

  test('what was stored before it was folded is not counted twice', async () => {
    const settings = { health: { maxPaths: 10 } }
    const patient = await start({ settings })
    for (let site = 0; site < 10; site++) patient.tell('delivered', 1, { site: `old${site}.example` })
    await patient.clock.advance(2 * MINUTE)
    for (let site = 0; site < 10; site++) patient.tell('delivered', 5, { site: `new${site}.example` })
    await patient.health.stop()
    const again = await start({ store: patient.store, clock: patient.clock, settings })
    const paths = again.health.read({ kind: 'path', limit: 100 })
    expect(paths.reduce((sum, { day }) => sum + day.delivered, 0)).toBe(60)
  })
})

test('a clock that starts behind what is stored counts from there', async () => {
  const patient = await start()
  patient.tell('delivered', 5)
  await patient.health.stop()
  const earlier = new SettableClock(Date.UTC(2026, 4, 31, 10))
  const again = await start({ store: patient.store, clock: earlier })
  again.tell('delivered', 2)
  expect(relay(again).day.delivered).toBe(2)
})
