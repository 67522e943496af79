// The lanes that have somebody waiting, by the time the first of each is due. This and what is in flight is all the
// memory the queue takes: recipients themselves stand in the store's `due` table.

import type { Domain } from '../mail/address.ts'
import type { LaneName } from '../mail/message.ts'
import { afterPrefix, laneKey, readDueKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'
import { MinHeap } from '../util/heap.ts'

export interface Lane extends LaneName {
  /**
   * Found in the store and named by no pool: what older versions wrote stands here whatever pool it names, and its
   * recipients do not say which.
   */
  readonly mayHoldOthers?: true
  /** Not later than the first due time in the store. */
  nextDue: EpochMs
  /** `timed`: in the heap; `ready`: in a site's line or being claimed from. */
  place: 'timed' | 'ready'
  /** Of the heap entry that counts; older entries of the lane are skipped. */
  entry: number
  /** How often it was heard that somebody stands in it. */
  woken: number
}

interface HeapEntry {
  readonly lane: Lane
  readonly dueAt: EpochMs
  readonly entry: number
}

const HEAP_SLACK = 64

export class Lanes {
  readonly #lanes = new Map<string, Lane>()
  readonly #heap = new MinHeap<HeapEntry>(({ dueAt }) => dueAt)
  #entries = 0

  get size(): number {
    return this.#lanes.size
  }

  /** Of the heap, those that no longer count included. */
  get entries(): number {
    return this.#heap.size
  }

  /** Finds every lane in the store by skipping from lane to lane: the cost is per lane, not per recipient. */
  load(store: Store): void {
    let from: Buffer | undefined
    for (;;) {
      const key = store.keys('due', { ...(from === undefined ? {} : { from }), limit: 1 })[0]
      if (key === undefined) return
      const { tenant, domain, pool, dueAt } = readDueKey(key)
      const place = { tenant, domain: domain as Domain }
      const lane = pool === undefined ? { ...place, mayHoldOthers: true as const } : { ...place, pool }
      this.wake(lane, dueAt)
      from = afterPrefix(laneKey(lane))
      if (from === undefined) return
    }
  }

  find(lane: LaneName): Lane | undefined {
    return this.#lanes.get(textOf(lane))
  }

  /** Somebody in this lane is due at `dueAt`. */
  wake(named: Pick<Lane, keyof LaneName | 'mayHoldOthers'>, dueAt: EpochMs): void {
    const name = textOf(named)
    const lane = this.#lanes.get(name)
    if (lane === undefined) {
      const made: Lane = { ...named, nextDue: dueAt, place: 'timed', entry: 0, woken: 1 }
      this.#lanes.set(name, made)
      this.#push(made, dueAt)
      return
    }
    lane.woken++
    if (dueAt >= lane.nextDue) return
    lane.nextDue = dueAt
    if (lane.place === 'timed') this.#push(lane, dueAt)
  }

  /** When the earliest timed lane is due. */
  get nextDue(): EpochMs | undefined {
    this.#dropStale()
    return this.#heap.peek()?.dueAt
  }

  /** Takes the next lane that is due; it is `ready` until `park` or `forget`. */
  takeDue(now: EpochMs): Lane | undefined {
    this.#dropStale()
    const first = this.#heap.peek()
    if (first === undefined || first.dueAt > now) return undefined
    this.#heap.pop()
    first.lane.place = 'ready'
    // Whatever comes due from here on is later news.
    first.lane.nextDue = Number.POSITIVE_INFINITY
    return first.lane
  }

  /** Puts a ready lane back: to be looked at when the first of it is due, or forgotten when nobody waits. */
  park(lane: Lane, firstDue: EpochMs | undefined): void {
    const dueAt = Math.min(lane.nextDue, firstDue ?? Number.POSITIVE_INFINITY)
    if (dueAt === Number.POSITIVE_INFINITY) {
      this.#lanes.delete(textOf(lane))
      return
    }
    lane.place = 'timed'
    lane.nextDue = dueAt
    this.#push(lane, dueAt)
  }

  #push(lane: Lane, dueAt: EpochMs): void {
    lane.entry = ++this.#entries
    this.#heap.push({ lane, dueAt, entry: lane.entry })
    // Entries that no longer count would otherwise stay until their time comes.
    if (this.#heap.size > HEAP_SLACK + 2 * this.#lanes.size) this.#heap.retain(isCurrent)
  }

  #dropStale(): void {
    for (;;) {
      const first = this.#heap.peek()
      if (first === undefined || isCurrent(first)) return
      this.#heap.pop()
    }
  }
}

function isCurrent({ lane, entry }: HeapEntry): boolean {
  return entry === lane.entry && lane.place === 'timed'
}

/** One text for each lane, for maps. */
export function textOf({ tenant, domain, pool = '' }: LaneName): string {
  return `${tenant}\0${domain}\0${pool}`
}
