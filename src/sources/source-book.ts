// Which sources may send where, beyond what operators suspend for a while: those that are drained (until somebody takes it
// back), and what warm-up plans allow. Drains are durable, with who and why; each begin and end is a record, as is an
// address that is lost or found again. What is in flight from a source ends as it ends.

import type { Settings, WarmUpSettings } from '../config/schema.ts'
import type { RateLimit, Site } from '../delivery/delivery.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalRecord, StoredRecord } from '../journal/record.ts'
import type { Way } from '../mail/outcome.ts'
import { decode, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { type Clock, type EpochMs, MINUTE } from '../util/clock.ts'
import { SourceTally } from './source-tally.ts'
import { judgementOf } from './warm-up-judgement.ts'
import { OTHER, WarmUps } from './warm-ups.ts'

export interface Drain {
  readonly name: string
  readonly who: string
  readonly why: string
  readonly since: EpochMs
}

/** Asked for every message: where sources may send. */
export interface SourceGate {
  /** When to ask again, while nothing leaves from it to this place; undefined when it may. */
  heldUntil(source: string, place: Site): EpochMs | undefined
  /** What its warm-up allows there; undefined when it is warm. */
  warmUp(source: string, place: Site): RateLimit | undefined
  /** Whether what is beyond that leaves from warm sources. */
  overflows(source: string): boolean
}

export interface SourceBookParts {
  readonly store: Store
  readonly journal: Journal
  readonly clock: Clock
  readonly settings: () => Settings
  readonly providerOf: (mx: string) => string | undefined
  /** How the last attempt of a recipient went. */
  readonly wayOf: (message: string, n: number) => Way | undefined
  readonly onError: (error: unknown) => void
}

const ASK_AGAIN = MINUTE

export class SourceBook implements SourceGate {
  readonly tally: SourceTally
  readonly warmUps: WarmUps
  readonly #parts: SourceBookParts
  readonly #drains = new Map<string, Drain>()
  readonly #listeners: (() => void)[] = []
  #plans: { readonly settings: Settings; readonly bySource: ReadonlyMap<string, WarmUpSettings> } | undefined

  constructor(parts: SourceBookParts) {
    this.#parts = parts
    this.tally = new SourceTally(parts)
    this.warmUps = new WarmUps({ ...parts, tally: this.tally, planOf: (source) => this.planOf(source) })
    this.warmUps.onChange(() => this.#tell())
    for (const { value } of parts.store.range('drain', {})) {
      const found = decode<Drain>(value)
      this.#drains.set(found.name, found)
    }
    parts.journal.follow((record) => this.#count(record))
  }

  // ---- where sources may send

  heldUntil(source: string, place: Site): EpochMs | undefined {
    if (!this.#drains.has(source) && this.warmUps.at(source, providerAt(place)) !== 'not-yet') return undefined
    return this.#parts.clock.now() + ASK_AGAIN
  }

  warmUp(source: string, place: Site): RateLimit | undefined {
    const limit = this.warmUps.at(source, providerAt(place))
    return limit === 'not-yet' ? undefined : limit
  }

  overflows(source: string): boolean {
    return this.planOf(source)?.overflow ?? false
  }

  planOf(source: string): WarmUpSettings | undefined {
    const settings = this.#parts.settings()
    if (this.#plans?.settings !== settings) {
      const all = settings.source.flatMap(({ name, warmUp }): [string, WarmUpSettings][] =>
        warmUp === undefined ? [] : [[name, warmUp]],
      )
      this.#plans = { settings, bySource: new Map(all) }
    }
    return this.#plans.bySource.get(source)
  }

  // ---- drains

  drain(name: string): Drain | undefined {
    return this.#drains.get(name)
  }

  /** Durable when it resolves. One that is drained already keeps its time and gets the new reason. */
  async begin(given: Omit<Drain, 'since'>): Promise<Drain> {
    const since = this.#drains.get(given.name)?.since ?? this.#parts.clock.now()
    const drain: Drain = { ...given, since }
    await this.#write('suspended', drain, encode(drain))
    this.#drains.set(drain.name, drain)
    this.#tell()
    return drain
  }

  /** Durable when it resolves; undefined when the source is not drained. */
  async end(given: Omit<Drain, 'since'>): Promise<Drain | undefined> {
    const found = this.#drains.get(given.name)
    if (found === undefined) return undefined
    await this.#write('resumed', { ...found, ...given }, undefined)
    this.#drains.delete(given.name)
    this.#tell()
    return found
  }

  // ---- addresses

  /** An address of a source is lost or found again. */
  async noteAddress({ source, why, isThere }: { source: string; why: string; isThere: boolean }): Promise<void> {
    const { store, journal, clock, onError } = this.#parts
    const about = { name: source, who: 'studs', why, since: clock.now() }
    const composed = journal.compose(recordOf(isThere ? 'resumed' : 'suspended', about, 'missing', clock.now()))
    try {
      await store.write(composed.writes, 'soon')
      journal.publish([composed.record])
    } catch (error) {
      onError(error) // the log has it
    }
    this.#tell()
  }

  /** Called when more, or fewer, sources may send: whoever waits looks again. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    this.warmUps.close()
    this.#listeners.splice(0)
    await this.tally.close()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  async #write(kind: 'suspended' | 'resumed', drain: Drain, value: Buffer | undefined): Promise<void> {
    const { store, journal, clock } = this.#parts
    const composed = journal.compose(recordOf(kind, drain, 'drained', clock.now()))
    await store.write([{ table: 'drain', key: textKey(drain.name), value }, ...composed.writes])
    journal.publish([composed.record])
  }

  #count(record: StoredRecord): void {
    const what = judgementOf(record)
    if (what === undefined) return
    const { wayOf, providerOf } = this.#parts
    const { message, n } = record
    const way = record.way ?? (message === undefined || n === undefined ? undefined : wayOf(message, n))
    if (way === undefined) return
    const provider = (way.mx === undefined ? undefined : providerOf(way.mx)) ?? OTHER
    this.tally.count(way.source, provider, what)
    if (what !== 'delivered') this.warmUps.judge(way.source, provider)
  }
}

function providerAt({ provider }: Site): string {
  return provider ?? OTHER
}

function recordOf(kind: 'suspended' | 'resumed', drain: Drain, reason: string, at: EpochMs): JournalRecord {
  const { name, who, why } = drain
  return { kind, at, tenant: '*', recipient: '*', target: { kind: 'source', name }, reason, who, why }
}
