// What has to be done from time to time: remove what a crash left, once; what has been kept long enough, every hour;
// end surges that ran out and held mail whose life is over, every few minutes.

import type { Settings } from '../config/schema.ts'
import type { Logger } from '../observe/logger.ts'
import type { Core } from '../queue/core.ts'
import { prune } from '../queue/prune.ts'
import { sweepOrphans } from '../queue/spool.ts'
import { createReportBook } from '../reports/report-book.ts'
import type { Store } from '../store/store.ts'
import { pruneQuotas } from '../throttle/quota-book.ts'
import { type Clock, HOUR, MINUTE } from '../util/clock.ts'
import { forgetOldPolicies } from './tls-policies.ts'

export interface HousekeepingParts {
  readonly store: Store
  readonly core: Core
  readonly settings: () => Settings
  /** Bodies with ids from before this that have no message are orphans. */
  readonly beforeAnyMail: string
  readonly clock: Clock
  readonly logger: Logger
}

const PRUNE_INTERVAL_MS = HOUR
const UPKEEP_INTERVAL_MS = 5 * MINUTE

/** Resolves when `signal` is aborted and nothing is under way any more. */
export async function keepHouse(parts: HousekeepingParts, signal: AbortSignal): Promise<void> {
  const { store, core, settings, beforeAnyMail, logger } = parts
  let orphans: number | undefined
  const cleanUp = async (): Promise<void> => {
    orphans ??= await sweepOrphans(store, beforeAnyMail, signal)
    const { queue, bounce } = settings()
    const now = parts.clock.now()
    const keepFrom = now - queue.keepJournal
    // Without keep_body a body went with its last open recipient: there is none to look for.
    const keepBodyFrom = now - (queue.keepBody === 0 ? queue.keepJournal : queue.keepBody)
    const pruned = await prune(store, { keepFrom, keepBodyFrom, now }, signal)
    const reports = await createReportBook({ store }).prune({ keepRawFrom: now - bounce.keepRaw, keepFrom }, signal)
    await forgetOldPolicies(store, now)
    await pruneQuotas(store, parts.clock)
    logger.debug({ event: 'pruned', orphans, ...pruned, reports })
  }
  const upkeep = async (): Promise<void> => {
    await core.keepSuppressions(signal)
    await core.heldExpiry.pass(signal)
  }
  await Promise.all([
    repeat({ parts, signal, intervalMs: PRUNE_INTERVAL_MS, work: cleanUp }),
    repeat({ parts, signal, intervalMs: UPKEEP_INTERVAL_MS, work: upkeep }),
  ])
}

async function repeat(given: {
  readonly parts: HousekeepingParts
  readonly signal: AbortSignal
  readonly intervalMs: number
  readonly work: () => Promise<void>
}): Promise<void> {
  const { parts, signal, intervalMs, work } = given
  while (!signal.aborted) {
    try {
      await work()
    } catch (error) {
      if (!signal.aborted)
        parts.logger.warn(
          { event: 'housekeeping-failed', err: error },
          'housekeeping broke off; it is tried again later',
        )
    }
    await parts.clock.sleep(intervalMs, signal)
  }
}
