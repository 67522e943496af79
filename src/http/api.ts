// The HTTP API as one hono app: which path is which function of Operations. Routes read the request, call one function
// and write its answer; every error leaves as a problem document. The app has no authentication of its own: it is
// served on a unix socket that only its owner may open.

import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { destinationRoutes } from './destination-routes.ts'
import { eventRoutes, type RecordSource } from './event-routes.ts'
import { healthRoutes } from './health-routes.ts'
import { messageRoutes } from './message-routes.ts'
import { type MetricsSource, metricsRoutes } from './metrics-endpoint.ts'
import type { Operations } from './operations.ts'
import { OperationError, problemOf, problemResponse } from './problem.ts'
import { queueRoutes } from './queue-routes.ts'
import { relayRoutes } from './relay-routes.ts'
import { reportRoutes } from './report-routes.ts'
import { rulesRoutes } from './rules-routes.ts'
import { sourceRoutes } from './source-routes.ts'
import { suppressionRoutes } from './suppression-routes.ts'
import { suspensionRoutes } from './suspension-routes.ts'

export interface ApiParts {
  readonly operations: Operations
  readonly records: RecordSource
  /** Absent: of a relay without numbers. */
  readonly metrics?: MetricsSource
  /** Called with errors of our own, whose details the caller is not told. */
  readonly onError: (error: unknown, request: { readonly method: string; readonly path: string }) => void
}

const MAX_BODY_BYTES = 2 * 1024 * 1024
/** Read as it arrives, never held as a whole: it may have any length. */
const STREAMED_BODIES: ReadonlySet<string> = new Set(['/api/v1/suppressions/import', '/api/v1/bounces'])

export function createApi({ operations, records, metrics, onError }: ApiParts): Hono {
  const app = new Hono()
  const limited = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () =>
      problemResponse(new OperationError('too-large', `A request may have ${MAX_BODY_BYTES / 2 ** 20} MiB.`)),
  })
  app.use((context, next) => (STREAMED_BODIES.has(context.req.path) ? next() : limited(context, next)))
  app.onError((error, context) => {
    if (problemOf(error).code === 'failed') onError(error, { method: context.req.method, path: context.req.path })
    return problemResponse(error)
  })
  app.notFound((context) =>
    problemResponse(new OperationError('not-found', `There is no ${context.req.method} ${context.req.path}.`)),
  )
  app.get('/healthz', (context) => context.json({ status: 'ok' }))
  app.get('/readyz', async (context) => {
    const readiness = await operations.readiness()
    return context.json(readiness, readiness.ready ? 200 : 503)
  })
  if (metrics !== undefined) app.route('/', metricsRoutes(metrics))
  app.route('/api/v1', relayRoutes(operations))
  app.route('/api/v1', destinationRoutes(operations))
  app.route('/api/v1', messageRoutes(operations))
  app.route('/api/v1', queueRoutes(operations))
  app.route('/api/v1', suppressionRoutes(operations))
  app.route('/api/v1', suspensionRoutes(operations))
  app.route('/api/v1', sourceRoutes(operations))
  app.route('/api/v1', healthRoutes(operations))
  // Before the reports: `unknown` is no id of one.
  app.route('/api/v1', rulesRoutes(operations))
  app.route('/api/v1', reportRoutes(operations))
  app.route('/api/v1', eventRoutes(records))
  return app
}
