// Submission as a whole: one server per listener, what they share (connection counts, tenancy, authenticator), and the
// life of them all: start, reconfigure, pause while the store is full, stop.

import { once } from 'node:events'
import { hostname as machineName } from 'node:os'
import type { ListenerSettings, Settings } from '../config/schema.ts'
import type { Acceptor } from '../queue/submission.ts'
import type { Signer } from '../sign/signer.ts'
import { type Clock, SECOND, type Timer } from '../util/clock.ts'
import { Authenticator } from './auth.ts'
import type { Certificates } from './certificates.ts'
import type { SubmissionEvents } from './events.ts'
import { OpenConnections } from './limits.ts'
import { REPLY } from './replies.ts'
import type { EnvelopePolicy } from './rules.ts'
import { SubmissionServer } from './server.ts'
import { Tenancy } from './tenancy.ts'

export interface SubmissionParts {
  readonly settings: Settings
  readonly acceptor: Acceptor
  readonly isSuppressed: EnvelopePolicy['isSuppressed']
  readonly knownNullMx: EnvelopePolicy['knownNullMx']
  readonly signer: Signer
  readonly certificates: Certificates
  readonly clock: Clock
  readonly events: SubmissionEvents
}

export interface Listening {
  readonly name: string
  readonly address: string
  readonly port: number
}

export interface Submission {
  /** Rejects when a listener cannot have its port; then none is open. */
  start(): Promise<readonly Listening[]>
  /** Tenants, credentials, networks, domains and limits; listeners and the host name need a restart. */
  reconfigure(settings: Settings): void
  /** New sessions are answered 421 4.3.2, DATA under way may end within `graceMs`; then everything is closed. */
  stop(graceMs: number): Promise<void>
  /** MAIL is answered 452 4.3.1 until resume(); connections stay open, so that clients hear why. */
  pause(reason: string): void
  resume(): void
}

const SWEEP_MS = SECOND
const DRAIN_POLL_MS = 50

export function createSubmission(parts: SubmissionParts): Submission {
  return new SubmissionListeners(parts)
}

class SubmissionListeners implements Submission {
  readonly #parts: SubmissionParts
  readonly #authenticator: Authenticator
  readonly #openSessions = new OpenConnections()
  readonly #openSockets = new OpenConnections()
  #settings: Settings
  #tenancy: Tenancy
  #servers: SubmissionServer[] = []
  #sweep: Timer | undefined
  #isPaused = false
  #isStopping = false

  constructor(parts: SubmissionParts) {
    this.#parts = parts
    this.#settings = parts.settings
    this.#tenancy = new Tenancy(parts.settings)
    this.#authenticator = new Authenticator(parts.clock)
  }

  async start(): Promise<readonly Listening[]> {
    this.#servers = this.#settings.listener.map((listener) => this.#createServer(listener))
    const listening: Listening[] = []
    try {
      for (const [index, server] of this.#servers.entries()) {
        const settings = this.#settings.listener[index]
        if (settings !== undefined) listening.push(await this.#listen(server, settings))
      }
    } catch (error) {
      await Promise.all(this.#servers.map(closed))
      throw error
    }
    this.#parts.certificates.onChange(() => this.#useCertificate())
    this.#scheduleSweep()
    return listening
  }

  #createServer(listener: ListenerSettings): SubmissionServer {
    const { settings, clock, acceptor, signer, events, isSuppressed, knownNullMx } = this.#parts
    return new SubmissionServer({
      listener,
      hostname: settings.node.hostname ?? machineName(),
      clock,
      acceptor,
      signer,
      events,
      authenticator: this.#authenticator,
      openSessions: this.#openSessions,
      openSockets: this.#openSockets,
      policy: { isSuppressed, knownNullMx, isPaused: () => this.#isPaused },
      tenancy: () => this.#tenancy,
      limits: () => this.#settings.submission,
      isStopping: () => this.#isStopping,
      tls: listener.tls === 'none' ? undefined : this.#tlsOptions(),
    })
  }

  #tlsOptions() {
    return { ...this.#parts.certificates.current, minVersion: this.#settings.tls.minVersion }
  }

  #useCertificate(): void {
    for (const server of this.#servers) {
      if (server.options.disabledCommands.includes('STARTTLS')) continue
      server.updateSecureContext(this.#tlsOptions())
    }
  }

  async #listen(server: SubmissionServer, { name, address, port }: ListenerSettings): Promise<Listening> {
    server.listen(port, address)
    await once(server.server, 'listening')
    const bound = server.server.address()
    if (bound === null || typeof bound === 'string') throw new Error(`listener ${name} has no address`)
    this.#parts.events.listening({ listener: name, address: bound.address, port: bound.port })
    return { name, address: bound.address, port: bound.port }
  }

  /** One timer for all deadlines: none per session, none per message. */
  #scheduleSweep(): void {
    this.#sweep = this.#parts.clock.after(SWEEP_MS, () => {
      const now = this.#parts.clock.monotonic()
      for (const server of this.#servers) for (const session of server.sessions) session.checkDeadlines(now)
      this.#scheduleSweep()
    })
  }

  reconfigure(settings: Settings): void {
    this.#settings = settings
    this.#tenancy = new Tenancy(settings)
    this.#authenticator.forget()
  }

  pause(reason: string): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#parts.events.submissionPaused({ reason })
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#parts.events.submissionResumed()
  }

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
function closed(server: SubmissionServer): Promise<void> {
  return new Promise((resolve) => {
    // net.Server's own close: SMTPServer.close would say its own 421 and run timers of its own.
    server.server.close(() => resolve())
  })
}
