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
  /** The permit was not used. */
  giveBack(takenAt: number): void
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

/** How many were taken in one piece of the span that ended `ageMs` ago at the latest. */
export interface Piece {
  readonly ageMs: number
  readonly count: number
}

const PIECES = 200

/**
 * A sliding window cut into pieces: what was taken in a piece counts until the whole of it is out of the span. So the
 * bound is exact, and a half per cent of the rate is the price of not keeping every single time.
 */
export class Quota implements RateLimiter {
  readonly #limit: number
  readonly #spanMs: number
  readonly #pieceMs: number
  /** Number of the piece of time → taken in it; oldest first. */
  readonly #taken = new Map<number, number>()
  #used = 0

  constructor(rate: Rate, now: number, earlier: readonly Piece[] = []) {
    this.#limit = rate.count
    this.#spanMs = rate.per
    this.#pieceMs = rate.per / PIECES
    for (const { ageMs, count } of earlier.toSorted((a, b) => b.ageMs - a.ageMs))
      this.#add(now - Math.max(0, ageMs), count)
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
    if (this.available(now) > 0) return 0
    const [oldest = 0] = this.#taken.keys()
    return Math.max(0, (oldest + 1) * this.#pieceMs + this.#spanMs - now)
  }

  take(now: number): void {
    this.#add(now, 1)
  }

  giveBack(takenAt: number): void {
    const piece = Math.floor(takenAt / this.#pieceMs)
    const count = this.#taken.get(piece)
    if (count === undefined) return
    this.#used--
    if (count > 1) this.#taken.set(piece, count - 1)
    else this.#taken.delete(piece)
  }

  pieces(now: number): Piece[] {
    this.#forget(now)
    return [...this.#taken].map(([piece, count]) => ({ ageMs: now - piece * this.#pieceMs, count }))
  }

  #add(at: number, count: number): void {
    const piece = Math.floor(at / this.#pieceMs)
    this.#taken.set(piece, (this.#taken.get(piece) ?? 0) + count)
    this.#used += count
  }

  #forget(now: number): void {
    for (const [piece, count] of this.#taken) {
      if ((piece + 1) * this.#pieceMs + this.#spanMs > now) return
      this.#taken.delete(piece)
      this.#used -= count
    }
  }
}

export function isQuota(rate: Rate): boolean {
  return rate.per >= QUOTA_FROM_MS
}
