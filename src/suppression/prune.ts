// Pending entries that nothing has confirmed in time are void, and remembered for as long as strikes are (life.ts says
// what for); then they go, here. An index in the order of their time spares walking the whole list.

import { decodeOptional } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'
import { type Suppression, standingOf } from './suppression.ts'

const TIME_BYTES = 8
const PIECE = 200

export function pendingKey(entry: {
  readonly until: EpochMs
  readonly scope: string
  readonly target: string
}): Buffer {
  return Buffer.concat([timeKey(entry.until), textKey(entry.scope, entry.target)])
}

function timeKey(at: EpochMs): Buffer {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeBigUInt64BE(BigInt(Math.max(0, Math.ceil(at))))
  return time
}

/** Removes the entries that became void at `voidAt` or before, a piece at a time. Returns how many. */
export async function prunePending(store: Store, voidAt: EpochMs, signal: AbortSignal): Promise<number> {
  let pruned = 0
  while (!signal.aborted) {
    const keys = store.keys('suppression-pending', { to: timeKey(voidAt + 1), limit: PIECE })
    if (keys.length === 0) break
    // The end of an index key is the key of its entry.
    const entries = keys.map((key) => key.subarray(TIME_BYTES)).filter((key) => isVoid(store, key, voidAt))
    pruned += entries.length
    await store.write([
      ...keys.map((key): Write => ({ table: 'suppression-pending', key, value: undefined })),
      ...entries.map((key): Write => ({ table: 'suppression', key, value: undefined })),
    ])
    await new Promise((resolve) => setImmediate(resolve))
  }
  return pruned
}

/** It may have been confirmed, dropped or held back anew since. */
function isVoid(store: Store, key: Buffer, at: EpochMs): boolean {
  const entry = decodeOptional<Suppression>(store.get('suppression', key))
  return entry?.pendingUntil !== undefined && standingOf(entry, at) === 'over'
}
