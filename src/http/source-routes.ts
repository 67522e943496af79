// /sources: sending addresses, their warm-up, and draining.

import { Hono } from 'hono'
import { jsonBody } from './body.ts'
import { checked, sourceDrain, sourceParam } from './input.ts'
import type { Operations } from './operations.ts'
import { OperationError } from './problem.ts'

export function sourceRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.get('/sources', async (context) => context.json({ items: await operations.sources() }))
  routes.get('/sources/:name/warm-up', async (context) =>
    context.json(await operations.warmUp(checked(sourceParam, context.req.param()).name)),
  )
  routes.post('/sources/:name/drain', async (context) => {
    const { name } = checked(sourceParam, context.req.param())
    return context.json(await operations.drainSource(name, checked(sourceDrain, await jsonBody(context))))
  })
  routes.post('/sources/:name/undrain', async (context) => {
    const { name } = checked(sourceParam, context.req.param())
    const ended = await operations.undrainSource(name, checked(sourceDrain, await jsonBody(context)))
    if (ended === undefined) throw new OperationError('not-found', `Source ${name} is not drained.`)
    return context.json(ended)
  })
  return routes
}
