// A relay whose own side is broken, end to end: messages end, and nobody is suppressed for it.

import { networkInterfaces } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { SECOND } from '../src/util/clock.ts'
import { FakeClock } from './support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from './support/relay.ts'

afterEach(stopRelays)

const LOST_SOURCE = `
[suppression]
soft_strikes = 1
strike_spacing = "0"
[[source]]
name = "gone"
ipv4 = "203.0.113.9"
ehlo = "relay.test"
[[pool]]
name = "default"
sources = [{ source = "gone" }]
`

/** Time passes until the message has ended. */
async function expired(relay: TestRelay, clock: FakeClock, message: string) {
  const record = relay.record('expired', { message })
  let hasEnded = false
  void record.then(() => {
    hasEnded = true
  })
  for (let seconds = 0; !hasEnded && seconds < 600; seconds++) {
    await clock.advance(SECOND)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return record
}

test('a source address that is not on this machine: nothing leaves, and the end is ours', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, queue: 'retry = ["10s"]\nlifetime = "1m"', toml: LOST_SOURCE })
  const message = await relay.send('jane@alive.test')
  const record = await expired(relay, clock, message)
  expect(record).toMatchObject({
    cause: { kind: 'expired', by: 'throttle' },
    verdict: { category: 'throttle-expired', code: 110, fault: 'local', kind: 'other' },
  })
  expect(relay.relay.suppressions.list({ limit: 10 }).entries).toEqual([])
})

test('a source that has no address of the family of the hosts', async ({ skip }) => {
  const isThere = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'))
  if (!isThere) skip('this machine has no IPv6 loopback address')
  const clock = new FakeClock()
  const toml = LOST_SOURCE.replace('ipv4 = "203.0.113.9"', 'ipv6 = "::1"')
  const relay = await startTestRelay({ clock, queue: 'retry = ["10s"]\nlifetime = "1m"', toml })
  const message = await relay.send('jane@alive.test')
  expect(await expired(relay, clock, message)).toMatchObject({
    cause: { kind: 'expired', last: { kind: 'connect', ours: true } },
    verdict: { category: 'local-fault', code: 40, fault: 'local', kind: 'other' },
  })
  expect(relay.relay.suppressions.list({ limit: 10 }).entries).toEqual([])
})

test('a host that cannot be reached counts only once mail gets through elsewhere', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({
    clock,
    queue: 'retry = ["10s"]\nlifetime = "1m"',
    toml: '[suppression]\nsoft_strikes = 1\nstrike_spacing = "0"',
  })
  const silent = { category: 'no-answer-from-host', code: 29 }
  const first = await relay.send('jane@refused.test')
  expect(await expired(relay, clock, first)).toMatchObject({ verdict: silent })
  expect(relay.relay.suppressions.list({ limit: 10 }).entries).toEqual([])
  const good = await relay.send('joe@alive.test')
  await relay.record('delivered', { message: good })
  const second = await relay.send('jane@refused.test')
  expect(await expired(relay, clock, second)).toMatchObject({ verdict: silent })
  expect(await relay.record('suppression-added')).toMatchObject({
    recipient: 'jane@refused.test',
    reason: 'soft_bounce_limit',
  })
})
