// Health of a whole relay: what is sent is counted, the commands show it, an alert is one record, and a relay that examines
// itself holds the mail of a domain whose DNS is broken until it is good again.

import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import { MINUTE, SECOND, systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import { RecordingMx } from '../faults/recording-mx.ts'
import { DnsServer, type Zones } from '../support/dns-server.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { RETURN_PATHS, startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

afterEach(stopRelays)

const clientOf = ({ relay }: TestRelay) => createClient({ kind: 'socket', path: relay.socket })
const cli = ({ directory }: TestRelay, ...words: string[]) =>
  runCli(words, { clock: systemClock, configFile: join(directory, 'studs.toml') })

test('what is sent is counted by tenant, source and path, and there again after a restart', async () => {
  const relay = await startTestRelay({ queue: 'retry = ["1h"]' })
  await relay.send(['ok+1@gmail.test', 'ok+2@gmail.test', 'user-unknown@gmail.test', 'tempfail@example.test'])
  await relay.record('delivered', { recipient: 'ok+1@gmail.test' })
  await relay.record('delivered', { recipient: 'ok+2@gmail.test' })
  await relay.record('failed')
  await relay.record('deferred')
  const expected = { delivered: 2, hard: 1, deferred: 1, ours: 0 }
  const operations = clientOf(relay)
  const [tenant] = await operations.health({ scope: 'tenant' })
  expect(tenant).toMatchObject({ scope: 'tenant', name: 'default', minute: expected, hour: expected, day: expected })
  const paths = await operations.health({ scope: 'path' })
  expect(paths.map(({ day: { delivered, hard, deferred } }) => [delivered, hard, deferred])).toEqual([
    [2, 1, 0],
    [0, 0, 1],
  ])
  expect(paths[0]?.name).toMatch(/^default->.*google/)
  expect(tenant?.day.p50_ms).toBeLessThan(10_000)
  await relay.stop()
  const stopped = await cli(relay, 'health', '--tenant', '--json')
  expect(JSON.parse(stopped.out)).toMatchObject({ name: 'default', day: expected, hour: expected })
  const again = await startTestRelay({ directory: relay.directory })
  expect(await clientOf(again).health({ scope: 'relay' })).toMatchObject([{ day: expected }])
})

test('a complaint counts for the source and path that the mail left by', async () => {
  const relay = await startTestRelay({ toml: RETURN_PATHS })
  await relay.send('fbl@gmail.test', { from: 'app@sender.test' })
  await relay.record('complained')
  const [path] = await clientOf(relay).health({ scope: 'path' })
  expect(path?.day).toMatchObject({ delivered: 1, complained: 1 })
})

test('an alert is one record, shown by the commands, and not raised again after a restart', async () => {
  const clock = new FakeClock(Date.now())
  const alert = '[alert]\nbounce_minimum = 5'
  const relay = await startTestRelay({ clock, toml: alert })
  await relay.send(Array.from({ length: 6 }, (_, n) => `user-unknown+${n}@gmail.test`))
  for (let count = 1; count <= 6; count++) await relay.record('failed', { count })
  await clock.advance(MINUTE)
  const raised = await relay.record('alert')
  expect(raised).toMatchObject({
    tenant: 'default',
    alert: {
      name: 'bounce-rate',
      scope: { kind: 'tenant', name: 'default' },
      state: 'raised',
      level: 'critical',
      value: 1,
    },
  })
  const shown = await cli(relay, 'health', 'alerts')
  expect(shown.out).toContain('✗ critical  bounce-rate     tenant default')
  expect((await cli(relay, 'health')).out).toContain('Bounces of the tenant default: 100 % (6 of 6 in the last hour)')
  const told = relay.records.filter(({ kind }) => kind === 'alert').length
  await relay.stop()
  const again = await startTestRelay({ clock, directory: relay.directory })
  await clock.advance(10 * MINUTE)
  expect(again.records.filter(({ kind }) => kind === 'alert')).toEqual([])
  const history = await clientOf(again).alertHistory(50)
  expect(history).toHaveLength(told)
  expect(await clientOf(again).alerts()).toHaveLength(told)
})

test('the API says which scopes it knows', async () => {
  const relay = await startTestRelay()
  await expect(clientOf(relay).health({ scope: 'planet' as 'relay' })).rejects.toThrow(/scope/)
  expect(await clientOf(relay).health({ scope: 'provider', name: 'google' })).toEqual([])
  // Not nothing: somebody has mistyped it.
  for (const scope of ['tenant', 'provider', 'source'] as const) {
    expect(await clientOf(relay).health({ scope, name: '*' })).toEqual([])
    await expect(clientOf(relay).health({ scope, name: 'nobody' })).rejects.toThrow(`There is no ${scope} nobody.`)
  }
  expect(await clientOf(relay).examination()).toBeUndefined()
  const last = await cli(relay, 'doctor', '--last')
  expect(last).toMatchObject({ code: 3, err: expect.stringContaining('has not examined itself yet') })
  expect((await cli(relay, 'health')).out).toContain('No mail in the last 24 hours.')
  expect((await cli(relay, 'health', 'alerts')).out).toContain('No alert holds.')
})

const GOOD: Zones = {
  'sender.test': { txt: ['v=spf1 ip4:203.0.113.10 -all'] },
  'relay.test': { a: ['203.0.113.10'], txt: ['v=spf1 ip4:203.0.113.10 -all'] },
}

test('mail of a broken domain waits until it is good again', { timeout: 30_000 }, async () => {
  await using mx = await RecordingMx.start()
  await using dns = await DnsServer.start()
  const clock = new FakeClock(Date.now())
  const relay = await startTestRelay({
    clock,
    routeTo: mx.port,
    delivery: `resolvers = ["${dns.address}"]\ndns_timeout = "1s"`,
    toml: `[doctor]\nevery = "1h"\nhold_domains = true\nport_25_domain = "sender.test"
[[source]]\nname = "default"\npublic_ipv4 = "203.0.113.10"\n[[domain]]\nname = "sender.test"`,
  })
  const operations = clientOf(relay)
  // Name server, disk and MX are real: a write that is durable afterwards gives them their time.
  const domain = { kind: 'domain', name: 'nobody.test', reason: 'time passes', who: 'test', duration_ms: 1000 } as const
  const until = async (isReached: () => boolean | Promise<boolean>): Promise<void> => {
    do {
      await clock.advance(10 * SECOND)
      await operations.suspend(domain)
    } while (!(await isReached()))
  }
  const states = (): string[] =>
    relay.records.flatMap(({ alert }) => (alert?.scope.name === 'sender.test' ? [alert.state] : []))
  await until(async () => (await operations.examination()) !== undefined)
  expect(states()).toEqual([])
  await until(() => states().length > 0)
  expect(states()).toEqual(['raised'])
  await relay.send('held@example.net')
  await relay.send('free@example.net', { from: 'app@other.test' })
  await until(() => mx.copies.size > 0)
  await until(async () => (await operations.status()).queue.in_flight === 0)
  const waiting = (await operations.queue({ state: 'waiting' })).items
  expect(waiting).toMatchObject([{ address: 'held@example.net', state: { attempts: 0 } }])
  expect([...mx.copies.keys()]).toEqual(['free'])
  const why =
    /Held back by doctor\.hold_domains: the DNS of sender\.test is broken, as `studs health alerts` says\. Looked at again in \d+m/
  expect((await cli(relay, 'explain', waiting[0]?.id ?? '')).out).toMatch(new RegExp(`^Now +${why.source}`, 'm'))
  expect((await cli(relay, 'explain', 'example.net')).out).toMatch(
    new RegExp(`1 recipient waiting, 0 of them due\\n {2}${why.source}`),
  )
  expect((await cli(relay, 'doctor', '--last')).out).toContain('publish it as a TXT record of sender.test')
  dns.zones = GOOD
  await until(() => states().length > 1)
  await until(() => mx.copies.size > 1)
  expect(states()).toEqual(['raised', 'cleared'])
  expect([...mx.copies.keys()]).toEqual(['free', 'held'])
})
