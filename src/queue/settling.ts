// Before and after an attempt: what must not be tried any more, and what became of what was tried. Composes changes; the
// book writes them, and waits while the store is full: an outcome is never lost.

import type { JournalRecord } from '../journal/record.ts'
import type { Recipient } from '../mail/message.ts'
import type { Cause, Outcome } from '../mail/outcome.ts'
import { verdictOfSuppression } from '../suppression/verdict.ts'
import { type EpochMs, MINUTE } from '../util/clock.ts'
import { attemptsOf, type Change, changed, recordAbout, suppressionRecords } from './change.ts'
import type { Flight } from './flight.ts'
import type { QueueParts, RecipientBook } from './recipient-book.ts'
import { type Settlement, settlementOf } from './settlement.ts'
import type { StateEvent } from './state.ts'

// A message this long past its life that was tried before is not tried once more (the relay was down); one that an
// operator held until its life was over is not tried at all.
const LAST_ATTEMPT_GRACE = 5 * MINUTE

export class Settling {
  readonly #parts: QueueParts
  readonly #book: RecipientBook

  constructor(parts: QueueParts, book: RecipientBook) {
    this.#parts = parts
    this.#book = book
  }

  /** Asked again right before an attempt: the address may have been suppressed since, the message's life may be over. */
  async refuseBeforeAttempt(flight: Flight): Promise<boolean> {
    const { recipient, message } = flight
    if (recipient.state.kind !== 'waiting') {
      // Held or cancelled since it was claimed.
      this.#book.flights.land(flight)
      return true
    }
    const admission = this.#parts.admission(recipient.tenant, recipient.address, recipient.id)
    const now = this.#parts.clock.now()
    if (admission.kind === 'suppressed') {
      const { entry } = admission
      const verdict = verdictOfSuppression(entry)
      const event: StateEvent = { kind: 'suppressed', at: now }
      const record = this.#book.about(recipient, {
        kind: 'suppressed',
        at: now,
        scope: entry.scope,
        reason: entry.reason,
        ...(verdict === undefined ? {} : { verdict }),
      })
      await this.#settleWith(flight, { recipient, event, records: [record] })
      return true
    }
    if (admission.kind === 'wait') {
      // Somebody gave the address another chance, and one message at a time takes it.
      await this.#settleWith(flight, { recipient, event: { kind: 'returned', dueAt: admission.until }, records: [] })
      return true
    }
    const isPaused = (recipient.releasedAt ?? 0) > message.expiresAt
    if (isPaused || (now > message.expiresAt + LAST_ATTEMPT_GRACE && recipient.state.attempts > 1)) {
      await this.#settleFailure(flight, expiredOf(recipient, now, isPaused))
      return true
    }
    const until = this.#parts.holdsUntil?.(message)
    if (until === undefined) return false
    await this.#settleWith(flight, { recipient, event: { kind: 'returned', dueAt: until }, records: [] })
    return true
  }

  /** Turns an outcome into the new state, with the waits of its place; durable when it resolves. Waits while the store is full: an outcome is never lost. */
  async settle(flight: Flight, outcome: Outcome, retry?: readonly number[]): Promise<void> {
    const { recipient, message } = flight
    const { clock, recorder } = this.#parts
    this.#book.flights.dropContent(flight)
    const attempts = attemptsOf(recipient)
    const settlement = settlementOf({
      outcome,
      attempts,
      expiresAt: message.expiresAt,
      lastCause: recipient.lastCause,
      schedule: retry === undefined ? this.#book.schedule : { ...this.#book.schedule, retry },
      now: clock.now(),
      random: Math.random(),
      classify: (cause, way) => recorder.classify(way === undefined ? { cause } : { cause, way }),
    })
    if (settlement.ending === 'delivered') await this.#settleDelivery(flight, settlement)
    else if (settlement.ending === 'returned')
      await this.#settleWith(flight, { recipient, event: settlement.event, records: [] })
    else await this.#settleFailure(flight, settlement)
  }

  async #settleDelivery(flight: Flight, settlement: Extract<Settlement, { ending: 'delivered' }>): Promise<void> {
    const { recipient } = flight
    const { reply, way } = settlement
    const record = this.#book.about(recipient, { kind: 'delivered', reply, way })
    if (flight.cameBack !== undefined) return this.#settleCameBack(flight, { ...settlement, record })
    const more = this.#parts.recorder.recordDelivery({
      tenant: recipient.tenant,
      recipient: recipient.address,
      message: recipient.id,
      way,
    })
    await this.#settleWith(flight, { recipient, event: settlement.event, records: [record], more, lastWay: way })
  }

  /**
   * The report was faster than the reply to the dot. What it taught is recorded already, and a delivery that came back
   * clears nothing; what is left is the state, in one step, so that no other report comes in between.
   */
  async #settleCameBack(
    flight: Flight,
    taken: Pick<Extract<Settlement, { ending: 'delivered' }>, 'event' | 'way'> & { readonly record: JournalRecord },
  ): Promise<void> {
    const { message, recipient: before, cameBack } = flight
    if (cameBack === undefined) return
    const now = this.#parts.clock.now()
    const { cause, verdict } = cameBack
    const delivered = changed(before, { recipient: before, event: taken.event, records: [], lastWay: taken.way }, now)
    const bounced = recordAbout(before, now, { kind: 'bounced', cause, verdict, ...cameBack.record })
    const event: StateEvent = { kind: 'bounced', at: now }
    const change: Change = { recipient: delivered, event, records: [bounced], lastCause: cause }
    const after = changed(delivered, change, now)
    flight.recipient = after
    const report = this.#book.reportOn({ message, before, after, change })
    const both: Change = { ...change, records: [taken.record, bounced] }
    await this.#book.write({ message, before, after, change: both, report, landing: flight })
  }

  async #settleFailure(
    flight: Flight,
    settlement: Exclude<Settlement, { ending: 'delivered' | 'returned' }>,
  ): Promise<void> {
    await this.#settleWith(flight, this.#failureOf(flight.recipient, settlement))
  }

  #failureOf(recipient: Recipient, settlement: Exclude<Settlement, { ending: 'delivered' | 'returned' }>): Change {
    const { ending, cause, way, event } = settlement
    const failure = this.#parts.recorder.recordFailure({
      tenant: recipient.tenant,
      message: recipient.id,
      n: recipient.n,
      recipient: recipient.address,
      attempt: attemptsOf(recipient),
      cause,
      ...(way === undefined ? {} : { way }),
      ending,
      useGlobal: this.#book.tenant(recipient.tenant)?.useGlobal ?? true,
    })
    const record = this.#book.about(recipient, {
      kind: ending,
      cause,
      verdict: failure.verdict,
      ...(way === undefined ? {} : { way }),
      ...(settlement.ending === 'deferred' ? { dueAt: settlement.dueAt } : {}),
      ...(failure.ambiguous ? { ambiguous: true } : {}),
    })
    return {
      recipient,
      event,
      records: [record, ...suppressionRecords(recipient, this.#parts.clock.now(), failure)],
      more: failure.writes,
      lastCause: cause,
      ...(way === undefined ? {} : { lastWay: way }),
    }
  }

  /** Writes one change of a flight's recipient, lands the flight, then tells. Retries for as long as the store is full. */
  async #settleWith(flight: Flight, change: Change): Promise<void> {
    const { recipient } = flight
    const after = changed(recipient, change, this.#parts.clock.now())
    flight.recipient = after
    const report = this.#book.reportOn({ message: flight.message, before: recipient, after, change })
    await this.#book.write({ message: flight.message, before: recipient, after, change, report, landing: flight })
  }

  /**
   * The end of a recipient that is held when its life is over; false when it is not so. Rejects with StoreError, also
   * when there is no room: it is asked again.
   */
  async expireHeld(id: string, n: number): Promise<boolean> {
    const before = this.#book.recipient(id, n)
    const message = this.#book.message(id)
    const now = this.#parts.clock.now()
    if (before?.state.kind !== 'held' || message === undefined || now <= message.expiresAt) return false
    // Its attempt, or whatever changes it, ends by itself.
    if (this.#book.isInFlight(id, n) || this.#book.isBeingWritten(id, n)) return false
    const change = this.#failureOf(before, expiredOf(before, now, true))
    const after = changed(before, change, now)
    const report = this.#book.reportOn({ message, before, after, change })
    await this.#book.write({ message, before, after, change, report, mayFail: true })
    return true
  }
}

/** The end of a life that is over, with what was heard last. */
function expiredOf(
  { lastCause }: Recipient,
  now: EpochMs,
  isPaused: boolean,
): Extract<Settlement, { ending: 'failed' | 'expired' }> {
  const cause: Cause = {
    kind: 'expired',
    ...(isPaused ? { by: 'hold' } : {}),
    ...(lastCause === undefined ? {} : { last: lastCause }),
  }
  return { ending: 'expired', event: { kind: 'expired', at: now }, cause }
}
