// Looks at the numbers of every tenant, provider and source once a minute and says how the alerts about them stand. Paths
// have none: what is wrong with one receiver shows at its provider, and what is wrong with us at the source.

import type { AlertScope, Alerts, Standing } from './alerts.ts'
import type { HealthBook } from './book.ts'
import { countsOf } from './counts.ts'
import { levelOf } from './level.ts'
import { type AlertSettings, MEASURES, percent, RATE_ALERTS, type RateAlert, type Windows } from './measure.ts'
import { OTHERS } from './scope.ts'
import type { Usual } from './usual.ts'

export const WATCHED = ['tenant', 'provider', 'source'] as const

const TITLES: Readonly<Record<RateAlert, string>> = {
  'bounce-rate': 'Bounces',
  'complaint-rate': 'Complaints',
  'deferral-surge': 'Deferrals',
}

export function rateStandings(parts: {
  readonly book: HealthBook
  readonly usual: Usual
  readonly alerts: Alerts
  readonly settings: AlertSettings
}): Standing[] {
  const { book, usual, alerts } = parts
  const now = book.now()
  const standings: Standing[] = []
  const seen = new Set<string>()
  for (const kind of WATCHED)
    for (const { scope, series } of book.scopes(kind)) {
      // Those too small to be kept apart have nothing in common.
      if (scope.name === OTHERS) continue
      seen.add(`${kind} ${scope.name}`)
      const windows: Windows = {
        hour: countsOf(series.sum('hour', now)),
        day: countsOf(series.sum('day', now)),
        usualDeferred: () => usual.deferredShares(scope, now),
      }
      const about: AlertScope = { kind, name: scope.name }
      for (const name of RATE_ALERTS) standings.push(standingOf({ name, scope: about, windows, ...parts }))
    }
  // Nothing was heard of it for a day, or it is gone from the configuration.
  const gone = RATE_ALERTS.flatMap((name) => alerts.ofName(name)).filter(
    ({ scope }) => !seen.has(`${scope.kind} ${scope.name}`),
  )
  return [...standings, ...gone.map(({ name, scope }) => over(name, scope, 'there is no mail any more'))]
}

function standingOf(given: {
  readonly name: RateAlert
  readonly scope: AlertScope
  readonly windows: Windows
  readonly alerts: Alerts
  readonly settings: AlertSettings
}): Standing {
  const { name, scope, windows, alerts, settings } = given
  if (settings.off.includes(name)) return over(name, scope, 'it is switched off (alert.off)')
  const before = alerts.get(name, scope)?.level
  const { value, thresholds, words } = MEASURES[name](windows, before === undefined ? settings : whileHeld(settings))
  if (value === undefined) return over(name, scope, 'there is too little mail to tell')
  const judged = levelOf({ value, thresholds, before, clear: settings.clear })
  const sentence = `${TITLES[name]} of the ${scope.kind} ${scope.name}: ${percent(value)} (${words})`
  if (judged === undefined) return { name, scope, over: { value, why: `${sentence}. It is over.` } }
  const { level, threshold } = judged
  return {
    name,
    scope,
    raised: { level, value, threshold, why: `${sentence}; ${level} from ${percent(threshold)} on.` },
  }
}

/** What has just enough mail to tell does not come and go either. */
function whileHeld(settings: AlertSettings): AlertSettings {
  const { clear, bounceMinimum, complaintMinimum, deferralMinimum } = settings
  return {
    ...settings,
    bounceMinimum: clear * bounceMinimum,
    complaintMinimum: clear * complaintMinimum,
    deferralMinimum: clear * deferralMinimum,
  }
}

function over(name: Standing['name'], scope: AlertScope, why: string): Standing {
  return { name, scope, over: { why: `It is over: ${why}.` } }
}
