// The relay itself: how it does, what binds it, and the few things one tells it to do. The classifier is asked here too.

import { Hono } from 'hono'
import { jsonBody } from './body.ts'
import { inboxQuery } from './inbox-operations.ts'
import { backupBody, checked, classifyBody } from './input.ts'
import type { Operations } from './operations.ts'
import { OperationError } from './problem.ts'

export function relayRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.get('/status', async (context) => context.json(await operations.status()))
  routes.get('/stats', async (context) => context.json(await operations.stats()))
  routes.get('/destinations', async (context) => context.json({ items: await operations.destinations() }))
  routes.get('/sandbox/inbox', async (context) =>
    context.json({ items: await operations.inbox(checked(inboxQuery, context.req.query())) }),
  )
  routes.get('/sandbox/inbox/:id{[0-9]+}', async (context) => {
    const mail = await operations.inboxMail(Number(context.req.param('id')))
    if (mail === undefined)
      throw new OperationError('not-found', `The inbox of the sandbox has no message ${context.req.param('id')}.`)
    return context.json(mail)
  })
  routes.post('/reload', async (context) => context.json(await operations.reload()))
  routes.post('/backup', async (context) => {
    await operations.backup(checked(backupBody, await jsonBody(context)).directory)
    return context.body(null, 204)
  })
  routes.post('/bounces/classify', async (context) =>
    context.json(await operations.classify(checked(classifyBody, await jsonBody(context)))),
  )
  return routes
}
