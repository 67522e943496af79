// /suspensions: whose mail an operator keeps back for a while.

import { Hono } from 'hono'
import { jsonBody } from './body.ts'
import { checked, newSuspension, suspensionKey, suspensionRemoval } from './input.ts'
import type { Operations } from './operations.ts'
import { OperationError } from './problem.ts'

export function suspensionRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.get('/suspensions', async (context) => context.json({ items: await operations.suspensions() }))
  routes.post('/suspensions', async (context) =>
    context.json(await operations.suspend(checked(newSuspension, await jsonBody(context))), 201),
  )
  routes.delete('/suspensions/:kind/:name', async (context) => {
    const key = checked(suspensionKey, context.req.param())
    const resumed = await operations.resume(key, checked(suspensionRemoval, context.req.query()))
    if (resumed === undefined) throw new OperationError('not-found', `The ${key.kind} ${key.name} is not suspended.`)
    return context.json(resumed)
  })
  return routes
}
