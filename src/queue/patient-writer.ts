// Writes that must not be lost and must not overtake each other: outcomes and operators' changes. While the store has
// no room they wait here in the order they were made, because each was composed on top of the one before. What is under
// way is therefore bounded by what is in flight.

import type { Logger } from '../observe/logger.ts'
import { type Store, StoreError, type Write } from '../store/store.ts'
import { type Clock, SECOND } from '../util/clock.ts'

interface Stalled {
  readonly compose: () => readonly Write[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const RETRY_MS = SECOND

export class PatientWriter {
  readonly #parts: { readonly store: Store; readonly clock: Clock; readonly logger: Logger }
  #stalled: Stalled[] = []
  #isDraining = false

  constructor(parts: { readonly store: Store; readonly clock: Clock; readonly logger: Logger }) {
    this.#parts = parts
  }

  /** Something made earlier still waits for room: whoever writes beside this writer would overtake it. */
  get isStalled(): boolean {
    return this.#stalled.length > 0
  }

  /**
   * Resolves when the writes are durable. `compose` is called once for each try, so that what depends on the order of
   * commits (a place in the journal) is made anew. Rejects when the store has failed or is closed.
   */
  write(compose: () => readonly Write[]): Promise<void> {
    if (this.#stalled.length > 0) return this.#stall(compose)
    return this.#parts.store.write(compose(), 'soon').catch((error: unknown) => {
      if (!isFull(error)) throw error
      return this.#stall(compose)
    })
  }

  #stall(compose: Stalled['compose']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stalled.push({ compose, resolve, reject })
      if (!this.#isDraining) void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    const { store, clock, logger } = this.#parts
    this.#isDraining = true
    logger.warn({ event: 'waits-for-room' }, 'outcomes wait to be written: there is no room in the store')
    while (this.#stalled.length > 0) {
      await clock.sleep(RETRY_MS)
      // All at once, in order: they share a commit, and when there is still no room they fail together.
      const tries = this.#stalled.map((stalled) => ({ stalled, written: store.write(stalled.compose()) }))
      const ends = await Promise.allSettled(tries.map(({ written }) => written))
      const done = new Set<Stalled>()
      for (const [at, { stalled }] of tries.entries()) {
        const end = ends[at]
        if (end?.status === 'rejected' && isFull(end.reason)) continue
        done.add(stalled)
        if (end?.status === 'rejected') stalled.reject(end.reason)
        else stalled.resolve()
      }
      this.#stalled = this.#stalled.filter((stalled) => !done.has(stalled))
    }
    this.#isDraining = false
  }
}

function isFull(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'full'
}
