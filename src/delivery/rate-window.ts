// "At most N in any T": a sliding window over the times of the last N events. Exact, at the price of N numbers. In memory:
// a restart begins anew, which is why spans are short (connectionRate in config/units.ts).

import type { Rate } from '../config/units.ts'
import type { Clock } from '../util/clock.ts'

export class RateWindow {
  readonly #clock: Clock
  readonly #rate: Rate
  /** Monotonic times, oldest first. */
  #times: number[] = []
  #start = 0

  /** `before`: what it counted counts at this rate too. */
  constructor(clock: Clock, rate: Rate, before?: RateWindow) {
    this.#clock = clock
    this.#rate = rate
    if (before !== undefined) this.#times = before.#times.slice(before.#start)
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
    // The one that has to be over: of a window that counted more, not the oldest.
    return (this.#times[this.#times.length - this.#rate.count] ?? now) + this.#rate.per - now
  }
}
