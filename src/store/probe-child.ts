// What probe.ts runs: opens a store for reading and touches the first and the last entry of each table.

import { open } from 'lmdb'
import { TABLES } from './store.ts'

const [, , path = ''] = process.argv
const environment = open({ path, readOnly: true, maxDbs: TABLES.length + 8, encoding: 'binary', keyEncoding: 'binary' })
for (const name of TABLES) {
  const table = environment.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' })
  // A table that was never written to is not there.
  if (table === undefined) continue
  const { entryCount } = table.getStats() as { entryCount: number }
  const ends = [
    table.getRange({ limit: 1 }).asArray,
    table.getRange({ limit: 1, reverse: true }).asArray,
  ] as unknown as unknown[][]
  if (!Number.isSafeInteger(entryCount) || ends.some((end) => (end.length === 1) !== entryCount > 0)) {
    throw new Error(`table ${name} says it has ${entryCount} entries, but its ends cannot be read`)
  }
}
await environment.close()
