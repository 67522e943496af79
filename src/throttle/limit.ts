// A limit as messages meet it: who waits there, since when, and when one that is put off comes back. What it gives is up to
// its limiter: a rate (rate-limit.ts), or places that are free again when an attempt ends.

import type { Rate } from '../config/units.ts'
import { HOUR, MINUTE, SECOND } from '../util/clock.ts'
import type { RateLimiter, Returns } from './rate-limit.ts'
import { type Waited, Waiting } from './waiting.ts'

/** Limits are woken together this often, so that permits come in handfuls. */
export const TICK_MS = 20
const SHORTEST_SPACING_MS = 5
const LONGEST_SPACING_MS = 10 * SECOND
/** What a receiver has caused may be over any moment: nobody is put off for longer. */
const LONGEST_AT_LEARNED = 15 * MINUTE
const SLOTS_KEPT_MS = HOUR
/** Who was woken and comes back within this time has not stopped waiting. */
const BREAK_MS = 5 * SECOND
const LEARNED = /^(?:pace|slow) /

/** Somebody of a tenant who waits: a line of a site. */
export interface Waiter {
  /** May hand over up to `permits` now. */
  wake(tenant: string, permits: number): void
}

export class Limit {
  readonly name: string
  readonly rate: Rate | undefined
  readonly limiter: RateLimiter
  readonly waiting = new Waiting<Waiter>()
  /** Monotonic: since when somebody has waited, but for short breaks. Never undefined, so that it is written in place. */
  waitingSince = Number.NEGATIVE_INFINITY
  #emptySince = Number.NEGATIVE_INFINITY
  /** Due in the heap. */
  dueAt = Number.POSITIVE_INFINITY
  lastUseAt = Number.NEGATIVE_INFINITY
  /** Until when messages have been put off because of it; of a quota: how many more come back then. */
  #reservedUntil = Number.NEGATIVE_INFINITY
  #leftThere = 0
  /** Until when one that came early has the next permit. */
  #earlyUntil = Number.NEGATIVE_INFINITY

  constructor(name: string, limiter: RateLimiter, rate?: Rate) {
    this.name = name
    this.limiter = limiter
    this.rate = rate
  }

  wait(tenant: string, waiter: Waiter, now: number): void {
    if (this.waiting.size === 0 && now - this.#emptySince > BREAK_MS) this.waitingSince = now
    this.waiting.add(tenant, waiter)
  }

  /** Whose turn it is, taken out. */
  next(now: number): Waited<Waiter> | undefined {
    const next = this.waiting.next()
    if (next !== undefined && this.waiting.size === 0) this.#emptySince = now
    return next
  }

  /** Everybody, taken out. */
  drain(now: number): readonly Waited<Waiter>[] {
    if (this.waiting.size > 0) this.#emptySince = now
    return this.waiting.drain()
  }

  /** For one message that is put off: as many come back in a stretch of time as there will be permits. */
  reserve(now: number): number {
    // When a place comes free nobody knows: as often as lately.
    const spacingMs = this.rate === undefined ? this.#betweenEnds(now) : this.rate.per / this.rate.count
    if (this.limiter.isBrief?.(now) === true) return TICK_MS
    const knownMs = this.limiter.waitMs(now)
    const waitMs = knownMs === Number.POSITIVE_INFINITY ? spacingMs : knownMs
    const next = this.#nextReturn(now) ?? { at: Math.max(this.#reservedUntil + spacingMs, now + waitMs), count: 1 }
    const hasPlace = this.limiter.returns !== undefined && next.at - now <= waitMs
    // Came a little early: it has the next permit, rather than a place at the end.
    if (!hasPlace && waitMs <= spacingMs && this.#earlyUntil <= now) {
      this.#earlyUntil = now + waitMs
      return waitMs
    }
    // Once round again, rather than all of them at the end.
    const isTooLate = LEARNED.test(this.name) && next.at - now > LONGEST_AT_LEARNED
    this.#reservedUntil = isTooLate ? now + waitMs : next.at
    this.#leftThere = isTooLate ? 0 : next.count - 1
    return this.#reservedUntil - now
  }

  /** Of a quota: what was taken together comes back together, and as many may come for it. */
  #nextReturn(now: number): Returns | undefined {
    if (this.#reservedUntil > now && this.#leftThere > 0) return { at: this.#reservedUntil, count: this.#leftThere }
    return this.limiter.returns?.(now, Math.max(now, this.#reservedUntil))
  }

  /** Nobody waits here, and nothing that was given counts any more. */
  isOver(now: number): boolean {
    if (this.waiting.size > 0) return false
    if (this.limiter instanceof Slots) return this.limiter.isIdle && this.lastUseAt + SLOTS_KEPT_MS <= now
    const { per, count } = this.rate ?? { per: 0, count: 1 }
    // A pace of less than one in its span counts for as long as it takes to the next.
    return this.lastUseAt + per / Math.min(1, count) <= now
  }

  #betweenEnds(now: number): number {
    return this.limiter instanceof Slots ? this.limiter.betweenEnds(now) : SECOND
  }
}

/** What a message took, to be given back when it was not sent. */
export interface Permit {
  readonly limits: readonly Limit[]
  readonly takenAt: number
  /** Those of them that give a place back when the attempt ends. */
  readonly places?: readonly Limit[]
  /** Which source the message leaves from. */
  readonly source?: string
}

/** Places that attempts take and give back. */
export class Slots implements RateLimiter {
  slots: number
  #taken = 0
  #endedAt: number | undefined
  #spacingMs = SECOND

  constructor(slots: number) {
    this.slots = slots
  }

  available(): number {
    return Math.max(0, this.slots - this.#taken)
  }

  get isIdle(): boolean {
    return this.#taken === 0
  }

  waitMs(): number {
    return this.available() > 0 ? 0 : Number.POSITIVE_INFINITY
  }

  take(): void {
    this.#taken++
  }

  giveBack(): void {
    this.#taken--
  }

  /** An attempt has ended: how often that happens says when the next place comes free. */
  ended(now: number): void {
    this.giveBack()
    if (this.#endedAt !== undefined) this.#spacingMs += (now - this.#endedAt - this.#spacingMs) / 8
    this.#endedAt = now
  }

  betweenEnds(now: number): number {
    const sinceMs = this.#endedAt === undefined ? 0 : now - this.#endedAt
    return Math.min(LONGEST_SPACING_MS, Math.max(SHORTEST_SPACING_MS, this.#spacingMs, sinceMs))
  }
}
