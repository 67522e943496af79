// What a receiver took over the last seconds, minutes and hours: fading sums, one for each length, so that a limit by the
// hour can be told from one by the second without keeping times. Time in which it took nothing is not counted here.

import { HOUR, MINUTE, SECOND } from '../util/clock.ts'

interface Fading {
  readonly lengthMs: number
  taken: number
  /** How much time it knows, at most its length. */
  knownMs: number
}

const LENGTHS = [10 * SECOND, MINUTE, 10 * MINUTE, HOUR]
/** Known for so much of its length, a steady pace is a steady pace. */
const STEADY = 0.6

export class Memory {
  readonly #fading: readonly Fading[]

  /** `rate`: what it is to remember, per second. */
  constructor(rate?: number) {
    this.#fading = LENGTHS.map((lengthMs) => ({
      lengthMs,
      taken: ((rate ?? 0) * lengthMs) / SECOND,
      knownMs: rate === undefined ? 0 : lengthMs,
    }))
  }

  passed(ms: number): void {
    for (const fading of this.#fading) {
      const left = Math.exp(-ms / fading.lengthMs)
      fading.taken *= left
      fading.knownMs = fading.knownMs * left + fading.lengthMs * (1 - left)
    }
  }

  took(): void {
    for (const fading of this.#fading) fading.taken++
  }

  /** How much it knows of the time before a silence of this length. */
  knownMs(silenceMs: number): number {
    return this.#before(silenceMs).knownMs
  }

  /**
   * Per second, what the receiver can take that was silent for so long. Had it taken a steady pace for longer than that,
   * it is this pace. A heap and then silence is a quota: what it took, over both the time of taking and the silence.
   */
  rate(silenceMs: number): number {
    const { taken, knownMs, lengthMs } = this.#before(silenceMs)
    const overMs = knownMs > STEADY * lengthMs ? knownMs : knownMs + silenceMs
    return (taken * SECOND) / Math.max(SECOND, overMs)
  }

  /** Per second, over the last hour, as far as it is known. */
  usual(): number {
    const hour = this.#before(HOUR)
    return (hour.taken * SECOND) / Math.max(MINUTE, hour.knownMs)
  }

  #before(silenceMs: number): Fading {
    const found = this.#fading.find(({ lengthMs }) => lengthMs >= silenceMs) ?? this.#fading.at(-1)
    if (found === undefined) throw new Error('a memory of nothing')
    return found
  }
}
