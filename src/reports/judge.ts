// What follows from a report: pure. Only what is certain acts by itself; what is not waits for a person, and what tells
// of no failure is noted.

import type { DsnAction, ParsedReport, ReportedRecipient } from '../bounce/report.ts'
import type { Category } from '../bounce/verdict.ts'
import type { Addressee } from './desk.ts'
import type { About } from './report-entry.ts'

export type Judgement =
  /** The recipient was not reached: `named` is what the report says of it. */
  | { readonly kind: 'bounce'; readonly named: ReportedRecipient }
  | { readonly kind: 'complaint'; readonly feedbackType: string }
  | { readonly kind: 'unsubscribe' }
  /** Recorded with this category, changes nothing. */
  | { readonly kind: 'note'; readonly category: Category }

export interface Judged {
  readonly judgement: Judgement
  /** False: it waits for a person to accept it. */
  readonly acts: boolean
  /** Why a person should look. */
  readonly review?: string
}

export interface JudgeInput {
  readonly report: ParsedReport
  readonly addressee: Addressee
  readonly about: About | undefined
  /** A configured feedback loop signed it. */
  readonly isFromFeedbackLoop: boolean
}

/** Feedback that is no complaint (RFC 5965 §7.3, RFC 6591); every other type counts as one. */
const NO_COMPLAINT: ReadonlySet<string> = new Set(['not-spam', 'auth-failure', 'dmarc'])
const OPT_OUT: ReadonlySet<string> = new Set(['opt-out', 'opt-out-list', 'unsubscribe'])
const FAR_ACTIONS: readonly DsnAction[] = ['failed', 'delayed', 'expanded', 'relayed', 'delivered']

export function judge(input: JudgeInput): Judged {
  const { report, addressee, about, isFromFeedbackLoop } = input
  const judgement = judgementOf(report, addressee, about)
  if (judgement.kind === 'note') {
    const review = reviewOfNote(input, judgement.category)
    return { judgement, acts: true, ...(review === undefined ? {} : { review }) }
  }
  if (about === undefined) return { judgement, acts: false, review: 'no recipient of ours was found in it' }
  const isCertain = about.confidence === 'certain' || (judgement.kind === 'complaint' && isFromFeedbackLoop)
  if (!isCertain) return { judgement, acts: false, review: UNCERTAIN[about.evidence] }
  const other = judgement.kind === 'bounce' ? somebodyElse(judgement.named, about) : undefined
  if (other === undefined) return { judgement, acts: true }
  return { judgement, acts: true, review: `it names ${other}, but the mail went to ${about.recipient}` }
}

const UNCERTAIN: Readonly<Record<About['evidence'], string>> = {
  'return-path': '',
  token: '',
  'message-id': 'it was found by Message-ID and recipient, which others may know too',
  address: 'it was found by address and subject alone',
}

function judgementOf(report: ParsedReport, addressee: Addressee, about: About | undefined): Judgement {
  switch (report.kind) {
    case 'dsn':
      return judgementOfDsn(report, about)
    case 'complaint': {
      const type = report.feedback?.type ?? 'abuse'
      if (NO_COMPLAINT.has(type)) return { kind: 'note', category: 'non-bounce' }
      return OPT_OUT.has(type) ? { kind: 'unsubscribe' } : { kind: 'complaint', feedbackType: type }
    }
    case 'auto-reply':
      return { kind: 'note', category: 'auto-reply' }
    case 'challenge':
      return { kind: 'note', category: 'challenge-response' }
    case 'unsubscribe':
      return { kind: 'unsubscribe' }
    case 'mail':
      // Whoever writes to the address in List-Unsubscribe wants just that, whatever the mail says (RFC 2369 §3.2).
      return isForUnsubscribing(addressee) ? { kind: 'unsubscribe' } : { kind: 'note', category: 'non-bounce' }
    case 'receipt':
    case 'aggregate':
    case 'unknown':
      return { kind: 'note', category: 'non-bounce' }
  }
}

function judgementOfDsn(report: ParsedReport, about: About | undefined): Judgement {
  const named = about === undefined ? worst(report.recipients) : ofRecipient(report.recipients, about)
  // Where a signed return path says whose it is, a bounce need not name anybody.
  const isNobody = named === undefined || (about === undefined && named.address === '' && !named.original)
  if (isNobody) return { kind: 'note', category: 'no-address' }
  if (named.action === 'failed') return { kind: 'bounce', named }
  return { kind: 'note', category: named.action === 'delayed' ? 'delayed' : 'non-bounce' }
}

/** What a report says of the recipient it is about: by name, else whatever it says of anybody, the worst of it. */
export function ofRecipient(recipients: readonly ReportedRecipient[], about: About): ReportedRecipient | undefined {
  const own = recipients.filter((each) => names(each, about.recipient))
  return worst(own.length > 0 ? own : recipients)
}

function worst(recipients: readonly ReportedRecipient[]): ReportedRecipient | undefined {
  return recipients.toSorted((a, b) => FAR_ACTIONS.indexOf(a.action) - FAR_ACTIONS.indexOf(b.action))[0]
}

function names({ address, original }: ReportedRecipient, recipient: string): boolean {
  const wanted = recipient.toLowerCase()
  return address.toLowerCase() === wanted || original?.toLowerCase() === wanted
}

function somebodyElse(named: ReportedRecipient, about: About): string | undefined {
  if (named.address === '' || names(named, about.recipient)) return undefined
  return named.address
}

function reviewOfNote({ report, addressee, about }: JudgeInput, category: Category): string | undefined {
  if (report.kind === 'unknown') return 'it could not be read within the limits'
  if (category === 'no-address' && about !== undefined) return 'it does not say who was not reached'
  if (report.kind === 'mail' && addressee.kind === 'box' && addressee.box === 'postmaster')
    return 'somebody wrote to you'
  return undefined
}

function isForUnsubscribing(addressee: Addressee): boolean {
  return addressee.kind === 'unsubscribe' || (addressee.kind === 'box' && addressee.box === 'unsubscribe')
}
