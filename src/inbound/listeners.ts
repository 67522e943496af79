// The life of several listeners of one kind: open them all or none, one timer for the deadlines of all sessions, certificates
// that change under way, and an end that lets DATA under way come to its own.

import type { SecureVersion, TlsOptions } from 'node:tls'
import { type Clock, SECOND, type Timer } from '../util/clock.ts'
import type { Certificates } from './certificates.ts'
import type { ListenerEvents } from './events.ts'
import { OpenConnections } from './limits.ts'
import type { ListenerServer } from './listener-server.ts'
import type { ListenerSession } from './listener-session.ts'
import { type Listening, listenOn } from './port.ts'
import { REPLY } from './replies.ts'

export interface ListenersParts {
  readonly clock: Clock
  readonly certificates: Pick<Certificates, 'current' | 'onChange'>
  readonly events: Pick<ListenerEvents, 'listening'>
  readonly minVersion: () => SecureVersion
  /** Where they stand in the configuration. */
  readonly table: 'listener' | 'bounce_listener'
}

type Server = ListenerServer<ListenerSession>

const SWEEP_MS = SECOND
const DRAIN_POLL_MS = 50

export class Listeners {
  readonly openSessions = new OpenConnections()
  readonly openSockets = new OpenConnections()
  readonly #parts: ListenersParts
  #servers: readonly Server[] = []
  #sweep: Timer | undefined
  #isStopping = false

  constructor(parts: ListenersParts) {
    this.#parts = parts
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  tlsOptions(): TlsOptions {
    return { ...this.#parts.certificates.current, minVersion: this.#parts.minVersion() }
  }

  /** Rejects when one of them cannot have its port; then none is open. */
  async start(
    listeners: readonly { readonly at: Listening; readonly server: Server }[],
  ): Promise<readonly Listening[]> {
    this.#servers = listeners.map(({ server }) => server)
    const listening: Listening[] = []
    try {
      for (const { server, at } of listeners) listening.push(await this.#listen(server, at))
    } catch (error) {
      await Promise.all(this.#servers.map(closed))
      throw error
    }
    this.#parts.certificates.onChange(() => this.#useCertificate())
    this.#scheduleSweep()
    return listening
  }

  #useCertificate(): void {
    for (const server of this.#servers) {
      if (server.options.disabledCommands.includes('STARTTLS')) continue
      server.updateSecureContext(this.tlsOptions())
    }
  }

  async #listen(server: Server, at: Listening): Promise<Listening> {
    const bound = await listenOn(server.server, { ...at, option: `[[${this.#parts.table}]] port` })
    this.#parts.events.listening({ listener: bound.name, address: bound.address, port: bound.port })
    return bound
  }

  /** One timer for all deadlines: none per session, none per message. */
  #scheduleSweep(): void {
    this.#sweep = this.#parts.clock.after(SWEEP_MS, () => {
      const now = this.#parts.clock.monotonic()
      for (const server of this.#servers) for (const session of server.sessions) session.checkDeadlines(now)
      this.#scheduleSweep()
    })
  }

  /** New sessions are answered 421 4.3.2, DATA under way may end within `graceMs`; then everything is closed. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    const { clock } = this.#parts
    const deadline = clock.monotonic() + graceMs
    this.#endIdleSessions()
    while (this.#isTransferring() && clock.monotonic() < deadline) {
      await clock.sleep(Math.min(DRAIN_POLL_MS, graceMs))
      this.#endIdleSessions()
    }
    this.#sweep?.cancel()
    for (const server of this.#servers) for (const session of server.sessions) session.end(REPLY.shuttingDown)
    const allClosed = Promise.all(this.#servers.map(closed))
    await Promise.race([allClosed, clock.sleep(Math.max(SECOND, deadline - clock.monotonic()))])
    for (const server of this.#servers) server.destroySockets()
    await allClosed
    // A store that never answers is its own watchdog's business, not ours to wait for.
    await Promise.race([Promise.all(this.#servers.map((server) => server.settled())), clock.sleep(SECOND)])
  }

  #endIdleSessions(): void {
    for (const server of this.#servers) {
      for (const session of server.sessions) if (!session.isTransferring) session.end(REPLY.shuttingDown)
    }
  }

  #isTransferring(): boolean {
    return this.#servers.some((server) => [...server.sessions].some(({ isTransferring }) => isTransferring))
  }
}

/** Stops listening; resolves when the last connection has closed. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // net.Server's own close: SMTPServer.close would say its own 421 and run timers of its own.
    server.server.close(() => resolve())
  })
}
