// Paths (source × site): where limits bite. One p-queue per path is the throttle: its concurrency is the number of
// connections, its interval the message rate. Beside it a path keeps the connections that may be used again and the
// times of those opened lately.
// Invariants: running attempts + idle connections never exceed the path's connections; a path goes away once it has
// been quiet for as long as its rates look back, so memory is bounded by the sites in use.

import PQueue from 'p-queue'
import type { Rate } from '../config/units.ts'
import type { Outcome } from '../mail/outcome.ts'
import { type Clock, MINUTE, SECOND, type Timer } from '../util/clock.ts'
import type { PathStatus } from './delivery.ts'
import { type Connection, type KeepingLimits, KeptConnections } from './kept-connections.ts'
import { RateWindow } from './rate-window.ts'

export interface PathLimits extends KeepingLimits {
  readonly connections: number
  readonly connectionRate: Rate
  readonly messageRate: Rate | undefined
}

export interface PathKey {
  readonly source: string
  readonly site: string
}

export type Grant<C extends Connection> =
  | { readonly kind: 'kept'; readonly connection: C }
  /** A new one may be opened now. */
  | { readonly kind: 'connect' }
  | { readonly kind: 'none'; readonly retryAfterMs: number }

/** The right to use one connection, while a task runs. */
export interface Slot<C extends Connection> {
  /** A kept connection that was opened for the same kind of use. */
  takeIdle(kind: string): C | undefined
  /** A connection, as soon as one may be opened or, unless it has to be `fresh`, comes free. */
  connection(kind: string, fresh: boolean): Promise<Grant<C>>
  /** Gives a connection that can carry another message back to the path. */
  keep(kind: string, connection: C): void
}

type Task<C extends Connection> = (slot: Slot<C>) => Promise<Outcome>
type Returned = Extract<Outcome, { kind: 'returned' }>

const LONGEST_WAIT_MS = 30 * SECOND
const SHORTEST_RETURN_MS = 5 * SECOND
const LONGEST_RETURN_MS = 15 * MINUTE
const SWEEP_MS = 30 * SECOND
const CLOSING: Returned = { kind: 'returned', reason: 'shutting down', retryAfterMs: SECOND }

export class Path<C extends Connection> {
  readonly #clock: Clock
  readonly #limits: PathLimits
  readonly #queue: PQueue
  readonly #opened: RateWindow
  readonly #kept: KeptConnections<C>
  #isClosing = false
  /** Monotonic. */
  #lastUseAt: number

  constructor(clock: Clock, limits: PathLimits) {
    this.#clock = clock
    this.#limits = limits
    this.#lastUseAt = clock.monotonic()
    this.#opened = new RateWindow(clock, limits.connectionRate)
    this.#kept = new KeptConnections(clock, limits)
    const rate = limits.messageRate
    this.#queue = new PQueue({
      concurrency: limits.connections,
      // strict = a sliding window: fixed ones let twice the rate through around their edge.
      ...(rate !== undefined && { interval: rate.per, intervalCap: rate.count, strict: true }),
    })
  }

  get status(): Omit<PathStatus, 'source' | 'site'> {
    const { concurrency: connections, pending: active, size: queued } = this.#queue
    return { connections, idle: this.#kept.count, active, queued }
  }

  /** Whether nothing would change if the path were forgotten: no work, no connection, no event its rates still count. */
  get isForgettable(): boolean {
    const { idle, active, queued } = this.status
    const memoryMs = Math.max(this.#limits.connectionRate.per, this.#limits.messageRate?.per ?? 0)
    return idle + active + queued === 0 && this.#lastUseAt + memoryMs <= this.#clock.monotonic()
  }

  /** Whether the path still fits; the number of connections can change while it runs, the rest cannot. */
  adopt(limits: PathLimits): boolean {
    if (limits.connections !== this.#queue.concurrency) this.#queue.concurrency = limits.connections
    return (
      limits.messagesPerConnection === this.#limits.messagesPerConnection &&
      limits.idleTimeoutMs === this.#limits.idleTimeoutMs &&
      isSameRate(limits.connectionRate, this.#limits.connectionRate) &&
      isSameRate(limits.messageRate, this.#limits.messageRate)
    )
  }

  /** Runs the task when a slot is free; `returned` when none is in time. The task must not reject. */
  async run(task: Task<C>): Promise<Outcome> {
    if (this.#isClosing) return CLOSING
    const giveUpAt = this.#clock.monotonic() + LONGEST_WAIT_MS
    const work = async (): Promise<Outcome> => {
      const outcome = await task(this.#slot(giveUpAt))
      this.#lastUseAt = this.#clock.monotonic()
      return outcome
    }
    const { pending, size, concurrency } = this.#queue
    const startsNow = this.#limits.messageRate === undefined && size === 0 && pending < concurrency
    return startsNow ? this.#queue.add(work) : this.#runLater(work)
  }

  async #runLater(work: () => Promise<Outcome>): Promise<Outcome> {
    const controller = new AbortController()
    const timer = this.#clock.after(LONGEST_WAIT_MS, () => controller.abort())
    const begin = (): Promise<Outcome> => {
      timer.cancel()
      return work()
    }
    try {
      return await this.#queue.add(begin, { signal: controller.signal })
    } catch (error) {
      // p-queue rejects what it never began: cleared by close(), or given up by our timer.
      if (this.#isClosing) return CLOSING
      if (controller.signal.aborted) return this.#full()
      throw error
    } finally {
      timer.cancel()
    }
  }

  #full(): Returned {
    const { connectionRate, messageRate } = this.#limits
    const { per, count } = messageRate ?? connectionRate
    const retryAfterMs = Math.min(Math.max(Math.ceil(per / count), SHORTEST_RETURN_MS), LONGEST_RETURN_MS)
    return { kind: 'returned', reason: 'no connection came free in time', retryAfterMs, throttled: true }
  }

  /** Lets everything under way and in line end, but keeps no connection. */
  retire(): void {
    this.#kept.close()
  }

  /** Gives what stands in line back; resolves when nothing runs any more. */
  close(): Promise<void> {
    this.#isClosing = true
    this.#queue.clear()
    this.#kept.close()
    return this.#queue.onPendingZero()
  }

  #slot(giveUpAt: number): Slot<C> {
    return {
      takeIdle: (kind) => this.#kept.take(kind),
      connection: (kind, fresh) => this.#connection({ kind, fresh, giveUpAt }),
      keep: (kind, connection) => this.#kept.keep(kind, connection),
    }
  }

  async #connection(wanted: { kind: string; fresh: boolean; giveUpAt: number }): Promise<Grant<C>> {
    const { fresh, giveUpAt } = wanted
    // A kind of its own finds nothing kept, neither now nor while it waits.
    const kind = fresh ? '' : wanted.kind
    for (;;) {
      const idle = this.#kept.take(kind)
      if (idle !== undefined) return { kind: 'kept', connection: idle }
      const waitMs = this.#opened.take()
      if (waitMs === 0) {
        this.#makeRoom()
        return { kind: 'connect' }
      }
      const isTooLong = this.#clock.monotonic() + waitMs > giveUpAt
      if (this.#isClosing || isTooLong) return { kind: 'none', retryAfterMs: Math.min(waitMs, LONGEST_RETURN_MS) }
      const given = await this.#kept.next(kind, waitMs)
      if (given !== undefined) return { kind: 'kept', connection: given }
    }
  }

  /** Idle connections of another kind make way for a new one. */
  #makeRoom(): void {
    while (this.#kept.count > 0 && this.#queue.pending + this.#kept.count > this.#queue.concurrency)
      this.#kept.dropOldest()
  }
}

/** All paths of one courier, made when first used. */
export class Paths<C extends Connection> {
  readonly #clock: Clock
  readonly #paths = new Map<string, { readonly key: PathKey; readonly path: Path<C> }>()
  /** Replaced after a change of limits, not yet done. */
  readonly #retired = new Set<Path<C>>()
  #sweep: Timer | undefined
  #isClosing = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  run(key: PathKey, limits: PathLimits, task: Task<C>): Promise<Outcome> {
    if (this.#isClosing) return Promise.resolve(CLOSING)
    return this.#pathFor(key, limits).run(task)
  }

  status(): readonly PathStatus[] {
    return [...this.#paths.values()].map(({ key, path }) => ({ source: key.source, site: key.site, ...path.status }))
  }

  /** Gives back what stands in line; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#sweep?.cancel()
    const all = [...this.#retired, ...[...this.#paths.values()].map(({ path }) => path)]
    await Promise.all(all.map((path) => path.close()))
  }

  #pathFor(key: PathKey, limits: PathLimits): Path<C> {
    const name = `${key.source} ${key.site}`
    const known = this.#paths.get(name)
    if (known?.path.adopt(limits) === true) return known.path
    if (known !== undefined) {
      known.path.retire()
      this.#retired.add(known.path)
    }
    const path = new Path<C>(this.#clock, limits)
    this.#paths.set(name, { key, path })
    this.#sweep ??= this.#clock.after(SWEEP_MS, () => this.#forget())
    return path
  }

  #forget(): void {
    for (const [name, { path }] of this.#paths) if (path.isForgettable) this.#paths.delete(name)
    for (const path of this.#retired) if (path.isForgettable) this.#retired.delete(path)
    this.#sweep = this.#paths.size === 0 ? undefined : this.#clock.after(SWEEP_MS, () => this.#forget())
  }
}

/** By value: settings that were read again are other objects, and a path must not forget what it has sent. */
function isSameRate(one: PathLimits['messageRate'], other: PathLimits['messageRate']): boolean {
  return one?.count === other?.count && one?.per === other?.per
}
