// The life of an entry that was learned. Pure; policy.ts says what a failure is worth, this file what it does to the
// entry that is there. If prose and code differ, one is a bug.
//
//   (none)     a failure that suppresses makes an entry that is in force, or within a surge one that is pending
//   in-force   stays with its first story, whatever else fails
//   pending    binds nobody. A failure of another message confirms it, once the surge is over, or in a later surge on
//              another day. A delivery drops it; else it is void after `spikeHold`
//   void       binds nobody either, but is remembered for `strikeMemory`: a site that was closed and is mailed once a
//              week says the same in the next surge, and that confirms it (docs/decisions/0008). A delivery drops it
//   half-open  somebody reactivated it: mail goes one at a time. A failure puts it in force again, where entries expire
//              for twice as long as before; during a surge a failure says nothing. A delivery clears it for good
//   over       as if it was not there, except that the next one lasts longer
//
// Where an entry was learned from a report, the site says 250 before it knows: a pending one waits for its end, and a
// half-open one notes the message and is cleared by the first delivery a bounce window later. A report about a message
// from before the reactivation is old news.
//
// Complaints and unsubscribe requests take the place of everything that is weaker, and nothing takes theirs.

import { DAY, type EpochMs, HOUR } from '../util/clock.ts'
import { BOUNCE_WINDOW_MS, type Decision } from './policy.ts'
import { isInForce, isLearned, type Reactivation, type Reason, type Suppression, standingOf } from './suppression.ts'

/** `keep`: nothing changes. `hold`: a new entry, pending. `add`: in force. `again`: in force, once more. */
export type Turn = 'keep' | 'hold' | 'add' | 'again'

export interface EntryFailure {
  readonly there: Suppression | undefined
  /** Since when the surge goes on that the failure belongs to. */
  readonly surgeSince: EpochMs | undefined
  readonly message: string
  /** When the message was accepted; only of one that came back. */
  readonly sentAt?: EpochMs | undefined
  readonly strikeSpacing: number
  readonly now: EpochMs
}

const LONGEST_LIFE_MS = 5 * 365 * DAY
const RANKS: Partial<Record<Reason, number>> = { complaint: 2, unsubscribe: 1 }

/** What a failure that suppresses does to the entry that is there. */
export function turnOf(failure: EntryFailure): Turn {
  const { there, surgeSince, sentAt, now } = failure
  const standing = there === undefined ? 'over' : standingOf(there, now)
  switch (standing) {
    case 'in-force':
      return 'keep'
    case 'pending':
      return isConfirmation(failure) ? 'add' : 'keep'
    case 'half-open':
      if (surgeSince !== undefined) return 'keep'
      return sentAt !== undefined && sentAt < (there?.reactivated?.at ?? 0) ? 'keep' : 'again'
    case 'over':
      if (surgeSince !== undefined) return isRemembered(failure) && isConfirmation(failure) ? 'add' : 'hold'
      return there?.expiresAt !== undefined && isLearned(there) ? 'again' : 'add'
  }
}

/** Void, and no other message is known to have got through since. */
function isRemembered({ there, message, now }: EntryFailure): boolean {
  if (there?.pendingUntil === undefined) return false
  const { accepted } = there
  return accepted === undefined || accepted.message === message || now - accepted.at <= BOUNCE_WINDOW_MS
}

function isConfirmation({ there, surgeSince, message, strikeSpacing, now }: EntryFailure): boolean {
  if (there === undefined || there.evidence?.message === message) return false
  if (surgeSince === undefined) return true
  // Entries of the hour before a surge shows belong to it.
  return surgeSince - HOUR > there.createdAt && now - there.createdAt >= strikeSpacing
}

/** A soft failure does not begin to count anew while an entry that came of soft failures is on trial. */
export function onTrial(decision: Decision, there: Suppression | undefined, now: EpochMs): Decision {
  const isTrial = there?.reason === 'soft_bounce_limit' && standingOf(there, now) === 'half-open'
  if (!isTrial || decision.suppress !== undefined || decision.strike === undefined) return decision
  return { ...decision, suppress: { reason: 'soft_bounce_limit' } }
}

/** What `again` adds to the new entry: how often it was there, and where entries expire a longer life. */
export function onceMore(there: Suppression | undefined, now: EpochMs): Partial<Suppression> {
  if (there === undefined) return {}
  const reactivated = there.reactivated ?? there.again?.reactivated
  const again = { times: (there.again?.times ?? 1) + 1, ...(reactivated === undefined ? {} : { reactivated }) }
  if (there.expiresAt === undefined) return { again }
  return { again, expiresAt: now + Math.min(2 * (there.expiresAt - there.createdAt), LONGEST_LIFE_MS) }
}

/** What a delivery does to the entry that is there: remove it, leave it, or store it as given back. */
export function afterMail(entry: Suppression, message: string, now: EpochMs): Suppression | 'keep' | 'remove' {
  const isLate = entry.evidence?.bounced === true
  switch (standingOf(entry, now)) {
    case 'in-force':
      return 'keep'
    case 'pending':
      return isLate ? 'keep' : 'remove'
    case 'over':
      return entry.pendingUntil === undefined ? 'keep' : afterChance(entry, message, now)
    case 'half-open':
      return afterChance(entry, message, now)
  }
}

/** Where the site says 250 before it knows, only a message that did not come back for a bounce window has got through. */
function afterChance(entry: Suppression, message: string, now: EpochMs): Suppression | 'keep' | 'remove' {
  if (entry.evidence?.bounced !== true) return 'remove'
  if (entry.accepted === undefined) return { ...entry, accepted: { message, at: now } }
  return now - entry.accepted.at > BOUNCE_WINDOW_MS ? 'remove' : 'keep'
}

/** Gives an entry another chance. */
export function reactivate(entry: Suppression, reactivated: Reactivation): Suppression {
  const { accepted: _old, ...rest } = entry
  return { ...rest, reactivated }
}

/** Whether a message to the address must go alone: nothing has got through since. */
export function isOnTrial(entry: Suppression, now: EpochMs): boolean {
  return entry.accepted === undefined && standingOf(entry, now) === 'half-open'
}

/** Whether what a person asked for takes the place of the entry that is there. */
export function outranks(reason: 'complaint' | 'unsubscribe', there: Suppression | undefined, now: EpochMs): boolean {
  if (there === undefined || !isInForce(there, now)) return true
  const [ours, theirs] = [RANKS[reason] ?? 0, RANKS[there.reason] ?? 0]
  // What ends by itself is the weaker one of two equal ones.
  return ours > theirs || (ours === theirs && there.expiresAt !== undefined)
}
