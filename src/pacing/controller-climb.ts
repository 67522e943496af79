// How much faster in one step: slow at the ceiling, where the receiver last put mail off, and faster the further from it
// on either side (the cubic of CUBIC, RFC 9438 §4.1, as a step from the pace itself). So most of the time is spent where
// the limit was, and a receiver that takes more is found out soon all the same.

/** From `depth` below the ceiling up to it, about. */
const STEPS_TO_CEILING = 10
/** Share of the gain that is left at the ceiling itself. */
const LEAST_GAIN = 0.05

export interface Ceiling {
  /** Messages per second. */
  readonly rate: number
  /** The share of it over which the climb slows down: how little the ceiling is believed. */
  readonly depth: number
}

/** Per second; the caller bounds it. */
export function climb(rate: number, ceiling: Ceiling): number {
  const depth = ceiling.rate * ceiling.depth
  const distance = Math.abs(ceiling.rate - rate) / depth
  return depth * (3 / STEPS_TO_CEILING) * Math.max(distance ** (2 / 3), LEAST_GAIN)
}
