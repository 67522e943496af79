// /bounces/test-rules and /bounces/unknown: the rules of the classifier held against the journal.

import { Hono } from 'hono'
import { jsonBody } from './body.ts'
import { checked } from './input.ts'
import type { Operations } from './operations.ts'
import { testRulesBody, unknownQuery } from './rules-operations.ts'

export function rulesRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.post('/bounces/test-rules', async (context) =>
    context.json(await operations.testRules(checked(testRulesBody, await jsonBody(context)))),
  )
  routes.get('/bounces/unknown', async (context) =>
    context.json({ items: await operations.unknownReplies(checked(unknownQuery, context.req.query())) }),
  )
  return routes
}
