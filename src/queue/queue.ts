// The queue: the sole writer of recipients. Each change is one store transaction {new state, schedule, records,
// strikes and suppressions, perhaps a report to the sender}, then one event. What is durable when: docs/architecture.md.
// A claim is written before the attempt as "attempts + 1, due again at T", so a crash needs no special state.

import type { JournalRecord } from '../journal/record.ts'
import type { LaneName, Message, Recipient } from '../mail/message.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { EpochMs } from '../util/clock.ts'
import { Accepting } from './accepting.ts'
import { type Change, changed, LOST_ATTEMPT } from './change.ts'
import { type Admit, type Claims, claimsOf } from './claims.ts'
import { ComingBack, type ReportedBounce } from './coming-back.ts'
import type { Flight } from './flight.ts'
import { type QueueListener, type QueueParts, RecipientBook } from './recipient-book.ts'
import { Settling } from './settling.ts'
import { SpooledBody } from './spool.ts'
import type { StateEvent } from './state.ts'
import type { Accepted, Acceptor, BodyWriter, Submitted } from './submission.ts'

export type { QueueListener, QueueParts } from './recipient-book.ts'

export class Queue implements Acceptor {
  readonly #parts: QueueParts
  readonly #book: RecipientBook
  readonly #accepting: Accepting
  readonly #settling: Settling
  readonly #comingBack: ComingBack
  #holds = 0

  constructor(parts: QueueParts) {
    this.#parts = parts
    this.#book = new RecipientBook(parts)
    this.#accepting = new Accepting(parts, this.#book)
    this.#settling = new Settling(parts, this.#book)
    this.#comingBack = new ComingBack(parts, this.#book)
  }

  listen(listener: QueueListener): void {
    this.#book.listen(listener)
  }

  /** Before anything waits for it: counts what tenants with a limit have waiting. */
  prepare(): Promise<void> {
    return this.#book.prepare()
  }

  /** How many were held since the start: who counts along sees that there are new ones. */
  get holds(): number {
    return this.#holds
  }

  get inFlight(): number {
    return this.#book.flights.size
  }

  isInFlight(id: string, n: number): boolean {
    return this.#book.isInFlight(id, n)
  }

  /** Of one in flight: since when it is being tried, once its turn has come. */
  flight(id: string, n: number): Pick<Flight, 'triedSince'> | undefined {
    return this.#book.flights.get(id, n)
  }

  /** Until when a message is kept back, whoever it goes to; for people, as it is asked again right before every attempt. */
  heldUntil(message: Message): EpochMs | undefined {
    return this.#parts.holdsUntil?.(message)
  }

  /** As it stands, writes under way included. */
  recipient(id: string, n: number): Recipient | undefined {
    return this.#book.recipient(id, n)
  }

  message(id: string): Message | undefined {
    return this.#book.message(id)
  }

  // ---- acceptance

  openBody(): BodyWriter {
    return new SpooledBody(this.#parts.store, this.#parts.makeId())
  }

  mayQueue(tenant: string, count: number): boolean {
    return this.#book.mayQueue(tenant, count)
  }

  accept(body: BodyWriter, submitted: Submitted): Promise<Accepted> {
    return this.#accepting.accept(body, submitted)
  }

  // ---- attempts

  /** Claims up to `limit` due recipients of a lane. `firstDue`: when the next of the lane is due; undefined = nobody waits. */
  async claim(lane: LaneName, limit: number, admit?: Admit): Promise<Pick<Claims, 'flights' | 'firstDue' | 'nextDue'>> {
    const { store, clock, logger, journal } = this.#parts
    const claims = claimsOf(
      {
        store,
        isBusy: (id, n) => this.#book.isInFlight(id, n) || this.#book.isBeingWritten(id, n),
        recipient: (id, n) => this.#book.recipient(id, n),
        message: (id) => this.#book.message(id),
        dueAfter: (attempts, message) => this.#book.dueAfter(attempts, message),
        ...(admit !== undefined && { admit }),
        onStale: (message, n) =>
          logger.warn({ event: 'stale-due', message, n }, 'a schedule entry did not fit its recipient and was mended'),
      },
      lane,
      limit,
      clock.now(),
    )
    for (const flight of claims.flights) this.#book.flights.begin(flight)
    const lost = claims.unsettled.map((recipient) => journal.compose(this.#book.about(recipient, LOST_ATTEMPT)))
    try {
      if (claims.writes.length > 0)
        await this.#book.during(claims.putOff, () =>
          store.write([...claims.writes, ...lost.flatMap(({ writes }) => writes)]),
        )
    } catch (error) {
      for (const flight of claims.flights) this.#book.flights.land(flight)
      throw error
    }
    journal.publish(lost.map(({ record }) => record))
    for (const { recipient } of claims.flights) this.#book.wake(recipient)
    return claims
  }

  /** Asked again right before an attempt: the address may have been suppressed since, the message's life may be over. */
  refuseBeforeAttempt(flight: Flight): Promise<boolean> {
    return this.#settling.refuseBeforeAttempt(flight)
  }

  /** Durable when it resolves. Waits while the store is full: an outcome is never lost. */
  settle(flight: Flight, outcome: Outcome, retry?: readonly number[]): Promise<void> {
    return this.#settling.settle(flight, outcome, retry)
  }

  /** An attempt broke off inside of us: the recipient is due again when its claim says. */
  abandon(flight: Flight): void {
    this.#book.flights.land(flight)
    this.#book.wake(flight.recipient)
  }

  // ---- operators, reports

  /** One change by an operator or a report. Returns the recipient as it is now; undefined when it cannot happen (any more). */
  async change(
    given: { id: string; n: number; event: StateEvent } & {
      record: Pick<JournalRecord, 'kind'> & Partial<JournalRecord>
    },
  ): Promise<Recipient | undefined> {
    const before = this.#book.recipient(given.id, given.n)
    const message = this.#book.message(given.id)
    if (before === undefined || message === undefined) return undefined
    const change: Change = { recipient: before, event: given.event, records: [this.#book.about(before, given.record)] }
    let after: Recipient
    try {
      after = changed(before, change, this.#parts.clock.now())
    } catch {
      return undefined // Somebody else was faster: transition() names the rule.
    }
    const flight = this.#book.flights.get(given.id, given.n)
    if (flight !== undefined) flight.recipient = after
    const report = this.#book.reportOn({ message, before, after, change })
    await this.#book.write({ message, before, after, change, report })
    if (after.state.kind === 'held') this.#holds++
    return after
  }

  /** Durable when it resolves; rejects with StoreError, also when there is no room: whoever brought it can bring it again. */
  bounced(given: ReportedBounce): Promise<void> {
    return this.#comingBack.bounced(given)
  }

  /**
   * The end of a recipient that is held when its life is over; false when it is not so. Rejects with StoreError, also
   * when there is no room: it is asked again.
   */
  expireHeld(id: string, n: number): Promise<boolean> {
    return this.#settling.expireHeld(id, n)
  }
}
