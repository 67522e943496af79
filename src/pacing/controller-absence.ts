// A receiver that cannot be reached (no connection, no greeting) has said nothing of any rate: as a rule it is down. Meanwhile it
// is asked as rarely as one that refuses. When it answers, a path that was free before is opened in steps that double, from a
// share of what was usual; it need not climb as if a limit had been found.
// Only once in a while: a firewall that shuts out who is too fast looks the same, and the second time it is taken for one.

import { HOUR } from '../util/clock.ts'

/** From this share of what was usual, times `factor` after so many messages, until so many times what was usual. */
const OPENING = { share: 0.25, factor: 2, messages: 4, free: 8 }
const ONCE_IN = HOUR
/** Who spoke of a rate so shortly before the trouble may have meant it. */
const SPOKE_BEFORE = HOUR

export interface AbsenceSnapshot {
  /** What was usual, while it is being opened again; per second. */
  readonly opening: number | undefined
  readonly openedMs: number | undefined
  readonly spokeMs: number | undefined
}

interface Trouble {
  readonly since: number
  /** The pace it had then; undefined: it was free. */
  readonly limit: number | undefined
}

export class Absence {
  #spokeAt = Number.NEGATIVE_INFINITY
  #openedAt = Number.NEGATIVE_INFINITY
  #usual: number | undefined

  get isOpening(): boolean {
    return this.#usual !== undefined
  }

  /** It was reached, and put mail off. */
  spoke(at: number): void {
    this.#spokeAt = at
  }

  /** Whether nothing but that it could not be reached has made the trouble. */
  explains(trouble: Trouble | undefined): boolean {
    return (
      trouble !== undefined &&
      trouble.limit === undefined &&
      this.#spokeAt < trouble.since - SPOKE_BEFORE &&
      this.#openedAt < trouble.since - ONCE_IN
    )
  }

  /** It answers again: what it is given first. */
  open(usual: number, at: number): number {
    this.#usual = usual
    this.#openedAt = at
    return OPENING.share * usual
  }

  isStepOver(messages: number): boolean {
    return messages >= OPENING.messages
  }

  /** After a step without trouble; undefined: it is free again. */
  next(limit: number): number | undefined {
    const next = OPENING.factor * limit
    if (next < OPENING.free * (this.#usual ?? 0)) return next
    this.end()
    return undefined
  }

  end(): void {
    this.#usual = undefined
  }

  snapshot(at: number): AbsenceSnapshot {
    return { opening: this.#usual, openedMs: ageOf(this.#openedAt, at), spokeMs: ageOf(this.#spokeAt, at) }
  }

  restore(from: Partial<AbsenceSnapshot>, at: number): void {
    this.#usual = from.opening
    if (from.openedMs !== undefined) this.#openedAt = at - from.openedMs
    if (from.spokeMs !== undefined) this.#spokeAt = at - from.spokeMs
  }
}

function ageOf(when: number, at: number): number | undefined {
  return Number.isFinite(when) ? Math.max(0, at - when) : undefined
}
