// Limits that messages count against before they are handed over: rates of a path, provider, source, tenant, tag, and
// places that sites share. A message needs a permit of every one of its limits, all or none. Who finds a limit used up
// waits at it, tenant by tenant in turn, and is woken when there are permits: one timer for all limits, none for messages.
// Invariants: while somebody waits at a limit, nobody passes; permits given out never exceed a limit.

import type { Rate } from '../config/units.ts'
import type { RateLimit, SharedSlots } from '../delivery/delivery.ts'
import type { Clock, Timer } from '../util/clock.ts'
import { MinHeap } from '../util/heap.ts'
import { Limit, type Permit, Slots, TICK_MS, type Waiter } from './limit.ts'
import type { QuotaBook } from './quota-book.ts'
import { isQuota, Pace, type RateLimiter } from './rate-limit.ts'

export interface ThrottleParts {
  readonly clock: Clock
  readonly quotas: QuotaBook
}

const FORGET_EVERY = 1000

export class Throttle {
  readonly #parts: ThrottleParts
  readonly #limits = new Map<string, Limit>()
  readonly #due = new MinHeap<Limit>(({ dueAt }) => dueAt)
  #timer: { readonly at: number; readonly timer: Timer } | undefined
  #made = 0

  constructor(parts: ThrottleParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#limits.size
  }

  /** The limit of this name, made when first used; a changed rate is taken over. */
  rate({ name, rate }: RateLimit): Limit {
    const known = this.#limits.get(name)
    if (known?.rate === rate) return known
    if (known?.rate?.count === rate.count && known.rate.per === rate.per) return known
    const limit = new Limit(name, this.#limiterOf(name, rate, known?.limiter), rate)
    this.#add(limit)
    if (known !== undefined) this.#moveWaiters(known, limit)
    return limit
  }

  /** What was sent just now counts at another rate too. */
  #limiterOf(name: string, rate: Rate, before: RateLimiter | undefined): RateLimiter {
    if (isQuota(rate)) return this.#parts.quotas.open(name, rate)
    return before instanceof Pace ? before.at(rate) : new Pace(rate)
  }

  slots({ name, slots }: SharedSlots): Limit {
    const known = this.#limits.get(name)
    if (known !== undefined) {
      if (known.limiter instanceof Slots) known.limiter.slots = slots
      return known
    }
    const limit = new Limit(name, new Slots(slots))
    this.#add(limit)
    return limit
  }

  /** The first limit that gives nothing now, or what all of them give. */
  budget(limits: readonly Limit[]): { readonly full: Limit } | { readonly permits: number } {
    const now = this.#parts.clock.monotonic()
    let permits = Number.POSITIVE_INFINITY
    for (const limit of limits) {
      const available = limit.limiter.available(now)
      if (available === 0) return { full: limit }
      permits = Math.min(permits, available)
    }
    return { permits }
  }

  /** A permit of every limit, or for how long the message is to be put off. */
  take(limits: readonly Limit[], source?: string): Permit | { readonly waitMs: number; readonly full: Limit } {
    const now = this.#parts.clock.monotonic()
    for (const limit of limits) {
      limit.lastUseAt = now
      if (limit.limiter.available(now) === 0) return { waitMs: limit.reserve(now), full: limit }
    }
    for (const { limiter } of limits) limiter.take(now)
    const places = limits.some(hasPlaces) ? limits.filter(hasPlaces) : undefined
    return {
      limits,
      takenAt: now,
      ...(places !== undefined && { places }),
      ...(source !== undefined && { source }),
    }
  }

  /** Nothing was sent for it. */
  giveBack({ limits, takenAt }: Permit): void {
    for (const limit of limits) {
      limit.limiter.giveBack(takenAt)
      this.#arm(limit)
    }
  }

  /** Its attempt is over: places are free again, rates stay used. */
  ended({ places }: Permit): void {
    if (places === undefined) return
    const now = this.#parts.clock.monotonic()
    for (const limit of places) {
      if (limit.limiter instanceof Slots) limit.limiter.ended(now)
      this.#wake(limit)
    }
  }

  wait(limit: Limit, tenant: string, waiter: Waiter): void {
    limit.wait(tenant, waiter, this.#parts.clock.monotonic())
    this.#arm(limit)
  }

  /** Wakes everybody, to look again: settings have changed. */
  wakeAll(): void {
    for (const limit of this.#limits.values()) {
      for (const { tenant, waiter } of limit.drain(this.#parts.clock.monotonic())) waiter.wake(tenant, 0)
    }
  }

  /** A quota has permits again before its time. */
  look(name: string): void {
    const limit = this.#limits.get(name)
    if (limit !== undefined) this.#wake(limit)
  }

  /** Permits are on their way: not worth going away for. */
  isBrief({ limiter }: Limit): boolean {
    return limiter.isBrief?.(this.#parts.clock.monotonic()) === true
  }

  waitMs(limit: Limit): number {
    return limit.limiter.waitMs(this.#parts.clock.monotonic())
  }

  /** What a limit would still give now, for people. */
  spare(limit: RateLimit): number {
    const { limiter } = this.rate(limit)
    const now = this.#parts.clock.monotonic()
    return limiter.left?.(now) ?? limiter.available(now)
  }

  /** Nothing to be had, and nothing on its way. */
  isUsedUp({ limiter }: Limit): boolean {
    const now = this.#parts.clock.monotonic()
    return limiter.available(now) === 0 && limiter.isBrief?.(now) !== true
  }

  close(): void {
    this.#timer?.timer.cancel()
    this.#timer = undefined
  }

  #add(limit: Limit): void {
    limit.lastUseAt = this.#parts.clock.monotonic()
    this.#limits.set(limit.name, limit)
    if (++this.#made % FORGET_EVERY === 0) this.#forget()
  }

  #moveWaiters(from: Limit, to: Limit): void {
    for (const { tenant, waiter } of from.waiting.drain()) this.wait(to, tenant, waiter)
  }

  /** Limits that nobody has used for as long as they count. */
  #forget(): void {
    const now = this.#parts.clock.monotonic()
    for (const [name, limit] of this.#limits) {
      if (!limit.isOver(now)) continue
      this.#limits.delete(name)
      this.#parts.quotas.forget(name)
    }
  }

  // ---- time

  #arm(limit: Limit): void {
    if (limit.waiting.size === 0) return
    const now = this.#parts.clock.monotonic()
    const waitMs = limit.limiter.waitMs(now)
    if (waitMs === Number.POSITIVE_INFINITY) return
    const dueAt = now + Math.max(waitMs, TICK_MS)
    if (limit.dueAt <= dueAt) return
    limit.dueAt = dueAt
    this.#due.push(limit)
    if (this.#timer === undefined || dueAt < this.#timer.at) this.#setTimer()
  }

  #setTimer(): void {
    this.#timer?.timer.cancel()
    this.#timer = undefined
    const at = this.#due.firstKey
    if (at === Number.POSITIVE_INFINITY) return
    const delayMs = Math.max(1, Math.ceil(at - this.#parts.clock.monotonic()))
    this.#timer = { at, timer: this.#parts.clock.after(delayMs, () => this.#tick()) }
  }

  #tick(): void {
    this.#timer = undefined
    const now = this.#parts.clock.monotonic()
    for (;;) {
      const dueAt = this.#due.firstKey
      const limit = dueAt > now ? undefined : this.#due.pop()
      if (limit === undefined) break
      // Overtaken by an earlier time, it says nothing.
      if (limit.dueAt === dueAt) this.#wake(limit)
    }
    this.#setTimer()
  }

  /** Permits go to the tenants in turn, an equal share to each; what one does not use is the next one's. */
  #wake(limit: Limit): void {
    limit.dueAt = Number.POSITIVE_INFINITY
    const { limiter, waiting } = limit
    const { clock } = this.#parts
    const tenants = waiting.size
    if (tenants === 0) return
    const share = Math.max(1, Math.floor(limiter.available(clock.monotonic()) / tenants))
    // Twice round at most: what the division leaves over goes to those whose turn comes next.
    for (let turns = 2 * tenants; turns > 0; turns--) {
      const now = clock.monotonic()
      const available = limiter.available(now)
      const next = available === 0 ? undefined : limit.next(now)
      if (next === undefined) break
      next.waiter.wake(next.tenant, Math.min(share, available))
    }
    this.#arm(limit)
  }
}

function hasPlaces({ limiter }: Limit): boolean {
  return limiter instanceof Slots
}
