// What is kept and what goes: bodies with the last open recipient, finished messages after their time, orphans at start.

import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import { prune } from '../../src/queue/prune.ts'
import { readChunk } from '../../src/queue/spool.ts'
import { verify } from '../../src/queue/verify.ts'
import { decode } from '../../src/store/codec.ts'
import { idKey, partKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { DAY, systemClock } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

afterEach(stopRelays)

async function inspect<T>(relay: TestRelay, look: (store: Store) => T | Promise<T>): Promise<T> {
  await relay.stop()
  return withStore(relay, look)
}

async function withStore<T>(relay: TestRelay, look: (store: Store) => T | Promise<T>): Promise<T> {
  const store = openStore({ directory: `${relay.directory}/data`, mapSize: 2 ** 30, clock: systemClock })
  try {
    return await look(store)
  } finally {
    await store.close()
  }
}

test('a body goes with its last open recipient and not before', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock })
  const finished = await relay.send(['ok@a.test', 'user-unknown@a.test', 'ok@b.test'])
  const open = await relay.send(['ok@a.test', 'tempfail@a.test'], { text: 'x\r\n'.repeat(200_000) })
  await relay.record('failed')
  await relay.record('delivered', { count: 3 })
  await relay.record('deferred')
  await inspect(relay, async (store) => {
    expect(store.get('body', partKey(finished, 0))).toBeUndefined()
    expect(store.get('body', partKey(open, 0))).toBeUndefined()
    expect(readChunk(store, open, 0)).toHaveLength(256 * 1024)
    expect(readChunk(store, open, 2)).toBeDefined()
    expect(await verify(store)).toMatchObject({
      problems: [],
      counts: { messages: 2, recipients: 5, waiting: 1, bodies: 1 },
    })
  })
})

const LARGE = 'x\r\n'.repeat(200_000)
const filesOf = ({ directory }: TestRelay): string[] => readdirSync(`${directory}/data/body`)

test('the file of a large body goes with the last open recipient', async () => {
  const relay = await startTestRelay({ clock: new FakeClock() })
  const id = await relay.send(['ok@a.test', 'tempfail@a.test'], { text: LARGE })
  await relay.record('delivered')
  await relay.record('deferred')
  expect(filesOf(relay)).toEqual([id])
  const operations = createClient({ kind: 'socket', path: relay.relay.socket }, {})
  await operations.changeQueue('drop', { ids: [id], who: 'cli:jane', reason: 'ticket 7' })
  await expect.poll(() => filesOf(relay)).toEqual([])
})

test('keep_body keeps the file of a large body, pruning takes it', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, queue: 'keep_body = "1d"' })
  const id = await relay.send('ok@a.test', { text: LARGE })
  await relay.record('delivered')
  expect(filesOf(relay)).toEqual([id])
  await inspect(relay, async (store) => {
    const now = clock.now() + 2 * DAY
    const limits = { now, keepFrom: now - 30 * DAY, keepBodyFrom: now - DAY }
    expect(await prune(store, limits, new AbortController().signal)).toMatchObject({ messages: 0, bodies: 1 })
    await expect.poll(() => filesOf(relay)).toEqual([])
    expect(await prune(store, limits, new AbortController().signal)).toMatchObject({ messages: 0, bodies: 0 })
    expect(await verify(store)).toMatchObject({ problems: [], counts: { messages: 1, bodies: 0 } })
  })
})

test('a large body of before there were files is still delivered, and then removed', async () => {
  const relay = await startTestRelay({ queue: 'retry = ["1s"]' })
  const id = await relay.send('tempfail-1@a.test', { text: LARGE })
  await relay.record('deferred')
  await relay.stop()
  await withStore(relay, async (store) => {
    const chunks: Buffer[] = []
    for (let n = 0; ; n++) {
      const chunk = readChunk(store, id, n)
      if (chunk === undefined || chunk.length === 0) break
      chunks.push(chunk)
    }
    await store.write([
      { table: 'body-file', key: idKey(id), value: undefined },
      ...chunks.map((value, n) => ({ table: 'body' as const, key: partKey(id, n), value })),
    ])
    await expect.poll(() => filesOf(relay)).toEqual([])
    expect(chunks.length).toBeGreaterThan(2)
  })
  const again = await startTestRelay({ directory: relay.directory })
  await again.record('delivered')
  await inspect(again, async (store) => {
    expect(store.count('body')).toBe(0)
    expect((await verify(store)).problems).toEqual([])
  })
})

test('what a crash left of large bodies is swept at the start', async () => {
  const relay = await startTestRelay({ clock: new FakeClock() })
  const id = await relay.send('tempfail@a.test', { text: LARGE })
  await relay.record('deferred')
  await relay.stop()
  const orphan = `0${id.slice(1)}`
  writeFileSync(`${relay.directory}/data/body/${orphan}`, 'half a mai')
  await withStore(relay, async (store) =>
    expect((await verify(store)).problems).toEqual([
      `body ${orphan} has no message (a sweep at the next start removes it)`,
    ]),
  )
  const again = await startTestRelay({ directory: relay.directory, clock: new FakeClock() })
  await expect.poll(() => filesOf(again)).toEqual([id])
})

test('keep_body keeps it', async () => {
  const relay = await startTestRelay({ queue: 'keep_body = "1d"' })
  const id = await relay.send('ok@a.test')
  await relay.record('delivered')
  await inspect(relay, (store) => expect(store.get('body', partKey(id, 0))?.toString()).toContain('Hello.'))
})

test('pruning takes finished messages with all that points at them, and leaves open ones', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock })
  await relay.send('ok@a.test')
  const open = await relay.send('tempfail@a.test')
  await relay.record('delivered')
  await relay.record('deferred')
  await inspect(relay, async (store) => {
    const now = clock.now() + 40 * DAY
    await prune(store, { now, keepFrom: now - 30 * DAY, keepBodyFrom: now - 30 * DAY }, new AbortController().signal)
    expect(store.range('message', {}).map(({ value }) => decode<{ id: string }>(value).id)).toEqual([open])
    for (const table of ['journal', 'journal-by-message', 'journal-by-kind', 'idempotency'] as const)
      expect(store.count(table)).toBe(0)
    for (const table of ['recipient', 'recipient-by-address', 'message-by-header', 'due', 'body'] as const)
      expect(store.count(table)).toBe(1)
    expect((await verify(store)).problems).toEqual([])
  })
})

test('verify names files of bodies that are short or missing', async () => {
  const relay = await startTestRelay({ clock: new FakeClock() })
  const short = await relay.send('tempfail@a.test', { text: LARGE })
  const missing = await relay.send('tempfail@b.test', { text: LARGE })
  await relay.record('deferred', { count: 2 })
  await relay.stop()
  const path = (id: string): string => `${relay.directory}/data/body/${id}`
  const { size } = statSync(path(short))
  truncateSync(path(short), 1000)
  rmSync(path(missing))
  await withStore(relay, async (store) =>
    expect((await verify(store)).problems).toEqual([
      `the file of the body of message ${short} has 1000 of ${size} bytes`,
      `message ${missing} lacks the file of its body`,
    ]),
  )
})

test('verify names what does not fit together', async () => {
  const relay = await startTestRelay({ clock: new FakeClock() })
  const id = await relay.send('tempfail@a.test')
  await relay.record('deferred')
  await inspect(relay, async (store) => {
    const due = store.keys('due', {})[0]!
    await store.write([
      { table: 'due', key: due, value: undefined },
      { table: 'body', key: partKey(id, 0), value: undefined },
    ])
    expect((await verify(store)).problems).toEqual([
      `${id}.0 waits, but is not in the schedule`,
      `message ${id} lacks chunk 0 of its body`,
    ])
  })
})
