// How mail fares: counts what the journal publishes, stores it from time to time, and once a minute says which alerts
// hold. Nothing here decides about mail.

import type { Settings } from '../config/schema.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalRecord } from '../journal/record.ts'
import type { Logger } from '../observe/logger.ts'
import { HOUR, MINUTE } from '../util/clock.ts'
import { Ongoing } from '../util/ongoing.ts'
import { type AlertScope, Alerts, type Standing } from './alerts.ts'
import { type BookParts, HealthBook } from './book.ts'
import { type Counts, countsOf } from './counts.ts'
import { levelOf } from './level.ts'
import { agesOf } from './queue-age.ts'
import type { Scope, ScopeKind } from './scope.ts'
import { RINGS, type Series } from './series.ts'
import { Usual } from './usual.ts'
import { rateStandings } from './watch.ts'

export interface HealthParts extends Pick<BookParts, 'store' | 'clock' | 'providerOf' | 'lastWay'> {
  readonly journal: Journal
  readonly settings: () => Settings
  readonly logger: Logger
}

/** How one scope is. */
export interface ScopeHealth {
  readonly scope: ScopeKind
  readonly name: string
  readonly minute: Counts
  readonly hour: Counts
  readonly day: Counts
  /** The same hour of the last seven days, the middle of them. */
  readonly usual?: ReturnType<Usual['median']>
  /** The last 24 hours, oldest first. */
  readonly hours: readonly Pick<Counts, 'delivered' | 'deferred' | 'hard' | 'soft' | 'complained'>[]
}

const TICK_MS = MINUTE
/** The walk over the schedule takes its share of time at most. */
const LEAST_AGE_INTERVAL_MS = 5 * MINUTE
const AGE_PATIENCE = 200

export class Health {
  readonly alerts: Alerts
  readonly #parts: HealthParts
  readonly #book: HealthBook
  readonly #usual: Usual
  readonly #loops = new Ongoing()
  #unfollow: () => void = () => undefined

  constructor(parts: HealthParts) {
    this.#parts = parts
    this.alerts = new Alerts(parts)
    this.#usual = new Usual(parts.store)
    this.#book = new HealthBook({ ...parts, maxScopes: () => parts.settings().health.maxPaths })
  }

  /** Reads what was counted before; to be called once. */
  async restore(): Promise<void> {
    await this.#book.restore()
  }

  /** Begins to count and to watch. */
  start(): void {
    this.#unfollow = this.#parts.journal.follow((record) => this.#count(record))
    const everySave = () => this.#parts.settings().health.saveEvery
    this.#loops.begin(() =>
      Promise.all([
        this.#repeat(
          'watch',
          () => TICK_MS,
          () => this.watch(),
        ),
        this.#repeat('save', everySave, () => this.#book.save()),
        this.#repeat(
          'prune',
          () => HOUR,
          () => this.#book.prune(),
        ),
        this.#watchAges(),
      ]),
    )
  }

  /** What was counted is durable when it resolves. */
  async stop(): Promise<void> {
    const ended = this.#loops.end()
    this.#unfollow()
    await ended
    await this.#guarded('save', () => this.#book.save())
  }

  /** After a reload: providers may be cut another way. */
  reconfigure(): void {
    this.#book.forgetProviders()
  }

  /** Looks whether an alert begins or ends now. */
  async watch(): Promise<void> {
    this.#book.tick()
    const settings = this.#parts.settings().alert
    await this.alerts.take(rateStandings({ book: this.#book, usual: this.#usual, alerts: this.alerts, settings }))
  }

  /** Those with most mail first. */
  read({
    kind,
    name,
    limit,
  }: {
    readonly kind: ScopeKind
    readonly name?: string
    readonly limit: number
  }): ScopeHealth[] {
    const now = this.#book.now()
    return [...this.#book.scopes(kind)]
      .filter(({ scope }) => name === undefined || scope.name === name)
      .map(({ scope, series }) => ({ scope, series, day: series.sum('day', now) }))
      .map((each) => ({ ...each, mail: each.day.slice(0, 4).reduce((sum, cell) => sum + cell, 0) }))
      .sort((a, b) => b.mail - a.mail)
      .slice(0, limit)
      .map(({ scope, series }) => this.#shown(scope, series, now))
  }

  /** Scopes that are counted. */
  get size(): number {
    return this.#book.size
  }

  #shown(scope: Scope, series: Series, now: number): ScopeHealth {
    const usual = this.#usual.median(scope, now)
    return {
      scope: scope.kind,
      name: scope.name,
      minute: countsOf(series.sum('minute', now)),
      hour: countsOf(series.sum('hour', now)),
      day: countsOf(series.sum('day', now)),
      ...(usual !== undefined && { usual }),
      hours: hoursOf(series, now),
    }
  }

  /** A mistake in here must not keep others from hearing of a record. */
  #count(record: JournalRecord): void {
    try {
      this.#book.count(record)
    } catch (err) {
      this.#parts.logger.error({ event: 'health-failed', err }, 'a record could not be counted')
    }
  }

  async #watchAges(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#loops
    while (!signal.aborted) {
      await clock.sleep(LEAST_AGE_INTERVAL_MS, signal)
      if (signal.aborted) return
      const begun = clock.monotonic()
      await this.#guarded('queue-age', () => this.watchAges())
      await clock.sleep((clock.monotonic() - begun) * AGE_PATIENCE, signal)
    }
  }

  /** Looks how long mail has been waiting. */
  async watchAges(): Promise<void> {
    const { clock, settings } = this.#parts
    const { queueAge, queueAgeMinimum, clear, off } = settings().alert
    const ages = off.includes('queue-age')
      ? new Map<string, number>()
      : await agesOf(this.#parts, { minimum: queueAgeMinimum, signal: this.#loops.signal })
    if (this.#loops.signal.aborted) return
    const known = this.alerts.ofName('queue-age').map(({ scope }) => scope.name)
    const standings = [...new Set([...ages.keys(), ...known])].map((tenant): Standing => {
      const scope: AlertScope = { kind: 'tenant', name: tenant }
      const acceptedAt = ages.get(tenant)
      const value = acceptedAt === undefined ? 0 : Math.max(0, clock.now() - acceptedAt)
      const before = this.alerts.get('queue-age', scope)?.level
      const judged = levelOf({ value, thresholds: queueAge, before, clear })
      const hours = `${Math.round((value / HOUR) * 10) / 10} h`
      if (judged === undefined) {
        const why = `It is over: fewer than ${queueAgeMinimum} recipients of the tenant ${tenant} have waited that long.`
        return { name: 'queue-age', scope, over: { value, why } }
      }
      const why = `${queueAgeMinimum} recipients or more of the tenant ${tenant} have been waiting for ${hours}.`
      return { name: 'queue-age', scope, raised: { ...judged, value, why } }
    })
    await this.alerts.take(standings)
  }

  async #repeat(what: string, intervalMs: () => number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#loops
    while (!signal.aborted) {
      await this.#parts.clock.sleep(intervalMs(), signal)
      if (!signal.aborted) await this.#guarded(what, work)
    }
  }

  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (err) {
      this.#parts.logger.warn({ event: 'health-failed', what, err }, 'health could not be kept; it is tried again')
    }
  }
}

function hoursOf(series: Series, now: number): ScopeHealth['hours'] {
  const pieces = new Map(series.pieces('day', now).map(({ step, cells }) => [step, countsOf(cells)]))
  const last = Math.floor(now / HOUR)
  return Array.from({ length: RINGS.day.count }, (_, at) => {
    const counts = pieces.get(last - RINGS.day.count + 1 + at)
    const { delivered = 0, deferred = 0, hard = 0, soft = 0, complained = 0 } = counts ?? {}
    return { delivered, deferred, hard, soft, complained }
  })
}
