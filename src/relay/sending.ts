// What decides when mail goes: limits, quotas, learned paces and the runner that obeys them.

import type { ReturnPathKey } from '../bounce/return-path.ts'
import type { Settings } from '../config/schema.ts'
import type { Delivery } from '../delivery/delivery.ts'
import { Limits } from '../dispatch/limits.ts'
import { Pacing } from '../dispatch/pacing.ts'
import { Runner } from '../dispatch/runner.ts'
import { type MessageStanding, messageStanding } from '../dispatch/runner-standing.ts'
import { domainOf } from '../mail/address.ts'
import type { Message, Recipient } from '../mail/message.ts'
import type { Logger } from '../observe/logger.ts'
import { attemptOf } from '../queue/attempt.ts'
import type { Core } from '../queue/core.ts'
import { bodyFileOf, readChunk } from '../queue/spool.ts'
import type { Store } from '../store/store.ts'
import { QuotaBook } from '../throttle/quota-book.ts'
import { Throttle } from '../throttle/throttle.ts'
import { type Clock, SECOND } from '../util/clock.ts'

export interface SendingParts {
  readonly store: Store
  readonly core: Core
  readonly delivery: Delivery
  readonly key: ReturnPathKey
  readonly settings: () => Settings
  readonly clock: Clock
  readonly logger: Logger
}

export interface Sending {
  readonly runner: Runner
  readonly pacing: Pacing
  readonly throttle: Throttle
  /** What keeps one message back right now, and others of its lane perhaps not. */
  standingOf(message: Message, recipient: Recipient): Promise<MessageStanding>
  /** Finds what waits and begins. */
  start(): Promise<void>
  /** Attempts under way get `graceMs`; what was learned is durable when it resolves. */
  stop(graceMs: number): Promise<void>
}

/** Beyond the grace: what delivery gives back at its end is still written. */
const SETTLE_MS = 5 * SECOND

export function createSending(parts: SendingParts): Sending {
  const { store, core, delivery, key, settings, clock, logger } = parts
  const quotas = new QuotaBook({
    store,
    clock,
    onLease: (name) => throttle.look(name),
    onError: (error) => logger.warn({ event: 'quota-not-written', err: error }, 'a quota could not be written'),
  })
  const throttle: Throttle = new Throttle({ clock, quotas })
  const pacing = new Pacing({ ...core, store, shaping: core.shaping, settings, clock, logger })
  const bodies = {
    readChunk: (id: string, index: number) => readChunk(store, id, index),
    bodyFile: (id: string) => bodyFileOf(store, id),
  }
  const limits = new Limits({ throttle, delivery, pacer: pacing, gate: core.sources, settings })
  const runner = new Runner({
    queue: core.queue,
    delivery,
    store,
    limits,
    throttle,
    pacer: pacing,
    suspensions: core.suspensions,
    attemptOf: (flight) => attemptOf({ ...bodies, settings, key, clock }, flight),
    maxInFlight: () => settings().queue.maxInFlight,
    clock,
    logger,
  })
  return {
    runner,
    pacing,
    throttle,
    async standingOf(message, { address, lastWay }) {
      const place = await delivery.locate(domainOf(address))
      if (place.kind === 'nowhere') return {}
      return messageStanding(limits.binding({ message, place, before: lastWay?.source }), { clock, throttle })
    },
    async start() {
      await core.queue.prepare()
      runner.load()
      // Finding the lanes reads all over the schedule.
      await store.unmap()
      runner.start()
      core.sources.onChange(() => runner.lookAgain())
    },
    async stop(graceMs) {
      // Both at once: the runner waits for what delivery ends or gives back.
      await Promise.all([runner.stop(graceMs + SETTLE_MS), delivery.close(graceMs)])
      core.suspensions.close()
      await pacing.close()
      await quotas.close()
    },
  }
}
