// `studs store verify` over every table: a row that cannot be read is named, whichever table it stands in.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { verify } from '../../src/queue/verify.ts'
import { dueKey, idKey, journalKey, partKey, textKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { type Store, TABLES, type Table } from '../../src/store/store.ts'
import { systemClock } from '../../src/util/clock.ts'

const ID = '0g00000000000'
const OTHER = '0g00000000001'
const DAMAGED = Buffer.from('{"cut": ')
let directory: string
let store: Store
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'studs-verify-'))
  store = openStore({ directory, mapSize: 2 ** 30, clock: systemClock })
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

const KEYS: Partial<Record<Table, Buffer>> = {
  message: idKey(ID),
  'body-file': idKey(ID),
  recipient: partKey(ID, 0),
  unsubscribe: partKey(ID, 0),
  report: idKey(ID),
  journal: journalKey(1, 1),
}
/** Their rows are keys alone, or bytes that say nothing of themselves; rows.test.ts has what is said of those. */
const PLAIN: ReadonlySet<Table> = new Set<Table>([
  ...(['body', 'due', 'held', 'journal-by-message', 'journal-by-kind', 'journal-by-target'] as const),
  ...(['recipient-by-address', 'message-by-header', 'suppression-pending'] as const),
  ...(['report-raw', 'report-by-outcome', 'report-by-message'] as const),
])
const TOLD = TABLES.filter((table) => !PLAIN.has(table))

test('one damaged row in each table: all are named, and the rest is read all the same', async () => {
  expect(await verify(store)).toMatchObject({ problemCount: 0 })
  const due = {
    table: 'due' as const,
    key: dueKey({ tenant: 'shop', domain: 'a.test', dueAt: 1, id: OTHER, n: 0 }),
    value: Buffer.alloc(0),
  }
  await store.write([due, ...TOLD.map((table) => ({ table, key: KEYS[table] ?? textKey('x'), value: DAMAGED }))])
  const { problems } = await verify(store)
  for (const table of TOLD)
    expect(problems).toContainEqual(expect.stringMatching(`^${table} (?:${ID}|1-1|"x") cannot be read$`))
  expect(problems).toContain(`the schedule has ${OTHER}.0 at 1, but it does not wait for then`)
})
