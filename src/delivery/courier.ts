// Carries work out in one thread: sends each attempt down its path and answers with its outcome. There is one in the
// main thread or one in each worker; each path belongs to exactly one courier, which makes its limits exact.

import type { Settings } from '../config/schema.ts'
import type { Outcome } from '../mail/outcome.ts'
import { type Clock, SECOND } from '../util/clock.ts'
import { DeadHosts } from './candidates.ts'
import { Authorities } from './client-tls.ts'
import { deliver } from './deliver.ts'
import type { ChunkReader, PathStatus } from './delivery.ts'
import type { Link } from './link.ts'
import { type PathLimits, Paths } from './paths.ts'
import { createTlsPolicy, type TlsPolicy } from './tls-policy.ts'
import type { TlsResult } from './tls-result.ts'
import type { Work } from './work.ts'

type DeliverySettings = Settings['delivery']

/** Someone to hand work to: a courier of this thread, or the threads that have one each. */
export interface Carrier {
  /** Never rejects. */
  carry(work: Work): Promise<Outcome>
  paths(): Promise<readonly PathStatus[]>
  reconfigure(settings: DeliverySettings): void
  close(graceMs: number): Promise<void>
}

export interface CourierOptions {
  readonly settings: DeliverySettings
  readonly clock: Clock
  readonly readChunk: ChunkReader
  readonly random: () => number
  readonly onTls?: (result: TlsResult) => void
  /** Told of errors of our own: the attempt was deferred because of it. */
  readonly onError: (error: unknown, work: Work) => void
}

/** How long closing waits for servers to answer QUIT. */
const PARTING_MS = SECOND
const CUT: Outcome = { kind: 'returned', reason: 'shutting down', retryAfterMs: SECOND }

export class Courier implements Carrier {
  readonly #options: CourierOptions
  readonly #paths: Paths<Link>
  readonly #dead: DeadHosts
  readonly #links = new Set<Link>()
  readonly #stop = new AbortController()
  #settings: DeliverySettings
  #tlsPolicy: TlsPolicy
  #authorities: Authorities | undefined

  constructor(options: CourierOptions) {
    this.#options = options
    this.#settings = options.settings
    this.#paths = new Paths(options.clock)
    this.#dead = new DeadHosts(options.clock)
    this.#tlsPolicy = createTlsPolicy(options.clock, options.settings.brokenTlsMemory)
    this.#authorities = authoritiesOf(options.settings)
  }

  async carry(work: Work): Promise<Outcome> {
    try {
      const { destination, source } = work
      const limits = work.limits ?? limitsOf(this.#settings, destination.connections)
      const key = { source: source.name, site: destination.site, domain: work.limits?.domain }
      return await this.#paths.run(key, limits, (slot) => this.#deliver(work, slot))
    } catch (error) {
      return this.#broken(error, work)
    }
  }

  async #deliver(work: Work, slot: Parameters<typeof deliver>[1]): Promise<Outcome> {
    const { clock, readChunk, random, onTls } = this.#options
    const authorities = this.#authorities
    const own = {
      dead: this.#dead,
      tlsPolicy: this.#tlsPolicy,
      ...(authorities !== undefined && { authorities }),
      ...(onTls !== undefined && { onTls }),
      links: this.#links,
      stop: this.#stop.signal,
    }
    try {
      const settings = work.limits === undefined ? this.#settings : { ...this.#settings, ...work.limits.timeouts }
      const outcome = await deliver(work, slot, { settings, clock, readChunk, random, ...own })
      return this.#stop.signal.aborted && wasCut(outcome) ? CUT : outcome
    } catch (error) {
      return this.#broken(error, work)
    }
  }

  /** An unknown error is transient: our own bug must not bounce a mail. */
  #broken(error: unknown, work: Work): Outcome {
    this.#options.onError(error, work)
    const detail = error instanceof Error ? error.message : String(error)
    return { kind: 'deferred', cause: { kind: 'local', code: '4.3.0', detail: `internal error: ${detail}` } }
  }

  async paths(): Promise<readonly PathStatus[]> {
    return this.#paths.status()
  }

  reconfigure(settings: DeliverySettings): void {
    if (settings.brokenTlsMemory !== this.#settings.brokenTlsMemory) {
      this.#tlsPolicy = createTlsPolicy(this.#options.clock, settings.brokenTlsMemory)
    }
    if (settings.ca !== this.#settings.ca) this.#authorities = authoritiesOf(settings)
    this.#settings = settings
  }

  async close(graceMs: number): Promise<void> {
    const settled = this.#paths.close()
    await this.#within(graceMs, settled)
    this.#stop.abort()
    for (const link of this.#links) if (!link.usable) link.destroy()
    await settled
    // Idle connections have said QUIT: time for it to arrive.
    const closed = [...this.#links].map((link) => new Promise<void>((resolve) => link.onClose(resolve)))
    await this.#within(PARTING_MS, Promise.all(closed))
    for (const link of this.#links) link.destroy()
  }

  async #within(ms: number, done: Promise<unknown>): Promise<void> {
    const waiting = new AbortController()
    await Promise.race([done, this.#options.clock.sleep(ms, waiting.signal)])
    waiting.abort()
  }
}

function authoritiesOf({ ca }: DeliverySettings): Authorities | undefined {
  return ca === undefined ? undefined : new Authorities(ca)
}

function limitsOf(settings: DeliverySettings, connections: number): PathLimits {
  return {
    connections,
    messagesPerConnection: settings.messagesPerConnection,
    connectionRate: settings.connectionRate,
    idleTimeoutMs: settings.idleTimeout,
  }
}

/** Whether the attempt ended because we cut it, with nothing said by the host and nothing in doubt. */
function wasCut(outcome: Outcome): boolean {
  if (outcome.kind !== 'deferred') return false
  return outcome.cause.kind === 'connect' || outcome.cause.kind === 'timeout' || outcome.cause.kind === 'protocol'
}
