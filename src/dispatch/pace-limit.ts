// A learned pace as the limit that messages meet: always a pace, never a quota, so that they go evenly spread however slow.

import type { RateLimit } from '../delivery/delivery.ts'
import { SECOND } from '../util/clock.ts'

const PACE_SPAN = 30 * SECOND
const SMALLEST_CHANGE = 0.03

/** `rate`: messages a second. */
export function paceLimit(name: string, rate: number): RateLimit {
  return { name, rate: { count: (rate * PACE_SPAN) / SECOND, per: PACE_SPAN } }
}

/** So near to the rate that no limit is made anew for it. */
export function isAbout({ rate: { count, per } }: RateLimit, rate: number): boolean {
  return Math.abs((count * SECOND) / per / rate - 1) <= SMALLEST_CHANGE
}
