// What silences have taught: a receiver that stopped taking anything is approached more carefully afterwards, the more so
// the longer the silence was and the sooner it came again. Up to the pace known to be good nothing of this holds.

import { HOUR } from '../util/clock.ts'

/** Where a pace that ended in silence may not go for a while: first this share of it, each time a little less. */
const KEPT_AWAY = { first: 0.95, each: 0.05, last: 0.9 }
/** For so many silences' length, each time as many times longer, and never longer than this. */
const HOLD = { lengths: 2, growth: 4, mostMs: 4 * HOUR }
/** Nearer to the pace that ended in silence than this, steps are small. */
const PAST = 1.2
const SMALL_STEP = 0.01
/** Beyond what is known to be good, steps take at least this share of the last silence. */
const STEP_OF_SILENCE = 1 / 10

export interface CautionSnapshot {
  readonly silenceMs: number
  readonly brokeAt: number | undefined
  readonly keptAt: number
  readonly holdMs: number
  readonly holdLeftMs: number
  readonly repeats: number
}

export class Caution {
  #silenceMs = 0
  /** The pace that ended in silence; per second. */
  #brokeAt: number | undefined
  #keptAt = 0
  #holdMs = 0
  #holdUntil = Number.NEGATIVE_INFINITY
  #repeats = 0

  /** Least time between two steps beyond the ceiling. */
  get stepMs(): number {
    return this.#silenceMs * STEP_OF_SILENCE
  }

  /** `limit`: the pace at which trouble began; undefined where there was none, and so nothing to keep away from. */
  heardSilence(silenceMs: number, limit: number | undefined, at: number): void {
    this.#silenceMs = Math.max(silenceMs, this.#silenceMs / 2)
    this.#brokeAt = limit
    if (limit === undefined) return
    if (at > this.#holdUntil + HOLD.growth * this.#holdMs + HOUR) this.#repeats = 0
    this.#keptAt = limit * Math.max(KEPT_AWAY.last, KEPT_AWAY.first - KEPT_AWAY.each * this.#repeats)
    this.#holdMs = Math.min(HOLD.mostMs, HOLD.lengths * silenceMs * HOLD.growth ** this.#repeats)
    this.#holdUntil = at + this.#holdMs
    this.#repeats++
  }

  /** Where a step from this pace may lead at most. */
  most(rate: number, at: number): number {
    if (this.#brokeAt === undefined) return Number.POSITIVE_INFINITY
    if (at < this.#holdUntil) return this.#keptAt
    return rate > this.#keptAt * 0.99 && rate < this.#brokeAt * PAST
      ? rate * (1 + SMALL_STEP)
      : Number.POSITIVE_INFINITY
  }

  snapshot(at: number): CautionSnapshot {
    return {
      silenceMs: this.#silenceMs,
      brokeAt: this.#brokeAt,
      keptAt: this.#keptAt,
      holdMs: this.#holdMs,
      holdLeftMs: Math.max(0, this.#holdUntil - at),
      repeats: this.#repeats,
    }
  }

  restore(from: Partial<CautionSnapshot>, at: number): void {
    this.#silenceMs = from.silenceMs ?? 0
    this.#brokeAt = from.brokeAt
    this.#keptAt = from.keptAt ?? 0
    this.#holdMs = from.holdMs ?? 0
    this.#holdUntil = at + (from.holdLeftMs ?? 0)
    this.#repeats = from.repeats ?? 0
  }
}
