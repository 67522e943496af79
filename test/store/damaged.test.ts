// A damaged file must be refused in words: LMDB itself would end the process with a signal, or begin an empty queue.

import { closeSync, mkdtempSync, openSync, statSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../src/store/lmdb.ts'
import { systemClock } from '../../src/util/clock.ts'

const open = (directory: string) => openStore({ directory, mapSize: 2 ** 30, clock: systemClock })

async function filledStore(): Promise<{ directory: string; file: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'studs-damaged-'))
  const store = open(directory)
  for (let n = 0; n < 20; n++) {
    const rows = Array.from({ length: 50 }, (_, at) => Buffer.from(`${n}-${at}`))
    await store.write(rows.map((key) => ({ table: 'message' as const, key, value: Buffer.alloc(800, 65) })))
  }
  await store.close()
  return { directory, file: join(directory, 'store', 'data.mdb') }
}

const overwriteHead = (file: string, byte: number): void => {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(8192, byte), 0, 8192, 0)
  closeSync(descriptor)
}

test.each([
  ['cut in half', (file: string) => truncateSync(file, statSync(file).size >> 1)],
  ['empty', (file: string) => truncateSync(file, 0)],
  ['with zeros for a head', (file: string) => overwriteHead(file, 0)],
  ['with garbage for a head', (file: string) => overwriteHead(file, 0xa5)],
])('a file %s is refused with a sentence, and the lock is free again', async (_, damage) => {
  const { directory, file } = await filledStore()
  damage(file)
  expect(() => open(directory)).toThrow(/data\.mdb is damaged: .*Restore a backup/)
  expect(() => open(directory)).toThrow(/is damaged/)
})

test('a whole one is opened', async () => {
  const { directory } = await filledStore()
  const store = open(directory)
  expect(store.count('message')).toBe(1000)
  await store.close()
})
