// What binds the mail for a place because of what was said there: paces learned, rests ordered by rules or by operators.
// The contract between those who hear (the runner), those who decide (src/pacing) and those who ask (limits.ts).

import type { RateLimit, SharedSlots, Site } from '../delivery/delivery.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { EpochMs } from '../util/clock.ts'

/** What came of one attempt. */
export interface Heard {
  readonly place: Site
  readonly tenant: string
  readonly source: string
  readonly domain: string
  readonly outcome: Outcome
}

export interface Pacer {
  heard(heard: Heard): void
  /** Rates for what leaves from this source, besides those of the shaping. They change: asked for each turn. */
  limits(place: Site, source: string): readonly RateLimit[]
  /** Attempts at one time that a rule allows this source there, besides the connections of the path. */
  slots?(place: Site, source: string): SharedSlots | undefined
  /** Until when this source sends nothing there; undefined when it may. */
  restsUntil(source: string, place: Site): EpochMs | undefined
  /** The mail of a source that rests there waits for it ("try again in 10 minutes") and does not move to another one. */
  keepsMail?(source: string, place: Site): boolean
  /** Called when a rest begins or ends or a path is slow no more: whoever waits looks again. */
  onChange(listener: () => void): void
  /** Called with the new limit of a path whose pace has moved: whoever waits at the old one has to wait at this. */
  onPace?(listener: (limit: RateLimit) => void): void
}
