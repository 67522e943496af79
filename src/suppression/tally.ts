// The tally: how much a site answered a tenant in an hour, and how many hard bounces were among it. One row for each
// hour that had one. This file owns the rows; what they mean is said in spike.ts.

import { decodeOptional, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import { type EpochMs, HOUR } from '../util/clock.ts'

export interface HourTally {
  readonly answered: number
  /** By code of the verdict. */
  readonly hard: Readonly<Record<string, number>>
  /** Surges that go on, by code: since when. */
  readonly surges: Readonly<Record<string, EpochMs>>
}

export const EMPTY_HOUR: HourTally = { answered: 0, hard: {}, surges: {} }
/** As long as the median looks back, and the hour that glides into it. */
const KEPT_HOURS = 8 * 24
const HOUR_BYTES = 4
const PIECE = 500

/** Hours since 1970. */
export function hourOf(at: EpochMs): number {
  return Math.floor(at / HOUR)
}

function tallyKey(tenant: string, site: string, hour: number): Buffer {
  const last = Buffer.alloc(HOUR_BYTES)
  last.writeUInt32BE(Math.max(0, hour))
  return textKey(tenant, site, last)
}

export function readTally(store: Store, tenant: string, site: string, hour: number): HourTally | undefined {
  return decodeOptional<HourTally>(store.get('tally', tallyKey(tenant, site, hour)))
}

export function tallyWrite(place: { tenant: string; site: string; hour: number }, tally: HourTally): Write {
  return { table: 'tally', key: tallyKey(place.tenant, place.site, place.hour), value: encode(tally) }
}

/**
 * Walks all rows, a piece at a time: removes the hours nobody compares with any more, and gives back the places whose
 * surge went on lately, which a relay that was restarted knows nothing of.
 */
export async function pruneTally(
  store: Store,
  now: EpochMs,
  signal: AbortSignal,
): Promise<{ readonly pruned: number; readonly surging: readonly { tenant: string; site: string }[] }> {
  const surging: { tenant: string; site: string }[] = []
  let pruned = 0
  for await (const keys of pieces(store, signal)) {
    const old = keys.filter((key) => hourIn(key) < hourOf(now) - KEPT_HOURS)
    pruned += old.length
    if (old.length > 0) await store.write(old.map((key) => ({ table: 'tally', key, value: undefined })))
    for (const key of keys) if (hourIn(key) >= hourOf(now) - 1 && hasSurge(store, key)) surging.push(placeIn(key))
  }
  return { pruned, surging }
}

async function* pieces(store: Store, signal: AbortSignal): AsyncGenerator<Buffer[]> {
  let from: Buffer | undefined
  while (!signal.aborted) {
    const keys = store.keys('tally', { ...(from === undefined ? {} : { from }), limit: PIECE })
    const last = keys.at(-1)
    if (last === undefined) return
    yield keys
    from = Buffer.concat([last, Buffer.from([0])])
    // Let mail through between two pieces.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function hourIn(key: Buffer): number {
  return key.readUInt32BE(key.length - HOUR_BYTES)
}

function hasSurge(store: Store, key: Buffer): boolean {
  const tally = decodeOptional<HourTally>(store.get('tally', key))
  return tally !== undefined && Object.keys(tally.surges).length > 0
}

function placeIn(key: Buffer): { tenant: string; site: string } {
  const endOfTenant = key.indexOf(0)
  const endOfSite = key.indexOf(0, endOfTenant + 1)
  return { tenant: key.toString('utf8', 0, endOfTenant), site: key.toString('utf8', endOfTenant + 1, endOfSite) }
}
