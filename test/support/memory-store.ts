// A Store in memory for tests that need the semantics and not the disk: byte order, ranges, all or nothing, and writes
// that are visible only once their promise has resolved.

import type { Entry, Range, Store, Table, Write } from '../../src/store/store.ts'
import { StoreError, TABLES } from '../../src/store/store.ts'

export function memoryStore(): Store {
  const tables = new Map<Table, Map<string, Buffer>>(TABLES.map((name) => [name, new Map()]))
  let commits = 0
  let closed = false
  let tail: Promise<void> = Promise.resolve()

  const table = (name: Table): Map<string, Buffer> => {
    const found = tables.get(name)
    if (found === undefined || closed) throw new StoreError('closed', `table ${name} is closed`)
    return found
  }
  const apply = ({ table: name, key, value }: Write): void => {
    if (value === undefined) table(name).delete(key.toString('latin1'))
    else table(name).set(key.toString('latin1'), Buffer.from(value))
  }
  // Latin-1 strings compare as their bytes do.
  const select = (name: Table, range: Range): [string, Buffer][] => {
    const from = range.from?.toString('latin1')
    const to = range.to?.toString('latin1')
    const inside = [...table(name)].filter(
      ([key]) => (from === undefined || key >= from) && (to === undefined || key < to),
    )
    inside.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    if (range.reverse === true) inside.reverse()
    return inside.slice(0, range.limit ?? inside.length)
  }
  const range = (name: Table, wanted: Range): Entry[] =>
    select(name, wanted).map(([key, value]) => ({ key: Buffer.from(key, 'latin1'), value: Buffer.from(value) }))

  return {
    get: (name, key) => {
      const value = table(name).get(key.toString('latin1'))
      return value === undefined ? undefined : Buffer.from(value)
    },
    range,
    keys: (name, wanted) => range(name, wanted).map(({ key }) => key),
    count: (name) => table(name).size,
    write: (writes) => {
      tail = tail.then(() => {
        for (const write of writes) apply(write)
        commits++
      })
      return tail
    },
    bodies: {
      create: noFiles,
      pathOf: noFiles,
      read: () => undefined,
      sizeOf: () => undefined,
      ids: () => [],
      remove: async () => undefined,
    },
    health: 'ok',
    onHealth: () => {},
    unmap: async () => undefined,
    backup: () => Promise.reject(new Error('a store in memory cannot be backed up')),
    stats: () => ({ usedBytes: 0, mapBytes: 0, commits, lastCommitMs: 0 }),
    close: async () => {
      await tail
      closed = true
    },
  }
}

function noFiles(): never {
  throw new Error('a store in memory has no files')
}
