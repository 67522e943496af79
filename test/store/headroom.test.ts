// Room of the store's file ahead of what is used: there when it is wanted, not taken where room is scarce, and never over
// anything that LMDB wrote.

import { mkdtempSync, renameSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { systemClock } from '../../src/util/clock.ts'

const MEBIBYTE = 2 ** 20

const open: Store[] = []
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})

function opened(given: { directory?: string; minFree?: number } = {}): {
  store: Store
  directory: string
  file: string
} {
  const { directory = mkdtempSync(join(tmpdir(), 'studs-headroom-')), minFree = 0 } = given
  const store = openStore({ directory, mapSize: 2 ** 30, minFree, clock: systemClock })
  open.push(store)
  return { store, directory, file: join(directory, 'store', 'data.mdb') }
}

const bytesOf = (n: number): Buffer => Buffer.alloc(1000 + (n % 7) * 500, 1 + (n % 251))
const keyOf = (n: number): Buffer => Buffer.from(String(n).padStart(8, '0'))

/** One commit each, so that the store looks after its file now and then. */
async function write(store: Store, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 20) {
    const rows = Array.from({ length: 20 }, (_, at) => n + at)
    await store.write(rows.map((row) => ({ table: 'body' as const, key: keyOf(row), value: bytesOf(row) })))
  }
}

const aheadOf = (store: Store, file: string): number => statSync(file).size - store.stats().usedBytes

test('a store that grows has some megabytes ahead of it, and all of it is there after it was opened again', async () => {
  const { store, directory, file } = opened()
  await write(store, 0, 6000)
  expect(store.stats().usedBytes).toBeGreaterThan(12 * MEBIBYTE)
  expect(aheadOf(store, file)).toBeGreaterThan(2 * MEBIBYTE)
  expect(aheadOf(store, file)).toBeLessThan(32 * MEBIBYTE)
  await open.pop()?.close()
  const { store: again } = opened({ directory })
  await write(again, 6000, 6400)
  expect(again.count('body')).toBe(6400)
  for (let n = 0; n < 6400; n++) expect(again.get('body', keyOf(n))?.equals(bytesOf(n))).toBe(true)
})

test('a small one stays small', async () => {
  const { store, file } = opened()
  await write(store, 0, 200)
  expect(statSync(file).size).toBeLessThan(MEBIBYTE)
})

test('where room is scarce none is taken', async () => {
  const { store, file } = opened({ minFree: 2 ** 60 })
  await write(store, 0, 6000)
  expect(aheadOf(store, file)).toBeLessThan(MEBIBYTE)
})

test('what goes wrong with it holds up no write', async () => {
  const { store, file } = opened()
  // The store has it open; by its name it is not to be found any more.
  renameSync(file, `${file}.moved`)
  await write(store, 0, 6000)
  expect(store.count('body')).toBe(6000)
})
