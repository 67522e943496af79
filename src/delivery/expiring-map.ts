// What delivery remembers for a while: DNS answers, dead hosts, hosts with broken TLS. Entries leave when their time is
// over or when newer ones need the room (least recently used first), so that no remote party can grow our memory.

import type { Clock } from '../util/clock.ts'

interface Entry<Value> {
  readonly value: Value
  /** Monotonic milliseconds. */
  readonly until: number
}

export class ExpiringMap<Value> {
  readonly #clock: Clock
  readonly #capacity: number
  readonly #entries = new Map<string, Entry<Value>>()

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  set(key: string, value: Value, lifeMs: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until: this.#clock.monotonic() + lifeMs })
    if (this.#entries.size <= this.#capacity) return
    const oldest = this.#entries.keys().next()
    if (oldest.done !== true) this.#entries.delete(oldest.value)
  }

  get(key: string): Value | undefined {
    return this.#live(key)?.value
  }

  has(key: string): boolean {
    return this.#live(key) !== undefined
  }

  /** How long the entry still lives; 0 when there is none. */
  remainingMs(key: string): number {
    const entry = this.#live(key)
    return entry === undefined ? 0 : entry.until - this.#clock.monotonic()
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  #live(key: string): Entry<Value> | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.until <= this.#clock.monotonic()) return undefined
    this.#entries.set(key, entry) // a Map keeps insertion order: used last, dropped last
    return entry
  }
}
