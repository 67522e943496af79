// /health: how mail fares, which alerts hold, what the relay found when it examined itself. (/healthz says whether it lives.)

import { Hono } from 'hono'
import { checked, healthQuery, historyQuery } from './input.ts'
import type { Operations } from './operations.ts'
import { OperationError } from './problem.ts'

export function healthRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.get('/health', async (context) =>
    context.json({ items: await operations.health(checked(healthQuery, context.req.query())) }),
  )
  routes.get('/health/alerts', async (context) => context.json({ items: await operations.alerts() }))
  routes.get('/health/alerts/history', async (context) => {
    const { limit } = checked(historyQuery, context.req.query())
    return context.json({ items: await operations.alertHistory(limit) })
  })
  routes.get('/health/doctor', async (context) => {
    const examination = await operations.examination()
    if (examination === undefined)
      throw new OperationError('not-found', 'The relay has not examined itself yet ([doctor] every).')
    return context.json(examination)
  })
  return routes
}
