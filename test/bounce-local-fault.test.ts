// A relay whose own side is broken, end to end: messages end, and nobody is suppressed for it.

import { afterEach, expect, test } from 'vitest'
import { startTestRelay, stopRelays } from './support/relay.ts'

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

test('a source address that is not on this machine', async () => {
  const relay = await startTestRelay({ queue: 'retry = ["200ms"]\nlifetime = "1s"', toml: LOST_SOURCE })
  const message = await relay.send('jane@alive.test')
  const record = await relay.record('expired', { message })
  expect(record).toMatchObject({
    cause: { kind: 'expired', last: { kind: 'connect', ours: true } },
    verdict: { category: 'local-fault', code: 40, fault: 'local', kind: 'other' },
  })
  expect(relay.relay.suppressions.list({ limit: 10 }).entries).toEqual([])
})

test('a host that cannot be reached counts only once mail gets through elsewhere', async () => {
  const relay = await startTestRelay({
    queue: 'retry = ["200ms"]\nlifetime = "1s"',
    toml: '[suppression]\nsoft_strikes = 1\nstrike_spacing = "0"',
  })
  const silent = { category: 'no-answer-from-host', code: 29 }
  const first = await relay.send('jane@refused.test')
  expect(await relay.record('expired', { message: first })).toMatchObject({ verdict: silent })
  expect(relay.relay.suppressions.list({ limit: 10 }).entries).toEqual([])
  const good = await relay.send('joe@alive.test')
  await relay.record('delivered', { message: good })
  const second = await relay.send('jane@refused.test')
  expect(await relay.record('expired', { message: second })).toMatchObject({ verdict: silent })
  expect(await relay.record('suppression-added')).toMatchObject({
    recipient: 'jane@refused.test',
    reason: 'soft_bounce_limit',
  })
})
