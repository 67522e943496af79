// The queue: the sole writer of recipients. Each change is one store transaction {new state, schedule, records,
// strikes and suppressions, perhaps a report to the sender}, then one event. What is durable when: docs/architecture.md.
// A claim is written before the attempt as "attempts + 1, due again at T", so a crash needs no special state; a
// recipient handed to delivery right after acceptance was accepted in that state already.

import type { Settings, TenantSettings } from '../config/schema.ts'
import type { ComposedRecord, Journal } from '../journal/journal.ts'
import type { JournalRecord, StoredRecord } from '../journal/record.ts'
import type { Failure, Recorder } from '../journal/record-failure.ts'
import type { Recorded } from '../journal/recorded.ts'
import { type Domain, domainOf } from '../mail/address.ts'
import { isFinal, type Message, type Recipient } from '../mail/message.ts'
import type { Cause, Outcome } from '../mail/outcome.ts'
import type { Logger } from '../observe/logger.ts'
import { decodeOptional } from '../store/codec.ts'
import { idKey, partKey } from '../store/keys.ts'
import { type Store, StoreError, type Write } from '../store/store.ts'
import type { Gate } from '../suppression/gate.ts'
import { verdictOfSuppression } from '../suppression/verdict.ts'
import { type Clock, type EpochMs, MINUTE } from '../util/clock.ts'
import { acceptanceOf, acceptedBefore, recipientWrites } from './acceptance.ts'
import {
  attemptsOf,
  type Change,
  changed,
  LOST_ATTEMPT,
  type RecordPart,
  recordAbout,
  suppressionRecords,
} from './change.ts'
import { type Admit, type Claims, claimsOf } from './claims.ts'
import { type CameBack, type Flight, Flights, flightKey } from './flight.ts'
import { OpenRecipients } from './open-recipients.ts'
import { PatientWriter } from './patient-writer.ts'
import type { DsnWriter, Report, ReportInput } from './report.ts'
import { nextAttemptAt } from './schedule.ts'
import { type Settlement, settlementOf } from './settlement.ts'
import { removeBody, SpooledBody } from './spool.ts'
import { mayHappen, type StateEvent } from './state.ts'
import type { Accepted, Acceptor, BodyWriter, Submitted, SubmittedRecipient } from './submission.ts'
import { WaitingCount } from './waiting-count.ts'

export interface QueueParts {
  readonly store: Store
  readonly journal: Journal
  readonly recorder: Recorder
  /** Whether `message` may be sent to the address now; asked right before every attempt. */
  readonly admission: Gate['admission']
  readonly dsn: DsnWriter
  readonly settings: () => Settings
  readonly makeId: () => string
  readonly clock: Clock
  readonly logger: Logger
}

/** What the queue tells the runner. */
export interface QueueListener {
  /** These were claimed by acceptance: try them now. */
  claimed(flights: readonly Flight[]): void
  /** Somebody in this lane is due at `dueAt`. */
  due(tenant: string, domain: Domain, dueAt: EpochMs): void
}

// A message this long past its life that was tried before is not tried once more (the relay was down); one that an
// operator held until its life was over is not tried at all.
const LAST_ATTEMPT_GRACE = 5 * MINUTE
/** States in which nobody has said yes or no for good. */
const UNANSWERED: ReadonlySet<Recipient['state']['kind']> = new Set(['waiting', 'held', 'expired', 'cancelled'])

export class Queue implements Acceptor {
  readonly #parts: QueueParts
  readonly #flights = new Flights()
  /** Recipients whose write is under way: the store does not show it yet. */
  readonly #pending = new Map<string, Recipient>()
  readonly #open: OpenRecipients
  readonly #waiting: WaitingCount
  /** Acceptances under way, by tenant and idempotency key. */
  readonly #idempotent = new Map<string, Promise<Accepted>>()
  readonly #writer: PatientWriter
  #holds = 0
  #listener: QueueListener = { claimed: () => undefined, due: () => undefined }

  constructor(parts: QueueParts) {
    this.#parts = parts
    this.#writer = new PatientWriter(parts)
    this.#open = new OpenRecipients(parts.store)
    this.#waiting = new WaitingCount(parts.store)
  }

  listen(listener: QueueListener): void {
    this.#listener = listener
  }

  /** Before anything waits for it: counts what tenants with a limit have waiting. */
  prepare(): Promise<void> {
    return this.#waiting.prepare(
      this.#parts.settings().tenant.flatMap(({ name, maxQueued }) => (maxQueued === undefined ? [] : [name])),
    )
  }

  /** How many were held since the start: who counts along sees that there are new ones. */
  get holds(): number {
    return this.#holds
  }

  get inFlight(): number {
    return this.#flights.size
  }

  isInFlight(id: string, n: number): boolean {
    return this.#flights.get(id, n) !== undefined
  }

  // ---- acceptance

  openBody(): BodyWriter {
    return new SpooledBody(this.#parts.store, this.#parts.makeId())
  }

  mayQueue(tenant: string, count: number): boolean {
    const limit = this.#tenant(tenant)?.maxQueued
    return limit === undefined || this.#waiting.of(tenant) + count <= limit
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
        content: this.#flights.mayKeep(small?.length ?? 0) ? small : undefined,
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
      for (const { flight } of placed) if (flight !== undefined) this.#flights.land(flight)
      throw error
    }
    journal.publish([...records, ...reports.flatMap(({ composed }) => composed)].map(({ record }) => record))
    for (const recipient of [...recipients, ...reports.map((report) => report.recipient)]) this.#enterLine(recipient)
    if (!isAnyoneOpen) await body.discard()
    const flights = placed.flatMap(({ flight }) => flight ?? [])
    if (flights.length > 0) this.#listener.claimed(flights)
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
    const base = { id: message.id, n, tenant: message.tenant, address, ...(dsn === undefined ? {} : { dsn }) }
    if (suppressed !== undefined)
      return { recipient: { ...base, state: { kind: 'suppressed', at: message.receivedAt } } }
    if (
      dueAt > message.receivedAt ||
      !this.#flights.hasRoom(message.tenant, this.#parts.settings().queue.maxInFlight)
    ) {
      return { recipient: { ...base, state: { kind: 'waiting', attempts: 0, dueAt } } }
    }
    const recipient: Recipient = { ...base, state: { kind: 'waiting', attempts: 1, dueAt: this.#dueAfter(1, message) } }
    const flight: Flight = { message, recipient, content: given.content, hot: true }
    this.#flights.begin(flight)
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
      const report = this.#reportOn({ message, before: undefined, after, change: { records: own } })
      return report === undefined
        ? []
        : { ...report, composed: report.records.map((record) => this.#parts.journal.compose(record)) }
    })
  }

  /** A new recipient stands in line from now on. */
  #enterLine(recipient: Recipient): void {
    this.#waiting.change(undefined, recipient)
    this.#wake(recipient)
  }

  // ---- claims

  /** Claims up to `limit` due recipients of a lane. `firstDue`: when the next of the lane is due; undefined = nobody waits. */
  async claim(
    lane: { tenant: string; domain: Domain },
    limit: number,
    admit?: Admit,
  ): Promise<Pick<Claims, 'flights' | 'firstDue'>> {
    const { store, clock, logger, journal } = this.#parts
    const claims = claimsOf(
      {
        store,
        isBusy: (id, n) => this.isInFlight(id, n) || this.#pending.has(flightKey(id, n)),
        recipient: (id, n) => this.recipient(id, n),
        message: (id) => this.message(id),
        dueAfter: (attempts, message) => this.#dueAfter(attempts, message),
        ...(admit !== undefined && { admit }),
        onStale: (message, n) =>
          logger.warn({ event: 'stale-due', message, n }, 'a schedule entry did not fit its recipient and was mended'),
      },
      lane,
      limit,
      clock.now(),
    )
    for (const flight of claims.flights) this.#flights.begin(flight)
    const pending = claims.putOff.map((recipient) => [flightKey(recipient.id, recipient.n), recipient] as const)
    for (const [name, recipient] of pending) this.#pending.set(name, recipient)
    const lost = claims.unsettled.map((recipient) => journal.compose(this.#about(recipient, LOST_ATTEMPT)))
    try {
      if (claims.writes.length > 0) await store.write([...claims.writes, ...lost.flatMap(({ writes }) => writes)])
    } catch (error) {
      for (const flight of claims.flights) this.#flights.land(flight)
      throw error
    } finally {
      for (const [name, recipient] of pending) if (this.#pending.get(name) === recipient) this.#pending.delete(name)
    }
    journal.publish(lost.map(({ record }) => record))
    for (const { recipient } of claims.flights) this.#wake(recipient)
    return claims
  }

  /** When a recipient is due again should we die during its attempt number `attempts`. */
  #dueAfter(attempts: number, message: Message): EpochMs {
    const { clock } = this.#parts
    const now = clock.now()
    const schedule = this.#schedule()
    return nextAttemptAt({ schedule, attempts, now, expiresAt: message.expiresAt, random: 0.5 }) ?? now + MINUTE
  }

  #schedule(): { retry: readonly number[]; jitter: number } {
    return this.#parts.settings().queue
  }

  // ---- before and after an attempt

  /** Asked again right before an attempt: the address may have been suppressed since, the message's life may be over. */
  async refuseBeforeAttempt(flight: Flight): Promise<boolean> {
    const { recipient, message } = flight
    if (recipient.state.kind !== 'waiting') {
      // Held or cancelled since it was claimed.
      this.#flights.land(flight)
      return true
    }
    const admission = this.#parts.admission(recipient.tenant, recipient.address, recipient.id)
    const now = this.#parts.clock.now()
    if (admission.kind === 'suppressed') {
      const { entry } = admission
      const verdict = verdictOfSuppression(entry)
      const event: StateEvent = { kind: 'suppressed', at: now }
      const record = this.#about(recipient, {
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
    return false
  }

  /** Turns an outcome into the new state, with the waits of its place; durable when it resolves. Waits while the store is full: an outcome is never lost. */
  async settle(flight: Flight, outcome: Outcome, retry?: readonly number[]): Promise<void> {
    const { recipient, message } = flight
    const { clock, recorder } = this.#parts
    this.#flights.dropContent(flight)
    const attempts = attemptsOf(recipient)
    const settlement = settlementOf({
      outcome,
      attempts,
      expiresAt: message.expiresAt,
      lastCause: recipient.lastCause,
      schedule: retry === undefined ? this.#schedule() : { ...this.#schedule(), retry },
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
    const record = this.#about(recipient, { kind: 'delivered', reply, way })
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
    const report = this.#reportOn({ message, before, after, change })
    const both: Change = { ...change, records: [taken.record, bounced] }
    await this.#commit({ message, before, after, change: both, report, landing: flight })
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
      useGlobal: this.#tenant(recipient.tenant)?.useGlobal ?? true,
    })
    const record = this.#about(recipient, {
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
    const report = this.#reportOn({ message: flight.message, before: recipient, after, change })
    await this.#commit({ message: flight.message, before: recipient, after, change, report, landing: flight })
  }

  async #commit(given: {
    readonly message: Message
    readonly before: Recipient
    readonly after: Recipient
    readonly change: Change
    readonly report: Report | undefined
    readonly landing?: Flight
    /** Whoever brought it can bring it again: rejects when there is no room instead of waiting. */
    readonly mayFail?: boolean
  }): Promise<void> {
    const { message, before, after, change, report } = given
    const isOver = !isFinal(before.state) && isFinal(after.state)
    // Asked once: it counts.
    const rest = [...(change.more ?? []), ...(isOver ? this.#finishWrites(message) : []), ...(report?.writes ?? [])]
    let composed: readonly ComposedRecord[] = []
    const name = flightKey(after.id, after.n)
    this.#pending.set(name, after)
    const compose = (): Write[] => {
      composed = [...change.records, ...(report?.records ?? [])].map((record) => this.#parts.journal.compose(record))
      return [...recipientWrites(before, after), ...composed.flatMap(({ writes }) => writes), ...rest]
    }
    try {
      await (given.mayFail === true ? this.#parts.store.write(compose()) : this.#writer.write(compose))
    } finally {
      if (this.#pending.get(name) === after) this.#pending.delete(name)
    }
    this.#waiting.change(before, after)
    if (isOver) this.#open.closed(message)
    if (given.landing !== undefined) this.#flights.land(given.landing)
    this.#tell(
      after,
      composed.map(({ record }) => record),
      report?.recipient,
    )
  }

  /** A report that cannot be written must not undo what it reports. */
  #reportOn(about: ReportInput): Report | undefined {
    try {
      return this.#parts.dsn.reportFor(about)
    } catch (error) {
      this.#parts.logger.error({ event: 'dsn-failed', message: about.message.id, n: about.after.n, err: error })
      return undefined
    }
  }

  #tell(after: Recipient, records: readonly StoredRecord[], report: Recipient | undefined): void {
    this.#wake(after)
    if (report !== undefined) this.#enterLine(report)
    this.#parts.journal.publish(records)
  }

  /** The body of a message goes with its last open recipient. */
  #finishWrites(message: Message): Write[] {
    if (this.#parts.settings().queue.keepBody > 0) {
      this.#open.clear()
      return []
    }
    return this.#open.close(message) ? removeBody(this.#parts.store, message) : []
  }

  /** An attempt broke off inside of us: the recipient is due again when its claim says. */
  abandon(flight: Flight): void {
    this.#flights.land(flight)
    this.#wake(flight.recipient)
  }

  // ---- operators, reports

  /** One change by an operator or a report. Returns the recipient as it is now; undefined when it cannot happen (any more). */
  async change(
    given: { id: string; n: number; event: StateEvent } & {
      record: Pick<JournalRecord, 'kind'> & Partial<JournalRecord>
    },
  ): Promise<Recipient | undefined> {
    const before = this.recipient(given.id, given.n)
    const message = this.message(given.id)
    if (before === undefined || message === undefined) return undefined
    const change: Change = { recipient: before, event: given.event, records: [this.#about(before, given.record)] }
    let after: Recipient
    try {
      after = changed(before, change, this.#parts.clock.now())
    } catch {
      return undefined // Somebody else was faster: transition() names the rule.
    }
    const flight = this.#flights.get(given.id, given.n)
    if (flight !== undefined) flight.recipient = after
    const report = this.#reportOn({ message, before, after, change })
    await this.#commit({ message, before, after, change, report })
    if (after.state.kind === 'held') this.#holds++
    return after
  }

  /**
   * A report says that a recipient was not reached after all. `delivered` becomes `bounced`; in any other state the
   * recipient stays as it is. What nobody has said before teaches the recorder, further reports are only recorded.
   * Durable when it resolves, together with `writesOf(what followed)`. Rejects with StoreError, also when there is no
   * room: whoever brought the report can bring it again.
   */
  async bounced(given: {
    readonly id: string
    readonly n: number
    readonly cause: Cause
    /** Host that said it; whose rules are asked. */
    readonly mx?: string
    readonly record: Partial<JournalRecord>
    readonly writesOf: (
      followed: Pick<Recorded, 'verdict' | 'suppression'> & { readonly teaches: boolean },
    ) => readonly Write[]
  }): Promise<void> {
    const { cause, mx } = given
    const before = this.recipient(given.id, given.n)
    const message = this.message(given.id)
    if (before === undefined || message === undefined) throw new Error(`no recipient ${given.id}/${given.n}`)
    const way = before.lastWay === undefined ? undefined : { ...before.lastWay, ...(mx === undefined ? {} : { mx }) }
    const heard = { cause, ...(way === undefined ? {} : { way }) }
    const now = this.#parts.clock.now()
    const event: StateEvent = { kind: 'bounced', at: now }
    const isBounce = mayHappen(before.state, event)
    // A change of this recipient that waits for room was made before: written now, this one would be overwritten by it.
    if (isBounce && this.#writer.isStalled && this.#pending.has(flightKey(given.id, given.n)))
      throw new StoreError('full', 'an earlier outcome of this recipient waits for room')
    const flight = this.#flights.get(given.id, given.n)
    // A host that has the mail may report before its reply to the dot is here, and where that reply was lost we still try,
    // or have given up without an answer.
    const isUnanswered = flight !== undefined || UNANSWERED.has(before.state.kind)
    const teaches = isBounce || (isUnanswered && flight?.cameBack === undefined)
    const followed = teaches
      ? this.#recordBounce(before, { ...heard, ...reportOf(given.record) })
      : { verdict: this.#parts.recorder.classify(heard) }
    const record = recordAbout(before, now, {
      kind: isBounce ? 'bounced' : 'reported',
      cause,
      verdict: followed.verdict,
      ...given.record,
    })
    const records = [record, ...('writes' in followed ? suppressionRecords(before, now, followed) : [])]
    const more = [...('writes' in followed ? followed.writes : []), ...given.writesOf({ ...followed, teaches })]
    if (!isBounce) {
      if (flight === undefined || !teaches) return this.#commitRecords(records, more)
      const cameBack: CameBack = { cause, verdict: followed.verdict, record: given.record }
      flight.cameBack = cameBack
      return this.#commitRecords(records, more).catch((error: unknown) => {
        delete flight.cameBack
        throw error
      })
    }
    const change: Change = { recipient: before, event, records, more, lastCause: cause }
    const after = changed(before, change, now)
    const report = this.#reportOn({ message, before, after, change })
    await this.#commit({ message, before, after, change, report, mayFail: true })
  }

  #recordBounce(recipient: Recipient, heard: Pick<Failure, 'cause' | 'way' | 'report'>): Recorded {
    return this.#parts.recorder.recordFailure({
      tenant: recipient.tenant,
      message: recipient.id,
      n: recipient.n,
      recipient: recipient.address,
      attempt: attemptsOf(recipient),
      ...heard,
      ending: 'bounced',
      useGlobal: this.#tenant(recipient.tenant)?.useGlobal ?? true,
    })
  }

  /**
   * The end of a recipient that is held when its life is over; false when it is not so. Rejects with StoreError, also
   * when there is no room: it is asked again.
   */
  async expireHeld(id: string, n: number): Promise<boolean> {
    const before = this.recipient(id, n)
    const message = this.message(id)
    const now = this.#parts.clock.now()
    if (before?.state.kind !== 'held' || message === undefined || now <= message.expiresAt) return false
    // Its attempt, or whatever changes it, ends by itself.
    if (this.isInFlight(id, n) || this.#pending.has(flightKey(id, n))) return false
    const change = this.#failureOf(before, expiredOf(before, now, true))
    const after = changed(before, change, now)
    const report = this.#reportOn({ message, before, after, change })
    await this.#commit({ message, before, after, change, report, mayFail: true })
    return true
  }

  async #commitRecords(records: readonly JournalRecord[], more: readonly Write[]): Promise<void> {
    const { store, journal } = this.#parts
    const composed = records.map((record) => journal.compose(record))
    await store.write([...composed.flatMap(({ writes }) => writes), ...more])
    journal.publish(composed.map(({ record }) => record))
  }

  // ---- reading

  /** As it stands, writes under way included. */
  recipient(id: string, n: number): Recipient | undefined {
    return (
      this.#pending.get(flightKey(id, n)) ??
      this.#flights.get(id, n)?.recipient ??
      decodeOptional<Recipient>(this.#parts.store.get('recipient', partKey(id, n)))
    )
  }

  message(id: string): Message | undefined {
    return decodeOptional<Message>(this.#parts.store.get('message', idKey(id)))
  }

  #wake(recipient: Recipient): void {
    if (recipient.state.kind !== 'waiting') return
    this.#listener.due(recipient.tenant, domainOf(recipient.address), recipient.state.dueAt)
  }

  #about(recipient: Recipient, more: RecordPart): JournalRecord {
    return recordAbout(recipient, this.#parts.clock.now(), more)
  }

  #tenant(name: string): TenantSettings | undefined {
    return this.#parts.settings().tenant.find((tenant) => tenant.name === name)
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

function reportOf({ report }: Partial<JournalRecord>): { readonly report?: string } {
  return report === undefined ? {} : { report: report.id }
}
