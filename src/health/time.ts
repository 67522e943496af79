// The time that health is counted in: the wall clock, but a step of it is told instead of taken. Windows are about how
// long ago something was, and a clock that is set right must not empty them, or put the next hours into one.

import { type Clock, SECOND } from '../util/clock.ts'

/** What NTP does while it slews is no step. */
const TOLERANCE_MS = 30 * SECOND

export class SteadyTime {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>
  #offset: number

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#clock = clock
    this.#offset = clock.now() - clock.monotonic()
  }

  now(): number {
    return this.#clock.monotonic() + this.#offset
  }

  /** Follows the wall clock. After a step: what time it was, and what time it is said to be; the caller moves what it has. */
  follow(): { readonly before: number; readonly after: number } | undefined {
    const before = this.now()
    const after = this.#clock.now()
    this.#offset += after - before
    return Math.abs(after - before) > TOLERANCE_MS ? { before, after } : undefined
  }
}
