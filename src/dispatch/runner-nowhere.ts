// Lanes that lead nowhere (no such domain, the resolver is down): settled where they stand, a claim's worth at a time.

import type { Outcome } from '../mail/outcome.ts'
import type { Logger } from '../observe/logger.ts'
import type { Queue } from '../queue/queue.ts'
import { type Clock, SECOND } from '../util/clock.ts'
import type { Lane, Lanes } from './lanes.ts'
import type { Attempts } from './runner-attempts.ts'

export interface NowhereParts {
  readonly queue: Queue
  readonly lanes: Lanes
  readonly attempts: Attempts
  readonly clock: Clock
  readonly logger: Logger
}

/** One lane claims at most this many in one turn, so that claims are written together but turns stay short. */
export const CLAIM_LIMIT = 64
/** A claim that could not be written (store full) is tried again after this. */
export const CLAIM_PAUSE = 5 * SECOND

export async function settleLane(lane: Lane, outcome: Outcome, parts: NowhereParts): Promise<void> {
  const { queue, lanes, attempts, clock, logger } = parts
  try {
    const { flights, firstDue } = await queue.claim(lane, CLAIM_LIMIT)
    attempts.begin(flights.length)
    await Promise.all(flights.map((flight) => attempts.settle(flight, outcome)))
    lanes.park(lane, firstDue)
  } catch (error) {
    logger.warn({ event: 'runner.claim-failed', err: error }, 'claiming recipients failed')
    lanes.park(lane, clock.now() + CLAIM_PAUSE)
  }
}
