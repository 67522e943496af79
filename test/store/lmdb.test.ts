// The store against real LMDB: atomic, durable, ordered, and clear about who holds it.

import { mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/store/codec.ts'
import { dueKey, idKey, laneKey, lanesRange, partKey, prefixRange, readDueKey, textKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { systemClock } from '../../src/util/clock.ts'
import { idMaker } from '../../src/util/id.ts'

let directory: string
let store: Store
const open = (): Store => openStore({ directory, mapSize: 2 ** 30, clock: systemClock })

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'studs-store-'))
  store = open()
})
afterEach(() => store.close())

const key = (text: string): Buffer => Buffer.from(text)

describe('write', () => {
  test('is visible after its promise and not before', async () => {
    const written = store.write([{ table: 'meta', key: key('a'), value: encode(1) }])
    expect(store.get('meta', key('a'))).toBeUndefined()
    await written
    expect(decode(store.get('meta', key('a'))!)).toBe(1)
  })

  test('applies concurrent writes in call order', async () => {
    await Promise.all(
      Array.from({ length: 500 }, (_, n) => store.write([{ table: 'meta', key: key('a'), value: encode(n) }])),
    )
    expect(decode(store.get('meta', key('a'))!)).toBe(499)
    expect(store.stats().commits).toBeLessThan(500)
  })

  test('removes, and survives closing and opening again', async () => {
    await store.write([
      { table: 'meta', key: key('a'), value: encode('x') },
      { table: 'meta', key: key('b'), value: encode('y') },
    ])
    await store.write([{ table: 'meta', key: key('a'), value: undefined }])
    await store.close()
    store = open()
    expect(store.get('meta', key('a'))).toBeUndefined()
    expect(decode(store.get('meta', key('b'))!)).toBe('y')
  })

  test('is refused after close', async () => {
    await store.close()
    await expect(store.write([])).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('range', () => {
  beforeEach(() =>
    store.write(
      ['a', 'b', 'c', 'd'].map((name) => ({ table: 'meta' as const, key: key(`r${name}`), value: encode(name) })),
    ),
  )
  const names = (range: Parameters<Store['keys']>[1]): string[] => store.keys('meta', range).map(String)

  test.each([
    [{ from: key('rb'), to: key('rd') }, ['rb', 'rc']],
    [{ from: key('rb'), to: key('rd'), reverse: true }, ['rc', 'rb']],
    [{ from: key('ra'), to: key('s'), reverse: true, limit: 2 }, ['rd', 'rc']],
    [{ from: key('ra'), to: key('rd\0'), reverse: true }, ['rd', 'rc', 'rb', 'ra']],
    [{ ...prefixRange(key('r')), limit: 3 }, ['ra', 'rb', 'rc']],
  ])('%j', (range, expected) => {
    expect(names(range)).toEqual(expected)
  })
})

test('due keys of one lane sort by time and never mix with another lane', async () => {
  const id = idMaker(systemClock, 0)
  const first = id()
  const second = id()
  const lane = { tenant: 'default', domain: 'b.test' }
  const bulk = { ...lane, pool: 'bulk' }
  const dues = [
    dueKey({ ...lane, dueAt: 2000, id: first, n: 0 }),
    dueKey({ ...lane, dueAt: 1000, id: second, n: 3 }),
    dueKey({ ...bulk, dueAt: 5, id: second, n: 4 }),
    dueKey({ tenant: 'default', domain: 'b.test.example', dueAt: 1, id: first, n: 1 }),
    dueKey({ tenant: 'default2', domain: 'b.test', dueAt: 1, id: first, n: 2 }),
  ]
  await store.write(dues.map((due) => ({ table: 'due', key: due, value: Buffer.alloc(0) })))
  const read = (range: Parameters<Store['keys']>[1]) => store.keys('due', range).map(readDueKey)
  const own = [
    { ...lane, dueAt: 1000, id: second, n: 3 },
    { ...lane, dueAt: 2000, id: first, n: 0 },
  ]
  const named = { ...bulk, dueAt: 5, id: second, n: 4 }
  expect(read(prefixRange(laneKey(lane)))).toEqual(own)
  expect(read(prefixRange(laneKey(bulk)))).toEqual([named])
  expect(read(lanesRange('default', 'b.test'))).toEqual([...own, named])
})

test('the directory and the files are private', () => {
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(statSync(join(directory, 'store', 'data.mdb')).mode & 0o777).toBe(0o600)
})

test('a second opener is told who has it; a lock left by a dead process does not count', async () => {
  expect(() => open()).toThrow(new RegExp(`in use by the process ${process.pid}`))
  await store.close()
  const { writeFileSync } = await import('node:fs')
  writeFileSync(join(directory, 'lock'), `${process.pid} 1\n`)
  store = open()
  expect(store.health).toBe('ok')
})

test('a lock from another pid namespace holds for as long as it is touched', async () => {
  await store.close()
  const { writeFileSync, utimesSync } = await import('node:fs')
  writeFileSync(join(directory, 'lock'), '1 1 pid:[1]')
  expect(open).toThrow(/in use in another container/)
  utimesSync(join(directory, 'lock'), Date.now() / 1000 - 20, Date.now() / 1000 - 20)
  store = open()
  expect(store.health).toBe('ok')
})

test('a store with a newer schema is refused', async () => {
  await store.write([{ table: 'meta', key: textKey('schema-version'), value: encode(99) }])
  await store.close()
  expect(open).toThrow(/schema version 99/)
  store = openStore({ directory: mkdtempSync(join(tmpdir(), 'studs-store-')), mapSize: 2 ** 30, clock: systemClock })
})

test('a backup is a store of its own', async () => {
  const id = idMaker(systemClock, 0)()
  await store.write([
    { table: 'message', key: idKey(id), value: encode({ id }) },
    { table: 'body', key: partKey(id, 0), value: Buffer.alloc(300_000, 65) },
  ])
  const target = join(mkdtempSync(join(tmpdir(), 'studs-backup-')), 'copy')
  await store.backup(target)
  await expect(store.backup(target)).rejects.toThrow(/not empty/)
  const copy = openStore({ directory: target, mapSize: 2 ** 30, clock: systemClock })
  expect(copy.get('body', partKey(id, 0))).toHaveLength(300_000)
  await copy.close()
})
