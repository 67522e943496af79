// Nothing of ours keeps a message beyond its life: every minute lanes that wait at a limit, for a suspension to end or for
// a source are looked at, and those in them whose life is over are ended. One timer while anybody waits, none otherwise.

import type { Logger } from '../observe/logger.ts'
import type { Queue } from '../queue/queue.ts'
import type { Clock, EpochMs, Timer } from '../util/clock.ts'
import { HOUR, MINUTE } from '../util/clock.ts'
import type { Lane } from './lanes.ts'
import type { Attempts } from './runner-attempts.ts'

export interface OverdueLookParts {
  readonly queue: Pick<Queue, 'claim'>
  readonly attempts: Pick<Attempts, 'begin' | 'turnAway'>
  readonly clock: Clock
  readonly logger: Logger
  /** Those that are kept back at this moment. */
  readonly lanes: () => Iterable<Lane>
}

/** Due recipients of a lane that are read in one look. Those that are tried again stand among younger ones. */
const MOST_READ = 100
/** Younger ones may have come to stand before those that were seen. */
const LOOK_AGAIN = HOUR

export class OverdueLook {
  readonly #parts: OverdueLookParts
  /** Until when nobody of a lane needs to be looked at. */
  readonly #overAt = new WeakMap<Lane, EpochMs>()
  #timer: Timer | undefined
  #isLooking = false
  #isClosed = false

  constructor(parts: OverdueLookParts) {
    this.#parts = parts
  }

  /** Somebody waits. */
  arm(): void {
    if (this.#isClosed || this.#isLooking) return
    this.#timer ??= this.#parts.clock.after(MINUTE, () => void this.#look())
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    this.#timer = undefined
    this.#isLooking = true
    const waiting = [...this.#parts.lanes()]
    // One after the other: however many lanes are over at once, memory holds one lane's worth, and mail goes on.
    for (const lane of waiting) {
      if (this.#isClosed) break
      if ((this.#overAt.get(lane) ?? 0) > this.#parts.clock.now()) continue
      await this.#end(lane)
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#isLooking = false
    if (waiting.length > 0) this.arm()
  }

  /** Ends those of the lane whose life is over. */
  async #end(lane: Lane): Promise<void> {
    const { clock, logger } = this.#parts
    try {
      let ended = MOST_READ
      while (ended === MOST_READ && !this.#isClosed) ended = await this.#endSome(lane)
    } catch (error) {
      // No room in the store: in a minute.
      this.#overAt.set(lane, clock.now())
      logger.warn({ event: 'runner.claim-failed', err: error }, 'claiming recipients failed')
    }
  }

  async #endSome(lane: Lane): Promise<number> {
    const { queue, attempts, clock } = this.#parts
    let firstEnd = clock.now() + LOOK_AGAIN
    const { flights } = await queue.claim(lane, MOST_READ, ({ expiresAt }) => {
      if (expiresAt <= clock.now()) return { waitMs: MINUTE }
      firstEnd = Math.min(firstEnd, expiresAt)
      return 'pass'
    })
    this.#overAt.set(lane, firstEnd)
    attempts.begin(flights.length)
    await Promise.all(flights.map((flight) => attempts.turnAway(flight)))
    return flights.length
  }
}
