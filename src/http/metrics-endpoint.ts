// The server that Prometheus scrapes: one path, reading only. The API's socket answers the same, for looking at it by hand.

import { Hono } from 'hono'
import type { Settings } from '../config/schema.ts'
import type { Clock } from '../util/clock.ts'
import { createEndpoint, type Endpoint } from './endpoint.ts'

export interface MetricsSource {
  readonly contentType: string
  text(): Promise<string>
}

export function metricsRoutes(metrics: MetricsSource): Hono {
  const app = new Hono()
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  )
  return app
}

export function createMetricsEndpoint({
  metrics,
  settings,
  clock,
  onError,
}: {
  readonly metrics: MetricsSource
  readonly settings: () => Settings['metrics']
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}): Endpoint {
  const app = (): Hono => {
    const routes = metricsRoutes(metrics)
    routes.onError((error, context) => {
      onError(error)
      return context.text('The metrics could not be read; the log has why.\n', 500)
    })
    return routes
  }
  return createEndpoint({ name: 'metrics', settings, app, clock })
}
