// The suspensions that hold, by name, by kind and by their end. In memory, so that a storm of them costs little for each:
// the next end comes from a heap, and they are sorted only when somebody wants to see them all.

import type { EpochMs } from '../util/clock.ts'
import { MinHeap } from '../util/heap.ts'

const HEAP_SLACK = 64

/** A suspension, as far as it holds. */
interface Held {
  readonly kind: string
  readonly name: string
  readonly since: EpochMs
  readonly until: EpochMs
}

/** One text for each, for maps. */
export function suspensionName({ kind, name }: Pick<Held, 'kind' | 'name'>): string {
  return `${kind} ${name}`
}

export class HeldSuspensions<Suspension extends Held> {
  readonly #held = new Map<string, Suspension>()
  readonly #counts = new Map<string, number>()
  /** Also those that were replaced or taken back since: they are passed over. */
  readonly #ends = new MinHeap<Suspension>(({ until }) => until)
  /** Of those that hold; absent: to be made. */
  #sorted: readonly Suspension[] | undefined

  get size(): number {
    return this.#held.size
  }

  count(kind: string): number {
    return this.#counts.get(kind) ?? 0
  }

  get(name: string): Suspension | undefined {
    return this.#held.get(name)
  }

  /** Instead of the one of its name. */
  put(suspension: Suspension): void {
    const name = suspensionName(suspension)
    if (!this.#held.has(name)) this.#counts.set(suspension.kind, this.count(suspension.kind) + 1)
    this.#held.set(name, suspension)
    this.#sorted = undefined
    this.#ends.push(suspension)
    if (this.#ends.size > HEAP_SLACK + 2 * this.#held.size) this.#ends.retain((each) => this.#isCurrent(each))
  }

  drop(suspension: Suspension): void {
    if (!this.#held.delete(suspensionName(suspension))) return
    this.#counts.set(suspension.kind, this.count(suspension.kind) - 1)
    this.#sorted = undefined
  }

  /** The first to end first. */
  list(now: EpochMs): readonly Suspension[] {
    this.#sorted ??= [...this.#held.values()].sort((a, b) => a.until - b.until)
    const over = this.#sorted.findIndex(({ until }) => until > now)
    return over === 0 ? this.#sorted : over === -1 ? [] : this.#sorted.slice(over)
  }

  get firstEnd(): EpochMs | undefined {
    return this.#first()?.until
  }

  /** Those that have ended; they hold no more. */
  takeOver(now: EpochMs): readonly Suspension[] {
    const over: Suspension[] = []
    for (;;) {
      const first = this.#first()
      if (first === undefined || first.until > now) return over
      this.#ends.pop()
      this.drop(first)
      over.push(first)
    }
  }

  /** The wall clock was set, by so much: each has begun as long ago as before, and lasts as much longer. */
  shift(byMs: number): void {
    for (const [name, each] of this.#held)
      this.#held.set(name, { ...each, since: each.since + byMs, until: each.until + byMs })
    this.#sorted = undefined
    this.#ends.retain(() => false)
    for (const each of this.#held.values()) this.#ends.push(each)
  }

  #first(): Suspension | undefined {
    for (;;) {
      const first = this.#ends.peek()
      if (first === undefined || this.#isCurrent(first)) return first
      this.#ends.pop()
    }
  }

  #isCurrent(suspension: Suspension): boolean {
    return this.#held.get(suspensionName(suspension)) === suspension
  }
}
