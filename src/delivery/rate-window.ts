// "At most N in any T": a sliding window over the times of the last N events. Exact, at the price of N numbers.

import type { Rate } from '../config/units.ts'
import type { Clock } from '../util/clock.ts'

export class RateWindow {
  readonly #clock: Clock
  readonly #rate: Rate
  /** Monotonic times, oldest first. */
  #times: number[] = []
  #start = 0

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock
    this.#rate = rate
  }

  /** Counts one event and gives 0, or gives how long to wait before asking again. */
  take(): number {
    const now = this.#clock.monotonic()
    while (this.#start < this.#times.length && (this.#times[this.#start] ?? now) <= now - this.#rate.per) this.#start++
    if (this.#start > this.#rate.count) {
      this.#times = this.#times.slice(this.#start)
      this.#start = 0
    }
    if (this.#times.length - this.#start < this.#rate.count) {
      this.#times.push(now)
      return 0
    }
    return (this.#times[this.#start] ?? now) + this.#rate.per - now
  }
}
