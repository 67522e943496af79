// The operator's hand on the queue, through the API that the commands use: hold, release, retry, drop, bounce.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import { MINUTE } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

let clock: FakeClock
let relay: TestRelay
let operations: Operations
const by = { who: 'cli:jane', reason: 'ticket 7' }

beforeEach(async () => {
  clock = new FakeClock()
  relay = await startTestRelay({ clock })
  operations = createClient({ kind: 'socket', path: relay.relay.socket }, {})
})
afterEach(stopRelays)

test('held mail stays until it is released; who and why are kept', async () => {
  const id = await relay.send('greylist-60s@a.test')
  await relay.record('deferred')
  expect(await operations.changeQueue('hold', { ids: [id], ...by })).toEqual({ count: 1 })
  await clock.advance(60 * MINUTE)
  expect((await operations.queue({ state: 'held' })).items).toMatchObject([
    { id, state: { kind: 'held', who: 'cli:jane', why: 'ticket 7' } },
  ])
  expect(relay.records.map(({ kind }) => kind)).toEqual(['accepted', 'deferred', 'held'])
  expect(await operations.changeQueue('release', { ids: [id], ...by })).toEqual({ count: 1 })
  await clock.advance(0)
  expect(await relay.record('delivered')).toMatchObject({ message: id, attempt: 2 })
  expect(relay.records.find(({ kind }) => kind === 'released')).toMatchObject({ who: 'cli:jane', why: 'ticket 7' })
})

test('a retry by filter does not wait for the schedule', async () => {
  await Promise.all(['tempfail-1+a@a.test', 'tempfail-1+b@a.test', 'tempfail-1+c@b.test'].map((to) => relay.send(to)))
  await relay.record('deferred', { count: 3 })
  expect(await operations.changeQueue('retry', { filter: { domain: 'a.test' }, ...by })).toEqual({ count: 2 })
  await clock.advance(0)
  await relay.record('delivered', { count: 2 })
  expect((await operations.queue({})).items).toMatchObject([{ address: 'tempfail-1+c@b.test' }])
})

test('dropped mail is gone without a word, bounced mail with one; the others stay', async () => {
  const [dropped, bounced, kept] = await Promise.all([1, 2, 3].map(() => relay.send('tempfail@a.test')))
  await relay.record('deferred', { count: 3 })
  await operations.changeQueue('drop', { ids: [dropped!], ...by })
  await operations.changeQueue('bounce', { ids: [bounced!], ...by })
  expect(await relay.record('cancelled')).toMatchObject({ message: dropped, ...{ who: 'cli:jane', why: 'ticket 7' } })
  expect(await relay.record('failed')).toMatchObject({ message: bounced, who: 'cli:jane' })
  expect((await operations.queue({})).items.map(({ id }) => id)).toEqual([kept])
  expect(await operations.changeQueue('release', { ids: [dropped!], ...by })).toEqual({ count: 0 })
})

test('a recipient cancelled while its attempt is under way: a delivery is the truth', async () => {
  const own = await startTestRelay()
  const api = createClient({ kind: 'socket', path: own.relay.socket }, {})
  // The way to the site is known after the first: the attempt on the second begins before 250 is read.
  await own.send('ok@a.test')
  await own.record('delivered')
  const id = await own.send('slow-500ms@a.test')
  await api.changeQueue('drop', { ids: [id], ...by })
  await own.record('cancelled')
  await own.record('delivered', { message: id })
  expect(await api.message(id)).toMatchObject({ to: [{ state: { kind: 'delivered' } }] })
})

test('the summary counts by tenant, domain and state', async () => {
  await Promise.all(['tempfail@a.test', 'tempfail+1@a.test', 'tempfail@b.test'].map((to) => relay.send(to)))
  await relay.record('deferred', { count: 3 })
  expect(await operations.queueSummary('domain')).toMatchObject([
    { key: 'a.test', waiting: 2, due: 0, held: 0 },
    { key: 'b.test', waiting: 1 },
  ])
  expect(await operations.queueSummary('tenant')).toMatchObject([{ key: 'default', waiting: 3 }])
})

test('a retry of very many ends, and meets each of them once', async () => {
  const many = await startTestRelay({ queue: 'max_in_flight = 1' })
  const api = createClient({ kind: 'socket', path: many.relay.socket }, {})
  for (let n = 0; n < 3; n++) await many.send(Array.from({ length: 700 }, (_, at) => `ok+${n}.${at}@servfail.test`))
  await many.record('deferred', { count: 2100 })
  expect(await api.changeQueue('retry', { filter: { domain: 'servfail.test' }, ...by })).toEqual({ count: 2100 })
  await many.record('deferred', { count: 4200 })
  expect(many.records.filter(({ kind }) => kind === 'retried')).toHaveLength(2100)
  expect(await api.changeQueue('hold', { filter: { domain: 'servfail.test' }, ...by })).toEqual({ count: 2100 })
  expect(await api.changeQueue('release', { filter: { domain: 'servfail.test' }, ...by })).toEqual({ count: 2100 })
})
