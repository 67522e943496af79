// Rates over a whole relay: of a path, provider, source, tenant and tag; exact over a restart; fair between tenants;
// nobody else is slowed.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { verify } from '../../src/queue/verify.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { HOUR, MINUTE, SECOND, systemClock } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay, type TestRelayOptions } from '../support/relay.ts'

const folders: string[] = []
afterEach(async () => {
  await stopRelays()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const TENANTS = `
[[tenant]]
name = "default"
any_sender = true
[[tenant]]
name = "shop"
any_sender = true
message_rate = "5/h"
[[network]]
cidr = "127.0.0.1"
[[network]]
cidr = "127.0.0.2"
tenant = "shop"
[[tag_limit]]
tag = "slow"
message_rate = "3/h"
`

function shaped(text: string, more: TestRelayOptions = {}): Promise<TestRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'studs-rates-'))
  folders.push(folder)
  const file = join(folder, 'shaping.toml')
  writeFileSync(file, text)
  return startTestRelay({ ...more, delivery: `shaping = "${file}"\n${more.delivery ?? ''}` })
}

const delivered = (relay: TestRelay, of: (recipient: string) => boolean = () => true): number =>
  relay.records.filter(({ kind, recipient }) => kind === 'delivered' && of(String(recipient))).length
const many = (count: number, domain: string): string[] => Array.from({ length: count }, (_, at) => `ok+${at}@${domain}`)
/** Time goes on, slowly, until so many are delivered, and then for a while to see that no more are. */
async function reach(relay: TestRelay, clock: FakeClock, count: number): Promise<void> {
  const step = async (): Promise<void> => {
    await clock.advance(20)
    await systemClock.sleep(5)
  }
  while (delivered(relay) < count) await step()
  for (let calm = 0; calm < 30; calm++) await step()
  expect(delivered(relay)).toBe(count)
}

/** A long time in which nothing happens, and then `slowMs` in steps that leave the disk its own time: a commit that takes hours is a fault. */
async function pass(clock: FakeClock, ms: number, slowMs: number): Promise<void> {
  const slowly = async (spanMs: number, stepMs: number): Promise<void> => {
    for (let at = 0; at < spanMs; at += stepMs) {
      await clock.advance(stepMs)
      await systemClock.sleep(5)
    }
  }
  // What happened before is written down in the first minute or two.
  await slowly(2 * MINUTE, 5 * SECOND)
  await clock.advance(ms - 2 * MINUTE)
  await slowly(slowMs, SECOND)
}

test.each<[string, string, TestRelayOptions, Record<string, unknown>, string | undefined, number]>([
  ['path', '[default]\nmessage_rate = "10/h"', {}, {}, undefined, 10],
  [
    'provider',
    '[provider.big]\nmx = ["google.sandbox.test", "yahoo.sandbox.test"]\nprovider_message_rate = "7/h"',
    {},
    {},
    undefined,
    7,
  ],
  ['source', '[source.default]\nmessage_rate = "8/h"', {}, {}, undefined, 8],
  ['tenant', '', { toml: TENANTS }, {}, '127.0.0.2', 5],
  [
    'all of them: the tightest binds',
    '[default]\nmessage_rate = "10/h"\n[source.default]\nmessage_rate = "8/h"',
    { toml: TENANTS },
    {},
    '127.0.0.2',
    5,
  ],
])('a rate of a %s: so many, and the rest in the next hours', async (name, text, more, mail, from, limit) => {
  const clock = new FakeClock()
  const relay = await shaped(text, { ...more, clock })
  const isOverSites = name === 'provider' || name === 'source'
  const half = many(10, 'gmail.test')
  await relay.send(
    isOverSites ? [...half, ...many(10, 'yahoo.test')] : [...half, ...many(20, 'gmail.test').slice(10)],
    mail,
    from,
  )
  await reach(relay, clock, limit)
  for (let hour = 1; hour <= 2; hour++) {
    await pass(clock, HOUR - MINUTE, 2 * MINUTE)
    await reach(relay, clock, Math.min(20, limit * (hour + 1)))
  }
})

test('a rate of a tag: messages are put off to when there will be permits, so many in an hour', async () => {
  const clock = new FakeClock()
  const relay = await shaped('', { toml: TENANTS, clock })
  await relay.send(many(7, 'a.test'), { headers: { 'X-Studs-Tag': 'slow' } })
  await reach(relay, clock, 3)
  // Three permits come back together after an hour, and after another one.
  for (const [minutes, sent, then] of [
    [57, 3, 6],
    [55, 6, 7],
  ] as const) {
    await pass(clock, minutes * MINUTE, MINUTE)
    expect(delivered(relay)).toBe(sent)
    await pass(clock, 2 * MINUTE, 2 * MINUTE)
    await reach(relay, clock, then)
  }
})

test('a rate of a tag may be that of one tenant; without, each has it for itself', async () => {
  const clock = new FakeClock()
  const ofShop = '[[tag_limit]]\ntag = "news"\ntenant = "shop"\nmessage_rate = "2/h"\n'
  const relay = await shaped('', { toml: `${TENANTS.replace('message_rate = "5/h"', '')}${ofShop}`, clock })
  for (const [tag, from] of [['news'], ['news', '127.0.0.2'], ['slow'], ['slow', '127.0.0.2']] as const)
    await relay.send(
      many(5, 'a.test').map((address) => address.replace('ok+', `ok+${tag}${from ?? ''}-`)),
      { headers: { 'X-Studs-Tag': tag } },
      from,
    )
  await reach(relay, clock, 5 + 2 + 3 + 3)
  const count = (name: string): number => delivered(relay, (recipient) => recipient.startsWith(`ok+${name}-`))
  expect([count('news'), count('news127.0.0.2'), count('slow'), count('slow127.0.0.2')]).toEqual([5, 2, 3, 3])
})

test('what is limited does not slow the others', async () => {
  const relay = await shaped('[domain."slow.test"]\nmessage_rate = "1/h"', {
    toml: TENANTS,
    queue: 'max_in_flight = 50',
  })
  await relay.send(many(300, 'slow.test'))
  await relay.send(many(100, 'fast.test'))
  await relay.record('delivered', { count: 101 })
  expect(delivered(relay, (recipient) => recipient.endsWith('@slow.test'))).toBe(1)
})

test('messages with a limited tag let others of the same lane pass', async () => {
  const relay = await shaped('', { toml: TENANTS, queue: 'max_in_flight = 20' })
  await relay.send(many(150, 'a.test'), { headers: { 'X-Studs-Tag': 'slow' } })
  await relay.send(many(30, 'a.test').map((address) => address.replace('ok+', 'ok+plain')))
  await relay.record('delivered', { count: 33 })
  expect(delivered(relay, (recipient) => recipient.includes('plain'))).toBe(30)
})

test('a restart does not forget what was sent', async () => {
  const clock = new FakeClock()
  const first = await shaped('[default]\nmessage_rate = "10/d"', { clock })
  await first.send(many(30, 'a.test'))
  await reach(first, clock, 10)
  await first.stop()
  const later = new FakeClock(clock.now() + HOUR)
  const relay = await startTestRelay({ directory: first.directory, clock: later })
  await reach(relay, later, 0)
  await pass(later, 22 * HOUR + 59 * MINUTE, 9 * MINUTE)
  await reach(relay, later, 10)
})

test('the rate on the wire, in real time, and two tenants that share it', async () => {
  const relay = await shaped('[default]\nmessage_rate = "100/s"\nconnections = 5', {
    toml: TENANTS.replace('message_rate = "5/h"', ''),
  })
  await relay.send(many(300, 'a.test'))
  await relay.send(many(150, 'a.test'), {}, '127.0.0.2')
  await relay.record('delivered', { count: 400 })
  const times = relay.records.filter(({ kind }) => kind === 'delivered').map(({ at }) => at)
  // By the distance of the mails, from the second second on: neither the start nor the end is part of it.
  const counted = times.filter((at) => at >= times[0]! + SECOND)
  const rate = (counted.length - 1) / ((counted.at(-1)! - counted[0]!) / 1000)
  // That it is exact is shown by the benchmark: here other tests have the processors, too.
  expect(rate).toBeGreaterThan(60)
  expect(rate).toBeLessThan(105)
  const both = relay.records.filter(({ kind }) => kind === 'delivered').slice(50, 250)
  const shop = both.filter(({ tenant }) => tenant === 'shop').length
  expect(shop).toBeGreaterThan(80)
  expect(shop).toBeLessThan(120)
  await relay.record('delivered', { count: 450 })
  await relay.stop()
  const store = openStore({ directory: `${relay.directory}/data`, mapSize: 2 ** 30, clock: systemClock })
  expect(await verify(store)).toMatchObject({ problems: [], counts: { recipients: 450, waiting: 0 } })
  await store.close()
})

test('what a rate keeps beyond its life expires, and is told so', async () => {
  const clock = new FakeClock()
  const relay = await shaped('[default]\nmessage_rate = "2/d"', { clock, queue: 'lifetime = "8h"' })
  await relay.send(many(6, 'a.test'))
  await reach(relay, clock, 2)
  await pass(clock, 8 * HOUR - MINUTE, 4 * MINUTE)
  await relay.record('expired', { count: 4 })
  expect(delivered(relay)).toBe(2)
  const expired = relay.records.filter(({ kind }) => kind === 'expired')
  expect(expired.map(({ cause }) => cause)).toEqual(Array(4).fill({ kind: 'expired', by: 'throttle' }))
})

test('waits between attempts may be those of a provider', async () => {
  const clock = new FakeClock()
  const relay = await shaped('[provider.big]\nmx = ["google.sandbox.test"]\nretry = ["1m", "3m"]', { clock })
  await relay.send(['tempfail@gmail.test', 'tempfail@a.test'])
  const [big, other] = await Promise.all(
    ['tempfail@gmail.test', 'tempfail@a.test'].map((recipient) => relay.record('deferred', { recipient })),
  )
  expect([big!.dueAt! - big!.at, other!.dueAt! - other!.at]).toEqual([MINUTE, 5 * MINUTE])
})

test('a reload that lifts a limit lets go at once what waits at it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'studs-rates-'))
  folders.push(folder)
  const file = join(folder, 'shaping.toml')
  writeFileSync(file, '[default]\nmessage_rate = "2/d"')
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, delivery: `shaping = "${file}"` })
  await relay.send(many(6, 'a.test'))
  await reach(relay, clock, 2)
  writeFileSync(file, '[default]\nmessage_rate = "4/d"')
  await relay.relay.reload()
  await reach(relay, clock, 4)
  writeFileSync(file, '[default]\nmessage_rate = "unlimited"')
  await relay.relay.reload()
  await reach(relay, clock, 6)
})
