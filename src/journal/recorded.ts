// What a failure or a request led to, for whoever commits it. Nothing of it is written yet.

import type { Verdict } from '../bounce/verdict.ts'
import type { Write } from '../store/store.ts'
import type { Suppression } from '../suppression/suppression.ts'
import type { JournalRecord } from './record.ts'

export interface Recorded {
  readonly verdict: Verdict
  /** Strikes and suppressions, for the transaction that ends the message. */
  readonly writes: readonly Write[]
  /** The tenant's new entry, if there is one; it may be pending. */
  readonly suppression?: Suppression
  /** Further records for the same transaction: alerts, and what is suppressed for everybody. */
  readonly records: readonly JournalRecord[]
  /** The final dot was sent and no reply seen: a further attempt may duplicate. */
  readonly ambiguous: boolean
}
