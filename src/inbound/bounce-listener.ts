// The bounce listeners as a whole: one server per [[bounce_listener]] and what they share: limits, the rate of each client,
// pausing while the store is full. Their life is that of all listeners (listeners.ts).

import { hostname as machineName } from 'node:os'
import type { Settings } from '../config/schema.ts'
import type { ReportDesk } from '../reports/desk.ts'
import type { Clock } from '../util/clock.ts'
import { BounceServer } from './bounce-server.ts'
import { HANDSHAKE_MS } from './bounce-session.ts'
import type { Certificates } from './certificates.ts'
import type { BounceEvents } from './events.ts'
import { Listeners } from './listeners.ts'
import type { Listening } from './port.ts'
import { SourceRate } from './source-rate.ts'

export interface BounceListenerParts {
  readonly settings: Settings
  readonly desk: Pick<ReportDesk, 'addressee' | 'take'>
  readonly certificates: Pick<Certificates, 'current' | 'onChange'>
  readonly clock: Clock
  readonly events: BounceEvents
}

export interface BounceListener {
  /** Rejects when a listener cannot have its port; then none is open. */
  start(): Promise<readonly Listening[]>
  /** Limits and domains; listeners and the host name need a restart. A session keeps the limits it began with. */
  reconfigure(settings: Settings): void
  /** New sessions are answered 421 4.3.2, DATA under way may end within `graceMs`; then everything is closed. */
  stop(graceMs: number): Promise<void>
  /** MAIL is answered 452 4.3.1 until resume(). */
  pause(reason: string): void
  resume(): void
}

export function createBounceListener(parts: BounceListenerParts): BounceListener {
  return new BounceListeners(parts)
}

class BounceListeners implements BounceListener {
  readonly #parts: BounceListenerParts
  readonly #listeners: Listeners
  readonly #rate: SourceRate
  #settings: Settings
  #isPaused = false

  constructor(parts: BounceListenerParts) {
    const { clock, certificates, events } = parts
    this.#parts = parts
    this.#settings = parts.settings
    this.#rate = new SourceRate(clock)
    this.#listeners = new Listeners({
      table: 'bounce_listener',
      clock,
      certificates,
      events,
      minVersion: () => this.#settings.tls.minVersion,
    })
  }

  start(): Promise<readonly Listening[]> {
    return this.#listeners.start(
      this.#settings.bounceListener.map((listener) => ({ at: listener, server: this.#createServer(listener) })),
    )
  }

  #createServer(listener: Settings['bounceListener'][number]): BounceServer {
    const { settings, desk, clock, events } = this.#parts
    return new BounceServer({
      listener,
      hostname: settings.node.hostname ?? machineName(),
      desk,
      clock,
      events,
      rate: this.#rate,
      openSessions: this.#listeners.openSessions,
      openSockets: this.#listeners.openSockets,
      settings: () => this.#settings,
      limits: () => this.#settings.bounce,
      handshakeTimeout: () => HANDSHAKE_MS,
      isPaused: () => this.#isPaused,
      isStopping: () => this.#listeners.isStopping,
      tls: listener.tls === 'none' ? undefined : this.#listeners.tlsOptions(),
    })
  }

  reconfigure(settings: Settings): void {
    this.#settings = settings
  }

  pause(reason: string): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#parts.events.bouncesPaused({ reason })
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#parts.events.bouncesResumed()
  }

  stop(graceMs: number): Promise<void> {
    return this.#listeners.stop(graceMs)
  }
}
