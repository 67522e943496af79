// "At most N in any T", in two kinds. A short span is paced: evenly spread, and up to a quarter of a second that was lost to
// other work is made good (not what passed with nothing to send), so that the mean is exact. A long span is a quota: N at
// once if need be, and never more than N in any T, wherever it begins. Pure: times come in, permits go out. Monotonic time,
// so steps of the clock do not matter.

import type { Rate } from '../config/units.ts'
import { MINUTE, SECOND } from '../util/clock.ts'

export interface RateLimiter {
  /** Permits that may be taken now. */
  available(now: number): number
  /** Until one is available, as far as can be known; 0 = now. */
  waitMs(now: number): number
  take(now: number): void
  /** What the rate itself would give now. */
  left?(now: number): number
  /** Permits are on their way: it is not the rate that says no. */
  isBrief?(now: number): boolean
  /** Of a quota: when permits come back together, the first time after `after`, and how many. */
  returns?(now: number, after: number): Returns
  /** The permit was not used. */
  giveBack(takenAt: number): void
}

export interface Returns {
  readonly at: number
  readonly count: number
}

/** From this span on a rate is a quota. */
export const QUOTA_FROM_MS = MINUTE
const CATCH_UP_MS = 250
/** Who comes later than this was not held up: there was nothing to send. */
const PAUSE_MS = SECOND

/** Virtual scheduling (GCRA): one number, whatever the rate. */
export class Pace implements RateLimiter {
  readonly #spacingMs: number
  /** When the next one would be due, had all been evenly spread. */
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(rate: Rate) {
    this.#spacingMs = rate.per / rate.count
  }

  available(now: number): number {
    const from = this.#from(now)
    return from > now ? 0 : Math.floor((now - from) / this.#spacingMs) + 1
  }

  waitMs(now: number): number {
    return Math.max(0, this.#nextAt - now)
  }

  take(now: number): void {
    this.#nextAt = this.#from(now) + this.#spacingMs
  }

  giveBack(): void {
    this.#nextAt -= this.#spacingMs
  }

  /** The same at another rate: the wait after what was sent last is the new one. */
  at(rate: Rate): Pace {
    const made = new Pace(rate)
    made.#nextAt = this.#nextAt - this.#spacingMs + made.#spacingMs
    return made
  }

  /** Time that was lost is made good; a pause is not, so that no path begins with a burst. */
  #from(now: number): number {
    return now - this.#nextAt > PAUSE_MS ? now : Math.max(this.#nextAt, now - CATCH_UP_MS)
  }
}

/** How many were taken in one piece of the span, which ended `ageMs` ago; less than 0 while it lasts. */
export interface Piece {
  readonly ageMs: number
  readonly count: number
}

const PIECES = 200
/** What was brought back keeps its own ends, so that it does not age from start to start; many starts bring many. */
const MOST_BROUGHT_BACK = 4 * PIECES

/**
 * A sliding window cut into pieces: what was taken in a piece counts until the whole of it is out of the span. So the
 * bound is exact, and a half per cent of the rate is the price of not keeping every single time.
 */
export class Quota implements RateLimiter {
  readonly #limit: number
  readonly #spanMs: number
  readonly #pieceMs: number
  /** End of the piece of time → taken in it; oldest first. */
  readonly #taken = new Map<number, number>()
  #used = 0

  constructor(rate: Rate, now: number, earlier: readonly Piece[] = []) {
    this.#limit = rate.count
    this.#spanMs = rate.per
    this.#pieceMs = rate.per / PIECES
    const sorted = earlier.toSorted((a, b) => b.ageMs - a.ageMs)
    for (const [at, { ageMs, count }] of sorted.entries()) {
      // Two and two count for as long as the younger of them.
      const until = sorted.length > MOST_BROUGHT_BACK ? (sorted[at | 1]?.ageMs ?? ageMs) : ageMs
      this.#add(now - Math.max(0, until), count)
    }
  }

  get used(): number {
    return this.#used
  }

  get limit(): number {
    return this.#limit
  }

  available(now: number): number {
    this.#forget(now)
    return Math.max(0, this.#limit - this.#used)
  }

  waitMs(now: number): number {
    return this.available(now) > 0 ? 0 : this.returns(now, now).at - now
  }

  /** Beyond the span as if all that come back were taken again at once. */
  returns(now: number, after: number): Returns {
    this.#forget(now)
    const [oldest = after] = this.#taken.keys()
    const cycle = Math.max(0, Math.floor((after - oldest - this.#spanMs) / this.#cycleMs))
    return this.#returnsIn(cycle, after) ?? this.#returnsIn(cycle + 1, after) ?? { at: after, count: this.#limit }
  }

  take(now: number): void {
    this.#add(this.#endOf(now), 1)
  }

  giveBack(takenAt: number): void {
    const end = this.#endOf(takenAt)
    const count = this.#taken.get(end)
    if (count === undefined) return
    this.#used--
    if (count > 1) this.#taken.set(end, count - 1)
    else this.#taken.delete(end)
  }

  pieces(now: number): Piece[] {
    this.#forget(now)
    return [...this.#taken].map(([end, count]) => ({ ageMs: now - end, count }))
  }

  #returnsIn(cycle: number, after: number): Returns | undefined {
    // Of a rate that was lowered: they come back to nobody.
    let excess = Math.max(0, this.#used - this.#limit)
    for (const [end, taken] of this.#taken) {
      const count = Math.max(0, taken - excess)
      excess = Math.max(0, excess - taken)
      const at = end + this.#spanMs + cycle * this.#cycleMs
      if (count > 0 && at > after) return { at, count }
    }
    return undefined
  }

  /** From one use of a permit to the next. */
  get #cycleMs(): number {
    return this.#spanMs + this.#pieceMs
  }

  #endOf(at: number): number {
    return (Math.floor(at / this.#pieceMs) + 1) * this.#pieceMs
  }

  #add(end: number, count: number): void {
    this.#taken.set(end, (this.#taken.get(end) ?? 0) + count)
    this.#used += count
  }

  #forget(now: number): void {
    for (const [end, count] of this.#taken) {
      if (end + this.#spanMs > now) return
      this.#taken.delete(end)
      this.#used -= count
    }
  }
}

export function isQuota(rate: Rate): boolean {
  return rate.per >= QUOTA_FROM_MS
}
