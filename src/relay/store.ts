// The store of a relay: opened, watched, and what has to be known of it by others and by people.

import type { Settings } from '../config/schema.ts'
import type { Submission } from '../inbound/submission.ts'
import type { Journal } from '../journal/journal.ts'
import type { Logger } from '../observe/logger.ts'
import { openStore } from '../store/lmdb.ts'
import type { Store, StoreHealth } from '../store/store.ts'
import { type Clock, MINUTE } from '../util/clock.ts'

interface Surroundings {
  readonly clock: Clock
  readonly logger: Logger
}

const CLOCK_TOLERANCE_MS = 5 * MINUTE

/** `onFatal`: it cannot be trusted any more. */
export function openRelayStore({
  data: { directory, mapSize, minFree },
  clock,
  logger,
  onFatal,
}: Surroundings & Pick<Settings, 'data'> & { readonly onFatal: ((reason: string) => void) | undefined }): Store {
  const store = openStore({ directory, mapSize, minFree, clock })
  store.onHealth((health, reason) => {
    if (health !== 'failed') return
    logger.error(
      { event: 'store-failed' },
      `the store failed (${reason}); stopping rather than going on over a store that cannot be trusted`,
    )
    onFatal?.(reason)
  })
  return store
}

/** Nothing is taken while it could not be kept. */
export function followHealth(store: Store, takers: readonly Pick<Submission, 'pause' | 'resume'>[]): void {
  const follow = (health: StoreHealth, reason: string): void => {
    for (const taker of takers) health === 'ok' ? taker.resume() : taker.pause(reason)
  }
  store.onHealth(follow)
  if (store.health === 'full') follow('full', 'no room on the disk')
}

/** What was deferred while the clock was ahead waits until that time comes: somebody should know. */
export function warnOfClock(journal: Journal, { clock, logger }: Surroundings): void {
  const newest = journal.latest({ limit: 1 })[0]
  if (newest === undefined || newest.at <= clock.now() + CLOCK_TOLERANCE_MS) return
  const at = new Date(newest.at).toISOString()
  const text = `the newest record is of ${at}, which is still to come: the clock went back. Mail deferred since then waits until its time comes; \`studs queue retry --all\` sends it now`
  logger.warn({ event: 'clock-went-back', newest: at }, text)
}
