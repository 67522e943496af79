// From a number to a level. Pure. An alert that is raised stays until the number is clearly below its threshold again, so that
// one that lies on the line does not come and go.

import type { AlertLevel } from '../journal/record.ts'

/** From the least to the worst; a list of thresholds has one for each, in this order. */
export const LEVELS: readonly AlertLevel[] = ['warn', 'bad', 'critical']

export interface Judged {
  readonly level: AlertLevel
  readonly threshold: number
}

/** Undefined: there is nothing to raise, or it is over. */
export function levelOf(given: {
  readonly value: number
  readonly thresholds: readonly number[]
  readonly before: AlertLevel | undefined
  /** Share of its threshold below which a level is over. */
  readonly clear: number
}): Judged | undefined {
  const { value, thresholds, before, clear } = given
  const reached = rankOf(value, thresholds)
  const held = Math.min(before === undefined ? 0 : LEVELS.indexOf(before) + 1, rankOf(value / clear, thresholds))
  const rank = Math.max(reached, held)
  const level = LEVELS[rank - 1]
  const threshold = thresholds[rank - 1]
  return level === undefined || threshold === undefined ? undefined : { level, threshold }
}

/** How many thresholds are reached. */
function rankOf(value: number, thresholds: readonly number[]): number {
  return thresholds.filter((threshold) => value >= threshold).length
}
