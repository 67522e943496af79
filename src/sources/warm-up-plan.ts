// The plan by which a new sending address makes itself known to a provider, and where it stands in it. In prose:
//
// - Day 1 is `since`, in UTC; each day allows so much an hour, and after the last day the source is warm.
// - A bad day takes its growth back at once, and the day after stays there too; the day after a good day grows again.
// - What a provider has not seen for 30 days is strange to it again: the plan begins anew, also for a source that was
//   warm. Until it has seen anything, it counts from `since`.
// - Nothing is kept while all goes by the calendar, so that a plan is what the configuration says it is.
//
// Pure: days are numbers of days since 1970 in UTC.

import type { WarmUpSettings } from '../config/schema.ts'
import type { Rate } from '../config/units.ts'
import { DAY, type EpochMs } from '../util/clock.ts'

/** Where a source stands at a provider. Kept once it is no longer what the calendar says. */
export interface WarmUpStanding {
  /** The plan it belongs to: with another `since` everything begins anew. */
  readonly since: string
  /** Number of the day of the plan that counts: 1 is the first, 0 before it. */
  readonly step: number
  /** The day on which that was so. */
  readonly day: number
  /** The last bad day, and what was bad. */
  readonly brakedOn?: number
  readonly why?: string
}

export const COLD_AFTER_DAYS = 30
/** Nobody sends as much; and counts times spans stay exact. */
const LARGEST_COUNT = 1e8

export function dayOf(at: EpochMs): number {
  return Math.floor(at / DAY)
}

export function sinceDay({ since }: Pick<WarmUpSettings, 'since'>): number {
  return dayOf(Date.parse(`${since}T00:00:00Z`))
}

/** Days of the plan. */
export function planLength({ table, days }: WarmUpSettings): number {
  return table.length > 0 ? table.length : days
}

/** What the plan allows in its step; undefined when it is over. */
export function rateOfStep(plan: WarmUpSettings, step: number): Rate | undefined {
  if (step > planLength(plan)) return undefined
  const at = Math.max(1, step) - 1
  const { start, growth, table } = plan
  if (table.length > 0) return table[at]
  return { count: Math.min(LARGEST_COUNT, Math.round(start.count * growth ** at)), per: start.per }
}

export interface Today {
  readonly plan: WarmUpSettings
  readonly day: number
  /** What was kept last. */
  readonly kept: WarmUpStanding | undefined
  /** When the provider last got mail from the source. */
  readonly usedOn: number | undefined
}

/** Where it stands today. */
export function standingOn({ plan, day, kept, usedOn }: Today): WarmUpStanding {
  const { since } = plan
  const first = sinceDay(plan)
  if (day < first) return { since, step: 0, day }
  const last = planLength(plan) + 1
  // A clock that went back by days says nothing of what happened since: by the calendar again.
  const from = kept?.since === since && kept.day <= day + 1 ? kept : undefined
  const isCold = day - Math.max(usedOn ?? first, first) > COLD_AFTER_DAYS
  if (isCold) return { since, step: 1, day }
  if (from === undefined) return { since, step: Math.min(last, day - first + 1), day }
  if (day <= from.day) return from
  const held = from.brakedOn === from.day ? 1 : 0
  return { ...from, step: Math.min(last, from.step + day - from.day - held), day }
}

/** After something bad: the growth of today is taken back, once. */
export function braked(standing: WarmUpStanding, why: string): WarmUpStanding {
  if (standing.brakedOn === standing.day) return standing
  return { ...standing, step: Math.max(1, standing.step - 1), brakedOn: standing.day, why }
}

/** Whether it stands still today for what happened yesterday or today. */
export function isBraked({ brakedOn, day }: WarmUpStanding): boolean {
  return brakedOn !== undefined && day - brakedOn <= 1
}
