// Everything by which reports come back, started and stopped as one: the desk and its parser, the bounce listeners, the
// mailboxes, the unsubscribe endpoint.

import type { ReturnPathKey } from '../bounce/return-path.ts'
import type { Settings } from '../config/schema.ts'
import { policyAt } from '../http/mta-sts-policy.ts'
import { createUnsubscribeEndpoint } from '../http/unsubscribe-endpoint.ts'
import { createBounceListener } from '../inbound/bounce-listener.ts'
import type { Certificates } from '../inbound/certificates.ts'
import { logBounceEvents } from '../inbound/log-events.ts'
import { logMailboxEvents } from '../inbound/mailbox-events.ts'
import { createMailboxes, type MailboxStatus } from '../inbound/mailboxes.ts'
import type { Listening } from '../inbound/submission.ts'
import type { Logger } from '../observe/logger.ts'
import type { Core } from '../queue/core.ts'
import { createCoreDesk } from '../reports/core-desk.ts'
import type { ReportDesk } from '../reports/desk.ts'
import { createParserThread } from '../reports/parser-thread.ts'
import { unsubscribeTarget } from '../reports/unsubscribe-target.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'

export interface ReportsParts {
  readonly settings: () => Settings
  /** Of this machine, for whoever has none of its own. */
  readonly hostname: string
  readonly store: Store
  readonly core: Core
  readonly keys: readonly ReturnPathKey[]
  readonly certificates: Certificates
  readonly clock: Clock
  readonly logger: Logger
}

export interface Reports {
  readonly desk: ReportDesk
  /** Rejects when a listener cannot have its port. */
  start(): Promise<readonly Listening[]>
  mailboxes(): readonly MailboxStatus[]
  reconfigure(settings: Settings): Promise<void>
  /** What comes while the store is full is refused for now. */
  pause(reason: string): void
  resume(): void
  stop(graceMs: number): Promise<void>
}

export function createReports(parts: ReportsParts): Reports {
  const { settings, hostname, store, core, keys, certificates, clock, logger } = parts
  const parser = createParserThread({ logger })
  const desk = createCoreDesk({ core, store, parser, keys, settings, clock })
  const listener = createBounceListener({
    settings: settings(),
    desk,
    certificates,
    clock,
    events: logBounceEvents(logger),
  })
  const mailboxes = createMailboxes({
    settings,
    take: (report) => desk.take(report),
    store,
    clock,
    events: logMailboxEvents(logger),
  })
  const endpoint = createUnsubscribeEndpoint({
    settings: () => settings().unsubscribe,
    desk: {
      unsubscribe: (token, client) => desk.unsubscribe(token, client),
      unsubscribeTarget: (token) => unsubscribeTarget({ store, keys, clock }, token),
    },
    policyOf: (host) => policyAt(host, { domains: settings().domain, mxHost: settings().node.hostname ?? hostname }),
    clock,
    onError: (error) => logger.error({ event: 'unsubscribe-error', err: error }, 'an unsubscribe request failed'),
  })
  return {
    desk,
    start: async () => {
      const listening = await listener.start()
      const link = await endpoint.start()
      if (link !== undefined) logger.info({ event: 'listening', ...link })
      mailboxes.start()
      return link === undefined ? listening : [...listening, link]
    },
    mailboxes: () => mailboxes.status(),
    reconfigure: async (next) => {
      listener.reconfigure(next)
      await mailboxes.reconfigure()
    },
    pause: (reason) => listener.pause(reason),
    resume: () => listener.resume(),
    stop: async (graceMs) => {
      await Promise.all([mailboxes.stop(graceMs), endpoint.stop(graceMs), listener.stop(graceMs)])
      await parser.close()
    },
  }
}
