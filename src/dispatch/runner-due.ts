// The one timer of all lanes: at the time the first of them is due.

import type { LaneName } from '../mail/message.ts'
import { type Clock, type EpochMs, MINUTE, type Timer } from '../util/clock.ts'
import type { Lane, Lanes } from './lanes.ts'

export interface DueTimerParts {
  readonly lanes: Lanes
  readonly clock: Clock
  readonly onDue: (lane: Lane) => void
}

export class DueTimer {
  readonly #parts: DueTimerParts
  #timer: { readonly at: EpochMs; readonly timer: Timer } | undefined
  #isClosed = false

  constructor(parts: DueTimerParts) {
    this.#parts = parts
  }

  wake(lane: LaneName, dueAt: EpochMs): void {
    this.#parts.lanes.wake(lane, dueAt)
    if (this.#timer === undefined || dueAt < this.#timer.at) this.arm()
  }

  /** Lanes were parked or woken. */
  arm(): void {
    this.#timer?.timer.cancel()
    this.#timer = undefined
    const { lanes, clock } = this.#parts
    const dueAt = lanes.nextDue
    if (dueAt === undefined || this.#isClosed) return
    // Woken at least once a minute, so that a step of the wall clock is noticed.
    const delay = Math.min(Math.max(0, dueAt - clock.now()), MINUTE)
    this.#timer = { at: dueAt, timer: clock.after(delay, () => this.#takeDue()) }
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.timer.cancel()
  }

  #takeDue(): void {
    if (this.#isClosed) return
    const { lanes, clock, onDue } = this.#parts
    const now = clock.now()
    for (;;) {
      const lane = lanes.takeDue(now)
      if (lane === undefined) break
      onDue(lane)
    }
    this.arm()
  }
}
