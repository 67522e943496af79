// The composition root: builds every part once, in the order in which a message meets them backwards, and stops them in
// the other order. The only file that knows all parts.
// Start: store → core → sandbox → delivery → runner → submission → API. Stop: no new mail, no new attempts, what is
// under way ends or is given back, then the store closes.

import { randomBytes } from 'node:crypto'
import { hostname as machineName } from 'node:os'
import type { ReturnPathKey } from './bounce/return-path.ts'
import type { LoadedSettings } from './config/load.ts'
import type { Settings } from './config/schema.ts'
import { createDelivery } from './delivery/create-delivery.ts'
import type { Delivery } from './delivery/delivery.ts'
import { type Certificates, openCertificates } from './inbound/certificates.ts'
import { logEvents } from './inbound/log-events.ts'
import { createSubmission, type Listening, type Submission } from './inbound/submission.ts'
import { announceTo } from './journal/announce.ts'
import type { Journal } from './journal/journal.ts'
import type { Message } from './mail/message.ts'
import type { Logger } from './observe/logger.ts'
import { type Core, createCore } from './queue/core.ts'
import { returnPathKeys } from './queue/return-path-keys.ts'
import { readChunk } from './queue/spool.ts'
import { startApi } from './relay/api.ts'
import { type RelayHealth, startHealth } from './relay/health.ts'
import { keepHouse } from './relay/housekeeping.ts'
import { startRelayMetrics } from './relay/metrics.ts'
import { startPretendInternet } from './relay/pretend-internet.ts'
import { SettingsInForce } from './relay/reload.ts'
import { createReports } from './relay/reports.ts'
import { createSending, type Sending } from './relay/sending.ts'
import { type WatchedSources, watchSources } from './relay/sources.ts'
import { followHealth, openRelayStore, warnOfClock } from './relay/store.ts'
import { storedPolicies } from './relay/tls-policies.ts'
import { createTlsReports, type TlsReports } from './relay/tls-reports.ts'
import type { ReportDesk } from './reports/desk.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { originIn } from './shaping/origin.ts'
import { type ConfiguredSigner, createSigner } from './sign/signer.ts'
import type { Store } from './store/store.ts'
import type { SuppressionList } from './suppression/list.ts'
import { type Clock, type EpochMs, SECOND } from './util/clock.ts'

export interface RelayOptions {
  readonly loaded: LoadedSettings
  /** Reads the configuration again, for reload(); throws ConfigError. */
  readonly reload?: () => LoadedSettings
  readonly clock: Clock
  readonly logger: Logger
  /** The store cannot be trusted any more: the process must end (exit 70). */
  readonly onFatal?: (reason: string) => void
}

export interface Relay {
  readonly listeners: readonly Listening[]
  /** Where reports come back: bounce listeners, then the unsubscribe endpoint if it is on. */
  readonly reportListeners: readonly Listening[]
  readonly desk: ReportDesk
  readonly journal: Journal
  readonly suppressions: SuppressionList
  readonly sandbox: Sandbox | undefined
  /** Path of the API socket. */
  readonly socket: string
  /** Validates everything first; the old settings stay when anything is wrong. Returns a sentence per change. */
  reload(): Promise<readonly string[]>
  /** New mail is refused at once; attempts under way get `graceMs`. Everything is durable and closed when it resolves. */
  stop(graceMs?: number): Promise<void>
}

const GRACE_MS = 30 * SECOND
const UNSUBSCRIBE = 'unsubscribe'
const SANDBOX_NETWORKS = ['127.0.0.0/8', '::1/128']

/** Rejects, with nothing left open, when a part cannot start. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const building = new RelayBuilder(options)
  try {
    return await building.start()
  } catch (error) {
    await building.stop(0)
    throw error
  }
}

class RelayBuilder {
  readonly #options: RelayOptions
  readonly #stopped = new AbortController()
  readonly #inForce: SettingsInForce
  #draining = false
  #sending: Sending | undefined
  #sources: WatchedSources | undefined
  #listeners: readonly Listening[] = []
  #reportListeners: readonly Listening[] = []
  /** What runs, in the order it was started; stopped backwards. */
  readonly #stops: ((graceMs: number) => Promise<unknown>)[] = []

  constructor(options: RelayOptions) {
    this.#options = options
    this.#inForce = new SettingsInForce(options.loaded, options.logger)
  }

  get #settings(): Settings {
    return this.#inForce.settings
  }

  async start(): Promise<Relay> {
    const { clock, logger } = this.#options
    const startedAt = clock.now()
    const hostname = this.#settings.node.hostname ?? machineName()
    const { onFatal } = this.#options
    const store = openRelayStore({ data: this.#settings.data, clock, logger, onFatal })
    this.#stops.push(() => store.close())
    const originOf = originIn(this.#inForce.loaded)
    let health: RelayHealth | undefined
    const holdsUntil = (message: Message): EpochMs | undefined => health?.holdsUntil(message)
    const core = createCore({ store, settings: this.#settings, originOf, hostname, clock, logger, holdsUntil })
    core.journal.follow(announceTo(logger, this.#settings.log.addresses, randomBytes(32)))
    warnOfClock(core.journal, { clock, logger })
    health = await startHealth({ settings: () => this.#settings, store, core, clock, logger })
    // After delivery and the runner have ended: what they told last is counted too.
    this.#stops.push(health.stop)
    const sandbox = await this.#startSandbox()
    const signer = createSigner({ domains: this.#settings.domain, clock })
    for (const warning of signer.warnings) logger.warn({ event: 'signing-key-warning' }, warning)
    const tlsReports = createTlsReports({
      settings: () => this.#inSandbox(this.#settings),
      hostname,
      store,
      clock,
      logger,
    })
    const sources = await watchSources({ settings: () => this.#settings, core, clock, logger })
    this.#sources = sources
    this.#stops.push(() => sources.stop())
    const delivery = this.#startDelivery(store, core, tlsReports)
    const keys = await returnPathKeys(store)
    tlsReports.start({ acceptor: core.queue, signer })
    // After delivery and the runner have ended: what they told last is counted too.
    this.#stops.push(() => tlsReports.stop())
    const sending = createSending({
      store,
      core,
      delivery,
      key: keys[0],
      settings: () => this.#settings,
      clock,
      logger,
    })
    this.#sending = sending
    this.#stops.push((grace) => sending.stop(grace))
    await sending.start()
    const metrics = await startRelayMetrics({
      settings: () => this.#settings,
      store,
      core,
      health: health.health,
      delivery,
      slowed: () => sending.pacing.paces().length,
      clock,
      logger,
    })
    this.#stops.push((graceMs) => metrics.stop(graceMs))
    const certificates = await this.#openCertificates()
    const shared = { store, core, keys, certificates, clock, logger }
    const reports = createReports({ settings: () => this.#settings, hostname: machineName(), ...shared })
    this.#stops.push((graceMs) => reports.stop(graceMs))
    const submission = this.#createSubmission({ core, delivery, signer, certificates, key: keys[0] })
    followHealth(store, [submission, reports])
    const reload = (): Promise<readonly string[]> =>
      this.#inForce.reload(this.#options.reload, {
        core,
        sources,
        delivery,
        signer,
        submission,
        reports,
        sending,
        health: health.health,
        inSandbox: this.#inSandbox,
      })
    // Before the listeners, so that it stops after them: whoever asks hears that the relay is draining.
    const api = await startApi({
      settings: () => this.#settings,
      store,
      core,
      delivery,
      sources,
      sending,
      reports,
      health: health.health,
      metrics,
      sandbox,
      startedAt,
      listeners: () => [...this.#listeners, ...this.#reportListeners],
      isDraining: () => this.#draining,
      reload,
      clock,
      logger,
    })
    this.#stops.push(() => api.close())
    const beforeAnyMail = core.queue.openBody().id
    this.#reportListeners = await reports.start()
    this.#listeners = await submission.start()
    this.#stops.push((graceMs) => submission.stop(graceMs))
    const housekeeping = keepHouse(
      { store, core, settings: () => this.#settings, beforeAnyMail, clock, logger },
      this.#stopped.signal,
    )
    this.#stops.push(() => housekeeping)
    return {
      listeners: this.#listeners,
      reportListeners: this.#reportListeners,
      desk: reports.desk,
      journal: core.journal,
      suppressions: core.suppressions,
      sandbox,
      socket: api.path,
      reload,
      stop: (graceMs = GRACE_MS) => this.stop(graceMs),
    }
  }

  async stop(graceMs: number): Promise<void> {
    const { clock } = this.#options
    const until = clock.monotonic() + graceMs
    this.#draining = true
    this.#stopped.abort()
    this.#sending?.runner.takeNothingMore()
    // One grace for all: a supervisor counts from the signal.
    for (const stop of this.#stops.splice(0).reverse()) await stop(Math.max(0, until - clock.monotonic()))
  }

  async #startSandbox(): Promise<Sandbox | undefined> {
    if (this.#settings.delivery.mode !== 'sandbox') return undefined
    const { clock, logger } = this.#options
    const { sandbox, inSandbox } = await startPretendInternet({
      settings: this.#settings,
      clock,
      logger,
      reportTo: () => this.#reportListeners.find(({ name }) => name !== UNSUBSCRIBE),
    })
    this.#inSandbox = inSandbox
    this.#stops.push(() => sandbox.stop())
    return sandbox
  }

  /** How delivery sees the settings: as they are, or turned into the sandbox. */
  #inSandbox = (settings: Settings): Settings => settings

  #startDelivery(store: Store, core: Core, tlsReports: TlsReports): Delivery {
    const { clock, logger } = this.#options
    return createDelivery({
      settings: this.#inSandbox(this.#settings),
      shaping: core.shaping(),
      clock,
      logger,
      readChunk: async (id, index) => readChunk(store, id, index),
      policies: storedPolicies({ store, clock, logger }),
      onTls: (result) => tlsReports.count(result),
      ...(this.#sources !== undefined && { addresses: this.#sources.addresses }),
      ...(this.#settings.delivery.mode === 'sandbox' ? { allowed: SANDBOX_NETWORKS } : {}),
    })
  }

  async #openCertificates(): Promise<Certificates> {
    const { clock, logger } = this.#options
    const certificates = await openCertificates({
      settings: this.#settings.tls,
      hostname: this.#settings.node.hostname ?? machineName(),
      clock,
      events: logEvents(logger),
    })
    this.#stops.push(async () => certificates.close())
    return certificates
  }

  #createSubmission({
    core,
    delivery,
    signer,
    certificates,
    key,
  }: {
    core: Core
    delivery: Delivery
    signer: ConfiguredSigner
    certificates: Certificates
    key: ReturnPathKey
  }): Submission {
    const { clock, logger } = this.#options
    return createSubmission({
      settings: this.#settings,
      acceptor: core.queue,
      isSuppressed: core.findSuppression,
      knownNullMx: (domain) => delivery.knownNullMx(domain),
      signer,
      unsubscribeKey: key,
      certificates,
      clock,
      events: logEvents(logger),
    })
  }
}
