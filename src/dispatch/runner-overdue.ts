// Nothing of ours keeps a message beyond its life: every minute lanes that wait at a limit, for a suspension to end or for
// a source are looked at, and those in them whose life is over are ended. One timer while anybody waits, none otherwise.
// A look reads so many recipients and no more, however many lanes wait; a lane in which nothing has changed is left alone
// until the first in it is over.

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
  /** Recipients that are read in one look, in all lanes. What is not come to is first in the next. */
  readonly mostRead?: number
}

/** Due recipients of a lane that are read in one look. Those that are tried again stand among younger ones. */
const MOST_READ = 100
/** In all lanes: half a second's worth in a minute. */
const MOST_READ_IN_ALL = 50_000
/** Where not all were seen, or others have come since. */
const LOOK_AGAIN = HOUR

/** What is known of a lane. */
interface Look {
  readonly at: EpochMs
  /** Until when nobody of those who stood in it needs to be looked at. */
  readonly overAt: EpochMs
  /** Lane.woken. */
  readonly woken: number
}

export class OverdueLook {
  readonly #parts: OverdueLookParts
  readonly #looks = new WeakMap<Lane, Look>()
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
    let waiting = 0
    try {
      waiting = await this.#endAll()
    } finally {
      this.#isLooking = false
    }
    if (waiting > 0) this.arm()
  }

  /** Ends whose life is over, as many as one look may; how many lanes are kept back. */
  async #endAll(): Promise<number> {
    const { lanes, clock, mostRead = MOST_READ_IN_ALL } = this.#parts
    const waiting = [...lanes()].map((lane) => ({ lane, overAt: this.#overAt(lane) }))
    const over = waiting.filter(({ overAt }) => overAt <= clock.now()).sort((a, b) => a.overAt - b.overAt)
    let left = mostRead
    // One after the other: however many lanes are over at once, memory holds one lane's worth, and mail goes on.
    for (const { lane } of over) {
      if (this.#isClosed || left <= 0) break
      left -= await this.#end(lane, left)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return waiting.length
  }

  #overAt(lane: Lane): EpochMs {
    const look = this.#looks.get(lane)
    if (look === undefined) return 0
    return look.woken === lane.woken ? look.overAt : Math.min(look.overAt, look.at + LOOK_AGAIN)
  }

  /** Ends those of the lane whose life is over; how many were read. */
  async #end(lane: Lane, most: number): Promise<number> {
    const { clock, logger } = this.#parts
    let read = 0
    try {
      for (;;) {
        const limit = Math.min(MOST_READ, most - read)
        const some = await this.#endSome(lane, limit)
        read += some.read
        if (some.ended < limit || read >= most || this.#isClosed) return read
      }
    } catch (error) {
      // No room in the store: in a minute.
      this.#looks.set(lane, { at: clock.now(), overAt: clock.now(), woken: lane.woken })
      logger.warn({ event: 'runner.claim-failed', err: error }, 'claiming recipients failed')
      return read
    }
  }

  async #endSome(lane: Lane, limit: number): Promise<{ readonly read: number; readonly ended: number }> {
    const { queue, attempts, clock } = this.#parts
    const at = clock.now()
    const { woken } = lane
    let firstEnd = Number.POSITIVE_INFINITY
    let read = 0
    const { flights, nextDue } = await queue.claim(lane, limit, ({ expiresAt }) => {
      read++
      if (expiresAt <= at) return { waitMs: MINUTE }
      firstEnd = Math.min(firstEnd, expiresAt)
      return 'pass'
    })
    // Who is not due yet is not over before; who stood behind the last that was read may be.
    const again = read < limit ? Math.max(nextDue ?? Number.POSITIVE_INFINITY, at + LOOK_AGAIN) : at + LOOK_AGAIN
    this.#looks.set(lane, { at, overAt: Math.min(firstEnd, again), woken })
    attempts.begin(flights.length)
    await Promise.all(flights.map((flight) => attempts.turnAway(flight)))
    return { read, ended: flights.length }
  }
}
