// The composition root: builds every part once, in the order in which a message meets them backwards, and stops them in
// the other order. The only file that knows all parts.
// Start: store → core → sandbox → delivery → runner → submission → API. Stop: no new mail, no new attempts, what is
// under way ends or is given back, then the store closes.

import { randomBytes } from 'node:crypto'
import { hostname as machineName } from 'node:os'
import type { ReturnPathKey } from './bounce/return-path.ts'
import type { LoadedSettings } from './config/load.ts'
import { reloadable } from './config/reload.ts'
import type { Settings } from './config/schema.ts'
import { createDelivery } from './delivery/create-delivery.ts'
import type { Delivery } from './delivery/delivery.ts'
import type { Health } from './health/health.ts'
import { createApi } from './http/api.ts'
import { createOperations } from './http/relay-operations.ts'
import { listenOnSocket, type SocketListener } from './http/socket.ts'
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
import { type RelayHealth, startHealth } from './relay/health.ts'
import { keepHouse } from './relay/housekeeping.ts'
import { type RelayMetrics, startRelayMetrics } from './relay/metrics.ts'
import { changesOf, type NamedFiles, namedFiles } from './relay/named-files.ts'
import { startPretendInternet } from './relay/pretend-internet.ts'
import { createReports, type Reports } from './relay/reports.ts'
import { createSending, type Sending } from './relay/sending.ts'
import { type WatchedSources, watchSources } from './relay/sources.ts'
import { storedPolicies } from './relay/tls-policies.ts'
import { createTlsReports, type TlsReports } from './relay/tls-reports.ts'
import type { ReportDesk } from './reports/desk.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { originIn } from './shaping/origin.ts'
import { type ConfiguredSigner, createSigner } from './sign/signer.ts'
import { openStore } from './store/lmdb.ts'
import type { Store, StoreHealth } from './store/store.ts'
import type { SuppressionList } from './suppression/list.ts'
import { type Clock, type EpochMs, MINUTE, SECOND } from './util/clock.ts'
import { VERSION } from './version.ts'

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

/** The parts that take new settings over. */
interface Reloaded {
  readonly core: Core
  readonly delivery: Delivery
  readonly signer: ConfiguredSigner
  readonly submission: Submission
  readonly reports: Reports
  readonly sending: Sending
  readonly health: Health
}

const GRACE_MS = 30 * SECOND
const CLOCK_TOLERANCE_MS = 5 * MINUTE
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
  #loaded: LoadedSettings
  #settings: Settings
  #files: NamedFiles
  #draining = false
  #sending: Sending | undefined
  #sources: WatchedSources | undefined
  #listeners: readonly Listening[] = []
  #reportListeners: readonly Listening[] = []
  /** What runs, in the order it was started; stopped backwards. */
  readonly #stops: ((graceMs: number) => Promise<unknown>)[] = []

  constructor(options: RelayOptions) {
    this.#options = options
    this.#loaded = options.loaded
    this.#settings = options.loaded.settings
    this.#files = namedFiles(this.#settings)
  }

  async start(): Promise<Relay> {
    const { clock, logger } = this.#options
    const startedAt = clock.now()
    const hostname = this.#settings.node.hostname ?? machineName()
    const store = this.#openStore()
    const originOf = originIn(this.#loaded)
    let health: RelayHealth | undefined
    const holdsUntil = (message: Message): EpochMs | undefined => health?.holdsUntil(message)
    const core = createCore({ store, settings: this.#settings, originOf, hostname, clock, logger, holdsUntil })
    core.journal.follow(announceTo(logger, this.#settings.log.addresses, randomBytes(32)))
    this.#warnOfClock(core.journal)
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
    this.#followHealth(store, [submission, reports])
    const reload = (): Promise<readonly string[]> =>
      this.#reload({ core, delivery, signer, submission, reports, sending, health: health.health })
    // Before the listeners, so that it stops after them: whoever asks hears that the relay is draining.
    const api = await this.#startApi({
      store,
      core,
      delivery,
      reports,
      health: health.health,
      metrics,
      sandbox,
      startedAt,
      reload,
    })
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

  #openStore(): Store {
    const { clock, logger, onFatal } = this.#options
    const { directory, mapSize, minFree } = this.#settings.data
    const store = openStore({ directory, mapSize, minFree, clock })
    this.#stops.push(() => store.close())
    store.onHealth((health, reason) => {
      if (health === 'failed') {
        logger.error(
          { event: 'store-failed' },
          `the store failed (${reason}); stopping rather than going on over a store that cannot be trusted`,
        )
        onFatal?.(reason)
      }
    })
    return store
  }

  /** What was deferred while the clock was ahead waits until that time comes: somebody should know. */
  #warnOfClock(journal: Journal): void {
    const { clock, logger } = this.#options
    const newest = journal.latest({ limit: 1 })[0]
    if (newest === undefined || newest.at <= clock.now() + CLOCK_TOLERANCE_MS) return
    const at = new Date(newest.at).toISOString()
    const text = `the newest record is of ${at}, which is still to come: the clock went back. Mail deferred since then waits until its time comes; \`studs queue retry --all\` sends it now`
    logger.warn({ event: 'clock-went-back', newest: at }, text)
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

  /** Nothing is taken while it could not be kept. */
  #followHealth(store: Store, takers: readonly Pick<Submission, 'pause' | 'resume'>[]): void {
    const follow = (health: StoreHealth, reason: string): void => {
      for (const taker of takers) health === 'ok' ? taker.resume() : taker.pause(reason)
    }
    store.onHealth(follow)
    if (store.health === 'full') follow('full', 'no room on the disk')
  }

  async #startApi(parts: {
    store: Store
    core: Core
    delivery: Delivery
    reports: Reports
    health: Health
    metrics: RelayMetrics
    sandbox: Sandbox | undefined
    startedAt: number
    reload: () => Promise<readonly string[]>
  }): Promise<SocketListener> {
    const { store, core, delivery, reports, health, metrics, sandbox, startedAt, reload } = parts
    const { clock, logger } = this.#options
    const tlsOf = (name: string): string => {
      const { listener, bounceListener } = this.#settings
      return [...listener, ...bounceListener].find((each) => each.name === name)?.tls ?? 'none'
    }
    const operations = createOperations({
      store,
      core,
      desk: reports.desk,
      health,
      settings: () => this.#settings,
      clock,
      version: VERSION,
      relay: {
        startedAt,
        delivery,
        standing: (lane) => this.#sending?.runner.standing(lane),
        pacing: () => this.#sending?.pacing,
        hasAddress: (address) => this.#sources?.addresses.isThere(address) ?? true,
        spare: (limit) => this.#sending?.throttle.spare(limit) ?? 0,
        listeners: () =>
          [...this.#listeners, ...this.#reportListeners].map((listener) => ({
            ...listener,
            tls: tlsOf(listener.name),
          })),
        mailboxes: () => reports.mailboxes(),
        inbox: () => sandbox?.inbox.list(),
        isDraining: () => this.#draining,
        reload,
      },
    })
    const api = createApi({
      operations,
      records: { journal: core.journal, clock },
      metrics: metrics.source,
      onError: (error, request) => logger.error({ event: 'api-error', ...request, err: error }),
    })
    const socket = await listenOnSocket(api, this.#settings.api.socket)
    this.#stops.push(() => socket.close())
    return socket
  }

  /** Whoever asks for it, the log has what came of it. */
  async #reload(parts: Reloaded): Promise<readonly string[]> {
    const { logger } = this.#options
    try {
      return await this.#takeOver(parts)
    } catch (error) {
      logger.error({ event: 'reload-refused' }, (error as Error).message)
      throw error
    }
  }

  async #takeOver(parts: Reloaded): Promise<readonly string[]> {
    const { logger, reload } = this.#options
    if (reload === undefined) return []
    // What runs from here on is old where a restart is needed and new elsewhere: that mixture was checked as a whole.
    const { changes, needsRestart, effective } = reloadable(this.#loaded, reload())
    const { settings } = effective
    // Rules and keys are read before anything changes: these are the last parts that can refuse.
    const takeOver = parts.core.prepare(settings, originIn(effective))
    parts.signer.reconfigure(settings.domain)
    this.#loaded = effective
    this.#settings = settings
    takeOver()
    await this.#sources?.watch(settings)
    parts.delivery.reconfigure(this.#inSandbox(settings), parts.core.shaping())
    parts.submission.reconfigure(settings)
    await parts.reports.reconfigure(settings)
    parts.sending.runner.forgetPlaces()
    parts.health.reconfigure()
    const files = namedFiles(settings)
    const all = [...changes, ...changesOf(this.#files, files)]
    this.#files = files
    for (const change of all) logger.info({ event: 'reloaded' }, change)
    for (const option of needsRestart)
      logger.warn({ event: 'needs-restart', option }, `${option} takes effect at the next start`)
    return [...all, ...needsRestart.map((option) => `${option} takes effect at the next start`)]
  }
}
