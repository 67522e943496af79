// Counts every record in the scopes it belongs to, remembers them over a restart, and says how each is. In memory: a day of
// each scope (4.5 KiB); in the store: the rows of rows.ts. Paths are bounded: when there are too many, those with
// the least mail are counted together from then on (`*`).

import type { JournalRecord } from '../journal/record.ts'
import type { Way } from '../mail/outcome.ts'
import type { Store, Write } from '../store/store.ts'
import { type Clock, HOUR } from '../util/clock.ts'
import { idTime, isId } from '../util/id.ts'
import { classed } from './classed.ts'
import { AT, LATENCY_AT, latencySlot } from './counts.ts'
import { pruneRows, removalOf, rowsOf, storedPieces } from './rows.ts'
import { OTHERS, pathName, RELAY, SCOPE_KINDS, type Scope, type ScopeKind } from './scope.ts'
import { Series } from './series.ts'
import { SteadyTime } from './time.ts'

export interface BookParts {
  readonly store: Store
  readonly clock: Clock
  /** Scopes of a kind that are kept apart. */
  readonly maxScopes: () => number
  readonly providerOf: (mx: string) => string | undefined
  /** The way of the last attempt, for what comes back later without one. */
  readonly lastWay: (id: string, n: number) => Way | undefined
}

/** A path knows its provider, so that it is looked up once and not for each mail. */
interface Entry {
  readonly scope: Scope
  readonly series: Series
  provider?: string | null
}

/** Of the scopes of a kind, folded at one time. */
const FOLDED_SHARE = 0.2
/** Written at one time: what is encoded in one turn of the event loop. */
const PIECE = 100

export class HealthBook {
  readonly #parts: BookParts
  readonly #time: SteadyTime
  readonly #entries: Readonly<Record<ScopeKind, Map<string, Entry>>>
  readonly #seenOnce = new Set<string>()
  /** Rows of scopes that were folded or forgotten. */
  #removals: readonly Write[] = []

  constructor(parts: BookParts) {
    this.#parts = parts
    this.#time = new SteadyTime(parts.clock)
    this.#entries = Object.fromEntries(SCOPE_KINDS.map((kind) => [kind, new Map()])) as Record<
      ScopeKind,
      Map<string, Entry>
    >
  }

  /** The time its windows are of. */
  now(): number {
    return this.#time.now()
  }

  count(record: JournalRecord): void {
    const is = classed(record)
    if (is === undefined) return
    const now = this.#time.now()
    const { cell } = is
    const other = is.isLate ? AT.late : record.kind === 'delivered' ? latencyCell(record) : -1
    this.#entry(RELAY.kind, RELAY.name, now).series.count(now, cell, other)
    this.#entry('tenant', record.tenant, now).series.count(now, cell, other)
    const way = record.way ?? this.#lastWay(record)
    if (way === undefined) return
    this.#entry('source', way.source, now).series.count(now, cell, other)
    const path = this.#entry('path', pathName(way.source, way.site), now)
    path.series.count(now, cell, other)
    const provider = this.#providerOf(path, way)
    if (provider !== undefined) this.#entry('provider', provider, now).series.count(now, cell, other)
  }

  get(scope: Scope): Series | undefined {
    return this.#entries[scope.kind].get(scope.name)?.series
  }

  *scopes(kind: ScopeKind): Iterable<{ readonly scope: Scope; readonly series: Series }> {
    yield* this.#entries[kind].values()
  }

  get size(): number {
    return SCOPE_KINDS.reduce((sum, kind) => sum + this.#entries[kind].size, 0)
  }

  /** Providers may be cut another way now. */
  forgetProviders(): void {
    for (const entry of this.#entries.path.values()) delete entry.provider
  }

  /** Adds what is stored; to be called once, before anything is counted. */
  async restore(): Promise<void> {
    const now = this.#time.now()
    for await (const pieces of storedPieces(this.#parts.store, now)) {
      for (const { scope, ring, piece } of pieces) {
        const known = this.#entries[scope.kind].get(scope.name)
        // A last hour without a day is one that was long ago.
        if (known === undefined && ring === 'hour') continue
        const { series } = known ?? this.#entry(scope.kind, scope.name, now)
        series.add(ring, piece, now)
        series.isStored = true
      }
    }
  }

  /** Follows the clock; to be called once a minute or so. */
  tick(): void {
    const step = this.#time.follow()
    if (step === undefined) return
    for (const kind of SCOPE_KINDS)
      for (const { series } of this.#entries[kind].values()) series.shift(step.before, step.after)
  }

  /** Stores what has changed. What cannot be written is still to be written. */
  async save(): Promise<void> {
    const { store } = this.#parts
    await this.#removeRows()
    const changed = SCOPE_KINDS.flatMap((kind) => [...this.#entries[kind].values()].filter(isDirty))
    for (let at = 0; at < changed.length; at += PIECE) {
      const now = this.#time.now()
      // One that was folded meanwhile has no rows any more.
      const piece = changed.slice(at, at + PIECE).filter((each) => this.get(each.scope) === each.series)
      const before = piece.map(({ series }) => series.dirtyFrom)
      const writes = piece.flatMap(({ scope, series }) => rowsOf(scope, series, now))
      for (const { series } of piece) {
        series.dirtyFrom = Number.POSITIVE_INFINITY
        series.isStored = true
      }
      try {
        await store.write(writes, 'soon')
      } catch (error) {
        for (const [index, { series }] of piece.entries())
          series.dirtyFrom = Math.min(series.dirtyFrom, before[index] ?? Number.NEGATIVE_INFINITY)
        throw error
      }
    }
  }

  /** Forgets scopes of which there was nothing for a day, and what is stored for longer than anybody asks for. */
  async prune(): Promise<void> {
    const now = this.#time.now()
    const oldest = Math.floor(now / HOUR) - 24
    for (const kind of SCOPE_KINDS)
      for (const [name, { series }] of this.#entries[kind])
        if (series.lastHour <= oldest && !isDirty({ series })) this.#entries[kind].delete(name)
    await pruneRows(this.#parts.store, now, (scope) => this.#entries[scope.kind].has(scope.name))
  }

  async #removeRows(): Promise<void> {
    const removals = this.#removals
    if (removals.length === 0) return
    this.#removals = []
    try {
      await this.#parts.store.write(removals, 'soon')
    } catch (error) {
      this.#removals = [...removals, ...this.#removals]
      throw error
    }
  }

  #entry(kind: ScopeKind, name: string, now: number): Entry {
    const entries = this.#entries[kind]
    const known = entries.get(name)
    if (known !== undefined) return known
    if (entries.size >= this.#parts.maxScopes() && name !== OTHERS) {
      if (this.#isFirstSight(kind, name)) return this.#entry(kind, OTHERS, now)
      this.#fold(kind, now)
    }
    const made: Entry = { scope: { kind, name }, series: new Series(now) }
    entries.set(name, made)
    return made
  }

  /** When there are too many already, one mail alone makes nobody give way: most sites there are get no second one. */
  #isFirstSight(kind: ScopeKind, name: string): boolean {
    const seen = `${kind} ${name}`
    if (this.#seenOnce.delete(seen)) return false
    if (this.#seenOnce.size >= this.#parts.maxScopes()) this.#seenOnce.clear()
    this.#seenOnce.add(seen)
    return true
  }

  /** The least active become part of the others. */
  #fold(kind: ScopeKind, now: number): void {
    const others = this.#entry(kind, OTHERS, now).series
    const entries = this.#entries[kind]
    const least = [...entries.values()]
      .filter(({ scope }) => scope.name !== OTHERS)
      .map((entry) => ({ entry, activity: entry.series.activity(now) }))
      .sort((a, b) => a.activity - b.activity || a.entry.series.lastHour - b.entry.series.lastHour)
      .slice(0, Math.max(1, Math.ceil(entries.size * FOLDED_SHARE)))
    const removals: Write[] = []
    for (const { entry } of least) {
      if (entry.series.isStored) removals.push(...removalOf(entry.scope, entry.series, now))
      others.addAll(entry.series, now)
      entries.delete(entry.scope.name)
    }
    if (removals.length > 0) this.#removals = [...this.#removals, ...removals]
  }

  #lastWay({ kind, message, n }: JournalRecord): Way | undefined {
    if (kind !== 'bounced' && kind !== 'complained') return undefined
    return message === undefined || n === undefined ? undefined : this.#parts.lastWay(message, n)
  }

  #providerOf(path: Entry, { mx }: Way): string | undefined {
    // Others are of many providers.
    if (path.scope.name === OTHERS) return mx === undefined ? undefined : this.#parts.providerOf(mx)
    if (path.provider === undefined && mx !== undefined) path.provider = this.#parts.providerOf(mx) ?? null
    return path.provider ?? undefined
  }
}

function isDirty({ series }: Pick<Entry, 'series'>): boolean {
  return series.dirtyFrom < Number.POSITIVE_INFINITY
}

function latencyCell({ at, message }: JournalRecord): number {
  return message !== undefined && isId(message) ? LATENCY_AT + latencySlot(at - idTime(message)) : -1
}
