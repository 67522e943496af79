// Paths that are slow as they stand in the store: a row each. Times of the controller are monotonic, which mean nothing to
// the next process: stored are ages.

import type { PaceSnapshot } from '../pacing/controller.ts'
import { decode, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
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

interface StoredPace extends Slow {
  readonly name: string
  readonly savedAt: EpochMs
  readonly snapshot: PaceSnapshot
}

type Times = Pick<Clock, 'now' | 'monotonic'>

export function paceRow({ name, slow, snapshot }: SlowPath, clock: Times): Write {
  const aged = { ...snapshot, at: snapshot.at - clock.monotonic() }
  const row: StoredPace = { name, ...slow, savedAt: clock.now(), snapshot: aged }
  return { table: 'pace', key: textKey(name), value: encode(row) }
}

export function noPaceRow(name: string): Write {
  return { table: 'pace', key: textKey(name), value: undefined }
}

export function storedPaces(store: Store, clock: Times): SlowPath[] {
  return store.range('pace', {}).map(({ value }) => {
    const { name, savedAt, snapshot, since, why, usual } = decode<StoredPace>(value)
    // A clock that went back makes it younger, never older than it is.
    const age = Math.max(0, clock.now() - savedAt)
    return {
      name,
      slow: { since, why, usual },
      snapshot: { ...snapshot, at: clock.monotonic() + snapshot.at - age },
    }
  })
}
