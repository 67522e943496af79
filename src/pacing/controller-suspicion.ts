// Whether a receiver puts off more than it may: a cumulative sum of what was put off beyond the share that is tolerated
// (CUSUM). One number, whatever the pace: few in a row prove as much as more of them in a hundred.

export interface Evidence {
  readonly weight: number
  readonly at: number
  /** What was put off so long ago proves little now. */
  readonly fadeMs: number
}

export class Suspicion {
  readonly #tolerance: number
  #score = 0
  #heardAt = 0
  /** Since suspicion arose. */
  #attempts = 0
  #accepted = 0
  #refused = 0

  constructor(tolerance: number) {
    this.#tolerance = tolerance
  }

  get score(): number {
    return this.#score
  }

  /** Nothing was taken since suspicion arose. */
  get isSilent(): boolean {
    return this.#accepted === 0
  }

  /** More of it by refusals than by deferrals. */
  get isRefused(): boolean {
    return this.#refused * 2 > this.#attempts - this.#accepted
  }

  /** Share that was taken since suspicion arose; never quite none and never quite all, for few say little. */
  get takenShare(): number {
    return (this.#accepted + 1) / (this.#attempts + 2)
  }

  /** `weight`: 0 for what was taken, 1 for what was put off, more for what was not even let in. */
  heard({ weight, at, fadeMs }: Evidence): void {
    this.#score *= Math.exp(-Math.max(0, at - this.#heardAt) / fadeMs)
    this.#heardAt = at
    this.#score = Math.max(0, this.#score + weight - this.#tolerance)
    if (this.#score === 0) {
      this.clear()
      return
    }
    this.#attempts++
    if (weight === 0) this.#accepted++
    if (weight > 1) this.#refused++
  }

  clear(): void {
    this.#score = 0
    this.#attempts = 0
    this.#accepted = 0
    this.#refused = 0
  }
}
