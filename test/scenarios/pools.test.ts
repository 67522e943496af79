// Mail that names a pool stands in a lane of its own: what one pool waits for keeps no other back, and whoever looks at the
// queue sees both. What older versions wrote stands in the lane of the tenant, and drains from there.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import type { Recipient } from '../../src/mail/message.ts'
import { verify } from '../../src/queue/verify.ts'
import { decode, EMPTY, encode } from '../../src/store/codec.ts'
import { dueKey, partKey, readDueKey, textKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

const folders: string[] = []
afterEach(async () => {
  await stopRelays()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const TWO_POOLS = `
[[tenant]]
name = "default"
any_sender = true
pools = ["bulk"]
max_queued = 30
[[source]]
name = "a"
ipv4 = "127.0.0.2"
[[source]]
name = "b"
ipv4 = "127.0.0.3"
[[pool]]
name = "default"
sources = [{ source = "a" }]
[[pool]]
name = "bulk"
sources = [{ source = "b" }]
`
const BULK = { headers: { 'X-Studs-Pool': 'bulk' } }
const by = { who: 'cli:jane', reason: 'ticket 7' }

function shaped(text: string): Promise<TestRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'studs-pools-'))
  folders.push(folder)
  const file = join(folder, 'shaping.toml')
  writeFileSync(file, text)
  // So little room in flight that most of it is taken from the store.
  return startTestRelay({ toml: TWO_POOLS, delivery: `shaping = "${file}"`, queue: 'max_in_flight = 4' })
}
const again = ({ directory }: TestRelay): Promise<TestRelay> => startTestRelay({ toml: TWO_POOLS, directory })
const clientOf = ({ relay }: TestRelay): Operations => createClient({ kind: 'socket', path: relay.socket })
const many = (count: number, who: string): string[] => Array.from({ length: count }, (_, at) => `${who}+${at}@a.test`)
const sources = (relay: TestRelay): (string | undefined)[] =>
  relay.records.filter(({ kind }) => kind === 'delivered').map(({ way }) => way?.source)
/** Waits until nothing moves any more: each lane waits at the limit of its own source. */
async function standing(relay: TestRelay, expected: readonly object[]): Promise<void> {
  for (;;) {
    const { lanes } = await clientOf(relay).explain('a.test')
    if (lanes.length === expected.length && lanes.every(({ binding }) => binding.kind === 'limit')) {
      expect(lanes).toMatchObject(expected)
      return
    }
    await systemClock.sleep(5)
  }
}
async function inStore<T>({ directory }: TestRelay, look: (store: Store) => Promise<T>): Promise<T> {
  const store = openStore({ directory: `${directory}/data`, mapSize: 2 ** 30, clock: systemClock })
  try {
    return await look(store)
  } finally {
    await store.close()
  }
}
const OWN = { tenant: 'default', binding: { limit: 'source a' } }
const NAMED = { tenant: 'default', pool: 'bulk', binding: { limit: 'source b' } }

test('a pool whose sources have nothing left keeps no mail of another pool back', async () => {
  const relay = await shaped('[source.a]\nmessage_rate = "2/h"')
  await relay.send(many(10, 'ok'))
  await relay.record('delivered', { count: 2 })
  await standing(relay, [{ ...OWN, waiting: 8 }])
  const id = await relay.send(many(12, 'ok+bulk'), BULK)
  await relay.record('delivered', { message: id, count: 12 })
  expect(sources(relay)).toEqual(['a', 'a', ...Array(12).fill('b')])
  await standing(relay, [{ ...OWN, waiting: 8 }])
})

test('both lanes are seen, counted, held, released and found again; the store agrees with itself', async () => {
  let relay = await shaped('[source.a]\nmessage_rate = "2/h"\n[source.b]\nmessage_rate = "3/h"')
  const own = await relay.send(many(10, 'ok'))
  const bulk = await relay.send(many(10, 'ok+bulk'), BULK)
  await relay.record('delivered', { count: 5 })
  const both = [
    { ...OWN, waiting: 8 },
    { ...NAMED, waiting: 7 },
  ]
  await standing(relay, both)
  expect((await clientOf(relay).explain(`${own}.9`)).lanes).toMatchObject([both[0]])
  expect((await clientOf(relay).explain(`${bulk}.9`)).lanes).toMatchObject([both[1]])
  const studs = (...words: string[]) =>
    runCli(words, { clock: systemClock, configFile: join(relay.directory, 'studs.toml'), width: 160 })
  expect((await studs('explain', 'a.test')).out).toMatch(
    /Tenant default: 8 recipients .*Tenant default, pool bulk: 7 recipients .* of the source b is used up/s,
  )

  const filter = { tenant: 'default', domain: 'a.test' }
  expect((await clientOf(relay).queue(filter)).items).toHaveLength(15)
  expect(await clientOf(relay).queueSummary('domain')).toMatchObject([{ key: 'a.test', waiting: 15 }])
  expect(await clientOf(relay).changeQueue('hold', { filter, ...by })).toEqual({ count: 15 })
  expect((await clientOf(relay).explain('a.test')).lanes).toEqual([])
  expect(await clientOf(relay).changeQueue('release', { filter, ...by })).toEqual({ count: 15 })
  await standing(relay, both)

  await relay.stop()
  await inStore(relay, async (store) => {
    expect(await verify(store)).toMatchObject({ problems: [], counts: { waiting: 15, held: 0 } })
    const key = store.keys('due', {}).at(-1)!
    const misplaced = dueKey({ ...readDueKey(key), pool: 'other' })
    await store.write([{ table: 'due', key: misplaced, value: EMPTY }])
    expect((await verify(store)).problems).toEqual([expect.stringContaining('a lane that is not its own')])
    await store.write([{ table: 'due', key: misplaced, value: undefined }])
  })
  relay = await again(relay)
  await standing(relay, both)
  // 15 wait, in both lanes, and no more than 30 may.
  expect(await relay.send(many(15, 'ok'))).toMatch(/^[0-9a-v]{13}$/)
  await expect(relay.send('ok+16@a.test')).rejects.toThrow(/45\d 4\.\d\.\d/)
})

test('what an older version wrote stays in the lane of its tenant, and leaves from the pool that it names', async () => {
  let relay = await shaped('')
  await clientOf(relay).suspend({ kind: 'domain', name: 'a.test', reason: 'x', duration_ms: 60_000, who: 'eve' })
  await relay.send(many(6, 'ok'))
  await relay.send(many(6, 'ok+bulk'), BULK)
  await relay.stop()
  await inStore(relay, async (store) => {
    const entries = store.keys('due', {}).map((key) => ({ key, ...readDueKey(key) }))
    expect(entries.filter(({ pool }) => pool === 'bulk')).toHaveLength(6)
    await store.write([
      { table: 'meta', key: textKey('schema-version'), value: encode(2) },
      ...entries.flatMap(({ key, pool: _, ...entry }) => {
        const place = partKey(entry.id, entry.n)
        const { pool: __, ...old } = decode<Recipient>(store.get('recipient', place)!)
        return [
          { table: 'due' as const, key, value: undefined },
          { table: 'due' as const, key: dueKey(entry), value: EMPTY },
          { table: 'recipient' as const, key: place, value: encode(old) },
        ]
      }),
    ])
    expect(store.keys('due', {}).map((key) => readDueKey(key).pool)).toEqual(Array(12).fill(undefined))
  })

  relay = await again(relay)
  // Its own pool stands still: those of the other, in the same lane, need not wait for it.
  await clientOf(relay).drainSource('a', { reason: 'x', who: 'eve' })
  await clientOf(relay).resume({ kind: 'domain', name: 'a.test' }, { reason: 'x', who: 'eve' })
  await relay.record('delivered', { count: 6 })
  expect(sources(relay)).toEqual(Array(6).fill('b'))
  await clientOf(relay).undrainSource('a', { reason: 'x', who: 'eve' })
  await clientOf(relay).changeQueue('retry', { filter: { domain: 'a.test' }, ...by })
  await relay.record('delivered', { count: 12 })
  await relay.stop()
  await inStore(relay, async (store) => {
    expect(await verify(store)).toMatchObject({ problems: [], counts: { waiting: 0 } })
    expect(decode(store.get('meta', textKey('schema-version'))!)).toBe(3)
  })
})
