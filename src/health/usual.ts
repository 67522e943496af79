// The same hour of the last seven days, read from the store when somebody asks and remembered for as long as that hour lasts.

import type { Store } from '../store/store.ts'
import { HOUR } from '../util/clock.ts'
import { attemptsIn, CELLS, type Counts, countsOf, deferredShare } from './counts.ts'
import { medianOf } from './measure.ts'
import { DAYS, readHour } from './rows.ts'
import type { Scope } from './scope.ts'

const MAX_KNOWN = 2000
/** An hour with less says nothing about a share. */
const LEAST_ATTEMPTS = 10

export class Usual {
  readonly #store: Store
  readonly #known = new Map<string, readonly Counts[]>()
  #hour = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** One for each day that had mail in this hour. */
  of(scope: Scope, now: number): readonly Counts[] {
    const hour = Math.floor(now / HOUR)
    if (hour !== this.#hour || this.#known.size > MAX_KNOWN) this.#known.clear()
    this.#hour = hour
    const name = `${scope.kind} ${scope.name}`
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const found = Array.from({ length: DAYS }, (_, day) => readHour(this.#store, scope, hour - 24 * (day + 1)))
    const counts = found.flatMap((cells) => (cells === undefined ? [] : [countsOf(padded(cells))]))
    this.#known.set(name, counts)
    return counts
  }

  deferredShares(scope: Scope, now: number): readonly number[] {
    return this.of(scope, now)
      .filter((counts) => attemptsIn(counts) >= LEAST_ATTEMPTS)
      .map(deferredShare)
  }

  /** Counter by counter, the middle of those days; absent before there is one. */
  median(
    scope: Scope,
    now: number,
  ): Pick<Counts, 'delivered' | 'deferred' | 'hard' | 'soft' | 'complained'> | undefined {
    const days = this.of(scope, now)
    if (days.length === 0) return undefined
    const middle = (name: 'delivered' | 'deferred' | 'hard' | 'soft' | 'complained'): number =>
      medianOf(days.map((counts) => counts[name]))
    return {
      delivered: middle('delivered'),
      deferred: middle('deferred'),
      hard: middle('hard'),
      soft: middle('soft'),
      complained: middle('complained'),
    }
  }
}

function padded(cells: ArrayLike<number>): readonly number[] {
  return Array.from({ length: CELLS }, (_, at) => cells[at] ?? 0)
}
