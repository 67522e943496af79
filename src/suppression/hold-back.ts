// When a surge shows, the entries it has made already become pending, and what all tenants learned from them is taken
// back. Composes, writes nothing.

import type { Write } from '../store/store.ts'
import { type EpochMs, MINUTE } from '../util/clock.ts'
import type { SuppressionList } from './list.ts'
import { GLOBAL_SCOPE, isInForce, isLearned, type Suppression } from './suppression.ts'

/** Longer than a write takes: an entry older than this that the store does not show was taken away by somebody. */
const WRITE_MS = MINUTE

export function heldBack(given: {
  readonly suspects: readonly Suppression[]
  readonly list: SuppressionList
  readonly until: EpochMs
  readonly now: EpochMs
}): { readonly held: number; readonly writes: readonly Write[] } {
  const { list, until, now } = given
  const suspects = given.suspects.filter((entry) => isStillThere(entry, list, now))
  const writes = suspects.flatMap((entry) => [
    ...list.put({ ...entry, pendingUntil: until }),
    ...takenFromAll(entry, list, now),
  ])
  return { held: suspects.length, writes }
}

function isStillThere(entry: Suppression, list: SuppressionList, now: EpochMs): boolean {
  const there = list.get(entry.scope, entry.target)
  if (there?.createdAt === entry.createdAt && there.reason === entry.reason) return isInForce(there, now)
  // Its own write is still under way.
  return now - entry.createdAt < WRITE_MS && (there === undefined || there.createdAt < entry.createdAt)
}

function takenFromAll({ target, createdAt }: Suppression, list: SuppressionList, now: EpochMs): Write[] {
  const shared = list.get(GLOBAL_SCOPE, target)
  const isFromIt = shared !== undefined && isLearned(shared) && shared.createdAt >= createdAt && isInForce(shared, now)
  return isFromIt ? list.take(GLOBAL_SCOPE, target) : []
}
