// What is refused for now is tried again by the schedule, until it is delivered or its life ends. Time is the test's own.

import { afterEach, expect, test } from 'vitest'
import type { EmailAddress } from '../../src/mail/address.ts'
import { HOUR, MINUTE } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays } from '../support/relay.ts'

afterEach(stopRelays)

test('greylisted, then delivered at the second attempt', async () => {
  const clock = new FakeClock()
  const { send, record } = await startTestRelay({ clock })
  await send('greylist-60s@a.test')
  const deferred = await record('deferred')
  expect(deferred).toMatchObject({ attempt: 1, verdict: { category: 'greylisted' }, dueAt: clock.now() + 5 * MINUTE })
  await clock.advance(5 * MINUTE)
  expect(await record('delivered')).toMatchObject({ attempt: 2 })
})

test('waits 5, 10, 20 min …, then expires after 72 h as a soft bounce with its last reply', async () => {
  const clock = new FakeClock()
  const { send, record, records } = await startTestRelay({ clock })
  await send('tempfail@a.test')
  const waits: number[] = []
  for (let attempt = 1; ; attempt++) {
    const settled = await Promise.race([record('deferred', { count: attempt }), record('expired')])
    if (settled.kind === 'expired') break
    waits.push((settled.dueAt! - settled.at) / MINUTE)
    await clock.advance(settled.dueAt! - clock.now())
  }
  expect(waits.slice(0, 8)).toEqual([5, 10, 20, 40, 80, 160, 240, 240])
  const expired = records.find(({ kind }) => kind === 'expired')!
  expect(expired.at - records[0]!.at).toBe(72 * HOUR)
  expect(expired).toMatchObject({
    cause: { kind: 'expired', last: { kind: 'reply', reply: { code: 451 } } },
    verdict: { kind: 'soft' },
  })
})

test('a resolver that is down for an hour defers and never bounces', async () => {
  const clock = new FakeClock()
  const { send, record, records } = await startTestRelay({ clock })
  await send('jane@servfail.test')
  for (let attempt = 1; attempt <= 4; attempt++) {
    const deferred = await record('deferred', { count: attempt })
    expect(deferred.cause).toMatchObject({ kind: 'dns' })
    await clock.advance(deferred.dueAt! - clock.now())
  }
  expect(records.map(({ kind }) => kind)).not.toContain('failed')
})

test('a host that refuses connections all along: waits as by the schedule, a whole life, and one strike', async () => {
  const clock = new FakeClock()
  const { send, record, relay } = await startTestRelay({ clock })
  await send('jane@refused.test')
  const waits: number[] = []
  for (let attempt = 1; ; attempt++) {
    const settled = await Promise.race([record('deferred', { count: attempt }), record('expired')])
    if (settled.kind === 'expired') break
    expect(settled).toMatchObject({ attempt, cause: { kind: 'connect' } })
    waits.push((settled.dueAt! - settled.at) / MINUTE)
    await clock.advance(settled.dueAt! - clock.now() - MINUTE)
    // Another site answers, so that it is not our own network.
    await send('ok@a.test')
    await record('delivered', { count: attempt })
    await clock.advance(MINUTE)
  }
  expect(waits.slice(0, 8)).toEqual([5, 10, 20, 40, 80, 160, 240, 240])
  expect(waits.length).toBeGreaterThan(20)
  const { strikes, entries } = relay.suppressions.why('default', 'jane@refused.test' as EmailAddress)
  expect([strikes?.count, entries]).toEqual([1, []])
})

test('no reply after the final dot is ambiguous, tried again, never a bounce', async () => {
  const { send, record, records } = await startTestRelay({
    delivery: 'dot_timeout = "300ms"',
    queue: 'retry = ["100ms"]',
  })
  const id = await send('silent-after-dot@a.test')
  expect(await record('deferred', { message: id })).toMatchObject({ ambiguous: true, cause: { kind: 'ambiguous' } })
  await record('deferred', { message: id, count: 2 })
  expect(records.map(({ kind }) => kind)).not.toContain('failed')
})

test('scheduled sending waits for its time', async () => {
  const clock = new FakeClock()
  const { relay, send, record } = await startTestRelay({ clock })
  const at = clock.now() + 2 * HOUR
  const id = await send('ok@a.test', { headers: { 'X-Studs-Send-At': new Date(at).toISOString() } })
  await record('accepted')
  await clock.advance(2 * HOUR - MINUTE)
  expect(relay.journal.ofMessage(id).map(({ kind }) => kind)).toEqual(['accepted'])
  await clock.advance(MINUTE)
  expect((await record('delivered')).at).toBeGreaterThanOrEqual(at)
})
