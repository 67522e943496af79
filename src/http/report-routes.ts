// /bounces: the reports that came back. What a stranger wrote leaves here only as JSON or as a file to be saved, never
// as something a browser would show.

import { Hono } from 'hono'
import { jsonBody } from './body.ts'
import { checked, decisionParam, reportQuery, whoBody } from './input.ts'
import type { Operations } from './operations.ts'
import { OperationError } from './problem.ts'

export function reportRoutes(operations: Operations): Hono {
  const routes = new Hono()
  routes.get('/bounces', async (context) =>
    context.json(await operations.reports(checked(reportQuery, context.req.query()))),
  )
  routes.post('/bounces', async (context) => {
    const { who } = checked(whoBody, context.req.query())
    const report = await operations.ingestReport(context.req.raw.body ?? nothing(), who)
    return context.json(report, 201, { location: `/api/v1/bounces/${report.id}` })
  })
  routes.get('/bounces/:id', async (context) => {
    const id = context.req.param('id')
    return context.json((await operations.report(id)) ?? missing(`There is no report ${id}.`))
  })
  routes.get('/bounces/:id/raw', async (context) => {
    const id = context.req.param('id')
    const mail = (await operations.reportMail(id)) ?? missing(`There is no report ${id}, or its mail is not kept.`)
    return context.body(Uint8Array.from(mail), 200, {
      'content-type': 'message/rfc822',
      'content-disposition': `attachment; filename="${id}.eml"`,
      'x-content-type-options': 'nosniff',
    })
  })
  routes.post('/bounces/:id/:decision{accept|dismiss}', async (context) => {
    const { id, decision } = context.req.param()
    const { who } = checked(whoBody, await jsonBody(context))
    const report = await operations.decideReport(id, checked(decisionParam, decision), who)
    return context.json(report ?? missing(`There is no report ${id}.`))
  })
  return routes
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A request without a body: a mail of no bytes.
}

function missing(sentence: string): never {
  throw new OperationError('not-found', sentence)
}
