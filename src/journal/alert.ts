// Alerts: records for a person to look at, written once when something begins and once when it is over.

import { GLOBAL_SCOPE, LEARNER } from '../suppression/suppression.ts'
import type { SurgeChange } from '../suppression/surges.ts'
import { type EpochMs, HOUR } from '../util/clock.ts'
import type { JournalRecord } from './record.ts'

/** `held`: how many suppressions of the last hour became pending. */
export function surgeAlert(
  change: SurgeChange,
  { at, holdMs, held }: { readonly at: EpochMs; readonly holdMs: number; readonly held: number },
): JournalRecord {
  const { tenant, site } = change
  const why = change.kind === 'began' ? beginning(change, holdMs, held) : end(change)
  return { kind: 'alert', at, tenant, recipient: '*', site, who: LEARNER, why }
}

function beginning({ tenant, site, code, hour, usual }: SurgeChange, holdMs: number, held: number): string {
  const hard = Math.round(hour.hard)
  const of = hour.answered >= hour.hard ? ` of ${Math.round(hour.answered)} answers` : ''
  const where = tenant === GLOBAL_SCOPE ? `${site}, over all tenants` : site
  const before = held === 0 ? '' : ` The ${held} suppressions of the last hour are pending too.`
  return `A surge: ${hard} hard bounces (code ${code})${of} within an hour at ${where}; usual are ${Math.round(usual)}. New suppressions from it are pending for ${hours(holdMs)}.${before}`
}

function end({ tenant, site, code, since }: SurgeChange): string {
  const where = tenant === GLOBAL_SCOPE ? `${site}, over all tenants,` : site
  return `The surge of hard bounces (code ${code}) at ${where} that began ${new Date(since).toISOString()} is over. A further failure confirms what is pending, a delivery drops it.`
}

function hours(ms: number): string {
  return `${Math.round((ms / HOUR) * 10) / 10} h`
}
