// The paces that were learned, one controller for each path that mail goes over: fed with signals, asked for a rate. First
// slow-downs and full recoveries are records, the steps between are not. What is slow is written once a minute, 'soon',
// and read at start, so that a restart does not run into the same wall again. Memory: paths in use; one timer for all.

import { isDeepStrictEqual } from 'node:util'
import type { RateLimit } from '../delivery/delivery.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalRecord } from '../journal/record.ts'
import type { Logger } from '../observe/logger.ts'
import { createPaceController, type PaceController, type PaceOptions, type Signal } from '../pacing/controller.ts'
import type { Store, Write } from '../store/store.ts'
import { type Clock, type EpochMs, HOUR, MINUTE, type Timer } from '../util/clock.ts'
import { isAbout, paceLimit } from './pace-limit.ts'
import { noPaceRow, paceRows, type Slow, type SlowPath, storedPaces } from './pace-rows.ts'

export interface PaceBookParts {
  readonly store: Store
  readonly journal: Journal
  readonly clock: Clock
  readonly logger: Logger
  /** Undefined: nothing is learned. */
  readonly options: () => Partial<PaceOptions> | undefined
  /** A path has another rate now, or none any more: whoever waits at the old one must hear of it. */
  readonly onPace: (name: string, limit: RateLimit | undefined) => void
}

/** A path that is slower than it was, because of what its receiver said. */
export interface LearnedPace {
  /** `source@line`. */
  readonly name: string
  readonly since: EpochMs
  /** The reply that slowed it down first. */
  readonly why: string
  /** Messages a second. */
  readonly rate: number
  /** Before it was slowed down. */
  readonly usual: number
}

export interface Spoken {
  readonly name: string
  readonly signal: Signal
  /** How long the attempt took. */
  readonly durationMs: number
  readonly why: () => string
}

interface Path {
  controller: PaceController
  /** Those that the controller was made with. */
  options: Partial<PaceOptions>
  slow: Slow | undefined
  /** Asked for each turn: the same object while the rate is about the same, so that no limit is made anew. */
  limit: RateLimit | undefined
  heardAt: number
  isDirty: boolean
}

const LEARNED = 'learned'
const MOST_PATHS = 20_000
/** One that nothing was heard of for so long and that is not slow has nothing to remember. */
const FORGET_MS = 2 * HOUR
const SAVE_EVERY = MINUTE

export class PaceBook {
  readonly #parts: PaceBookParts
  readonly #paths = new Map<string, Path>()
  /** Names of those that are slow: mostly none. */
  readonly #slow = new Set<string>()
  readonly #removed = new Set<string>()
  #options: { readonly given: Partial<PaceOptions>; readonly held: Partial<PaceOptions> } | undefined
  #timer: Timer | undefined
  #isClosed = false

  constructor(parts: PaceBookParts) {
    this.#parts = parts
    for (const path of storedPaces(parts.store, parts.clock)) this.#read(path)
    if (this.#paths.size > 0) this.#arm()
  }

  get size(): number {
    return this.#paths.size
  }

  /** Asked for every turn, before any name is put together. */
  get isAnySlow(): boolean {
    return this.#slow.size > 0
  }

  heard({ name, signal, durationMs, why }: Spoken): void {
    const options = this.#currentOptions()
    if (options === undefined) return
    const at = this.#parts.clock.monotonic()
    const path = this.#pathOf(name, options)
    path.heardAt = at
    // Never at the very moment when another was heard: it was under way then.
    this.#controllerOf(path).heard(signal, at, at - Math.max(1, durationMs))
    const before = path.limit
    const rate = path.controller.rate(at)
    if (rate !== undefined && path.slow === undefined) this.#slowed(name, path, why())
    else if (rate === undefined && path.slow !== undefined) this.#recovered(name, path)
    if (rate === undefined) return
    path.isDirty = true
    const limit = this.limit(name)
    if (limit !== before) this.#parts.onPace(name, limit)
  }

  /** Undefined while nothing speaks for a limit. */
  limit(name: string): RateLimit | undefined {
    const path = this.#paths.get(name)
    const rate = path && this.#rateOf(path)
    if (path === undefined) return undefined
    if (rate === undefined) path.limit = undefined
    else if (path.limit === undefined || !isAbout(path.limit, rate)) path.limit = paceLimit(`pace ${name}`, rate)
    return path.limit
  }

  get(name: string): LearnedPace | undefined {
    const path = this.#paths.get(name)
    const rate = path && this.#rateOf(path)
    return path?.slow === undefined || rate === undefined ? undefined : { name, ...path.slow, rate }
  }

  list(): readonly LearnedPace[] {
    return [...this.#slow].flatMap((name) => this.get(name) ?? [])
  }

  /** What was learned is forgotten. Durable when it resolves; undefined when there was nothing. */
  async forget(name: string, by: { readonly who: string; readonly why: string }): Promise<LearnedPace | undefined> {
    const found = this.get(name)
    if (found === undefined) return undefined
    this.#remove(name)
    await this.#record({ kind: 'recovered', name, ...by }, 'now')
    return found
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#save()
  }

  // ---- options

  /** The same object while they say the same: not every reload is about them. Undefined: nothing is learned. */
  #currentOptions(): Partial<PaceOptions> | undefined {
    const given = this.#parts.options()
    if (given === undefined) return undefined
    if (this.#options?.given !== given) {
      const before = this.#options?.held
      this.#options = { given, held: isDeepStrictEqual(before, given) && before !== undefined ? before : given }
    }
    return this.#options.held
  }

  /** What was learned goes on with the options of now. */
  #controllerOf(path: Path): PaceController {
    const options = this.#currentOptions()
    if (options !== undefined && options !== path.options) {
      path.controller = createPaceController(options, path.controller.snapshot(this.#parts.clock.monotonic()))
      path.options = options
    }
    return path.controller
  }

  /** Of one that is slow. */
  #rateOf(path: Path): number | undefined {
    if (path.slow === undefined || this.#currentOptions() === undefined) return undefined
    return this.#controllerOf(path).rate(this.#parts.clock.monotonic())
  }

  #pathOf(name: string, options: Partial<PaceOptions>): Path {
    const found = this.#paths.get(name)
    if (found !== undefined) return found
    if (this.#paths.size >= MOST_PATHS) this.#makeRoom()
    const path: Path = {
      controller: createPaceController(options),
      options,
      slow: undefined,
      limit: undefined,
      heardAt: 0,
      isDirty: false,
    }
    this.#paths.set(name, path)
    this.#arm()
    return path
  }

  // ---- records

  #slowed(name: string, path: Path, why: string): void {
    const { clock } = this.#parts
    const at = clock.monotonic()
    const rate = path.controller.rate(at) ?? 0
    const snapshot = path.controller.snapshot(at)
    const usual = Math.max(snapshot?.demand ?? 0, snapshot?.ceiling ?? 0, rate)
    path.slow = { since: clock.now(), why, usual }
    this.#slow.add(name)
    path.isDirty = true
    void this.#record({ kind: 'slowed', name, who: LEARNED, why, pace: rate }, 'soon')
  }

  #recovered(name: string, path: Path): void {
    path.slow = undefined
    this.#slow.delete(name)
    path.limit = undefined
    path.isDirty = false
    this.#parts.onPace(name, undefined)
    void this.#record({ kind: 'recovered', name, who: LEARNED, why: 'the receiver takes everything again' }, 'soon')
  }

  async #record(
    { name, ...about }: Pick<JournalRecord, 'kind' | 'who' | 'why' | 'pace'> & { readonly name: string },
    urgency: 'now' | 'soon',
  ): Promise<void> {
    const { journal, store, clock, logger } = this.#parts
    const target = { kind: 'slow', name }
    const { record, writes } = journal.compose({ ...about, at: clock.now(), tenant: '*', recipient: '*', target })
    const row: Write[] = about.kind === 'recovered' ? [noPaceRow(name)] : []
    try {
      await store.write([...row, ...writes], urgency)
      journal.publish([record])
    } catch (error) {
      // By hand somebody waits for it; else the pace holds all the same.
      if (urgency === 'now') throw error
      logger.warn({ event: 'pace-not-written', err: error }, 'a change of pace could not be recorded')
    }
  }

  // ---- time

  #arm(): void {
    if (this.#isClosed) return
    this.#timer ??= this.#parts.clock.after(SAVE_EVERY, () => {
      this.#timer = undefined
      this.#lookAround()
      void this.#save()
      if (this.#paths.size > 0) this.#arm()
    })
  }

  /** Forgets what nothing was heard of for long, and what is slow no more only because time has passed. */
  #lookAround(): void {
    const at = this.#parts.clock.monotonic()
    for (const [name, path] of this.#paths) {
      if (path.slow !== undefined && path.controller.rate(at) === undefined) this.#recovered(name, path)
      if (path.slow === undefined && at - path.heardAt > FORGET_MS) this.#paths.delete(name)
    }
  }

  /** Too many paths at once: those that are not slow have least to lose, then those not heard of for longest. */
  #makeRoom(): void {
    const byWorth = [...this.#paths].sort(
      ([, a], [, b]) => Number(a.slow !== undefined) - Number(b.slow !== undefined) || a.heardAt - b.heardAt,
    )
    for (const [name, path] of byWorth.slice(0, MOST_PATHS / 10)) {
      if (path.slow !== undefined) this.#removed.add(name)
      this.#remove(name)
    }
  }

  #remove(name: string): void {
    this.#paths.delete(name)
    this.#slow.delete(name)
  }

  async #save(): Promise<void> {
    const { store, clock, logger } = this.#parts
    const at = clock.monotonic()
    const gone = [...this.#removed].filter((name) => !this.#paths.has(name))
    this.#removed.clear()
    const saved: Path[] = []
    const slow: SlowPath[] = []
    for (const [name, path] of this.#paths) {
      const snapshot = path.isDirty ? path.controller.snapshot(at) : undefined
      path.isDirty = false
      if (snapshot === undefined || path.slow === undefined) continue
      saved.push(path)
      slow.push({ name, slow: path.slow, snapshot })
    }
    const writes = [...gone.map(noPaceRow), ...paceRows(slow, clock)]
    if (writes.length === 0) return
    try {
      await store.write(writes, 'soon')
    } catch (error) {
      for (const path of saved) path.isDirty = true
      for (const name of gone) this.#removed.add(name)
      logger.warn({ event: 'pace-not-written', err: error }, 'learned paces could not be written; they are next minute')
    }
  }

  #read({ name, slow, snapshot }: SlowPath): void {
    const options = this.#currentOptions() ?? {}
    const controller = createPaceController(options, snapshot)
    const heardAt = this.#parts.clock.monotonic()
    this.#paths.set(name, { controller, options, slow, limit: undefined, heardAt, isDirty: false })
    this.#slow.add(name)
  }
}
