// The one deadline of a connection. Absolute: nothing the server does moves it. Setting it costs a comparison as long as
// a timer stands that rings no later; the timer then finds the deadline moved and sets itself anew, so that a connection
// has one timer for all its messages.

import { type Clock, SECOND, type Timer } from '../util/clock.ts'

const NEVER = Number.POSITIVE_INFINITY

export class Deadline {
  readonly #clock: Clock
  readonly #expired: (detail: string) => void
  #at = NEVER
  #afterMs = 0
  #timer: Timer | undefined
  #timerAt = NEVER
  /** No deadline lies after this monotonic time. */
  ceiling = NEVER

  constructor(clock: Clock, expired: (detail: string) => void) {
    this.#clock = clock
    this.#expired = expired
  }

  set(afterMs: number): void {
    this.#at = Math.min(this.#clock.monotonic() + afterMs, this.ceiling)
    this.#afterMs = afterMs
    if (this.#at < this.#timerAt) this.#arm()
  }

  clear(): void {
    this.#at = NEVER
  }

  /** For good: no timer is left. */
  cancel(): void {
    this.#at = NEVER
    this.#timerAt = NEVER
    this.#timer?.cancel()
  }

  #arm(): void {
    this.#timer?.cancel()
    this.#timerAt = this.#at
    this.#timer = this.#clock.after(this.#at - this.#clock.monotonic(), () => this.#ring())
  }

  #ring(): void {
    this.#timerAt = NEVER
    if (this.#at === NEVER) return
    if (this.#clock.monotonic() < this.#at) this.#arm()
    else
      this.#expired(
        this.#at === this.ceiling ? 'the time for the attempt is over' : `no answer within ${this.#afterMs / SECOND} s`,
      )
  }
}
