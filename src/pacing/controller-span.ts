// What was heard in one span of time: two numbers, from which paces and shares are told.

import { SECOND } from '../util/clock.ts'

export class Span {
  readonly #from: number
  #attempts = 0
  #accepted = 0

  constructor(from: number) {
    this.#from = from
  }

  get attempts(): number {
    return this.#attempts
  }

  get putOffShare(): number {
    return this.#attempts === 0 ? 0 : 1 - this.#accepted / this.#attempts
  }

  heard(isAccepted: boolean): void {
    this.#attempts++
    if (isAccepted) this.#accepted++
  }

  lengthMs(at: number): number {
    return Math.max(0, at - this.#from)
  }

  /** Per second. A handful within a moment is a handful a second, not thousands. */
  attempted(at: number): number {
    return (this.#attempts * SECOND) / Math.max(SECOND, this.lengthMs(at))
  }
}
