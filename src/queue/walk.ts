// Walks along the schedule and the held, a bounded piece per turn of the event loop, so that mail goes on between two
// pieces. Reads keys only.

import type { Domain } from '../mail/address.ts'
import type { LaneName } from '../mail/message.ts'
import { afterPrefix, laneKey, lanesRange, prefixRange, readDueKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'

/** Keys read per turn of the event loop. */
export const PIECE = 1000
const MOST_COUNTED = 100_000

export interface Walk {
  readonly table: 'due' | 'held'
  /** Where an earlier walk ended. */
  readonly after?: Buffer | undefined
  /** Absent: the whole table. */
  readonly range?: { readonly from: Buffer; readonly to?: Buffer } | undefined
}

export async function* eachKey(store: Store, { table, after, range }: Walk): AsyncGenerator<Buffer> {
  let from = after === undefined ? range?.from : next(after)
  for (;;) {
    const keys = store.keys(table, {
      ...(from !== undefined && { from }),
      ...(range?.to !== undefined && { to: range.to }),
      limit: PIECE,
    })
    yield* keys
    const last = keys.at(-1)
    if (last === undefined || keys.length < PIECE) return
    from = next(last)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export interface LaneCount {
  readonly waiting: number
  readonly due: number
  /** There are more than were counted. */
  readonly more: boolean
  /** The first of them. */
  readonly first?: { readonly id: string; readonly n: number; readonly dueAt: EpochMs }
}

/** Counts one lane, up to a bound. */
export async function countLane(store: Store, lane: LaneName, now: EpochMs): Promise<LaneCount> {
  let [waiting, due] = [0, 0]
  let first: LaneCount['first']
  for await (const key of eachKey(store, { table: 'due', range: prefixRange(laneKey(lane)) })) {
    if (waiting === MOST_COUNTED) return { waiting, due, more: true, ...(first !== undefined && { first }) }
    waiting++
    const { id, n, dueAt } = readDueKey(key)
    first ??= { id, n, dueAt }
    if (dueAt <= now) due++
  }
  return { waiting, due, more: false, ...(first !== undefined && { first }) }
}

/** The lanes of a tenant to a domain in which somebody waits: one for each pool, by skipping from lane to lane. */
export function lanesOf(store: Store, tenant: string, domain: Domain): LaneName[] {
  const found: LaneName[] = []
  const { from: first, to } = lanesRange(tenant, domain)
  let from: Buffer | undefined = first
  while (from !== undefined) {
    const [key] = store.keys('due', { from, to, limit: 1 })
    if (key === undefined) break
    const { pool } = readDueKey(key)
    const lane = { tenant, domain, ...(pool !== undefined && { pool }) }
    found.push(lane)
    from = afterPrefix(laneKey(lane))
  }
  return found
}

function next(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}
