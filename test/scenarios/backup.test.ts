// A backup that is taken while mail comes and goes: it agrees with itself, every row of every table is whole, has all that was
// acknowledged before it began, and a relay that starts from it keeps to what was spent, suspended, drained, learned.

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { verify } from '../../src/queue/verify.ts'
import { encode } from '../../src/store/codec.ts'
import { textKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { faultsOfRow } from '../../src/store/rows.ts'
import { type Store, TABLES, type Table } from '../../src/store/store.ts'
import { MINUTE, systemClock } from '../../src/util/clock.ts'
import { endAll, many, type Paced, pass, sendEach, startPaced, until } from '../pacing/fixture.ts'
import { FakeClock } from '../support/fake-clock.ts'

const folders: string[] = []
afterEach(async () => {
  await endAll()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const QUOTA = 10
const PLAN = 5
const OF_TAG = 4
const TOML = `
[[tag_limit]]
tag = "slow"
message_rate = "${OF_TAG}/d"
[[source]]
name = "cold"
ipv4 = "127.0.0.4"
[source.warm_up]
since = "2026-01-01"
start = "${PLAN}/h"
[tls_report]
enabled = true
from = "tls@sender.test"
[[domain]]
name = "sender.test"
return_path = "bounce.sender.test"
`
const SHAPING = `
[[provider.big.rule]]
match = 'address is blocked'
action = "rest_source"
for = "2h"
[domain."big.test"]
message_rate = "${QUOTA}/d"
`
const LATE_BOUNCE = `Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.small.test

Final-Recipient: rfc822; late@large.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b--
`.replaceAll('\n', '\r\n')

const slow = { headers: { 'X-Studs-Tag': 'slow' } }
const deliveredTo = ({ relay }: Pick<Paced, 'relay'>, what: string): number =>
  relay.records.filter(({ kind, recipient }) => kind === 'delivered' && String(recipient).includes(what)).length
const opened = (directory: string): Store => openStore({ directory, mapSize: 2 ** 30, clock: systemClock })

async function faultsIn(store: Store): Promise<string[]> {
  const { problems } = await verify(store)
  const rows = TABLES.flatMap((table) => store.range(table, {}).map((entry) => ({ table, entry })))
  return [...problems, ...rows.flatMap(({ table, entry }) => [...faultsOfRow(store, table, entry)])]
}

/** Something in every table that sending fills. */
async function live(world: Paced, clock: FakeClock): Promise<void> {
  const { relay, big, small } = world
  // A rule makes y rest at the provider, a person drains it everywhere; cold warms up.
  big.script = ({ command, from }) =>
    from === '127.0.0.3' && command.startsWith('MAIL') ? '421 4.7.0 Mail from your address is blocked' : undefined
  await sendEach(world, many(6, 'large.test'))
  await relay.record('suspended')
  await relay.send('late@large.test')
  await relay.record('delivered', { recipient: 'late@large.test' })
  expect(
    await relay.report(big.mails.find(({ recipient }) => recipient === 'late@large.test')!.sender, LATE_BOUNCE),
  ).toMatch(/^250/)
  small.script = ({ command }) =>
    command.startsWith('RCPT')
      ? command.includes('gone@')
        ? '550 5.1.1 No such user'
        : '450 4.7.1 Rate limit exceeded'
      : undefined
  await relay.send(['gone@small.test', ...many(30, 'small.test')])
  await relay.record('slowed')
  await relay.record('failed', { recipient: 'gone@small.test' })
  await relay.send(
    many(8, 'evil.test').map((address) => address.replace('ok', 'tagged')),
    slow,
  )
  await sendEach(world, many(2 * QUOTA + 4, 'big.test'))
  // Those that are put off come back when the clock says so.
  while (deliveredTo(world, '@big.test') < QUOTA || deliveredTo(world, 'tagged') < OF_TAG) await pass(clock, 20, 20)
  await world.client.drainSource('y', { reason: 'it moves', who: 'ann' })
  const by = { reason: 'to look at it', who: 'ann' }
  await relay.send('held@small.test', { headers: { 'X-Studs-Idempotency-Key': 'order-7' } })
  await world.client.changeQueue('hold', { filter: { domain: 'small.test' }, ...by })
  await world.studs('suppress', 'add', 'never@big.test', '--reason', 'manual')
  // What is counted in memory is written once a minute.
  await pass(clock, 3 * MINUTE)
}

/** What an operator, a rule or a receiver has ordered, as it is shown. */
async function keptBy({ client }: Paced): Promise<unknown> {
  const suspensions = (await client.suspensions()).map(({ kind, name, who, why, until }) => ({
    kind,
    name,
    who,
    why,
    until,
  }))
  const sources = (await client.sources()).map(({ name, state }) => `${name} ${state}`)
  return { suspensions: suspensions.sort((a, b) => a.name.localeCompare(b.name)), sources }
}

test('taken under load; a relay that starts from it goes on where that one was', { timeout: 120_000 }, async () => {
  const clock = new FakeClock()
  const world = await startPaced({
    shaping: SHAPING,
    toml: TOML,
    queue: 'retry = ["1h"]',
    sources: ['x', 'y', 'cold'],
    clock,
  })
  await live(world, clock)
  const kept = await keptBy(world)
  const spent = deliveredTo(world, '@big.test')

  const folder = mkdtempSync(join(tmpdir(), 'studs-backup-'))
  folders.push(folder)
  copyFileSync(join(world.relay.directory, 'studs.toml'), join(folder, 'studs.toml'))
  const acknowledged: string[] = []
  let isOver = false
  const load = Array.from({ length: 6 }, async (_, line) => {
    for (let n = 0; !isOver; n++) {
      // Some leaves, some waits; some of both is large.
      const to = `load+${line}.${n}@${n % 2 === 0 ? 'large' : 'big'}.test`
      acknowledged.push(await world.relay.send(to, { text: 'x'.repeat((n % 4) * 100_000) }))
    }
  })
  await until(() => acknowledged.length > 30)
  const before = [...acknowledged]
  await world.client.backup(join(folder, 'data'))
  isOver = true
  await Promise.all(load)
  await world.relay.stop()

  const copy = opened(join(folder, 'data'))
  expect(await faultsIn(copy)).toEqual([])
  const empty = TABLES.filter((table) => copy.count(table) === 0)
  expect(empty).toEqual(NOT_HERE)
  await copy.close()

  const later = new FakeClock(clock.now() + MINUTE)
  const again: Paced = await world.again(later, folder)
  for (const id of before) expect(again.relay.relay.journal.ofMessage(id)[0]).toMatchObject({ kind: 'accepted' })
  expect(await keptBy(again)).toEqual(kept)
  // The quotas of the day are spent: what waits, and what comes, waits on.
  await sendEach(
    again,
    many(6, 'big.test').map((address) => `more-${address}`),
  )
  await again.relay.send(
    many(6, 'evil.test').map((address) => address.replace('ok', 'tagged')),
    slow,
  )
  await again.relay.send('untouched@large.test')
  await again.relay.record('delivered', { recipient: 'untouched@large.test' })
  await pass(later, 5 * MINUTE)
  expect([spent + deliveredTo(again, '@big.test'), deliveredTo(again, 'tagged')]).toEqual([spent, 0])
})

/** Of other mail than this: test/store/rows.test.ts knows their rows. */
const NOT_HERE: readonly Table[] = ['suppression-pending', 'strike', 'unsubscribe', 'tls-policy', 'warm-up']

/** That version 1 did not have. */
const LATER: readonly Table[] = [
  ...(['body-file', 'tls-policy', 'tls-tally', 'suspension', 'pace', 'quota', 'drain'] as const),
  ...(['source-tally', 'warm-up', 'health', 'unsubscribe'] as const),
]

test('a store of version 1, with mail that waits: it goes out, and the newer tables fill', async () => {
  const clock = new FakeClock()
  const world = await startPaced({ shaping: SHAPING, toml: TOML, queue: 'retry = ["1m"]', sources: ['x'], clock })
  world.big.script = ({ command }) => (command.startsWith('RCPT') ? '450 4.2.0 Greylisted' : undefined)
  await world.relay.send(many(3, 'big.test'))
  await world.relay.record('deferred', { count: 3 })
  await world.relay.stop()
  const data = join(world.relay.directory, 'data')
  const store = opened(data)
  const rows = LATER.flatMap((table) => store.keys(table, {}).map((key) => ({ table, key, value: undefined })))
  await store.write([...rows, { table: 'meta', key: textKey('schema-version'), value: encode(1) }])
  await store.close()
  rmSync(join(data, 'body'), { recursive: true })

  world.big.script = () => undefined
  const later = new FakeClock(clock.now() + 2 * MINUTE)
  const again = await world.again(later)
  while (deliveredTo(again, '@big.test') < 3) await pass(later, 100, 20)
  await again.client.drainSource('x', { reason: 'it moves', who: 'ann' })
  await again.relay.stop()
  const migrated = opened(data)
  expect(await faultsIn(migrated)).toEqual([])
  const filled = LATER.filter((table) => migrated.count(table) > 0)
  expect(filled).toEqual(expect.arrayContaining(['quota', 'drain', 'source-tally', 'health']))
  await migrated.close()
})
