// What is kept back or slowed down, as it is listed: suspensions of operators and rules, and the paces that were learned.

import { formatPace, formatRate } from '../config/units.ts'
import type { LearnedPace } from '../dispatch/pace-book.ts'
import type { Pacing } from '../dispatch/pacing.ts'
import { nameAt, placesOf, type Suspension, type Suspensions } from '../throttle/suspensions.ts'
import type { EpochMs } from '../util/clock.ts'

export interface ListedSuspension extends Pick<Suspension, 'kind' | 'name' | 'who' | 'why' | 'since'> {
  /** Absent: nobody knows; a learned pace goes up by itself when more is taken. */
  readonly until?: EpochMs
  /** slow: what may be sent now. */
  readonly pace?: string
  /** Before it was slowed down. */
  readonly usual?: string
  /** slow: attempts at one time. */
  readonly connections?: number
  /** The receiver has asked to wait: its mail does not leave from another source. */
  readonly keepsMail?: true
}

export interface ListParts {
  readonly suspensions: Pick<Suspensions, 'list'>
  /** Absent: the relay does not run, and learns nothing. */
  readonly pacing?: Pick<Pacing, 'paces' | 'pace'> | undefined
}

/** The first to end first, learned paces last. */
export function listedSuspensions({ suspensions, pacing }: ListParts): readonly ListedSuspension[] {
  const ordered = suspensions.list().map(listed)
  return [...ordered, ...(pacing?.paces() ?? []).map(learned)]
}

export function listed({ rate, ...suspension }: Suspension): ListedSuspension {
  return { ...suspension, ...(rate !== undefined && { pace: formatRate(rate) }) }
}

export function learned({ name, since, why, rate, usual }: LearnedPace): ListedSuspension {
  return { kind: 'slow', name, who: 'learned', why, since, pace: formatPace(rate), usual: formatPace(usual) }
}

/** Whether it binds mail to a place, whoever sends it. */
export function isAbout(
  { kind, name }: Pick<ListedSuspension, 'kind' | 'name'>,
  place: { readonly domain: string; readonly site: string; readonly provider?: string },
): boolean {
  const { domain, site, provider } = place
  switch (kind) {
    case 'domain':
      return name === domain
    case 'site':
      return name === site
    case 'provider':
      return name === provider
    case 'slow':
      return [site, `${site} ${domain}`].some((line) => name.endsWith(nameAt('', line)))
    case 'source':
    case 'tenant':
      return placesOf(place).some((where) => name.endsWith(nameAt('', where)))
  }
}
