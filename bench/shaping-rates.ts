// How a rate is told from the times of messages, over real sockets as in the simulation.

import type { Rate } from '../src/config/units.ts'
import { SECOND } from '../src/util/clock.ts'
import type { Arrivals } from './rate-sink.ts'

export interface ToldRate {
  /** Sent rate against the limit. */
  readonly ratio: number
  /** Of a pace: in the fullest second after the first one, wherever it begins. */
  readonly mostInSecond: number
}

/**
 * `times`: milliseconds, in order. A pace is told by the distance between the first message after the first second and the
 * last one; a quota by how many came within one span of it, which may all come at once.
 */
export function rateOf(times: readonly number[], limit: Rate & { readonly seconds: number }): ToldRate {
  const [start = 0] = times
  if (limit.per > SECOND) return { ratio: fullest(times, limit.per) / limit.count, mostInSecond: 0 }
  const counted = times.filter((at) => at >= start + SECOND && at < start + (1 + limit.seconds) * SECOND)
  const [first = 0, last = 0] = [counted[0], counted.at(-1)]
  const perSecond = counted.length < 2 ? 0 : ((counted.length - 1) * SECOND) / (last - first)
  // A path that stood still at the end counts as slow.
  const wholePerSecond = last < start + limit.seconds * SECOND - SECOND ? counted.length / limit.seconds : perSecond
  return { ratio: wholePerSecond / limit.count, mostInSecond: fullest(counted, SECOND) }
}

/** The most of them in any such stretch of time, its end left out. */
export function fullest(times: readonly number[], ms: number): number {
  let most = 0
  let from = 0
  for (const [at, time] of times.entries()) {
    while (time - (times[from] ?? 0) >= ms) from++
    most = Math.max(most, at - from + 1)
  }
  return most
}

export function shareOf(arrivals: Arrivals, tenant: string, domains: readonly string[]): number {
  let own = 0
  let all = 0
  for (const domain of domains)
    for (const [name, times] of Object.entries(arrivals[domain] ?? {})) {
      all += times.length
      if (name === tenant) own += times.length
    }
  return own / all
}
