// /destinations/{domain}: where its mail goes and what binds it.

import { Hono } from 'hono'
import { checked, domainParam } from './input.ts'
import type { Operations } from './operations.ts'

export function destinationRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.get('/destinations/:domain/resolve', async (context) =>
    context.json(await operations.resolve(checked(domainParam, context.req.param()).domain)),
  )
  routes.get('/destinations/:domain/explain', async (context) =>
    context.json(await operations.explain(checked(domainParam, context.req.param()).domain)),
  )
  return routes
}
