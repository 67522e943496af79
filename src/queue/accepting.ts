// Acceptance: message, body, recipients, schedule and records in one transaction. A recipient handed to delivery right
// afterwards is accepted in that state already: "attempts 1, due again at T", so a crash needs no special state.

import type { ComposedRecord } from '../journal/journal.ts'
import type { Message, Recipient } from '../mail/message.ts'
import type { EpochMs } from '../util/clock.ts'
import { acceptanceOf, acceptedBefore } from './acceptance.ts'
import type { Flight } from './flight.ts'
import type { QueueParts, RecipientBook } from './recipient-book.ts'
import type { Report } from './report.ts'
import { SpooledBody } from './spool.ts'
import type { Accepted, BodyWriter, Submitted, SubmittedRecipient } from './submission.ts'

export class Accepting {
  readonly #parts: QueueParts
  readonly #book: RecipientBook
  /** Under way, by tenant and idempotency key. */
  readonly #idempotent = new Map<string, Promise<Accepted>>()

  constructor(parts: QueueParts, book: RecipientBook) {
    this.#parts = parts
    this.#book = book
  }

  async accept(body: BodyWriter, submitted: Submitted): Promise<Accepted> {
    if (!(body instanceof SpooledBody)) throw new TypeError('a body that this queue did not open')
    const { idempotencyKey, tenant } = submitted
    if (idempotencyKey === undefined) return this.#acceptNew(body, submitted)
    const name = `${tenant}\0${idempotencyKey}`
    const earlier =
      this.#idempotent.get(name) ?? acceptedBefore(this.#parts.store, tenant, idempotencyKey, this.#parts.clock.now())
    if (earlier !== undefined) {
      const { id } = await earlier
      await body.discard()
      return { id, duplicate: true }
    }
    const accepting = this.#acceptNew(body, submitted)
    this.#idempotent.set(name, accepting)
    try {
      return await accepting
    } finally {
      this.#idempotent.delete(name)
    }
  }

  async #acceptNew(body: SpooledBody, submitted: Submitted): Promise<Accepted> {
    const { store, journal, clock } = this.#parts
    const { to, sendAt, ...rest } = submitted
    const spooled = body.finish()
    const { chunks, writes: bodyWrites, small } = spooled instanceof Promise ? await spooled : spooled
    const now = clock.now()
    const message: Message = { ...rest, id: body.id, recipients: to.length, chunks, receivedAt: now }
    const placed = to.map((recipient, n) =>
      this.#place({
        message,
        recipient,
        n,
        dueAt: sendAt ?? now,
        content: this.#book.flights.mayKeep(small?.length ?? 0) ? small : undefined,
      }),
    )
    const recipients = placed.map(({ recipient }) => recipient)
    const { writes, records } = acceptanceOf({ message, recipients, to, journal })
    const isAnyoneOpen = recipients.some(({ state }) => state.kind === 'waiting')
    const reports = this.#reportsOnSuppressed(message, recipients, records)
    try {
      await store.write([
        ...writes,
        ...(isAnyoneOpen ? bodyWrites : []),
        ...reports.flatMap((report) => [...report.writes, ...report.composed.flatMap((each) => each.writes)]),
      ])
    } catch (error) {
      for (const { flight } of placed) if (flight !== undefined) this.#book.flights.land(flight)
      throw error
    }
    journal.publish([...records, ...reports.flatMap(({ composed }) => composed)].map(({ record }) => record))
    for (const recipient of [...recipients, ...reports.map((report) => report.recipient)])
      this.#book.enterLine(recipient)
    if (!isAnyoneOpen) await body.discard()
    const flights = placed.flatMap(({ flight }) => flight ?? [])
    if (flights.length > 0) this.#book.listener.claimed(flights)
    return { id: message.id, duplicate: false }
  }

  /** The first state of a recipient: suppressed, waiting, or claimed at once when there is room in flight. */
  #place(given: {
    message: Message
    recipient: SubmittedRecipient
    n: number
    dueAt: EpochMs
    content: Buffer | undefined
  }): {
    recipient: Recipient
    flight?: Flight
  } {
    const { message, n, dueAt } = given
    const { address, dsn, suppressed } = given.recipient
    const { id, tenant, pool } = message
    const base = { id, n, tenant, address, ...(pool !== undefined && { pool }), ...(dsn !== undefined && { dsn }) }
    if (suppressed !== undefined)
      return { recipient: { ...base, state: { kind: 'suppressed', at: message.receivedAt } } }
    if (
      dueAt > message.receivedAt ||
      !this.#book.flights.hasRoom(message.tenant, this.#parts.settings().queue.maxInFlight)
    ) {
      return { recipient: { ...base, state: { kind: 'waiting', attempts: 0, dueAt } } }
    }
    const recipient: Recipient = {
      ...base,
      state: { kind: 'waiting', attempts: 1, dueAt: this.#book.dueAfter(1, message) },
    }
    const flight: Flight = { message, recipient, content: given.content, hot: true }
    this.#book.flights.begin(flight)
    return { recipient, flight }
  }

  #reportsOnSuppressed(
    message: Message,
    recipients: readonly Recipient[],
    records: readonly ComposedRecord[],
  ): (Report & { readonly composed: readonly ComposedRecord[] })[] {
    return recipients.flatMap((after) => {
      if (after.state.kind !== 'suppressed') return []
      const own = records.map(({ record }) => record).filter(({ n }) => n === after.n)
      const report = this.#book.reportOn({ message, before: undefined, after, change: { records: own } })
      return report === undefined
        ? []
        : { ...report, composed: report.records.map((record) => this.#parts.journal.compose(record)) }
    })
  }
}
