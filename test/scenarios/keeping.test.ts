// What is kept and what goes: bodies with the last open recipient, finished messages after their time, orphans at start.

import { afterEach, expect, test } from 'vitest'
import { prune } from '../../src/queue/prune.ts'
import { verify } from '../../src/queue/verify.ts'
import { decode } from '../../src/store/codec.ts'
import { partKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { DAY, systemClock } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

afterEach(stopRelays)

async function inspect<T>(relay: TestRelay, look: (store: Store) => T | Promise<T>): Promise<T> {
  await relay.stop()
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
    expect(store.get('body', partKey(open, 0))).toHaveLength(256 * 1024)
    expect(store.get('body', partKey(open, 2))).toBeDefined()
    expect(await verify(store)).toMatchObject({
      problems: [],
      counts: { messages: 2, recipients: 5, waiting: 1, bodies: 1 },
    })
  })
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
