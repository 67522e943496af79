// The public server of the unsubscribe links (and of our own MTA-STS policies): plain HTTP, behind a proxy that ends TLS, off unless it has a port. Anybody
// can reach it, so everything about a connection is bounded; what it answers is said in unsubscribe-routes.ts.

import { once } from 'node:events'
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { listenOn } from '../inbound/port.ts'
import type { Listening } from '../inbound/submission.ts'
import { SECOND } from '../util/clock.ts'
import { type UnsubscribeRouteParts, unsubscribeRoutes } from './unsubscribe-routes.ts'

export interface UnsubscribeEndpoint {
  /** Undefined when it has no port. Rejects when it cannot have the port. */
  start(): Promise<Listening | undefined>
  /** Answers under way get `graceMs`; then everything is closed. */
  stop(graceMs: number): Promise<void>
}

const MAX_CONNECTIONS = 500
const SERVER_OPTIONS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 10 * SECOND,
  requestTimeout: 10 * SECOND,
  keepAliveTimeout: 5 * SECOND,
  connectionsCheckingInterval: 5 * SECOND,
}

export function createUnsubscribeEndpoint(parts: UnsubscribeRouteParts): UnsubscribeEndpoint {
  let server: Server | undefined
  return {
    async start() {
      const { address, port } = parts.settings()
      if (port === undefined) return undefined
      const app = unsubscribeRoutes(parts)
      const starting = createAdaptorServer({ fetch: app.fetch, serverOptions: SERVER_OPTIONS }) as Server
      starting.maxConnections = MAX_CONNECTIONS
      const bound = await listenOn(starting, { name: 'unsubscribe', address, port, option: 'unsubscribe.port' })
      server = starting
      return bound
    },
    async stop(graceMs) {
      const stopping = server
      server = undefined
      if (stopping === undefined) return
      const closed = once(stopping, 'close')
      stopping.close()
      stopping.closeIdleConnections()
      await Promise.race([closed, parts.clock.sleep(graceMs)])
      stopping.closeAllConnections()
      await closed
    },
  }
}
