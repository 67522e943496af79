// `studs explain`: for every reason why mail may wait, the words say which one it is, since when and until when.

import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import { HOUR, systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import { explain, explained } from '../support/explained.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

afterEach(stopRelays)

const clientOf = ({ relay }: TestRelay): Operations => createClient({ kind: 'socket', path: relay.socket })
const many = (count: number, domain: string): string[] => Array.from({ length: count }, (_, at) => `ok+${at}@${domain}`)

test('nobody waits', async () => {
  const relay = await startTestRelay()
  expect(await explain(relay, 'a.test')).toBe('Domain     a.test\nSite       mx.a.test\n\nNobody waits.\n')
  expect(await explain(relay, 'nullmx.test')).toMatch(/Site +none: dns 5\.1\.10: nullmx\.test accepts no mail/)
})

test('a rate', async () => {
  const relay = await startTestRelay({ delivery: 'message_rate = "5/h"' })
  const id = await relay.send(many(20, 'a.test'))
  await relay.record('delivered', { count: 5 })
  const text = await explained(relay, 'a.test', /Limited/)
  expect(text).toMatch(/Tenant default: 15 recipients waiting, 15 of them due/)
  expect(text).toMatch(
    /Limited: message_rate 5\/h of the path default mx\.a\.test is used up, since \d{4}-.* The next goes in (59m|1h)/,
  )
  const { lanes } = await clientOf(relay).explain('a.test')
  expect(lanes).toMatchObject([
    { binding: { kind: 'limit', limit: 'path default mx.a.test', rate: '5/h', until: expect.any(String) } },
  ])
  expect(await explain(relay, `${id}.19`)).toMatch(
    new RegExp(`^Message +${id}\\.19 to ok\\+19@a\\.test, waiting, leaves from default`),
  )
})

test('a suspension', async () => {
  const relay = await startTestRelay()
  await clientOf(relay).suspend({
    kind: 'domain',
    name: 'a.test',
    reason: 'they move house',
    duration_ms: HOUR,
    who: 'eve',
  })
  await relay.send(many(3, 'a.test'))
  expect(await explained(relay, 'a.test', /Suspended/)).toMatch(
    /Suspended: the domain a\.test, by eve since .*: they move house\. Goes on in (59m|1h)/,
  )
})

test('a suspension of what waits at a limit', async () => {
  const relay = await startTestRelay({ delivery: 'message_rate = "1/h"' })
  await relay.send(many(3, 'a.test'))
  await explained(relay, 'a.test', /Limited/)
  await clientOf(relay).suspend({ kind: 'tenant', name: 'default', reason: 'x', duration_ms: HOUR, who: 'eve' })
  expect(await explain(relay, 'a.test')).toMatch(/Suspended: the tenant default, by eve/)
})

test('a back-off, with the words and the rule behind it', async () => {
  const relay = await startTestRelay()
  const id = await relay.send('tempfail@a.test')
  await relay.record('deferred')
  const text = await explained(relay, 'a.test', /next attempt/)
  expect(text).toMatch(/Waits for its next attempt, in (4m|5m)/)
  expect(text).toMatch(/Last refused: tempfail@a\.test, 4\d\d .*rule \S+@\d/)
  expect(await explain(relay, id)).toMatch(/Last reply +4\d\d .*\(rule \S+\)/)
})

test('the lane waits as long as its only recipient does, however its retry was spread', async () => {
  const relay = await startTestRelay({ jitter: 0.5 })
  for (let n = 0; n < 8; n++) {
    const id = await relay.send(`tempfail@d${n}.test`)
    await relay.record('deferred', { count: n + 1 })
    const text = await explained(relay, id, /Next .*next attempt/s)
    const [, next] = /^Next +in \S.* \((.*) UTC\)$/m.exec(text) ?? []
    expect(text).toContain(`(${next} UTC).`)
  }
})

test('what is nothing', async () => {
  const relay = await startTestRelay()
  const run = (what: string) =>
    runCli(['explain', what], { clock: systemClock, configFile: join(relay.directory, 'studs.toml'), width: 200 })
  expect(await run('0000000000000')).toMatchObject({ code: 3, err: expect.stringContaining('There is no') })
  expect(await run('no domain')).toMatchObject({ code: 2 })
  await relay.stop()
  expect(await run('a.test')).toMatchObject({ code: 4 })
})
