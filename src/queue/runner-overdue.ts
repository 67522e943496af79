// A limit must not keep a message beyond its life: every minute those at the head of lanes that wait are looked at.
// One timer while anybody waits, none otherwise.

import type { Clock, EpochMs, Timer } from '../util/clock.ts'
import { MINUTE } from '../util/clock.ts'
import type { Lane } from './lanes.ts'
import type { SiteLine } from './turns.ts'

export interface OverdueLookParts {
  readonly clock: Clock
  readonly lines: () => Iterable<SiteLine>
  /** Ends those of the lane whose life is over. */
  readonly end: (line: SiteLine, lane: Lane) => void
}

export class OverdueLook {
  readonly #parts: OverdueLookParts
  /** When the life of the first message of a lane that waits at a limit is over. */
  readonly #overAt = new WeakMap<Lane, EpochMs>()
  #timer: Timer | undefined
  #isClosed = false

  constructor(parts: OverdueLookParts) {
    this.#parts = parts
  }

  /** Somebody waits at a limit. */
  arm(): void {
    if (!this.#isClosed) this.#timer ??= this.#parts.clock.after(MINUTE, () => this.#look())
  }

  /** Until then nobody of the lane needs to be looked at. */
  note(lane: Lane, overAt: EpochMs): void {
    this.#overAt.set(lane, overAt)
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #look(): void {
    this.#timer = undefined
    const { clock, lines, end } = this.#parts
    const now = clock.now()
    let isAnyBlocked = false
    for (const line of lines()) {
      for (const lane of line.blockedLanes()) {
        isAnyBlocked = true
        if ((this.#overAt.get(lane) ?? 0) <= now) end(line, lane)
      }
    }
    if (isAnyBlocked) this.arm()
  }
}
