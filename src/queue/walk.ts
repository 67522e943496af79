// Walks along the schedule and the held, a bounded piece per turn of the event loop, so that mail goes on between two
// pieces. Reads keys only.

import type { Domain } from '../mail/address.ts'
import type { LaneName } from '../mail/message.ts'
import { afterPrefix, laneKey, lanesRange, prefixRange, readDueKey, textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'

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
  /** Waiting, and being tried or about to be. */
  readonly inFlight: number
  /** The first of them that is in flight. */
  readonly flying?: LanePlace
  /** The first of the others. */
  readonly first?: LanePlace
}

export interface LanePlace {
  readonly id: string
  readonly n: number
  readonly dueAt: EpochMs
}

export interface CountParts {
  readonly store: Store
  readonly isInFlight: (id: string, n: number) => boolean
  readonly clock: Clock
}

/** Counts one lane, up to a bound. */
export async function countLane({ store, isInFlight, clock }: CountParts, lane: LaneName): Promise<LaneCount> {
  const now = clock.now()
  const count = { waiting: 0, due: 0, inFlight: 0, more: false }
  const found: { first?: LanePlace; flying?: LanePlace } = {}
  for await (const key of eachKey(store, { table: 'due', range: prefixRange(laneKey(lane)) })) {
    if (count.waiting === MOST_COUNTED) return { ...count, ...found, more: true }
    count.waiting++
    const { id, n, dueAt } = readDueKey(key)
    if (dueAt <= now) count.due++
    if (isInFlight(id, n)) {
      count.inFlight++
      found.flying ??= { id, n, dueAt }
    } else found.first ??= { id, n, dueAt }
  }
  return { ...count, ...found }
}

/**
 * The lanes to a domain in which somebody waits: of each tenant one for each pool. By skipping from tenant to tenant and
 * from lane to lane; tenants that are not in the configuration any more included.
 */
export function lanesTo(store: Store, domain: Domain): LaneName[] {
  const found: LaneName[] = []
  let from: Buffer | undefined
  for (;;) {
    const [key] = store.keys('due', { ...(from !== undefined && { from }), limit: 1 })
    if (key === undefined) return found
    const { tenant } = readDueKey(key)
    found.push(...lanesOf(store, tenant, domain))
    from = afterPrefix(textKey(tenant))
    if (from === undefined) return found
  }
}

function lanesOf(store: Store, tenant: string, domain: Domain): LaneName[] {
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
