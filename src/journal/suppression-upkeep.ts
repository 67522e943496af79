// What the suppression side needs from time to time: surges that ran out without another bounce are told to be over,
// void pending entries and old tallies go when their time is over.

import type { Settings } from '../config/schema.ts'
import type { Store } from '../store/store.ts'
import { prunePending } from '../suppression/prune.ts'
import type { Surges } from '../suppression/surges.ts'
import { pruneTally } from '../suppression/tally.ts'
import type { Clock } from '../util/clock.ts'
import { surgeAlert } from './alert.ts'
import type { Journal } from './journal.ts'

export interface UpkeepParts {
  readonly store: Store
  readonly journal: Journal
  readonly surges: Surges
  readonly settings: () => Settings['suppression']
  readonly clock: Clock
}

/** Durable when it resolves. Rejects with StoreError; then it is done the next time. */
export async function keepSuppressions(
  { store, journal, surges, settings, clock }: UpkeepParts,
  signal: AbortSignal,
): Promise<{ readonly tallies: number; readonly pending: number }> {
  const { pruned, surging } = await pruneTally(store, clock.now(), signal)
  const { changes, writes } = surges.runOut(surging)
  const composed = changes.map((change) =>
    journal.compose(surgeAlert(change, { at: clock.now(), holdMs: settings().spikeHold, held: 0 })),
  )
  if (changes.length > 0) await store.write([...writes, ...composed.flatMap((each) => each.writes)])
  journal.publish(composed.map(({ record }) => record))
  return { tallies: pruned, pending: await prunePending(store, clock.now() - settings().strikeMemory, signal) }
}
