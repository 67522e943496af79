// A parsed report and the verdicts on it in a few flat fields, for comparison with what others make of the same mail.

import type { Classifier } from './classify.ts'
import type { DsnAction, ParsedReport, ReportedRecipient } from './report.ts'
import { causeOf, judged } from './report-cause.ts'
import type { Category, CoarseClass } from './verdict.ts'

export interface SummarisedRecipient {
  readonly address: string
  readonly action: DsnAction | 'feedback'
  /** Never empty for a failure or delay: x.0.0 of what was said where no code was given. */
  readonly status: string
  /** SMTP code as text; '' for none. */
  readonly reply: string
  readonly category: Category
  readonly code: number
  readonly hard: boolean
  readonly reason: CoarseClass
  readonly diagnostic: string
}

export interface Summary {
  readonly kind: 'dsn' | 'arf' | 'vacation' | 'other' | 'none'
  readonly recipients: readonly SummarisedRecipient[]
}

export function summaryOf(parsed: ParsedReport, classifier: Classifier): Summary {
  switch (parsed.kind) {
    case 'dsn':
      return {
        kind: 'dsn',
        recipients: parsed.recipients.map((recipient) => summarised({ recipient, family: parsed.family, classifier })),
      }
    case 'complaint':
      return { kind: 'arf', recipients: parsed.recipients.map(({ address }) => complaint(address, parsed)) }
    case 'unsubscribe':
      // A mail program's own button is feedback of the type opt-out (RFC 5965 §7.3); what a person writes is mail.
      if (parsed.family === 'apple') return { kind: 'arf', recipients: [complaint(parsed.from, parsed)] }
      return { kind: 'other', recipients: [] }
    case 'auto-reply':
      return { kind: 'vacation', recipients: [] }
    case 'mail':
    case 'unknown':
      return { kind: 'none', recipients: [] }
    default:
      return { kind: 'other', recipients: [] }
  }
}

interface Reported {
  readonly recipient: ReportedRecipient
  readonly family: string
  readonly classifier: Classifier
}

function summarised({ recipient, family, classifier }: Reported): SummarisedRecipient {
  const verdict = judged(recipient, classifier)
  return {
    address: recipient.address,
    action: recipient.action,
    status: recipient.status ?? statusClass(recipient, { family, class: verdict.class }),
    reply: recipient.code === undefined ? '' : String(recipient.code),
    category: verdict.category,
    code: verdict.code,
    hard: verdict.kind === 'hard',
    // What a delay notice is about is also worth knowing.
    reason: verdict.category === 'delayed' ? classOfDelay(recipient, classifier) : verdict.class,
    diagnostic: recipient.diagnostic,
  }
}

function classOfDelay(recipient: ReportedRecipient, classifier: Classifier): CoarseClass {
  const { class: said } = classifier.classify({ cause: causeOf(recipient) })
  return said === 'unknown' ? 'infra' : said
}

const TEMPORARY = /\btemporar|persistent transient|^deferred:/i
/** Exim tries again only what is temporary, a full mailbox among it: when it has tried for too long it says so. */
const EXIM_GAVE_UP =
  /retry time(?:out| not reached)|failing for a long time|(?:been|was) frozen|mailbox is full|quota exceed/i
/** No such user and no such domain are no passing state, whatever else is said. */
const LASTING: ReadonlySet<CoarseClass> = new Set(['recipient', 'domain'])

/**
 * RFC 3463 §2: class 4 is also what was given up because a temporary condition lasted. Without code and status only
 * words tell that it was one.
 */
function statusClass(
  { code, action, diagnostic }: ReportedRecipient,
  about: { readonly family: string; readonly class: CoarseClass },
): string {
  if (code !== undefined) return `${Math.floor(code / 100)}.0.0`
  if (action === 'delayed') return '4.0.0'
  if (action !== 'failed') return '2.0.0'
  const isTemporary = TEMPORARY.test(diagnostic) || (about.family === 'exim' && EXIM_GAVE_UP.test(diagnostic))
  return isTemporary && !LASTING.has(about.class) ? '4.0.0' : '5.0.0'
}

function complaint(address: string, { feedback }: ParsedReport): SummarisedRecipient {
  return {
    address,
    action: 'feedback',
    status: '',
    reply: '',
    category: 'spam-complaint',
    code: 200,
    hard: false,
    reason: 'unknown',
    diagnostic: feedback?.type ?? 'opt-out',
  }
}
