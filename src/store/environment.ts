// The LMDB environment: how it is opened, and why just so; how it is closed. What goes into it is lmdb.ts's business.

import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { readId } from '../util/id.ts'
import { flushDirectory } from './body-files.ts'
import { TABLES, type Table } from './store.ts'

export type Db = Database<Buffer, Buffer>
type Root = RootDatabase<Buffer, Buffer>

export interface Environment {
  readonly root: Root
  readonly tables: Record<Table, Db>
}

export function openEnvironment(path: string, mapSize: number): Environment {
  const root = open<Buffer, Buffer>({
    path,
    noSubdir: false,
    // Commit = fdatasync, then visible, then resolved. The default (overlapping) drops I/O errors of the last step.
    overlappingSync: false,
    // One rejection per failed commit instead of an unhandled one beside it.
    eventTurnBatching: false,
    // The writing thread starts when the whole batch is there: started half-way it overtakes us and must be woken again
    // and again, a futex call for nearly every message.
    txnStartThreshold: 100_000,
    safeRestore: true,
    permissionsMode: 0o600,
    maxReaders: 1024,
    maxDbs: TABLES.length + 8,
    mapSize,
    // Never let old heap bytes into pages on disk.
    noMemInit: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  } as Parameters<typeof open>[0]) as Root
  const tables = Object.fromEntries(
    TABLES.map((name) => [name, root.openDB({ name, encoding: 'binary', keyEncoding: 'binary' })]),
  ) as Record<Table, Db>
  return { root, tables }
}

export async function closeEnvironment(root: Root): Promise<void> {
  // Else its timer would do so after the close, and throw.
  root.resetReadTxn()
  await root.close()
}

/** A copy in `path`, an empty directory; complete and flushed when it resolves. */
export async function copyEnvironment(root: Root, path: string): Promise<void> {
  // Never compacting: lmdb-js has an open report of corrupt compact copies.
  await root.backup(path, false)
  // LMDB flushes nothing of a copy, and lets everybody read it.
  const file = await openFile(join(path, 'data.mdb'), 'r+')
  try {
    await file.chmod(0o600)
    await file.datasync()
  } finally {
    await file.close()
  }
  flushDirectory(path)
}

/** The large bodies that belong to a copy of the store. */
export async function filesNamedIn(path: string): Promise<string[]> {
  const copy = open<Buffer, Buffer>({
    path,
    readOnly: true,
    permissionsMode: 0o600,
    maxDbs: TABLES.length + 8,
    encoding: 'binary',
    keyEncoding: 'binary',
  } as Parameters<typeof open>[0]) as Root
  try {
    const table = copy.openDB<Buffer, Buffer>({ name: 'body-file', encoding: 'binary', keyEncoding: 'binary' })
    return (table.getKeys().asArray as unknown as Buffer[]).map((key) => readId(key, 0))
  } finally {
    await closeEnvironment(copy)
  }
}
