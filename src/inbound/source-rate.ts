// "At most N in any T" for each client address (IPv6: /64), in memory that does not grow: nine counters an address, each
// for an eighth of T, and a limited number of addresses, of which the one longest unheard of is forgotten.
// Never more than N in any T; room comes back an eighth of T late at most.

import type { Rate } from '../config/units.ts'
import type { Clock } from '../util/clock.ts'
import { blockOf } from './address-block.ts'

const PARTS = 8
// One more than PARTS: what was counted early in the oldest part may still be younger than T.
const SLOTS = PARTS + 1
const MAX_SOURCES = 20_000

interface Source {
  readonly counts: Uint32Array
  /** Number of the newest part of T that was counted in. */
  part: number
  total: number
}

export class SourceRate {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #maxSources: number
  readonly #sources = new Map<string, Source>()
  #per = 0

  constructor(clock: Pick<Clock, 'monotonic'>, maxSources = MAX_SOURCES) {
    this.#clock = clock
    this.#maxSources = maxSources
  }

  get size(): number {
    return this.#sources.size
  }

  /** Counts one and says true, or says false. */
  take(address: string, rate: Rate): boolean {
    if (rate.per !== this.#per) {
      // Counters of another T say nothing of this one.
      this.#sources.clear()
      this.#per = rate.per
    }
    const part = Math.floor((this.#clock.monotonic() * PARTS) / rate.per)
    const source = this.#sourceAt(blockOf(address), part)
    if (source.total >= rate.count) return false
    source.total++
    source.counts[part % SLOTS] = (source.counts[part % SLOTS] ?? 0) + 1
    return true
  }

  #sourceAt(block: string, part: number): Source {
    const source = this.#sources.get(block) ?? { counts: new Uint32Array(SLOTS), part, total: 0 }
    // A Map keeps the order of insertion: heard of last, forgotten last.
    this.#sources.delete(block)
    this.#sources.set(block, source)
    forget(source, part)
    if (this.#sources.size > this.#maxSources) this.#dropOldest()
    return source
  }

  #dropOldest(): void {
    const oldest = this.#sources.keys().next()
    if (oldest.done !== true) this.#sources.delete(oldest.value)
  }
}

/** Empties the counters whose part is over. */
function forget(source: Source, part: number): void {
  const passed = Math.min(SLOTS, part - source.part)
  for (let n = 1; n <= passed; n++) {
    const slot = (source.part + n) % SLOTS
    source.total -= source.counts[slot] ?? 0
    source.counts[slot] = 0
  }
  source.part = part
}
