// The connections of one path between two messages: kept for a while, given to the next message of the same kind, ended
// when they have carried enough. Never holds a connection that is closed or in use.

import type { Clock, Timer } from '../util/clock.ts'

/** The SMTP client, as far as paths care. */
export interface Connection {
  readonly usable: boolean
  quit(): unknown
  destroy(): void
  onClose(callback: () => void): void
}

export interface KeepingLimits {
  readonly messagesPerConnection: number
  readonly idleTimeoutMs: number
}

interface Idle<C> {
  readonly kind: string
  readonly connection: C
  /** Monotonic milliseconds. */
  readonly since: number
}

interface Waiter<C> {
  readonly kind: string
  readonly give: (connection: C | undefined) => void
}

export class KeptConnections<C extends Connection> {
  readonly #clock: Clock
  readonly #limits: KeepingLimits
  /** Messages carried so far. */
  readonly #carried = new WeakMap<C, number>()
  readonly #waiters = new Set<Waiter<C>>()
  /** The longest unused first. */
  #idle: Idle<C>[] = []
  #timer: Timer | undefined
  #isClosed = false

  constructor(clock: Clock, limits: KeepingLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get count(): number {
    return this.#idle.length
  }

  /** The one used last: the others may then grow old and end. */
  take(kind: string): C | undefined {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      const entry = this.#idle[at]
      if (entry?.kind !== kind) continue
      this.#idle.splice(at, 1)
      if (entry.connection.usable) return entry.connection
      entry.connection.destroy()
    }
    return undefined
  }

  /** After a message: kept, handed to one who waits, or ended. */
  keep(kind: string, connection: C): void {
    const carried = (this.#carried.get(connection) ?? 0) + 1
    this.#carried.set(connection, carried)
    if (this.#isClosed || carried >= this.#limits.messagesPerConnection || !connection.usable)
      return void connection.quit()
    if (carried === 1) connection.onClose(() => this.#forget(connection))
    for (const waiter of this.#waiters) {
      if (waiter.kind !== kind) continue
      waiter.give(connection)
      return
    }
    this.#idle.push({ kind, connection, since: this.#clock.monotonic() })
    this.#watch()
  }

  /** The next connection of this kind that comes free within `waitMs` and before `signal` aborts, if one does. */
  next(kind: string, waitMs: number, signal?: AbortSignal): Promise<C | undefined> {
    return new Promise((resolve) => {
      const give = (connection: C | undefined): void => {
        timer.cancel()
        this.#waiters.delete(waiter)
        resolve(connection)
      }
      const waiter: Waiter<C> = { kind, give }
      const timer = this.#clock.after(waitMs, () => give(undefined))
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', () => give(undefined), { once: true })
    })
  }

  dropOldest(): void {
    this.#idle.shift()?.connection.quit()
  }

  /** Ends the idle ones now and the others when they come back. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    for (const waiter of this.#waiters) waiter.give(undefined)
    for (const { connection } of this.#idle.splice(0)) connection.quit()
  }

  #forget(connection: C): void {
    this.#idle = this.#idle.filter((entry) => entry.connection !== connection)
  }

  /** One timer for all, due when the longest unused one is. */
  #watch(): void {
    const [oldest] = this.#idle
    if (this.#timer !== undefined || oldest === undefined) return
    const dueMs = oldest.since + this.#limits.idleTimeoutMs - this.#clock.monotonic()
    this.#timer = this.#clock.after(Math.max(Math.ceil(dueMs), 0), () => {
      this.#timer = undefined
      const latest = this.#clock.monotonic() - this.#limits.idleTimeoutMs
      while ((this.#idle[0]?.since ?? Number.POSITIVE_INFINITY) <= latest) this.dropOldest()
      this.#watch()
    })
  }
}
