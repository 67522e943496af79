// When hard bounces are too many to be true. Pure.
//
// A provider that has an outage says 550 to everybody; so does one that a customer's domain was moved away from. A
// surge is called when within an hour, for one tenant at one site and one code, the hard bounces
//  - are `spikeMinimum` at least: a small tenant's bad day is no surge;
//  - are `spikeFactor` times what is usual at this hour of the day, the median of the last seven days: a list that
//    always has its share of dead addresses is no surge, and a surge that goes on for four days has become usual;
//  - are `spikeShare` of all that the site answered: an old list is full of dead addresses too, but its living ones
//    are delivered in the same hour. An outage refuses everybody.
// It is over when less than half of that is left, so that it does not begin and end with every other mail.
//
// The hour glides: the current one and what is left of the one before, so that a surge is not cut in two by a full hour.

export interface SpikeSettings {
  readonly spikeMinimum: number
  readonly spikeFactor: number
  readonly spikeShare: number
}

export interface HourCount {
  /** Replies in the dialogue; bounces that come later are in `hard` alone. */
  readonly answered: number
  readonly hard: number
}

/** The last sixty minutes, `passed` (0 … 1) of the current hour being over. The hour before counts by what is left of it. */
export function glidingHour(current: HourCount, previous: HourCount, passed: number): HourCount {
  const left = 1 - Math.min(1, Math.max(0, passed))
  return {
    answered: current.answered + left * previous.answered,
    hard: current.hard + left * previous.hard,
  }
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

/** Share of hard bounces; of a site that takes everything and bounces it later, the bounces are all that is known. */
export function hardShare({ answered, hard }: HourCount): number {
  return hard === 0 ? 0 : hard / Math.max(answered, hard)
}

export function isSpike(given: {
  readonly hour: HourCount
  readonly usual: number
  /** It was one a moment ago. */
  readonly isOn: boolean
  readonly settings: SpikeSettings
}): boolean {
  const { hour, usual, isOn, settings } = given
  const ease = isOn ? 0.5 : 1
  return (
    hour.hard >= settings.spikeMinimum * ease &&
    hour.hard >= settings.spikeFactor * usual * ease &&
    hardShare(hour) >= settings.spikeShare * ease
  )
}
