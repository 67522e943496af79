// What a report does, once it is known whom it is about and what it means: bounce, complaint, unsubscribe request or a note.
// Each is one store transaction together with the report's own entry.

import type { Classifier } from '../bounce/classify.ts'
import type { ParsedReport } from '../bounce/report.ts'
import { causeOf } from '../bounce/report-cause.ts'
import { CATEGORIES, type Category, type Verdict } from '../bounce/verdict.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalRecord } from '../journal/record.ts'
import type { Recorder } from '../journal/record-failure.ts'
import type { Queue } from '../queue/queue.ts'
import type { Store, Write } from '../store/store.ts'
import type { Suppression } from '../suppression/suppression.ts'
import type { Clock } from '../util/clock.ts'
import type { Judgement } from './judge.ts'
import type { About, ReportEntry, ReportOutcome } from './report-entry.ts'

export interface ActingParts {
  readonly store: Store
  readonly queue: Pick<Queue, 'bounced'>
  readonly journal: Journal
  readonly recorder: Recorder
  readonly classifier: () => Classifier
  readonly clock: Clock
}

/** What a report led to, as far as its entry tells. */
export type Followed = Pick<ReportEntry, 'outcome' | 'verdict' | 'suppressed'>

export interface Act {
  readonly id: string
  readonly report: ParsedReport
  readonly about: About
  readonly judgement: Judgement
  /** The writes of the entry, once it is known what followed. */
  readonly compose: (followed: Followed) => Write[]
  /** Who accepted it. */
  readonly who?: string
}

export class Acting {
  readonly #parts: ActingParts

  constructor(parts: ActingParts) {
    this.#parts = parts
  }

  async perform(act: Act): Promise<void> {
    switch (act.judgement.kind) {
      case 'bounce':
        return this.#bounce(act, act.judgement)
      case 'complaint':
        return this.#refuse(act, act.judgement.feedbackType)
      case 'unsubscribe':
        return this.#refuse(act, undefined)
      case 'note': {
        const { journal, store } = this.#parts
        const verdict = verdictOf(act.judgement.category)
        const composed = journal.compose(this.recordAbout(act, { kind: 'reported', verdict }))
        await store.write([...composed.writes, ...act.compose({ outcome: 'noted', verdict })])
        return journal.publish([composed.record])
      }
    }
  }

  #bounce(act: Act, { named }: Extract<Judgement, { kind: 'bounce' }>): Promise<void> {
    const { id, report, about, compose } = act
    return this.#parts.queue.bounced({
      id: about.message,
      n: about.n,
      cause: causeOf(named),
      ...(named.remoteMta === undefined ? {} : { mx: named.remoteMta }),
      record: { report: { id, kind: report.kind, evidence: about.evidence }, ...whoOf(act) },
      // What was known to have failed already changes nothing any more.
      writesOf: ({ verdict, suppression, teaches }) =>
        compose({ outcome: teaches ? 'bounced' : 'noted', verdict, ...keptBack(suppression) }),
    })
  }

  /** The person at the other end wants no more of it: a complaint, or without a type an unsubscribe request. */
  async #refuse(act: Act, feedbackType: string | undefined): Promise<void> {
    const { recorder, journal, store } = this.#parts
    const { tenant, message, n, recipient } = act.about
    const about = { tenant, message, n, recipient, report: act.id }
    const recorded =
      feedbackType === undefined
        ? recorder.recordUnsubscribe(about)
        : recorder.recordComplaint({ ...about, feedbackType })
    const { verdict, suppression } = recorded
    const outcome: ReportOutcome = feedbackType === undefined ? 'unsubscribed' : 'complained'
    const records: JournalRecord[] = [
      this.recordAbout(act, { kind: outcome, verdict, ...(feedbackType === undefined ? {} : { why: feedbackType }) }),
    ]
    if (suppression !== undefined) {
      const { scope, reason, who } = suppression
      records.push(this.recordAbout(act, { kind: 'suppression-added', scope, reason, who, verdict }))
    }
    records.push(...recorded.records)
    const composed = records.map((record) => journal.compose(record))
    const entry = act.compose({ outcome, verdict, ...keptBack(suppression) })
    await store.write([...composed.flatMap(({ writes }) => writes), ...recorded.writes, ...entry])
    journal.publish(composed.map(({ record }) => record))
  }

  verdictOf(judgement: Judgement): Verdict | undefined {
    if (judgement.kind === 'note') return verdictOf(judgement.category)
    if (judgement.kind !== 'bounce') return undefined
    const { named } = judgement
    return this.#parts
      .classifier()
      .classify({ cause: causeOf(named), ...(named.remoteMta === undefined ? {} : { mx: named.remoteMta }) })
  }

  recordAbout(
    { id, report, about }: Pick<Act, 'id' | 'report' | 'about'>,
    more: Pick<JournalRecord, 'kind'> & Partial<JournalRecord>,
  ): JournalRecord {
    const { tenant, message, n, recipient, evidence } = about
    const link = report.link === undefined ? {} : { link: report.link }
    return {
      at: this.#parts.clock.now(),
      tenant,
      message,
      n,
      recipient,
      report: { id, kind: report.kind, evidence, ...link },
      ...more,
    }
  }
}

export function whoOf(from: { readonly who?: string; readonly review?: ReportEntry['review'] }): {
  readonly who?: string
} {
  const who = from.who ?? from.review?.decided?.who
  return who === undefined ? {} : { who }
}

function verdictOf(category: Category): Verdict {
  return { ...CATEGORIES[category], category, action: 'fail', rule: 'report' }
}

/** A pending entry keeps no mail back yet. */
function keptBack(entry: Suppression | undefined): { readonly suppressed?: true } {
  return entry === undefined || entry.pendingUntil !== undefined ? {} : { suppressed: true }
}
