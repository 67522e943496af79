// The API of a running relay on its socket: what the operations may ask of the parts.

import type { Settings } from '../config/schema.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Health } from '../health/health.ts'
import { createApi } from '../http/api.ts'
import { createOperations } from '../http/relay-operations.ts'
import { listenOnSocket, type SocketListener } from '../http/socket.ts'
import type { Listening } from '../inbound/submission.ts'
import type { Logger } from '../observe/logger.ts'
import type { Core } from '../queue/core.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import type { Store } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { VERSION } from '../version.ts'
import type { RelayMetrics } from './metrics.ts'
import type { Reports } from './reports.ts'
import type { Sending } from './sending.ts'
import type { WatchedSources } from './sources.ts'

export interface RelayApiParts {
  readonly settings: () => Settings
  readonly store: Store
  readonly core: Core
  readonly delivery: Delivery
  readonly sources: WatchedSources
  readonly sending: Sending
  readonly reports: Reports
  readonly health: Health
  readonly metrics: RelayMetrics
  readonly sandbox: Sandbox | undefined
  readonly startedAt: EpochMs
  readonly listeners: () => readonly Listening[]
  readonly isDraining: () => boolean
  readonly reload: () => Promise<readonly string[]>
  readonly clock: Clock
  readonly logger: Logger
}

export function startApi(parts: RelayApiParts): Promise<SocketListener> {
  const { settings, store, core, delivery, sources, sending, reports, health, metrics, sandbox, clock, logger } = parts
  const { startedAt, isDraining, reload } = parts
  const tlsOf = (name: string): string => {
    const { listener, bounceListener } = settings()
    return [...listener, ...bounceListener].find((each) => each.name === name)?.tls ?? 'none'
  }
  const operations = createOperations({
    store,
    core,
    desk: reports.desk,
    health,
    settings,
    clock,
    version: VERSION,
    relay: {
      startedAt,
      delivery,
      standing: (lane) => sending.runner.standing(lane),
      standingOf: (message, recipient) => sending.standingOf(message, recipient),
      pacing: () => sending.pacing,
      hasAddress: (address) => sources.addresses.isThere(address),
      spare: (limit) => sending.throttle.spare(limit),
      listeners: () => parts.listeners().map((listener) => ({ ...listener, tls: tlsOf(listener.name) })),
      mailboxes: () => reports.mailboxes(),
      inbox: () => sandbox?.inbox.list(),
      isDraining,
      reload,
    },
  })
  const api = createApi({
    operations,
    records: { journal: core.journal, clock },
    metrics: metrics.source,
    onError: (error, request) => logger.error({ event: 'api-error', ...request, err: error }),
  })
  return listenOnSocket(api, settings().api.socket)
}
