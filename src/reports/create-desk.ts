// The desk: every report, whichever way it came, is parsed, brought to the recipient it is about, judged and recorded.
// One store transaction holds the report, the change of state, the record and the suppression, so that none stands
// without the others; when it fails, whoever brought the report is told and brings it again.

import type { Classifier } from '../bounce/classify.ts'
import type { ParsedReport, ReportKind } from '../bounce/report.ts'
import type { ReturnPathKey } from '../bounce/return-path.ts'
import type { Settings } from '../config/schema.ts'
import type { Journal } from '../journal/journal.ts'
import type { Recorder } from '../journal/record-failure.ts'
import type { Queue } from '../queue/queue.ts'
import type { Store, Write } from '../store/store.ts'
import type { SuppressionList } from '../suppression/list.ts'
import { isProtected } from '../suppression/suppression.ts'
import { type Clock, DAY } from '../util/clock.ts'
import { Acting, type Followed, whoOf } from './acting.ts'
import { type AddresseeParts, addresseeOf } from './addressee.ts'
import type { Addressee, IncomingReport, ReportDesk, ReportParser } from './desk.ts'
import { type Judged, judge } from './judge.ts'
import type { ReportBook } from './report-book.ts'
import type { About, ReportEntry } from './report-entry.ts'
import { aboutOf, namedIn, resolve } from './resolve.ts'
import { type UnsubscribeTarget, unsubscribeTarget } from './unsubscribe-target.ts'

export interface DeskParts {
  readonly store: Store
  readonly book: ReportBook
  readonly queue: Queue
  readonly journal: Journal
  readonly recorder: Recorder
  readonly suppressions: Pick<SuppressionList, 'find'>
  readonly parser: ReportParser
  readonly classifier: () => Classifier
  readonly keys: readonly ReturnPathKey[]
  readonly settings: () => Settings
  readonly makeId: () => string
  readonly clock: Clock
  /** DKIM domains whose signature on the mail holds; asks DNS. Never rejects. */
  readonly signersOf: (raw: Buffer) => Promise<readonly string[]>
}

/** Everything known about one report before it acts. */
interface Case {
  readonly id: string
  readonly incoming: IncomingReport
  readonly report: ParsedReport
  readonly about: About | undefined
  readonly judged: Judged
}

type Decision = Parameters<ReportDesk['decide']>[1]

const PRIVATE: ReadonlySet<ReportKind> = new Set(['mail', 'unknown'])
/** Of records that no tenant's mail is behind. */
const NOBODY = '*'

export function createReportDesk(parts: DeskParts): ReportDesk {
  return new Desk(parts)
}

class Desk implements ReportDesk {
  readonly #parts: DeskParts
  readonly #addressing: AddresseeParts
  readonly #acting: Acting
  readonly #deciding = new Set<string>()

  constructor(parts: DeskParts) {
    this.#parts = parts
    this.#acting = new Acting(parts)
    const { keys, settings, clock, queue, book } = parts
    this.#addressing = {
      keys,
      settings,
      clock,
      isKnown: (id, n) => queue.recipient(id, n) !== undefined,
      subscriber: (local) => {
        const target = this.#subscriber(local)
        return target && (this.#isSettled(target) ? 'settled' : 'open')
      },
      countSince: (id, n, since) => book.countSince(id, n, since),
    }
  }

  addressee(address: string): Addressee {
    return addresseeOf(this.#addressing, address)
  }

  async take(incoming: IncomingReport): Promise<ReportEntry> {
    const { parser, clock, queue, journal, keys, makeId } = this.#parts
    const report = await parser.parse(withReturnPath(incoming))
    // Of a mailbox what cannot be read is left alone and not looked at again, which must not be for a fault of ours.
    if (incoming.origin.kind === 'mailbox' && isOurFault(report))
      throw new Error('the mail could not be parsed, by an error of our own; the log has it')
    const addressee: Addressee = incoming.to === '' ? { kind: 'foreign' } : this.addressee(incoming.to)
    const about =
      this.#subscription(addressee, incoming.to) ?? resolve({ queue, journal, keys, clock }, report, addressee)
    const isFromFeedbackLoop = await this.#isFromFeedbackLoop(report, about, incoming.raw)
    const judged = this.#remembered(judge({ report, addressee, about, isFromFeedbackLoop }), about)
    // A mailbox of people: what is no report is none of our business, and nothing of it is kept.
    if (incoming.origin.kind === 'mailbox' && PRIVATE.has(report.kind))
      return this.#entryOf({ id: makeId(), incoming, report, about, judged }, { outcome: 'noted' })
    return this.#act({ id: makeId(), incoming, report, about, judged })
  }

  async unsubscribe(token: string, client: string): Promise<{ readonly recipient: string } | undefined> {
    const target = this.#subscriber(token)
    if (target === undefined) return undefined
    if (this.#isSettled(target)) return { recipient: target.recipient }
    const origin = { kind: 'link' as const, address: client }
    await this.#act({
      id: this.#parts.makeId(),
      incoming: { origin, to: token, raw: Buffer.alloc(0), sizeBytes: 0 },
      report: oneClick(target.recipient),
      about: aboutOf({ ...target, id: target.message, address: target.recipient }, 'return-path'),
      judged: { judgement: { kind: 'unsubscribe' }, acts: true },
    })
    return { recipient: target.recipient }
  }

  list(filter: Parameters<ReportDesk['list']>[0]): ReturnType<ReportDesk['list']> {
    return this.#parts.book.list(filter)
  }

  get(id: string): ReportEntry | undefined {
    return this.#parts.book.get(id)
  }

  raw(id: string): Buffer | undefined {
    return this.#parts.book.raw(id)
  }

  async decide(id: string, decision: Decision): Promise<ReportEntry | undefined> {
    // Two people at one time: the store shows the first decision only when it is committed.
    if (this.#deciding.has(id)) return undefined
    this.#deciding.add(id)
    try {
      return await this.#decide(id, decision)
    } finally {
      this.#deciding.delete(id)
    }
  }

  async #decide(id: string, { as, who }: Decision): Promise<ReportEntry | undefined> {
    const { book, clock, store } = this.#parts
    const before = book.get(id)
    if (before?.review === undefined || before.review.decided !== undefined) return undefined
    if (as === 'accept' && before.outcome === 'review' && before.about === undefined) return before
    const reviewed: ReportEntry = { ...before, review: { ...before.review, decided: { at: clock.now(), who } } }
    // What has acted already was only looked at.
    if (as === 'accept' && before.outcome === 'review') return this.#accept(before, reviewed)
    const after: ReportEntry = before.outcome === 'review' ? { ...reviewed, outcome: 'dismissed' } : reviewed
    await store.write(book.recompose(before, after))
    return after
  }

  // ---- finding out

  #subscriber(token: string): UnsubscribeTarget | undefined {
    const { store, keys, clock } = this.#parts
    return unsubscribeTarget({ store, keys, clock }, token)
  }

  /** The wish stands, and has been recorded often enough for today: whoever asks on and on fills no store. */
  #isSettled({ tenant, message, n, recipient }: UnsubscribeTarget): boolean {
    const { book, clock, settings, suppressions } = this.#parts
    if (book.countSince(message, n, clock.now() - DAY) < settings().bounce.reportsPerRecipient) return false
    const there = suppressions.find(tenant, recipient, { useGlobal: false })
    return there !== undefined && isProtected(there)
  }

  /** Unsubscribe addresses outlive their message. */
  #subscription(addressee: Addressee, to: string): About | undefined {
    if (addressee.kind !== 'unsubscribe') return undefined
    const target = this.#subscriber(to.slice(0, to.lastIndexOf('@')))
    return target && aboutOf({ ...target, id: target.message, address: target.recipient }, 'return-path')
  }

  /** A signature is asked for only where it decides: it costs a look into DNS. */
  async #isFromFeedbackLoop(report: ParsedReport, about: About | undefined, raw: Buffer): Promise<boolean> {
    const { feedbackDomains } = this.#parts.settings().bounce
    if (report.kind !== 'complaint' || feedbackDomains.length === 0) return false
    if (about === undefined || about.confidence === 'certain') return false
    const signers = await this.#parts.signersOf(raw)
    return signers.some((domain) => feedbackDomains.includes(domain.toLowerCase()))
  }

  /** Unsubscribe addresses and open reviews outlive the message, and what is forgotten cannot bounce any more. */
  #remembered(judged: Judged, about: About | undefined): Judged {
    if (judged.judgement.kind !== 'bounce' || about === undefined || this.#isKnown(about)) return judged
    return { judgement: judged.judgement, acts: false, review: 'the message it is about is no longer kept' }
  }

  #isKnown({ message, n }: About): boolean {
    const { queue } = this.#parts
    return queue.message(message) !== undefined && queue.recipient(message, n) !== undefined
  }

  // ---- acting

  async #act(given: Case): Promise<ReportEntry> {
    const { judged, about } = given
    if (!judged.acts || about === undefined || judged.judgement.kind === 'note') return this.#note(given)
    let entry: ReportEntry | undefined
    const compose = (followed: Followed): Write[] => {
      entry = this.#entryOf(given, followed)
      return this.#keep(entry, given.incoming.raw)
    }
    await this.#acting.perform({ id: given.id, report: given.report, about, judgement: judged.judgement, compose })
    if (entry === undefined) throw new Error('a report acted without being written')
    return entry
  }

  async #accept(before: ReportEntry, reviewed: ReportEntry): Promise<ReportEntry> {
    const { book } = this.#parts
    const { report, about, id } = before
    if (about === undefined) return reviewed
    // Judged as if it were certain: that is what the person says.
    const { judgement } = judge({
      report,
      addressee: before.to === '' ? { kind: 'foreign' } : this.addressee(before.to),
      about: { ...about, confidence: 'certain' },
      isFromFeedbackLoop: true,
    })
    if (judgement.kind === 'bounce' && !this.#isKnown(about)) return before
    let after = reviewed
    const compose = (followed: Followed): Write[] => {
      after = { ...reviewed, ...followed }
      return book.recompose(before, after)
    }
    await this.#acting.perform({ id, report, about, judgement, compose, ...whoOf(reviewed) })
    return after
  }

  /** Recorded, changes nothing: told of no failure, or a person decides first. */
  async #note(given: Case): Promise<ReportEntry> {
    const { store, journal, clock } = this.#parts
    const { id, report, about, judged } = given
    const { judgement, review } = judged
    const verdict = this.#acting.verdictOf(judgement)
    const outcome = judgement.kind === 'note' ? 'noted' : 'review'
    const entry = this.#entryOf(given, { outcome, ...(verdict === undefined ? {} : { verdict }) })
    const fields = { kind: 'reported' as const, ...(verdict ? { verdict } : {}), ...(review ? { why: review } : {}) }
    const record =
      about === undefined
        ? {
            at: clock.now(),
            tenant: NOBODY,
            recipient: namedIn(report)[0] ?? given.incoming.to,
            report: { id, kind: report.kind, evidence: 'none' },
            ...fields,
          }
        : this.#acting.recordAbout({ id, report, about }, fields)
    const composed = journal.compose(record)
    await store.write([...composed.writes, ...this.#keep(entry, given.incoming.raw)])
    journal.publish([composed.record])
    return entry
  }

  #entryOf({ id, incoming, report, about, judged }: Case, followed: Followed): ReportEntry {
    const { origin, to, sizeBytes, raw } = incoming
    return {
      id,
      at: this.#parts.clock.now(),
      origin,
      to,
      sizeBytes,
      isCut: raw.length < sizeBytes,
      report,
      ...(about === undefined ? {} : { about }),
      ...followed,
      ...(judged.review === undefined ? {} : { review: { why: judged.review } }),
    }
  }

  #keep(entry: ReportEntry, raw: Buffer): Write[] {
    const isKept = raw.length > 0 && this.#parts.settings().bounce.keepRaw > 0
    return this.#parts.book.compose(entry, isKept ? raw : undefined)
  }
}

/**
 * The envelope sender where a mail program would have put it (RFC 5321 §4.4): much of the evidence that a mail is a
 * report rests on it. What the mail itself claims in that place comes second.
 */
function withReturnPath({ origin, raw }: IncomingReport): Buffer {
  return origin.kind === 'listener' ? Buffer.concat([Buffer.from(`Return-Path: <${origin.sender}>\r\n`), raw]) : raw
}

/** Nothing was read, and no limit is the reason: the parser broke, or could not be started. */
function isOurFault({ kind, family, limit }: ParsedReport): boolean {
  return kind === 'unknown' && family === 'none' && limit === undefined
}

function oneClick(recipient: string): ParsedReport {
  return {
    kind: 'unsubscribe',
    family: 'one-click',
    recipients: [],
    subject: '',
    from: recipient,
    references: [],
    tokens: [],
  }
}
