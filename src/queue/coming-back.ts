// What a report changes: `delivered` becomes `bounced`; in any other state the recipient stays as it is, and what nobody
// has said before teaches the recorder.

import type { Verdict } from '../bounce/verdict.ts'
import type { JournalRecord } from '../journal/record.ts'
import type { Failure } from '../journal/record-failure.ts'
import type { Recorded } from '../journal/recorded.ts'
import type { Recipient } from '../mail/message.ts'
import type { Cause } from '../mail/outcome.ts'
import { StoreError, type Write } from '../store/store.ts'
import { attemptsOf, type Change, changed, recordAbout, suppressionRecords } from './change.ts'
import type { QueueParts, RecipientBook } from './recipient-book.ts'
import { mayHappen, type StateEvent } from './state.ts'

/** States in which nobody has said yes or no for good. */
const UNANSWERED: ReadonlySet<Recipient['state']['kind']> = new Set(['waiting', 'held', 'expired', 'cancelled'])

export interface ReportedBounce {
  readonly id: string
  readonly n: number
  readonly cause: Cause
  /** Host that said it; whose rules are asked. */
  readonly mx?: string
  readonly record: Partial<JournalRecord>
  readonly writesOf: (
    followed: Pick<Recorded, 'verdict' | 'suppression'> & { readonly teaches: boolean },
  ) => readonly Write[]
}

interface Taught {
  /** Nobody has said it before. */
  readonly teaches: boolean
  readonly verdict: Verdict
  readonly records: readonly JournalRecord[]
  readonly more: readonly Write[]
}

export class ComingBack {
  readonly #parts: QueueParts
  readonly #book: RecipientBook

  constructor(parts: QueueParts, book: RecipientBook) {
    this.#parts = parts
    this.#book = book
  }

  /**
   * A report says that a recipient was not reached after all. Durable when it resolves, together with `writesOf(what
   * followed)`. Rejects with StoreError, also when there is no room: whoever brought the report can bring it again.
   */
  async bounced(given: ReportedBounce): Promise<void> {
    const { id, n, cause } = given
    const before = this.#book.recipient(id, n)
    const message = this.#book.message(id)
    if (before === undefined || message === undefined) throw new Error(`no recipient ${id}/${n}`)
    const now = this.#parts.clock.now()
    const event: StateEvent = { kind: 'bounced', at: now }
    const isBounce = mayHappen(before.state, event)
    // A change of this recipient that waits for room was made before: written now, this one would be overwritten by it.
    if (isBounce && this.#book.isStalled && this.#book.isBeingWritten(id, n))
      throw new StoreError('full', 'an earlier outcome of this recipient waits for room')
    const taught = this.#taught(given, before, isBounce)
    if (!isBounce) return this.#noted(given, taught)
    const { records, more } = taught
    const change: Change = { recipient: before, event, records, more, lastCause: cause }
    const after = changed(before, change, now)
    const report = this.#book.reportOn({ message, before, after, change })
    await this.#book.write({ message, before, after, change, report, mayFail: true })
  }

  /** What the report says and teaches, ready to be written. */
  #taught(given: ReportedBounce, before: Recipient, isBounce: boolean): Taught {
    const { cause, mx } = given
    const way = before.lastWay === undefined ? undefined : { ...before.lastWay, ...(mx === undefined ? {} : { mx }) }
    const heard = { cause, ...(way === undefined ? {} : { way }) }
    const now = this.#parts.clock.now()
    const flight = this.#book.flights.get(given.id, given.n)
    // A host that has the mail may report before its reply to the dot is here, and where that reply was lost we still try,
    // or have given up without an answer.
    const isUnanswered = flight !== undefined || UNANSWERED.has(before.state.kind)
    const teaches = isBounce || (isUnanswered && flight?.cameBack === undefined)
    const followed = teaches
      ? this.#recordBounce(before, { ...heard, ...reportOf(given.record) })
      : { verdict: this.#parts.recorder.classify(heard) }
    const { verdict } = followed
    const record = recordAbout(before, now, {
      kind: isBounce ? 'bounced' : 'reported',
      cause,
      verdict,
      ...given.record,
    })
    return {
      teaches,
      verdict,
      records: [record, ...('writes' in followed ? suppressionRecords(before, now, followed) : [])],
      more: [...('writes' in followed ? followed.writes : []), ...given.writesOf({ ...followed, teaches })],
    }
  }

  /** Changes no state now; one that is still in flight ends as bounced when the reply is here. */
  async #noted({ id, n, cause, record }: ReportedBounce, { teaches, verdict, records, more }: Taught): Promise<void> {
    const flight = this.#book.flights.get(id, n)
    if (flight === undefined || !teaches) return this.#book.writeRecords(records, more)
    flight.cameBack = { cause, verdict, record }
    try {
      await this.#book.writeRecords(records, more)
    } catch (error) {
      delete flight.cameBack
      throw error
    }
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
      useGlobal: this.#book.tenant(recipient.tenant)?.useGlobal ?? true,
    })
  }
}

function reportOf({ report }: Partial<JournalRecord>): { readonly report?: string } {
  return report === undefined ? {} : { report: report.id }
}
