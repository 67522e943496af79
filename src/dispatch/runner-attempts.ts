// Attempts under way: handed to delivery, their permits given back or ended, told to the pacer, and their outcomes
// settled. Counts them, so that a stop can wait until the last is settled. Decides nothing about turns.

import type { Attempt, Delivery, Site } from '../delivery/delivery.ts'
import { domainOf } from '../mail/address.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Logger } from '../observe/logger.ts'
import type { Flight } from '../queue/flight.ts'
import type { Queue } from '../queue/queue.ts'
import type { Throttle } from '../throttle/throttle.ts'
import type { Clock } from '../util/clock.ts'
import type { Pacer } from './pacer.ts'

export interface AttemptsParts {
  readonly queue: Queue
  readonly delivery: Pick<Delivery, 'deliver'>
  readonly attemptOf: (flight: Flight) => Attempt
  readonly throttle: Throttle
  readonly pacer?: Pick<Pacer, 'heard'>
  readonly clock: Clock
  readonly logger: Logger
}

export const LIMITED = { kind: 'returned', reason: 'a limit is used up', retryAfterMs: 0, throttled: true } as const

export class Attempts {
  readonly #parts: AttemptsParts
  /** Flights handed over and not settled yet. */
  #running = 0
  #idle: (() => void)[] = []

  constructor(parts: AttemptsParts) {
    this.#parts = parts
  }

  /** So many more are to be settled. */
  begin(count: number): void {
    this.#running += count
  }

  /** Undefined when there was nothing (left) to try, or the store failed us: then it is over, else it is to be settled. */
  async make(flight: Flight, place: Site): Promise<Outcome | undefined> {
    const outcome = await this.#make(flight)
    this.#release(flight, outcome)
    if (outcome === undefined) this.#ended()
    else this.#tell(flight, place, outcome)
    return outcome
  }

  /** One that was claimed only because its life is over: nobody is asked. Durable when it resolves. */
  async turnAway(flight: Flight): Promise<void> {
    const outcome = await this.#make(flight)
    if (outcome === undefined) this.#ended()
    else await this.settle(flight, outcome)
  }

  /** Durable when it resolves; it is over then. */
  async settle(flight: Flight, outcome: Outcome, retry?: readonly number[]): Promise<void> {
    try {
      await this.#parts.queue.settle(flight, outcome, retry)
    } catch (error) {
      this.#abandon(flight, error)
    }
    this.#ended()
  }

  /**
   * Waits until all are settled. An outcome that cannot be written (no room) is given up after `graceMs` and logged:
   * its recipient is tried again at the next start.
   */
  async end(graceMs: number): Promise<void> {
    if (this.#running === 0) return
    const waited = new AbortController()
    const idle = new Promise<void>((resolve) => this.#idle.push(resolve))
    await Promise.race([idle, this.#parts.clock.sleep(graceMs, waited.signal)])
    waited.abort()
    if (this.#running > 0) {
      this.#parts.logger.error(
        { event: 'unsettled', count: this.#running },
        'stopping with attempts whose outcome is not recorded',
      )
    }
  }

  async #make(flight: Flight): Promise<Outcome | undefined> {
    const { queue, delivery, attemptOf, clock } = this.#parts
    try {
      if (await queue.refuseBeforeAttempt(flight)) return undefined
      if (flight.throttledMs !== undefined) return { ...LIMITED, retryAfterMs: flight.throttledMs }
      flight.triedSince = clock.now()
      return await delivery.deliver(attemptOf(flight))
    } catch (error) {
      this.#abandon(flight, error)
      return undefined
    }
  }

  /** What was not sent did not use up any limit. */
  #release(flight: Flight, outcome: Outcome | undefined): void {
    const { permit } = flight
    if (permit === undefined) return
    flight.permit = undefined
    if (outcome === undefined || outcome.kind === 'returned') this.#parts.throttle.giveBack(permit)
    else this.#parts.throttle.ended(permit)
  }

  #tell({ recipient }: Flight, place: Site, outcome: Outcome): void {
    const source = outcome.kind === 'returned' ? undefined : outcome.way?.source
    if (source === undefined) return
    const { tenant, address } = recipient
    this.#parts.pacer?.heard({ place, tenant, source, domain: domainOf(address), outcome })
  }

  /** Nothing is lost: the claim has stored when the recipient is due again. */
  #abandon(flight: Flight, error: unknown): void {
    const { queue, logger } = this.#parts
    const { id, n } = flight.recipient
    logger.error(
      { event: 'runner.attempt-abandoned', message: id, n, err: error },
      'an attempt broke off and is made again later',
    )
    queue.abandon(flight)
  }

  #ended(): void {
    this.#running--
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
