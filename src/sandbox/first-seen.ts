// Remembers when a behaviour met a sender and recipient first and how often, for greylisting and "fail n times". Bounded:
// the oldest are forgotten, as a real greylist forgets.

import type { Clock } from '../util/clock.ts'
import type { Plan } from './behaviours.ts'

const MOST = 100_000

export interface Sight {
  readonly behaviour: Plan
  readonly sender: string
  readonly recipient: string
}

export class FirstSeen {
  readonly #clock: Clock
  readonly #seen = new Map<string, { readonly at: number; times: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts this sight; gives back what is left of the deed: milliseconds or times, 0 when it is over. */
  remaining({ behaviour: plan, sender, recipient }: Sight): number {
    const key = `${plan.behaviour.name} ${sender} ${recipient}`
    const now = this.#clock.monotonic()
    const known = this.#seen.get(key) ?? { at: now, times: 0 }
    this.#seen.set(key, known)
    known.times++
    const [oldest] = this.#seen.keys()
    if (this.#seen.size > MOST && oldest !== undefined) this.#seen.delete(oldest)
    if (plan.until?.times !== undefined) return Math.max(0, plan.until.times + 1 - known.times)
    return Math.max(0, known.at - now + (plan.until?.ms ?? Number.POSITIVE_INFINITY))
  }
}
