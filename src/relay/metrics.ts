// Puts the metrics together on the parts of a running relay, and serves them where the configuration says.

import type { Settings } from '../config/schema.ts'
import type { Delivery } from '../delivery/delivery.ts'
import { readExamination } from '../health/examination.ts'
import type { Health } from '../health/health.ts'
import { createMetricsEndpoint, type MetricsSource } from '../http/metrics-endpoint.ts'
import { startMetrics } from '../metrics/metrics.ts'
import type { Logger } from '../observe/logger.ts'
import type { Core } from '../queue/core.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'
import { VERSION } from '../version.ts'

export interface RelayMetrics {
  readonly source: MetricsSource
  stop(graceMs: number): Promise<void>
}

/** Counts from here on. Rejects when it cannot have its port. */
export async function startRelayMetrics(parts: {
  readonly settings: () => Settings
  readonly store: Store
  readonly core: Core
  readonly health: Health
  readonly delivery: Delivery
  readonly slowed: () => number
  readonly clock: Clock
  readonly logger: Logger
}): Promise<RelayMetrics> {
  const { settings, store, core, health, delivery, slowed, clock, logger } = parts
  const source = startMetrics({
    journal: core.journal,
    providerOf: (mx) => core.shaping().providerOf(mx),
    version: VERSION,
    store,
    inFlight: () => core.queue.inFlight,
    paths: () => delivery.paths(),
    alerts: () => health.alerts.list(),
    examination: () => readExamination(store),
    suspensions: () => core.suspensions.list(),
    slowed,
  })
  const endpoint = createMetricsEndpoint({
    metrics: source,
    settings: () => settings().metrics,
    clock,
    onError: (error) => logger.error({ event: 'metrics-error', err: error }, 'the metrics could not be read'),
  })
  const bound = await endpoint.start()
  if (bound !== undefined) logger.info({ event: 'listening', ...bound })
  return {
    source,
    stop: async (graceMs) => {
      await endpoint.stop(graceMs)
      source.stop()
    },
  }
}
