// /messages: finding what was accepted, and its story.

import { Hono } from 'hono'
import { checked, messageQuery } from './input.ts'
import type { Operations } from './operations.ts'
import { OperationError } from './problem.ts'

export function messageRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.get('/messages', async (context) =>
    context.json({ items: await operations.messages(checked(messageQuery, context.req.query())) }),
  )
  routes.get('/messages/:id', async (context) =>
    context.json(found(await operations.message(context.req.param('id')), context.req.param('id'))),
  )
  routes.get('/messages/:id/events', async (context) =>
    context.json({ items: found(await operations.messageEvents(context.req.param('id')), context.req.param('id')) }),
  )
  return routes
}

function found<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new OperationError('not-found', `There is no message ${id}.`)
  return value
}
