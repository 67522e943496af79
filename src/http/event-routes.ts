// /events: the journal as a page of JSON lines, and as a stream of server-sent events that a reader can resume.

import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Journal } from '../journal/journal.ts'
import type { Clock } from '../util/clock.ts'
import { follow } from './follow.ts'
import { checked, eventQuery, streamQuery } from './input.ts'
import { journalPosition } from './position.ts'
import { toWire } from './wire.ts'

export interface RecordSource {
  readonly journal: Journal
  readonly clock: Clock
}

export function eventRoutes({ journal, clock }: RecordSource): Hono {
  const routes = new Hono()
  routes.get('/events', (context) => {
    const { since, kind, limit } = checked(eventQuery, context.req.query())
    const records = journal.since(journalPosition(since), { limit, ...(kind === undefined ? {} : { kinds: kind }) })
    const lines = records.map((record) => `${JSON.stringify(toWire(record))}\n`)
    return context.body(lines.join(''), 200, { 'content-type': 'application/x-ndjson' })
  })
  routes.get('/events/stream', (context) => {
    const query = checked(streamQuery, context.req.query())
    // The header is what an EventSource sends when it comes back by itself: it is newer than the URL.
    const since = journalPosition(context.req.header('last-event-id') ?? query.since)
    return streamSSE(context, async (stream) => {
      const gone = new AbortController()
      stream.onAbort(() => gone.abort())
      for await (const record of follow({ journal, clock, since, kinds: query.kind, signal: gone.signal })) {
        if (record === 'idle') await stream.write(': idle\n\n')
        else await stream.writeSSE({ id: record.position, event: record.kind, data: JSON.stringify(toWire(record)) })
      }
    })
  })
  return routes
}
