// Paths that are slow as they stand in the store: a row each. Times of the controller are monotonic, which mean nothing to
// the next process: stored are ages.

import type { PaceSnapshot } from '../pacing/controller.ts'
import { decode, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import { ageOf, type Stamp, stampOf } from '../util/age.ts'
import type { Clock, EpochMs } from '../util/clock.ts'

export interface Slow {
  readonly since: EpochMs
  readonly why: string
  readonly usual: number
}

export interface SlowPath {
  readonly name: string
  readonly slow: Slow
  /** On the monotonic clock of this process. */
  readonly snapshot: PaceSnapshot
}

interface StoredPace extends Slow, Stamp {
  readonly name: string
  readonly snapshot: PaceSnapshot
}

type Times = Pick<Clock, 'now' | 'monotonic' | 'sinceBoot'>

/** One row for each path, all of the same moment. */
export function paceRows(paths: readonly SlowPath[], clock: Times): Write[] {
  const at = clock.monotonic()
  const stamp = stampOf(clock)
  return paths.map(({ name, slow, snapshot }) => {
    const row: StoredPace = { name, ...slow, ...stamp, snapshot: { ...snapshot, at: snapshot.at - at } }
    return { table: 'pace', key: textKey(name), value: encode(row) }
  })
}

export function noPaceRow(name: string): Write {
  return { table: 'pace', key: textKey(name), value: undefined }
}

export function storedPaces(store: Store, clock: Times): SlowPath[] {
  return store.range('pace', {}).map(({ value }) => {
    const { name, snapshot, since, why, usual, ...stamp } = decode<StoredPace>(value)
    const age = ageOf(stamp, clock)
    return {
      name,
      slow: { since: clock.now() - age - Math.max(0, stamp.savedAt - since), why, usual },
      snapshot: { ...snapshot, at: clock.monotonic() + snapshot.at - age },
    }
  })
}
