// From failures to suppressions: the whole policy, pure. If prose and code differ, one is a bug.
//
// Only a fault of the recipient suppresses, never a fault of ours, of the content or of a blocked IP (design.md §5).
//
// - While a message is still tried (deferred) nothing is decided. What counts is how it ends: refused for good (failed),
//   out of time (expired), or accepted and sent back (bounced).
// - A hard verdict (kind hard, fault recipient: unknown user, abandoned mailbox, null MX) on a message that failed or
//   bounced suppresses at once: hard_bounce. Where the last word was a temporary one ("450 user unknown", then expired
//   or given up elsewhere), the receiver never said no for good, so it counts as a soft failure.
// - A soft verdict (kind soft, fault recipient-system: mailbox full, host down, DNS trouble) is one strike per message,
//   and at least `strikeSpacing` after the strike before, so that one bad afternoon counts once. `softStrikes` of them:
//   soft_bounce_limit.
// - A domain that does not exist (dns-failure as a last word, not a temporary one) is a strike the first time: domains
//   vanish for a day when somebody forgets a bill. Found gone again, `strikeSpacing` or more after the first time, the
//   verdict becomes bad-domain: hard_bounce.
// - Silence counts only while our own side is known to work: a host that cannot be reached only when the same source
//   reached another one within the hour, DNS trouble and a domain that is gone only when any source did. Behind a dead network everybody is silent.
// - Everything else (blocks, content, policy, authentication, rate, our own faults, the unknown) never suppresses and
//   is no strike, however often it happens.
// - A delivery clears the strikes. Where they were learned from bounces, a 250 alone proves nothing: the first message
//   accepted since is noted, and the strikes are void from then on unless that very message comes back too.
// - Strikes older than `strikeMemory` are forgotten.

import type { Category, Verdict } from '../bounce/verdict.ts'
import type { EpochMs } from '../util/clock.ts'
import { DAY } from '../util/clock.ts'
import type { Strikes } from './strikes.ts'
import type { Reason } from './suppression.ts'

/** How a failure left the message: `deferred` is tried again, the others are the end of it. */
export type Ending = 'deferred' | 'failed' | 'expired' | 'bounced'

export interface PolicySettings {
  readonly softStrikes: number
  readonly strikeSpacing: number
  readonly strikeMemory: number
}

export interface Decision {
  readonly suppress?: { readonly reason: Extract<Reason, 'hard_bounce' | 'soft_bounce_limit'> }
  /** The new strikes, to be stored; when suppressing, the ones that led to it. */
  readonly strike?: Strikes
  /** The category that stands in place of the classifier's: a domain found gone twice. */
  readonly category?: Category
}

interface Case {
  readonly verdict: Verdict
  readonly ending: Ending
  /** The last word was "not now" (4xx), not "no". */
  readonly isTemporary: boolean
  /** It was silence, and our own side may be the reason. */
  readonly mayBeOurs: boolean
  readonly strikes: Strikes | undefined
  readonly message: string
  readonly settings: PolicySettings
  readonly now: EpochMs
}

// Nearly every bounce comes within minutes, the last ones when a receiver's queue gives up after five days.
export const BOUNCE_WINDOW_MS = 6 * DAY
const NOTHING: Decision = {}

export function decide(given: Case): Decision {
  const { verdict, ending, isTemporary, mayBeOurs } = given
  if (ending === 'deferred' || mayBeOurs) return NOTHING
  if (verdict.kind === 'hard' && verdict.fault === 'recipient') {
    return isTemporary || ending === 'expired' ? strike(given) : { suppress: { reason: 'hard_bounce' } }
  }
  if (verdict.kind === 'soft' && verdict.fault === 'recipient-system') return strike(given)
  return NOTHING
}

function strike(given: Case): Decision {
  const { verdict, ending, isTemporary, message, settings, now } = given
  const before = standing(given)
  const isDomainGone = verdict.category === 'dns-failure' && ending !== 'expired' && !isTemporary
  const goneAt = before?.domainGoneAt
  const counts =
    before === undefined || (now - before.last >= settings.strikeSpacing && !before.messages.includes(message))
  const after: Strikes = {
    count: (before?.count ?? 0) + (counts ? 1 : 0),
    first: before?.first ?? now,
    last: counts ? now : before.last,
    messages: counts ? [...(before?.messages ?? []), message] : before.messages,
    ...(isDomainGone || goneAt !== undefined ? { domainGoneAt: goneAt ?? now } : {}),
    ...(ending === 'bounced' || before?.afterAcceptance ? { afterAcceptance: true } : {}),
  }
  if (isDomainGone && goneAt !== undefined && now - goneAt >= settings.strikeSpacing) {
    return { suppress: { reason: 'hard_bounce' }, category: 'bad-domain', strike: after }
  }
  if (after.count >= settings.softStrikes) return { suppress: { reason: 'soft_bounce_limit' }, strike: after }
  return { strike: after }
}

/** The strikes that still stand: not forgotten, and not void by a message that got through. */
function standing({ strikes, message, settings, now }: Case): Strikes | undefined {
  if (strikes === undefined || now - strikes.last > settings.strikeMemory) return undefined
  return strikes.accepted === undefined || strikes.accepted.message === message ? strikes : undefined
}

/** What a delivery does to strikes: remove them, keep them as they are, or note the message that may clear them. */
export function afterDelivery(given: {
  readonly strikes: Strikes
  readonly message: string
  readonly now: EpochMs
}): Strikes | 'keep' | 'remove' {
  const { strikes, message, now } = given
  if (strikes.afterAcceptance !== true) return 'remove'
  if (strikes.accepted === undefined) return { ...strikes, accepted: { message, at: now } }
  return now - strikes.accepted.at > BOUNCE_WINDOW_MS ? 'remove' : 'keep'
}
