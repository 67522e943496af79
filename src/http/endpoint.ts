// A TCP server for one app, off unless it has a port. Others than its owner may reach it, so everything about a connection
// is bounded.

import { once } from 'node:events'
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { listenOn } from '../inbound/port.ts'
import type { Listening } from '../inbound/submission.ts'
import { type Clock, SECOND } from '../util/clock.ts'

export interface Endpoint {
  /** Undefined when it has no port. Rejects when it cannot have the port. */
  start(): Promise<Listening | undefined>
  /** Answers under way get `graceMs`; then everything is closed. */
  stop(graceMs: number): Promise<void>
}

export interface EndpointParts {
  /** Also the section of the configuration that has its address and port. */
  readonly name: string
  readonly settings: () => { readonly address: string; readonly port?: number | undefined }
  readonly app: () => Hono
  readonly clock: Clock
}

const MAX_CONNECTIONS = 500
const SERVER_OPTIONS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 10 * SECOND,
  requestTimeout: 10 * SECOND,
  keepAliveTimeout: 5 * SECOND,
  connectionsCheckingInterval: 5 * SECOND,
}

export function createEndpoint({ name, settings, app, clock }: EndpointParts): Endpoint {
  let server: Server | undefined
  return {
    async start() {
      const { address, port } = settings()
      if (port === undefined) return undefined
      const starting = createAdaptorServer({ fetch: app().fetch, serverOptions: SERVER_OPTIONS }) as Server
      starting.maxConnections = MAX_CONNECTIONS
      const bound = await listenOn(starting, { name, address, port, option: `${name}.port` })
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
      await Promise.race([closed, clock.sleep(graceMs)])
      stopping.closeAllConnections()
      await closed
    },
  }
}
