// The pacer by itself, over a store in memory: whatever strangers say, however many of them, it remembers a bounded amount,
// forgets what is idle, and costs little.

import { expect, test } from 'vitest'
import { createClassifier } from '../../src/bounce/classify.ts'
import { replyFrom } from '../../src/bounce/pasted.ts'
import { shippedRules } from '../../src/bounce/rules.ts'
import { type Settings, schema } from '../../src/config/schema.ts'
import type { RateLimit, Site } from '../../src/delivery/delivery.ts'
import { PaceBook } from '../../src/dispatch/pace-book.ts'
import { Pacing } from '../../src/dispatch/pacing.ts'
import { createJournal } from '../../src/journal/journal.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { PACE } from '../../src/pacing/controller.ts'
import { shippedPresets } from '../../src/shaping/load-shaping.ts'
import { createShaping } from '../../src/shaping/shaping.ts'
import { readShapingFile } from '../../src/shaping/shaping-file.ts'
import { QuotaBook } from '../../src/throttle/quota-book.ts'
import { createSuspensions } from '../../src/throttle/suspensions.ts'
import { Throttle } from '../../src/throttle/throttle.ts'
import { HOUR, MINUTE, SECOND } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'

const OWN = "[[default.rule]]\nmatch = 'go away'\naction = 'suspend'\nfor = '1h'\n"

function world() {
  const store = memoryStore()
  const clock = new FakeClock()
  const journal = createJournal({ store, clock })
  const suspensions = createSuspensions({ store, journal, clock })
  const settings = schema.parse({}) as unknown as Settings
  const classifier = createClassifier(shippedRules())
  const files = [
    { kind: 'file' as const, file: readShapingFile(OWN, 'shaping.toml') },
    { kind: 'preset' as const, file: shippedPresets() },
  ]
  const shaping = createShaping({ settings, files, families: shippedRules().providers })
  const logger = silentLogger()
  const parts = { store, journal, suspensions, classifier, clock, logger }
  const pacing = new Pacing({ ...parts, shaping: () => shaping, settings: () => ({ pace: settings.pace }) })
  return { ...parts, pacing, settings }
}

const placeAt = (site: string): Site => ({ kind: 'site', site, line: site, slots: 10, validMs: HOUR })
const said = (text: string, site: string): Outcome => ({
  kind: 'deferred',
  cause: { kind: 'reply', command: 'RCPT', reply: replyFrom(text) },
  way: { site, source: 'x', mx: site, durationMs: 20 },
})
const heardAt = (site: string, text: string) => ({
  place: placeAt(site),
  tenant: 'default',
  source: 'x',
  domain: 'a.example',
  outcome: said(text, site),
})

test('ten thousand different replies of one path', () => {
  const { pacing } = world()
  for (let at = 0; at < 10_000; at++)
    pacing.heard(
      heardAt('mx.a.example', `450 4.7.1 rate limit ${at} of ${at * 7}, temporarily deferred ${Math.random()}`),
    )
  expect(pacing.paces().length).toBe(1)
  expect(pacing.paces()[0]?.why.length).toBeLessThanOrEqual(200)
})

test('a long reply is cut between words', () => {
  const { pacing } = world()
  const reply = `450 4.7.1 rate limit exceeded ${'deferred '.repeat(100)}`
  for (let at = 0; at < 100; at++) pacing.heard(heardAt('mx.a.example', reply))
  expect(pacing.paces()[0]?.why).toMatch(/^450 4\.7\.1 rate limit exceeded( deferred)+…$/)
})

test('thirty thousand sites that all say what meets a rule', async () => {
  const { pacing, suspensions } = world()
  for (let at = 0; at < 30_000; at++) {
    pacing.heard(heardAt(`mx${at}.a.example`, '450 4.7.1 rate limit exceeded, go away'))
    if (at % 500 === 0) await new Promise(setImmediate)
  }
  await new Promise(setImmediate)
  expect(suspensions.list().length).toBeGreaterThan(4000)
  expect(suspensions.list().length).toBeLessThanOrEqual(6000)
  expect(pacing.size).toBeLessThanOrEqual(20_000)
})

test('what is idle is forgotten, and its timer with it', async () => {
  const { store, journal, clock, logger } = world()
  const book = new PaceBook({ store, journal, clock, logger, options: () => PACE, onPace: () => undefined })
  for (let at = 0; at < 100; at++)
    book.heard({ name: `x@mx${at}`, signal: at === 0 ? 'refused' : 'accepted', durationMs: 5, why: () => 'busy' })
  for (let at = 0; at < 5; at++) {
    await clock.advance(100)
    book.heard({ name: 'x@mx0', signal: 'refused', durationMs: 5, why: () => 'busy' })
  }
  expect(book.list()).toMatchObject([{ name: 'x@mx0', why: 'busy' }])
  await clock.advance(3 * HOUR)
  expect(book.size).toBe(1)
  await clock.advance(24 * HOUR)
  expect(book.size).toBe(0)
  expect(journal.latest({ limit: 10 }).map(({ kind }) => kind)).toEqual(['recovered', 'slowed'])
  await clock.advance(2 * MINUTE)
  expect(clock.pending).toBe(0)
  expect(store.count('pace')).toBe(0)
})

test('a clock that went back or far ahead does not confuse what was stored', async () => {
  const { store, journal, clock, logger } = world()
  const book = new PaceBook({ store, journal, clock, logger, options: () => PACE, onPace: () => undefined })
  for (let at = 0; at < 10; at++) {
    await clock.advance(1000)
    book.heard({ name: 'x@mx', signal: 'deferred', durationMs: 5, why: () => 'busy' })
  }
  // Once a minute, and not only at the end.
  expect(store.count('pace')).toBe(0)
  await clock.advance(MINUTE)
  expect(store.count('pace')).toBe(1)
  const before = book.get('x@mx')?.rate
  await book.close()
  const read = (now: number) =>
    new PaceBook({
      store,
      journal,
      clock: new FakeClock(now),
      logger,
      options: () => PACE,
      onPace: () => undefined,
    }).get('x@mx')?.rate
  expect(read(clock.now() - 24 * HOUR)).toBe(before)
  expect(read(clock.now() + MINUTE)).toBe(before)
  expect(read(clock.now() + 48 * HOUR)).toBeUndefined()
})

test('who waits at a slow pace hears of it when the pace rises', async () => {
  const { store, journal, clock, logger } = world()
  const quotas = new QuotaBook({
    store,
    clock,
    onLease: () => undefined,
    onError: (error) => expect(error).toBeUndefined(),
  })
  const throttle = new Throttle({ clock, quotas })
  const onPace = (_: string, limit?: RateLimit): void => void (limit && throttle.rate(limit))
  const book = new PaceBook({ store, journal, clock, logger, options: () => PACE, onPace })
  const hear = (signal: 'accepted' | 'refused'): void =>
    book.heard({ name: 'x@mx', signal, durationMs: 5, why: () => 'busy' })
  for (let at = 0; at < 20; at++) {
    await clock.advance(10_000)
    hear('refused')
  }
  const slow = book.limit('x@mx')!
  const spacing = slow.rate.per / slow.rate.count
  expect(spacing).toBeGreaterThan(2 * MINUTE)
  throttle.take([throttle.rate(slow)])
  const waiting = clock.monotonic()
  const woken: number[] = []
  throttle.wait(throttle.rate(slow), 'a', { wake: () => void woken.push(clock.monotonic()) })
  // What was under way comes back well.
  while (woken.length === 0) {
    await clock.advance(5000)
    hear('accepted')
  }
  expect(book.limit('x@mx')!.rate.per / book.limit('x@mx')!.rate.count).toBeLessThan(spacing / 1.5)
  expect(woken[0]! - waiting).toBeLessThan(0.9 * spacing)
  throttle.close()
})

test('what every delivery costs is a few microseconds', () => {
  const { pacing } = world()
  const place = placeAt('mx.a.example')
  const outcome: Outcome = {
    kind: 'delivered',
    reply: replyFrom('250 2.0.0 Ok'),
    way: { site: place.site, source: 'x', mx: place.site, durationMs: 20 },
  }
  const heard = { place, tenant: 'default', source: 'x', domain: 'a.example', outcome }
  const round = (): number => {
    const startedAt = performance.now()
    for (let at = 0; at < 20_000; at++) {
      pacing.heard(heard)
      pacing.limits(place, 'x')
      pacing.restsUntil('x', place)
    }
    return ((performance.now() - startedAt) * 1000) / 20_000
  }
  const best = Math.min(...Array.from({ length: 10 }, round))
  console.info(`pacer, per delivery: ${best.toFixed(2)} µs`)
  expect(best).toBeLessThan(10)
})

test('a reload sets another floor for paths that are slow already', async () => {
  const { store, journal, clock, logger } = world()
  let options: typeof PACE | undefined = PACE
  const book = new PaceBook({ store, journal, clock, logger, options: () => options, onPace: () => undefined })
  const refuse = async (): Promise<void> => {
    await clock.advance(10 * MINUTE)
    book.heard({ name: 'x@mx', signal: 'refused', durationMs: 5, why: () => 'busy' })
  }
  for (let at = 0; at < 60; at++) await refuse()
  const perHour = (): number => Math.round((book.get('x@mx')?.rate ?? 0) * 3600)
  expect(perHour()).toBe(12)
  options = { ...PACE, floor: { count: 30, per: HOUR } }
  expect(perHour()).toBe(30)
  // Turned off: nothing binds, and nothing is said to.
  options = undefined
  expect([book.limit('x@mx'), book.list()]).toEqual([undefined, []])
  options = PACE
  expect(book.list()).toHaveLength(1)
  await book.close()
})

test('a pace that could not be written is written the next minute', async () => {
  const { store, journal, clock, logger } = world()
  let isFull = false
  const failing = {
    ...store,
    write: (...given: Parameters<typeof store.write>) =>
      isFull ? Promise.reject(new Error('no room')) : store.write(...given),
  }
  const book = new PaceBook({ store: failing, journal, clock, logger, options: () => PACE, onPace: () => undefined })
  for (let at = 0; at < 10; at++) {
    await clock.advance(SECOND)
    book.heard({ name: 'x@mx', signal: 'refused', durationMs: 5, why: () => 'busy' })
  }
  isFull = true
  await clock.advance(MINUTE)
  expect(store.count('pace')).toBe(0)
  isFull = false
  await clock.advance(MINUTE)
  expect(store.count('pace')).toBe(1)
  await book.close()
})
