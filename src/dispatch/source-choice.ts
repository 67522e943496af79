// Which source a message leaves from, chosen once, when it is admitted. In prose:
//
// - The same message leaves from the same source, as long as that may send to the place: it is not suspended or drained,
//   does not rest there, and its address is on this machine (the first and the last delivery sees to). Where its pool
//   says that mail does not move, or the receiver has asked to wait, it waits for a source that rests.
// - One that has tried a message before is preferred to the message's own: a receiver that greylists has met it.
// - What is beyond a warm-up plan leaves from a warm source of the pool, else from another one that warms up and has
//   something left, else it waits. Where the plan says so, it waits at once.

import type { Delivery, RateLimit, Site } from '../delivery/delivery.ts'
import type { SourceGate } from '../sources/source-book.ts'
import type { Throttle } from '../throttle/throttle.ts'
import type { EpochMs } from '../util/clock.ts'
import type { Pacer } from './pacer.ts'

export interface SourceChoiceParts {
  readonly throttle: Throttle
  readonly delivery: Pick<Delivery, 'sourceOf' | 'sourcesOf'>
  readonly pacer?: Pick<Pacer, 'limits' | 'restsUntil' | 'keepsMail'>
  readonly gate?: SourceGate
}

export interface Choosing {
  readonly pool: string
  readonly message: string
  readonly place: Site
  /** The source that tried it last. */
  readonly before: string | undefined
  /** Whether mail of the pool leaves from another source while its own rests there; absent: it does. */
  readonly mayMove?: boolean
}

export class SourceChoice {
  readonly #parts: SourceChoiceParts

  constructor(parts: SourceChoiceParts) {
    this.#parts = parts
  }

  /** Undefined: none of the pool may send there now. */
  choose(choosing: Choosing): string | undefined {
    const { delivery, gate, pacer } = this.#parts
    const { pool, message, place, before, mayMove = true } = choosing
    const rests = (source: string): boolean => pacer?.restsUntil(source, place) !== undefined
    const keeps = (source: string): boolean => pacer?.keepsMail?.(source, place) === true
    const isOpen = (source: string): boolean =>
      gate?.heldUntil(source, place) === undefined && !(mayMove && rests(source) && !keeps(source))
    const isPreferred = before !== undefined && isOpen(before) && delivery.sourcesOf(pool).includes(before)
    const own = isPreferred ? before : delivery.sourceOf(pool, message, isOpen)
    if (own === undefined || ((!mayMove || keeps(own)) && rests(own))) return undefined
    if (gate === undefined || !this.#isUsedUp(own, place)) return own
    // Another one than the one before it has of its own.
    if (isPreferred) return this.choose({ ...choosing, before: undefined })
    if (!gate.overflows(own)) return own
    const maySend = (source: string): boolean => isOpen(source) && !rests(source)
    return (
      delivery.sourceOf(pool, message, (each) => maySend(each) && gate.warmUp(each, place) === undefined) ??
      delivery.sourceOf(pool, message, (each) => maySend(each) && !this.#isUsedUp(each, place)) ??
      own
    )
  }

  /** When to ask again, while nothing leaves from the source to the place. */
  heldUntil(source: string, place: Site): EpochMs | undefined {
    const { pacer, gate } = this.#parts
    return pacer?.restsUntil(source, place) ?? gate?.heldUntil(source, place)
  }

  /** Rates that change from turn to turn: what was learned of the path, and the plan of a source that warms up. */
  limits(source: string, place: Site): readonly RateLimit[] {
    const { pacer, gate } = this.#parts
    const learned = pacer?.limits(place, source) ?? NONE
    const plan = gate?.warmUp(source, place)
    return plan === undefined ? learned : [...learned, plan]
  }

  #isUsedUp(source: string, place: Site): boolean {
    const plan = this.#parts.gate?.warmUp(source, place)
    return plan !== undefined && this.#parts.throttle.isUsedUp(this.#parts.throttle.rate(plan))
  }
}

const NONE: readonly RateLimit[] = []
