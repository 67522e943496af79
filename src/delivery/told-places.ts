// What of an attempt is the same for many: where it goes to, from which source, and what it has to keep to. A worker is told of
// it once and by number from then on, because taking it apart and putting it together costs more than the rest of an attempt.
// Bounded: when there are too many, both ends forget all of them.

import type { WorkPlace } from './work.ts'

export interface Told {
  readonly number: number
  readonly place: WorkPlace
}

const MOST = 1000

export class ToldPlaces {
  readonly #byDestination = new Map<WorkPlace['destination'], Told[]>()
  #size = 0
  #last = 0

  /** Another worker, which knows nothing. */
  forget(): void {
    this.#byDestination.clear()
    this.#size = 0
  }

  /** The number of a place; `tell` is called when the worker does not know it yet. */
  numberOf({ destination, source, limits }: WorkPlace, tell: (told: Told) => void): number {
    const there = this.#byDestination.get(destination)
    const known = there?.find(({ place }) => place.source === source && place.limits === limits)
    if (known !== undefined) return known.number
    const told: Told = { number: ++this.#last, place: { destination, source, ...(limits !== undefined && { limits }) } }
    if (there === undefined) this.#byDestination.set(destination, [told])
    else there.push(told)
    this.#size++
    tell(told)
    return told.number
  }

  /** To be asked between two batches: too many are known, and both ends are to begin anew. */
  get isFull(): boolean {
    return this.#size >= MOST
  }
}
