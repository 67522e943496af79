// Those who send: ours, KumoMTA's suspend-for-a-duration, Postfix's concurrency feedback, each as it is documented, with as
// many connections as the model has. None knows the receiver; all have more mail than they may send.

import { createPaceController, type Signal } from '../src/pacing/controller.ts'
import { Pace } from '../src/throttle/rate-limit.ts'
import { HOUR, MINUTE, SECOND } from '../src/util/clock.ts'

export interface Sender {
  /** From when on another message may start; never = not before an answer comes. */
  readyAt(now: number, underWay: number): number
  started(now: number): void
  heard(signal: Signal, now: number, sentAt: number): void
}

export type MakeSender = (connections: number) => Sender

export const SENDERS: Readonly<Record<string, MakeSender>> = {
  Studs: (connections) => new Ours(connections),
  // Yahoo's TSS04; the rate limits of Outlook; the automation for "temporarily deferred" of all others.
  'KumoMTA, suspend 2 h': (connections) => new Suspending(connections, { forMs: 2 * HOUR, after: 1 }),
  'KumoMTA, 3/h: suspend 30 min': (connections) => new Suspending(connections, { forMs: 30 * MINUTE, after: 3 }),
  'KumoMTA, 1/min for 90 min': (connections) => new Slowing(connections, 90 * MINUTE),
  Postfix: (connections) => new Feedback(connections, () => 1),
  'Postfix, feedback 1/concurrency': (connections) => new Feedback(connections, (window) => 1 / window),
}

const NEVER = Number.POSITIVE_INFINITY

class Ours implements Sender {
  readonly #connections: number
  readonly #controller = createPaceController()
  #known: number | undefined
  #pace: Pace | undefined

  constructor(connections: number) {
    this.#connections = connections
  }

  readyAt(now: number, underWay: number): number {
    if (underWay >= this.#connections) return NEVER
    const rate = this.#controller.rate(now)
    if (rate !== this.#known) this.#pace = this.#paced(rate)
    this.#known = rate
    return now + (this.#pace?.waitMs(now) ?? 0)
  }

  started(now: number): void {
    this.#pace?.take(now)
  }

  /** As the throttle of the queue does it. */
  #paced(rate: number | undefined): Pace | undefined {
    if (rate === undefined) return undefined
    const limit = { count: 1, per: SECOND / rate }
    return this.#pace?.at(limit) ?? new Pace(limit)
  }

  heard(signal: Signal, now: number, sentAt: number): void {
    this.#controller.heard(signal, now, sentAt)
  }
}

/** A pattern matches `after` times within an hour: nothing for a fixed time, then everything again. */
class Suspending implements Sender {
  readonly #connections: number
  readonly #rule: { readonly forMs: number; readonly after: number }
  #matches: number[] = []
  #until = 0

  constructor(connections: number, rule: { readonly forMs: number; readonly after: number }) {
    this.#connections = connections
    this.#rule = rule
  }

  readyAt(now: number, underWay: number): number {
    return underWay >= this.#connections ? NEVER : Math.max(now, this.#until)
  }

  started(): void {}

  heard(signal: Signal, now: number): void {
    if (signal === 'accepted' || now < this.#until) return
    this.#matches = [...this.#matches.filter((at) => at > now - HOUR), now]
    if (this.#matches.length < this.#rule.after) return
    this.#matches = []
    this.#until = now + this.#rule.forMs
  }
}

/** A pattern matches: one connection and a message a minute for a fixed time, then everything again. */
class Slowing implements Sender {
  readonly #connections: number
  readonly #forMs: number
  #until = 0
  #lastAt = Number.NEGATIVE_INFINITY

  constructor(connections: number, forMs: number) {
    this.#connections = connections
    this.#forMs = forMs
  }

  readyAt(now: number, underWay: number): number {
    if (now >= this.#until) return underWay >= this.#connections ? NEVER : now
    return underWay >= 1 ? NEVER : Math.max(now, Math.min(this.#until, this.#lastAt + MINUTE))
  }

  started(now: number): void {
    this.#lastAt = now
  }

  /** A match while it is slow makes the time begin anew. */
  heard(signal: Signal, now: number): void {
    if (signal !== 'accepted') this.#until = now + this.#forMs
  }
}

/**
 * Postfix 3.x: initial_destination_concurrency 5; feedback 1 to a delivery (its default) or to a cohort, as many deliveries
 * as the concurrency is; dead for minimal_backoff_time (300 s) after one cohort of failures without a success. In its
 * favour every "put off" is taken for a failure to get in: a 4xx to MAIL or RCPT changes no concurrency in Postfix.
 */
class Feedback implements Sender {
  readonly #limit: number
  readonly #feedback: (window: number) => number
  #window = 5
  #up = 0
  #down = 0
  #failedCohorts = 0
  #deadUntil = 0

  constructor(connections: number, feedback: (window: number) => number) {
    this.#limit = connections
    this.#feedback = feedback
  }

  readyAt(now: number, underWay: number): number {
    if (now < this.#deadUntil) return this.#deadUntil
    return underWay >= this.#window ? NEVER : now
  }

  started(): void {}

  heard(signal: Signal, now: number): void {
    if (now < this.#deadUntil) return
    if (signal === 'accepted') this.#succeeded()
    else this.#failed(now)
  }

  /** Up at the end of a run of successes. */
  #succeeded(): void {
    this.#failedCohorts = 0
    this.#up += this.#feedback(this.#window)
    if (this.#up < 1) return
    this.#window = Math.min(this.#limit, this.#window + 1)
    this.#up = 0
    this.#down = 0
  }

  /** Down at the beginning of a run of failures. */
  #failed(now: number): void {
    this.#failedCohorts += 1 / this.#window
    this.#down -= this.#feedback(this.#window)
    if (this.#down < 0) {
      this.#window = Math.max(1, this.#window - 1)
      this.#down += 1
      this.#up = 0
    }
    if (this.#failedCohorts < 1) return
    this.#deadUntil = now + 300 * SECOND
    this.#window = 5
    this.#failedCohorts = 0
  }
}
