// The numbers of the law that an operator may set (`[pace]`), and what they are otherwise.

import type { Milliseconds, Rate } from '../config/units.ts'
import { HOUR, SECOND } from '../util/clock.ts'

export interface PaceOptions {
  /** Share of attempts that may be put off before the pace goes down. */
  readonly tolerance: number
  /** What is left of the pace when it goes down. */
  readonly decrease: number
  /** How much of itself the pace gains in one step up, at most. */
  readonly increase: number
  /** Between two steps, at least. */
  readonly step: Milliseconds
  /** Slower than this it never gets: a few messages find out whether the receiver has changed its mind. */
  readonly floor: Rate
  /** Share of what a receiver can take that it is given at least once it answers again. */
  readonly probe: number
  /** What is put off so soon after a step down was under way before it; only where the time of sending is not told. */
  readonly roundTrip: Milliseconds
  /** After so long without trouble, a limit well above the demand is forgotten. */
  readonly forget: Milliseconds
}

export const PACE: PaceOptions = {
  tolerance: 0.02,
  decrease: 0.9,
  increase: 0.25,
  step: 10 * SECOND,
  floor: { count: 12, per: HOUR },
  probe: 0.1,
  roundTrip: 2 * SECOND,
  forget: HOUR,
}
