// The schema version in `meta`, and the steps from older versions to this one. Forward only: a store written by a newer
// Studs is refused, because this one would not understand what it drops.

import { decode, encode } from './codec.ts'
import { idKey, prefixRange, readPartKey, textKey } from './keys.ts'
import type { Store, Write } from './store.ts'

export const SCHEMA_VERSION = 3

/** Step N brings version N to N + 1. Each must be repeatable: a crash in the middle runs it again. */
const STEPS: readonly ((store: Store) => readonly Write[])[] = [
  removeOrphanedChunks,
  // From version 3 on lanes may be named by a pool. What stands in those of their tenant stays there; older versions would
  // take the pool for a part of the domain.
  () => [],
]

const VERSION_KEY = textKey('schema-version')

export function migrate(store: Store, writeSync: (writes: readonly Write[]) => void): void {
  const found = store.get('meta', VERSION_KEY)
  let version = found === undefined ? SCHEMA_VERSION : decode<number>(found)
  if (version > SCHEMA_VERSION) {
    throw new Error(
      `the store has schema version ${version}, this Studs knows up to ${SCHEMA_VERSION}: use the newer Studs, or restore a backup`,
    )
  }
  if (found === undefined) writeSync([{ table: 'meta', key: VERSION_KEY, value: encode(version) }])
  for (; version < SCHEMA_VERSION; version++) {
    const step = STEPS[version - 1]
    if (step === undefined) throw new Error(`no way from schema version ${version} to ${version + 1}`)
    writeSync([...step(store), { table: 'meta', key: VERSION_KEY, value: encode(version + 1) }])
  }
}

/**
 * From version 2 on large bodies are files, and a body in the store comes with its message: what mail that was never
 * accepted left in version 1 is looked for no more after this.
 */
function removeOrphanedChunks(store: Store): Write[] {
  const orphans: Buffer[] = []
  let from: Buffer | undefined
  for (;;) {
    const key = store.keys('body', { ...(from === undefined ? {} : { from }), limit: 1 })[0]
    if (key === undefined) break
    const id = idKey(readPartKey(key).id)
    const body = prefixRange(id)
    if (store.get('message', id) === undefined) orphans.push(...store.keys('body', body))
    if (body.to === undefined) break
    from = body.to
  }
  return orphans.map((key) => ({ table: 'body', key, value: undefined }))
}
