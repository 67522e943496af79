// Submission as a whole: one server per listener and what they share: tenancy, authenticator, pausing while the store is
// full. Their life is that of all listeners (listeners.ts).

import { hostname as machineName } from 'node:os'
import type { ReturnPathKey } from '../bounce/return-path.ts'
import type { ListenerSettings, Settings } from '../config/schema.ts'
import type { Acceptor } from '../queue/submission.ts'
import type { Signer } from '../sign/signer.ts'
import type { Clock } from '../util/clock.ts'
import { Authenticator } from './auth.ts'
import type { Certificates } from './certificates.ts'
import type { SubmissionEvents } from './events.ts'
import type { UnsubscribeTerms } from './list-unsubscribe.ts'
import { Listeners } from './listeners.ts'
import type { Listening } from './port.ts'
import type { EnvelopePolicy } from './rules.ts'
import { SubmissionServer } from './server.ts'
import { Tenancy } from './tenancy.ts'

export interface SubmissionParts {
  readonly settings: Settings
  readonly acceptor: Acceptor
  readonly isSuppressed: EnvelopePolicy['isSuppressed']
  readonly knownNullMx: EnvelopePolicy['knownNullMx']
  readonly signer: Signer
  /** Signs unsubscribe addresses; without it credentials with list_unsubscribe get none. */
  readonly unsubscribeKey?: ReturnPathKey
  readonly certificates: Certificates
  readonly clock: Clock
  readonly events: SubmissionEvents
}

export type { Listening } from './port.ts'

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

export function createSubmission(parts: SubmissionParts): Submission {
  return new SubmissionListeners(parts)
}

class SubmissionListeners implements Submission {
  readonly #parts: SubmissionParts
  readonly #authenticator: Authenticator
  readonly #listeners: Listeners
  #settings: Settings
  #tenancy: Tenancy
  #isPaused = false

  constructor(parts: SubmissionParts) {
    this.#parts = parts
    this.#settings = parts.settings
    this.#tenancy = new Tenancy(parts.settings)
    this.#authenticator = new Authenticator(parts.clock)
    const { clock, certificates, events } = parts
    this.#listeners = new Listeners({
      table: 'listener',
      clock,
      certificates,
      events,
      minVersion: () => this.#settings.tls.minVersion,
    })
  }

  start(): Promise<readonly Listening[]> {
    return this.#listeners.start(
      this.#settings.listener.map((listener) => ({ at: listener, server: this.#createServer(listener) })),
    )
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
      openSessions: this.#listeners.openSessions,
      openSockets: this.#listeners.openSockets,
      policy: { isSuppressed, knownNullMx, isPaused: () => this.#isPaused },
      tenancy: () => this.#tenancy,
      limits: () => this.#settings.submission,
      unsubscribe: () => this.#unsubscribeTerms(),
      handshakeTimeout: () => this.#settings.submission.authTimeout,
      isStopping: () => this.#listeners.isStopping,
      tls: listener.tls === 'none' ? undefined : this.#listeners.tlsOptions(),
    })
  }

  #unsubscribeTerms(): UnsubscribeTerms | undefined {
    const { unsubscribeKey: key } = this.#parts
    const { url, keep } = this.#settings.unsubscribe
    return key === undefined ? undefined : { key, url, keepMs: keep }
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

  stop(graceMs: number): Promise<void> {
    return this.#listeners.stop(graceMs)
  }
}
