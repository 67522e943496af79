// Recipients as they stand, writes under way included, and the one way to write a change of them: a store transaction
// {new state, schedule, records, strikes and suppressions, perhaps a report to the sender}, then one event. Accepting,
// settling and what comes back compose changes; only here they are written.

import { byName } from '../config/by-name.ts'
import type { Settings, TenantSettings } from '../config/schema.ts'
import type { ComposedRecord, Journal } from '../journal/journal.ts'
import type { JournalRecord, StoredRecord } from '../journal/record.ts'
import type { Recorder } from '../journal/record-failure.ts'
import { isFinal, type LaneName, type Message, type Recipient } from '../mail/message.ts'
import type { Logger } from '../observe/logger.ts'
import { decodeOptional } from '../store/codec.ts'
import { idKey, partKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import type { Gate } from '../suppression/gate.ts'
import { type Clock, type EpochMs, MINUTE } from '../util/clock.ts'
import { laneOf, recipientWrites } from './acceptance.ts'
import { type Change, type RecordPart, recordAbout } from './change.ts'
import { type Flight, Flights, flightKey } from './flight.ts'
import { OpenRecipients } from './open-recipients.ts'
import { PatientWriter } from './patient-writer.ts'
import type { DsnWriter, Report, ReportInput } from './report.ts'
import { nextAttemptAt } from './schedule.ts'
import { removeBody } from './spool.ts'
import { WaitingCount } from './waiting-count.ts'

export interface QueueParts {
  readonly store: Store
  readonly journal: Journal
  readonly recorder: Recorder
  /** Whether `message` may be sent to the address now; asked right before every attempt. */
  readonly admission: Gate['admission']
  /** Until when a message is kept back, whoever it goes to; asked right before every attempt. */
  readonly holdsUntil?: (message: Message) => EpochMs | undefined
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
  due(lane: LaneName, dueAt: EpochMs): void
}

/** One change, ready to be written. */
export interface WrittenChange {
  readonly message: Message
  readonly before: Recipient
  readonly after: Recipient
  readonly change: Change
  readonly report: Report | undefined
  readonly landing?: Flight
  /** Whoever brought it can bring it again: rejects when there is no room instead of waiting. */
  readonly mayFail?: boolean
}

export class RecipientBook {
  readonly flights = new Flights()
  readonly #parts: QueueParts
  /** Recipients whose write is under way: the store does not show it yet. */
  readonly #pending = new Map<string, Recipient>()
  readonly #open: OpenRecipients
  readonly #waiting: WaitingCount
  readonly #writer: PatientWriter
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

  get listener(): QueueListener {
    return this.#listener
  }

  /** Before anything waits for it: counts what tenants with a limit have waiting. */
  prepare(): Promise<void> {
    return this.#waiting.prepare(
      this.#parts.settings().tenant.flatMap(({ name, maxQueued }) => (maxQueued === undefined ? [] : [name])),
    )
  }

  isInFlight(id: string, n: number): boolean {
    return this.flights.get(id, n) !== undefined
  }

  /** A change of it is on its way to the store. */
  isBeingWritten(id: string, n: number): boolean {
    return this.#pending.has(flightKey(id, n))
  }

  /** Outcomes wait for room. */
  get isStalled(): boolean {
    return this.#writer.isStalled
  }

  /** Shows these as they will be, until `written` settles. */
  async during<T>(recipients: readonly Recipient[], written: () => Promise<T>): Promise<T> {
    const pending = recipients.map((recipient) => [flightKey(recipient.id, recipient.n), recipient] as const)
    for (const [name, recipient] of pending) this.#pending.set(name, recipient)
    try {
      return await written()
    } finally {
      for (const [name, recipient] of pending) if (this.#pending.get(name) === recipient) this.#pending.delete(name)
    }
  }

  /** As it stands, writes under way included. */
  recipient(id: string, n: number): Recipient | undefined {
    return (
      this.#pending.get(flightKey(id, n)) ??
      this.flights.get(id, n)?.recipient ??
      decodeOptional<Recipient>(this.#parts.store.get('recipient', partKey(id, n)))
    )
  }

  message(id: string): Message | undefined {
    return decodeOptional<Message>(this.#parts.store.get('message', idKey(id)))
  }

  mayQueue(tenant: string, count: number): boolean {
    const limit = this.tenant(tenant)?.maxQueued
    return limit === undefined || this.#waiting.of(tenant) + count <= limit
  }

  /** A new recipient stands in line from now on. */
  enterLine(recipient: Recipient): void {
    this.#waiting.change(undefined, recipient)
    this.wake(recipient)
  }

  wake(recipient: Recipient): void {
    if (recipient.state.kind !== 'waiting') return
    this.#listener.due(laneOf(recipient), recipient.state.dueAt)
  }

  /** When a recipient is due again should we die during its attempt number `attempts`. */
  dueAfter(attempts: number, message: Message): EpochMs {
    const { clock } = this.#parts
    const now = clock.now()
    const { schedule } = this
    return nextAttemptAt({ schedule, attempts, now, expiresAt: message.expiresAt, random: 0.5 }) ?? now + MINUTE
  }

  get schedule(): { retry: readonly number[]; jitter: number } {
    return this.#parts.settings().queue
  }

  async write(given: WrittenChange): Promise<void> {
    const { message, before, after, change, report } = given
    const isOver = !isFinal(before.state) && isFinal(after.state)
    // Asked once: it counts.
    const rest = [...(change.more ?? []), ...(isOver ? this.#finishWrites(message) : []), ...(report?.writes ?? [])]
    let composed: readonly ComposedRecord[] = []
    const compose = (): Write[] => {
      composed = [...change.records, ...(report?.records ?? [])].map((record) => this.#parts.journal.compose(record))
      return [...recipientWrites(before, after), ...composed.flatMap(({ writes }) => writes), ...rest]
    }
    await this.during([after], () =>
      given.mayFail === true ? this.#parts.store.write(compose()) : this.#writer.write(compose),
    )
    this.#waiting.change(before, after)
    if (isOver) this.#open.closed(message)
    if (given.landing !== undefined) this.flights.land(given.landing)
    this.#tell(
      after,
      composed.map(({ record }) => record),
      report?.recipient,
    )
  }

  async writeRecords(records: readonly JournalRecord[], more: readonly Write[]): Promise<void> {
    const { store, journal } = this.#parts
    const composed = records.map((record) => journal.compose(record))
    await store.write([...composed.flatMap(({ writes }) => writes), ...more])
    journal.publish(composed.map(({ record }) => record))
  }

  /** A report that cannot be written must not undo what it reports. */
  reportOn(about: ReportInput): Report | undefined {
    try {
      return this.#parts.dsn.reportFor(about)
    } catch (error) {
      this.#parts.logger.error({ event: 'dsn-failed', message: about.message.id, n: about.after.n, err: error })
      return undefined
    }
  }

  #tell(after: Recipient, records: readonly StoredRecord[], report: Recipient | undefined): void {
    this.wake(after)
    if (report !== undefined) this.enterLine(report)
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

  about(recipient: Recipient, more: RecordPart): JournalRecord {
    return recordAbout(recipient, this.#parts.clock.now(), more)
  }

  tenant(name: string): TenantSettings | undefined {
    return byName(this.#parts.settings().tenant, name)
  }
}
