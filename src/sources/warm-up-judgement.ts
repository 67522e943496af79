// What a record says of the source that it tells of. Only what the receiver says of us counts: that a mailbox is full, a
// recipient unknown or a content unwanted is no news of the address, and greylisting puts off everybody once.

import type { JournalRecord } from '../journal/record.ts'
import type { Counted } from './source-tally.ts'

const OF_US: ReadonlySet<string> = new Set(['sender', 'policy', 'recipient-system', 'unknown'])
const NOT_OF_US: ReadonlySet<string> = new Set(['greylisted', 'quota-issues', 'relaying-issues'])

/** Undefined: it says nothing of the source. */
export function judgementOf({ kind, cause, verdict }: JournalRecord): Counted | undefined {
  if (kind === 'delivered') return 'delivered'
  if (kind === 'complained') return 'complaint'
  if (verdict === undefined || cause?.kind !== 'reply') return undefined
  if (!OF_US.has(verdict.fault) || NOT_OF_US.has(verdict.category)) return undefined
  if (kind === 'deferred') return 'against'
  return kind === 'failed' && verdict.kind === 'block' ? 'against' : undefined
}
