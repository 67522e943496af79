// /suppressions: who must not be mailed, and why.

import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import { jsonBody } from './body.ts'
import {
  checkBody,
  checked,
  exportQuery,
  importQuery,
  newSuppression,
  removal,
  scopeQuery,
  suppressionQuery,
  tenantQuery,
  undoBody,
} from './input.ts'
import type { Operations } from './operations.ts'
import { OperationError } from './problem.ts'

export function suppressionRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.get('/suppressions', async (context) =>
    context.json(await operations.suppressions(checked(suppressionQuery, context.req.query()))),
  )
  routes.post('/suppressions/check', async (context) => {
    const { addresses, tenant } = checked(checkBody, await jsonBody(context))
    return context.json({ items: await operations.checkAddresses(addresses, tenant) })
  })
  routes.post('/suppressions/import', async (context) => {
    const options = checked(importQuery, context.req.query())
    return context.json(await operations.importSuppressions(context.req.raw.body ?? '', options))
  })
  routes.post('/suppressions/undo', async (context) =>
    context.json(await operations.undoSuppressions(checked(undoBody, await jsonBody(context)))),
  )
  routes.get('/suppressions/export.csv', async (context) => {
    const { scope, format } = checked(exportQuery, context.req.query())
    const chunks = operations.exportSuppressions({ format, ...(scope === undefined ? {} : { scope }) })
    const pieces = chunks[Symbol.asyncIterator]()
    // What is wrong with the request shows at the first piece: later no problem document can be sent any more.
    let piece = await pieces.next()
    context.header('content-type', `${format === 'jsonl' ? 'application/x-ndjson' : 'text/csv'}; charset=utf-8`)
    return stream(context, async (output) => {
      for (; piece.done !== true; piece = await pieces.next()) await output.write(piece.value)
    })
  })
  routes.get('/suppressions/:address/why', async (context) => {
    const { tenant } = checked(tenantQuery, context.req.query())
    return context.json({ items: await operations.whySuppressed(context.req.param('address'), tenant) })
  })
  routes.get('/suppressions/:address', async (context) => {
    const { scope } = checked(scopeQuery, context.req.query())
    const entry = await operations.suppression(context.req.param('address'), scope)
    return context.json(entry ?? missing(context.req.param('address'), scope))
  })
  routes.put('/suppressions/:address', async (context) =>
    context.json(
      await operations.suppress(context.req.param('address'), checked(newSuppression, await jsonBody(context))),
    ),
  )
  routes.delete('/suppressions/:address', async (context) => {
    const given = checked(removal, context.req.query())
    const removed = await operations.unsuppress(context.req.param('address'), given)
    return context.json(removed ?? missing(context.req.param('address'), given.scope))
  })
  return routes
}

function missing(address: string, scope: string | undefined): never {
  const where = scope === undefined ? 'anywhere' : `in the scope ${scope}`
  throw new OperationError('not-found', `${address} is not suppressed ${where}.`)
}
