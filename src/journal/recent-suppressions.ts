// The entries learned within the last hour, as the journal tells: what the spike breaker had in memory before a restart.

import type { EmailAddress } from '../mail/address.ts'
import type { SuppressionList } from '../suppression/list.ts'
import { addressTarget, type Folding } from '../suppression/normalise.ts'
import { isLearned, type Suppression } from '../suppression/suppression.ts'
import { type EpochMs, HOUR } from '../util/clock.ts'
import type { Journal } from './journal.ts'

const MOST = 5000

export function recentSuppressions(parts: {
  readonly journal: Journal
  readonly list: SuppressionList
  readonly settings: Folding
  readonly now: EpochMs
}): Suppression[] {
  const { journal, list, settings, now } = parts
  return journal
    .latest({ limit: MOST, kinds: ['suppression-added'] })
    .filter(({ at }) => at > now - HOUR)
    .reverse()
    .flatMap(({ scope, recipient, reason }) => {
      if (scope === undefined || reason !== 'hard_bounce') return []
      // The record has the address as it was mailed, the entry as it is kept.
      const entry = list.get(scope, addressTarget(recipient as EmailAddress, settings))
      return entry !== undefined && isLearned(entry) && entry.pendingUntil === undefined ? [entry] : []
    })
}
