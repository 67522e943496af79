// The schema version in `meta`, and the steps from older versions to this one. Forward only: a store written by a newer
// Studs is refused, because this one would not understand what it drops.

import { decode, encode } from './codec.ts'
import { textKey } from './keys.ts'
import type { Store, Write } from './store.ts'

export const SCHEMA_VERSION = 1

/** Step N brings version N to N + 1. Each must be repeatable: a crash in the middle runs it again. */
const STEPS: readonly ((store: Store) => readonly Write[])[] = []

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
