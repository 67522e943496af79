// What an examination says about each of our sender domains, sources and name servers: good, broken, or nothing. Pure. Only
// what DNS says counts as broken; an answer that did not come says nothing, and leaves things as they were.

import type { Diagnosis } from '../identity/diagnosis.ts'
import { isError, isOk } from '../identity/diagnosis.ts'
import type { Section } from '../identity/doctor.ts'
import type { AlertName, AlertScope } from './alerts.ts'

export interface Finding {
  readonly name: Extract<AlertName, 'dns-broken' | 'listed'>
  readonly scope: AlertScope
  readonly state: 'good' | 'broken' | 'unknown'
  /** What is broken. */
  readonly troubles: readonly Diagnosis[]
}

const NAME_SERVERS: AlertScope = { kind: 'relay', name: 'name servers' }

export function findingsIn(
  sections: readonly Section[],
  known: { readonly domains: readonly string[]; readonly sources: readonly string[] },
): Finding[] {
  const domains = known.domains.flatMap((name) => {
    const section = sections.find(({ title }) => title === name)
    return section === undefined ? [] : [finding('dns-broken', { kind: 'domain', name }, section.diagnoses)]
  })
  const ofSources = sections.find(({ title }) => title === 'Sources')?.diagnoses ?? []
  const sources = known.sources.flatMap((name) => {
    const own = ofSources.filter(({ subject }) => subject === name || subject.startsWith(`${name} `))
    const scope: AlertScope = { kind: 'source', name }
    return [
      finding(
        'dns-broken',
        scope,
        own.filter(({ topic }) => topic === 'source'),
      ),
      finding(
        'listed',
        scope,
        own.filter(({ topic }) => topic === 'dnsbl'),
      ),
    ]
  })
  const servers = sections.find(({ title }) => title === 'Name servers')?.diagnoses ?? []
  return [...domains, ...sources, ...(servers.length === 0 ? [] : [finding('dns-broken', NAME_SERVERS, servers)])]
}

function finding(name: Finding['name'], scope: AlertScope, diagnoses: readonly Diagnosis[]): Finding {
  const isAboutAnswers = scope.kind === 'relay'
  // A name server that does not answer is what is broken about it.
  const troubles = diagnoses.filter(
    (each) => isError(each) && (isAboutAnswers || each.state !== 'unknown') && !isUnconfigured(each),
  )
  const isUnknown = diagnoses.some((each) => !isOk(each) && each.state === 'unknown' && !isAboutAnswers)
  return { name, scope, troubles, state: troubles.length > 0 ? 'broken' : isUnknown ? 'unknown' : 'good' }
}

/** What is missing without anything expected in DNS (a key that signs, say) was never there: nothing has broken. */
function isUnconfigured({ state, expected }: Diagnosis): boolean {
  return state === 'missing' && expected === undefined
}

/** A sentence for the alert: what is wrong with what, and what to do about the first of it. */
export function troubleText({ scope, troubles }: Pick<Finding, 'scope' | 'troubles'>): string {
  const said = troubles.slice(0, 3).map(({ subject, message }) => `${subject}: ${message}`)
  const more = troubles.length > said.length ? [`${troubles.length - said.length} more`] : []
  const cure = troubles[0]?.cure
  const about = scope.kind === 'relay' ? scope.name : `${scope.kind} ${scope.name}`
  return `Broken for the ${about}: ${[...said, ...more].join('; ')}.${cure === undefined ? '' : ` To do: ${cure}.`}`
}
