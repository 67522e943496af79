// /queue: what waits, and what operators do about it. Every change needs a reason; it lands in the journal with who.

import { type Context, Hono } from 'hono'
import { jsonBody } from './body.ts'
import {
  CANCEL_MODES,
  cancelQuery,
  changeMany,
  changeOne,
  checked,
  QUEUE_ACTIONS,
  queueQuery,
  recipientParam,
  summaryQuery,
} from './input.ts'
import type { Operations, QueueAction } from './operations.ts'
import { OperationError } from './problem.ts'

export function queueRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.get('/queue', async (context) =>
    context.json(await operations.queue(checked(queueQuery, context.req.query()))),
  )
  routes.get('/queue/summary', async (context) =>
    context.json({ items: await operations.queueSummary(checked(summaryQuery, context.req.query()).by) }),
  )
  for (const action of QUEUE_ACTIONS) {
    routes.post(`/queue/${action}`, async (context) =>
      context.json(await operations.changeQueue(action, checked(changeMany, await jsonBody(context)))),
    )
    if (CANCEL_MODES.some((mode) => mode === action)) continue
    routes.post(`/queue/:id/${action}`, async (context) =>
      changeById(context, action, checked(changeOne, await jsonBody(context))),
    )
  }
  routes.delete('/queue/:id', async (context) => {
    const { mode, ...blame } = checked(cancelQuery, context.req.query())
    return changeById(context, mode, blame)
  })

  async function changeById(
    context: Context,
    action: QueueAction,
    blame: { who: string; reason: string },
  ): Promise<Response> {
    const { id } = checked(recipientParam, context.req.param())
    const changed = await operations.changeQueue(action, { ids: [id], ...blame })
    if (changed.count === 0) throw new OperationError('not-found', `Nothing in the queue of ${id} to ${action}.`)
    return context.json(changed)
  }
  return routes
}
