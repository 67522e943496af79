// Paths (source × site, or × domain where one has limits of its own): where limits of connections bite. One p-queue per
// path is the throttle: its concurrency is the number of connections. Beside it a path keeps the connections that may be
// used again and the times of those opened lately. Paths of one provider may share a group with a limit of its own.
// Message rates are not kept here: they span paths and restarts (throttle/throttle.ts).
// Invariants: running attempts + idle connections never exceed the path's connections, nor a group's; a path goes away
// once it has been quiet for as long as its rate looks back, so memory is bounded by the sites in use.

import PQueue from 'p-queue'
import type { Rate } from '../config/units.ts'
import type { Outcome } from '../mail/outcome.ts'
import { type Clock, MINUTE, SECOND, type Timer } from '../util/clock.ts'
import { ConnectionGroup, type Member } from './connection-group.ts'
import type { PathStatus } from './delivery.ts'
import { type Connection, type KeepingLimits, KeptConnections } from './kept-connections.ts'
import { RateWindow } from './rate-window.ts'
import { pathName, type SharedLimit } from './work-limits.ts'

export interface PathLimits extends KeepingLimits {
  readonly connections: number
  readonly connectionRate: Rate
  /** Limits over this path and others. */
  readonly shared?: readonly SharedLimit[]
}

export interface PathKey {
  readonly source: string
  readonly site: string
  /** Of a path that is one domain's alone. */
  readonly domain?: string | undefined
}

export type Grant<C extends Connection> =
  | { readonly kind: 'kept'; readonly connection: C }
  /** A new one may be opened now. */
  | { readonly kind: 'connect' }
  | { readonly kind: 'none'; readonly reason: string; readonly retryAfterMs: number }

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
/** Messages a connection may carry while paths beside it wait for one; ending each after one would cost a handshake each. */
const SHARE_BEFORE_YIELDING = 10
const RATE_USED_UP = 'the rate of new connections is used up'
const GROUP_FULL = 'all connections that are allowed are in use'
const CLOSING: Returned = { kind: 'returned', reason: 'shutting down', retryAfterMs: SECOND }

export class Path<C extends Connection> implements Member {
  readonly #clock: Clock
  readonly #limits: PathLimits
  /** Its own connections, counted as the receiver does: until they are closed. And those it shares with other paths. */
  readonly #own: ConnectionGroup
  readonly #groups: readonly ConnectionGroup[]
  /** Connections that hold a permit of every group. */
  readonly #permitted = new WeakMap<C, { carried: number }>()
  readonly #queue: PQueue
  readonly #opened: RateWindow
  readonly #kept: KeptConnections<C>
  #isClosing = false
  /** Monotonic. */
  #lastUseAt: number

  /** `replaces`: the path that has been there so far, whose connections still count. */
  constructor(
    clock: Clock,
    limits: PathLimits,
    { groups = [], replaces }: { groups?: readonly ConnectionGroup[]; replaces?: Path<C> | undefined } = {},
  ) {
    this.#clock = clock
    this.#limits = limits
    this.#own = new ConnectionGroup(limits.connections)
    this.#groups = [this.#own, ...groups]
    for (const group of this.#groups) group.join(this)
    this.#lastUseAt = clock.monotonic()
    this.#opened = new RateWindow(clock, limits.connectionRate, replaces === undefined ? undefined : replaces.#opened)
    this.#kept = new KeptConnections(clock, limits)
    this.#queue = new PQueue({ concurrency: limits.connections })
  }

  get status(): Omit<PathStatus, 'source' | 'site' | 'domain'> {
    const { concurrency: connections, pending: active, size: queued } = this.#queue
    return { connections, idle: this.#kept.count, active, queued }
  }

  /** Whether nothing would change if the path were forgotten: no work, no connection, no event its rates still count. */
  get isForgettable(): boolean {
    const { idle, active, queued } = this.status
    return idle + active + queued === 0 && this.#lastUseAt + this.#limits.connectionRate.per <= this.#clock.monotonic()
  }

  /** Whether the path still fits; the number of connections can change while it runs, the rest cannot. */
  adopt(limits: PathLimits): boolean {
    if (limits.connections !== this.#queue.concurrency) this.#queue.concurrency = limits.connections
    this.#own.limit = limits.connections
    return (
      limits.messagesPerConnection === this.#limits.messagesPerConnection &&
      limits.idleTimeoutMs === this.#limits.idleTimeoutMs &&
      isSameRate(limits.connectionRate, this.#limits.connectionRate) &&
      // The groups themselves take a changed number over.
      isSameList(limits.shared, this.#limits.shared)
    )
  }

  /** Runs the task when a slot is free; `returned` when none is in time. The task must not reject. */
  async run(task: Task<C>): Promise<Outcome> {
    if (this.#isClosing) return CLOSING
    const giveUpAt = this.#clock.monotonic() + LONGEST_WAIT_MS
    const work = async (): Promise<Outcome> => {
      const lease = new Lease(this.#groups)
      try {
        return await task(this.#slot(giveUpAt, lease))
      } finally {
        lease.end()
        this.#lastUseAt = this.#clock.monotonic()
      }
    }
    const { pending, size, concurrency } = this.#queue
    const startsNow = size === 0 && pending < concurrency
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
    const { per, count } = this.#limits.connectionRate
    const retryAfterMs = Math.min(Math.max(Math.ceil(per / count), SHORTEST_RETURN_MS), LONGEST_RETURN_MS)
    return { kind: 'returned', reason: 'no connection came free in time', retryAfterMs, throttled: true }
  }

  /** Lets everything under way and in line end, but keeps no connection. */
  retire(): void {
    for (const group of this.#groups) group.leave(this)
    this.#kept.close()
  }

  /** Gives what stands in line back; resolves when nothing runs any more. */
  close(): Promise<void> {
    this.#isClosing = true
    this.#queue.clear()
    this.#kept.close()
    return this.#queue.onPendingZero()
  }

  #slot(giveUpAt: number, lease: Lease): Slot<C> {
    return {
      takeIdle: (kind) => this.#kept.take(kind),
      connection: (kind, fresh) => this.#connection({ kind, fresh, giveUpAt, lease }),
      keep: (kind, connection) => this.#keep(kind, connection, lease),
    }
  }

  #keep(kind: string, connection: C, lease: Lease): void {
    const known = this.#permitted.get(connection)
    const use = known ?? { carried: 0 }
    use.carried++
    if (known === undefined) {
      this.#permitted.set(connection, use)
      // From here on the permit is the connection's: it ends with it, whoever closes it.
      const permit = lease.handOver()
      if (permit) connection.onClose(() => permit.end())
    }
    if (use.carried >= SHARE_BEFORE_YIELDING && this.#groups.some((group) => group.isWantedBeside(this)))
      return void connection.quit()
    this.#kept.keep(kind, connection)
    // Idle now, and somebody beside us waits.
    if (this.#groups.some((group) => group.isWantedBeside(this))) this.dropIdle()
  }

  dropIdle(): boolean {
    if (this.#kept.count === 0) return false
    this.#kept.dropOldest()
    return true
  }

  async #connection(wanted: { kind: string; fresh: boolean; giveUpAt: number; lease: Lease }): Promise<Grant<C>> {
    const { fresh, giveUpAt, lease } = wanted
    // A kind of its own finds nothing kept, neither now nor while it waits.
    const kind = fresh ? '' : wanted.kind
    for (;;) {
      const idle = this.#kept.take(kind)
      if (idle !== undefined) return { kind: 'kept', connection: idle }
      const left = giveUpAt - this.#clock.monotonic()
      const full = lease.isHeld ? undefined : this.#groups.find((group) => !group.hasRoom)
      const waitMs = full === undefined ? this.#opened.take() : left
      if (full === undefined && waitMs === 0) {
        lease.take()
        this.#makeRoom()
        return { kind: 'connect' }
      }
      if (this.#isClosing || left <= 0 || waitMs > left)
        return full === undefined ? none(RATE_USED_UP, waitMs) : none(GROUP_FULL, SHORTEST_RETURN_MS)
      const given = await this.#nextKept({ kind, waitMs, full })
      if (given !== undefined) return { kind: 'kept', connection: given }
    }
  }

  /** A connection of our own that comes free; undefined when the wait is over or the group may have room. */
  async #nextKept(given: { kind: string; waitMs: number; full: ConnectionGroup | undefined }): Promise<C | undefined> {
    const { kind, waitMs, full } = given
    if (full === undefined) return this.#kept.next(kind, waitMs)
    const waiting = new AbortController()
    const next = this.#kept.next(kind, waitMs, waiting.signal)
    const room = full.wait(this, waitMs, this.#clock, next)
    full.askForRoom()
    await room
    waiting.abort()
    return next
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
  readonly #groups = new Map<string, ConnectionGroup>()
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
    return [...this.#paths.values()].map(({ key, path }) => ({
      source: key.source,
      site: key.site,
      ...(key.domain !== undefined && { domain: key.domain }),
      ...path.status,
    }))
  }

  /** Gives back what stands in line; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#sweep?.cancel()
    const all = [...this.#retired, ...[...this.#paths.values()].map(({ path }) => path)]
    await Promise.all(all.map((path) => path.close()))
  }

  #pathFor(key: PathKey, limits: PathLimits): Path<C> {
    const name = pathName(key.source, key.site, key.domain)
    const groups = (limits.shared ?? []).map((shared) => this.#groupFor(shared))
    const known = this.#paths.get(name)
    if (known?.path.adopt(limits) === true) return known.path
    if (known !== undefined) {
      known.path.retire()
      this.#retired.add(known.path)
    }
    const path = new Path<C>(this.#clock, limits, { groups, replaces: known?.path })
    this.#paths.set(name, { key, path })
    this.#sweep ??= this.#clock.after(SWEEP_MS, () => this.#forget())
    return path
  }

  #groupFor({ name, connections }: SharedLimit): ConnectionGroup {
    const known = this.#groups.get(name)
    if (known !== undefined) {
      known.limit = connections
      return known
    }
    const group = new ConnectionGroup(connections)
    this.#groups.set(name, group)
    return group
  }

  #forget(): void {
    for (const [name, { path }] of this.#paths) {
      if (!path.isForgettable) continue
      path.retire()
      this.#paths.delete(name)
    }
    for (const path of this.#retired) if (path.isForgettable) this.#retired.delete(path)
    for (const [name, group] of this.#groups) if (group.isForgettable) this.#groups.delete(name)
    this.#sweep = this.#paths.size === 0 ? undefined : this.#clock.after(SWEEP_MS, () => this.#forget())
  }
}

/** A permit of every group, of a task or of the connection it opened. */
class Lease {
  readonly #groups: readonly ConnectionGroup[]
  #isHeld = false

  constructor(groups: readonly ConnectionGroup[]) {
    this.#groups = groups
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  take(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    for (const group of this.#groups) group.take()
  }

  end(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    for (const group of this.#groups) group.release()
  }

  /** The permit as somebody else's; undefined when there is none. */
  handOver(): Lease | undefined {
    if (!this.#isHeld) return undefined
    this.#isHeld = false
    const other = new Lease(this.#groups)
    other.#isHeld = true
    return other
  }
}

function none(reason: string, waitMs: number): Extract<Grant<never>, { kind: 'none' }> {
  return { kind: 'none', reason, retryAfterMs: Math.min(waitMs, LONGEST_RETURN_MS) }
}

/** By value: settings that were read again are other objects, and a path must not forget what it has opened. */
function isSameRate(one: Rate, other: Rate): boolean {
  return one.count === other.count && one.per === other.per
}

function isSameList(one: PathLimits['shared'] = [], other: PathLimits['shared'] = []): boolean {
  return one.length === other.length && one.every(({ name }, at) => name === other[at]?.name)
}
