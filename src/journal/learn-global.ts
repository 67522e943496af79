// What several tenants learned separately is true of the address itself: the entry for everybody. It says nothing of
// whose mail taught it: no message, no source, no report, and the reply with everything in it that could name somebody
// masked. Only what Studs saw itself teaches, never an import or an entry by hand.

import { anonymised } from '../bounce/mask.ts'
import type { Category } from '../bounce/verdict.ts'
import type { Settings } from '../config/schema.ts'
import { type Cause, causeText } from '../mail/outcome.ts'
import { onceMore } from '../suppression/life.ts'
import type { SuppressionList } from '../suppression/list.ts'
import { GLOBAL_SCOPE, isInForce, LEARNER, type Suppression, standingOf } from '../suppression/suppression.ts'
import type { EpochMs } from '../util/clock.ts'

const LEARNED_BY_ALL: ReadonlySet<string> = new Set<Category>(['bad-mailbox', 'inactive-mailbox'])

export interface Learning {
  /** A tenant's new entry. */
  readonly entry: Suppression
  readonly list: SuppressionList
  /** The tenants that share what they learn. */
  readonly tenants: readonly string[]
  readonly settings: Pick<Settings['suppression'], 'globalTenants' | 'globalDecay'>
  readonly now: EpochMs
}

/** The entry for everybody that follows from a tenant's new one, if one does. */
export function globalEntry(given: Learning): Suppression | undefined {
  const { entry, list, settings, now } = given
  if (!isLearnable(entry, now)) return undefined
  const there = list.get(GLOBAL_SCOPE, entry.target)
  const standing = there === undefined ? 'over' : standingOf(there, now)
  if (standing === 'in-force') return undefined
  // One on trial needs no further witness.
  if (standing !== 'half-open' && !hasWitnesses(given)) return undefined
  return {
    scope: GLOBAL_SCOPE,
    target: entry.target,
    reason: 'hard_bounce',
    createdAt: now,
    expiresAt: now + settings.globalDecay,
    who: LEARNER,
    ...(there?.who === LEARNER ? onceMore(there, now) : {}),
    ...(entry.evidence === undefined ? {} : { evidence: anonymous(entry.evidence) }),
  }
}

/** Whether enough other tenants learned the same. */
function hasWitnesses({ entry, list, tenants, settings, now }: Learning): boolean {
  if (tenants.length < settings.globalTenants) return false
  const others = tenants.filter((tenant) => {
    const theirs = tenant === entry.scope ? undefined : list.get(tenant, entry.target)
    return theirs !== undefined && isLearnable(theirs, now)
  })
  return others.length + 1 >= settings.globalTenants
}

function isLearnable(entry: Suppression, now: EpochMs): boolean {
  const { reason, evidence, who } = entry
  return (
    who === LEARNER &&
    reason === 'hard_bounce' &&
    evidence !== undefined &&
    LEARNED_BY_ALL.has(evidence.category) &&
    isInForce(entry, now)
  )
}

type Evidence = NonNullable<Suppression['evidence']>

function anonymous({ rule, category, code, cause, site }: Evidence): Evidence {
  const words = cause === undefined ? undefined : anonymousCause(cause)
  return {
    rule,
    category,
    code,
    ...(words === undefined ? {} : { cause: words }),
    ...(site === undefined ? {} : { site }),
  }
}

function anonymousCause(cause: Cause): Cause {
  return cause.kind === 'reply'
    ? { ...cause, reply: { ...cause.reply, lines: cause.reply.lines.map(anonymised) } }
    : { kind: 'protocol', detail: anonymised(causeText(cause)) }
}
