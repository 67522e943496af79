// Reads a mail that came back and says what it is: facts only, in the words of the mail. Pure, bounded, never throws.
//
// The kinds are asked in the order of how sure their signs are: machine-readable reports first, then what only one kind
// of program writes, then failure in free text, then the kinds that are known by what they ask for. What none of them
// recognises is mail. Ordinary mail must never become a failure: words alone are no evidence, a machine must have sent it.

import { readAggregate } from './aggregate.ts'
import { readArf, readComplaint } from './arf.ts'
import { readAutoReply, readSureAutoReply } from './auto-reply.ts'
import { readChallenge, readKnownChallenge } from './challenge.ts'
import { MAX_RECIPIENTS } from './dsn.ts'
import type { Found, KindReader } from './found.ts'
import { isAddress, mailboxesIn, mailboxIn, sameAddress } from './mailboxes.ts'
import { freshBudget } from './mime.ts'
import { OpenMail } from './open-mail.ts'
import type { Headers } from './prose/prose.ts'
import type { Original, ParsedReport, ReportedRecipient } from './report.ts'
import { readFailureText, readStatusReport } from './status-report.ts'
import { tokensIn } from './tokens.ts'
import { withLf } from './transfer-encoding.ts'
import { readAppleUnsubscribe, readUnsubscribe } from './unsubscribe.ts'
import { readWrapped } from './wrapped.ts'

const MAX_BYTES = 4 * 1024 * 1024
const MAX_SUBJECT = 255
const MAX_REFERENCES = 100
const MAX_TO = 100

const FAILURE_READERS: readonly KindReader[] = [readStatusReport, readFailureText]
/** In the order they are asked; the first that recognises its kind decides. */
const READERS: readonly KindReader[] = [
  readAggregate,
  readArf,
  readStatusReport,
  readReceipt,
  readComplaint,
  readAppleUnsubscribe,
  readSureAutoReply,
  readKnownChallenge,
  readFailureText,
  readChallenge,
  readUnsubscribe,
  (mail) => readWrapped(mail, [readArf, ...FAILURE_READERS, readComplaint]),
  readAutoReply,
]

const NOTHING: ParsedReport = {
  kind: 'unknown',
  family: 'unreadable',
  recipients: [],
  subject: '',
  from: '',
  references: [],
  tokens: [],
}

export function parseReport(raw: Uint8Array): ParsedReport {
  try {
    return parse(raw)
  } catch {
    // A fault of ours must not lose the report: it is kept as one that nobody could read.
    return NOTHING
  }
}

function parse(raw: Uint8Array): ParsedReport {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, Math.min(raw.byteLength, MAX_BYTES))
  const source = withLf(bytes.toString('latin1'))
  const budget = freshBudget()
  if (raw.byteLength > MAX_BYTES) budget.limit = 'size'
  const mail = new OpenMail(source, 0, budget)
  const found = readKind(mail)
  const returned = found.returned ?? (found.kind === 'mail' || found.kind === 'auto-reply' ? undefined : mail.returned)
  const original =
    returned === undefined && found.envelopeId === undefined ? undefined : originalOf(returned, found.envelopeId)
  return {
    kind: found.kind,
    family: found.family,
    recipients: distinct(found.recipients ?? []),
    ...(found.feedback === undefined ? {} : { feedback: found.feedback }),
    subject: mail.subject.slice(0, MAX_SUBJECT),
    from: mail.from,
    references: referencesOf(mail.headers),
    ...(original === undefined ? {} : { original }),
    tokens: tokensIn(source, ...mail.encodedTexts),
    ...(found.link === undefined ? {} : { link: found.link }),
    ...(budget.limit === undefined ? {} : { limit: budget.limit }),
  }
}

function readKind(mail: OpenMail): Found {
  for (const reader of READERS) {
    const found = reader(mail)
    if (found !== undefined) return found
  }
  const isNothing = mail.headers.size === 0 && mail.words.trim() === ''
  return isNothing || mail.budget.limit !== undefined
    ? { kind: 'unknown', family: 'unknown' }
    : { kind: 'mail', family: 'mail' }
}

/** RFC 8098: read, deleted, displayed; never a failure. */
function readReceipt(mail: OpenMail): Found | undefined {
  const isReceipt =
    /disposition-notification/i.test(mail.root.parameters.get('report-type') ?? '') ||
    mail.part('message/disposition-notification', 'message/global-disposition-notification') !== undefined
  return isReceipt ? { kind: 'receipt', family: 'rfc8098' } : undefined
}

function distinct(recipients: readonly ReportedRecipient[]): readonly ReportedRecipient[] {
  const kept: ReportedRecipient[] = []
  for (const recipient of recipients.slice(0, MAX_RECIPIENTS))
    if (!kept.some(({ address }) => sameAddress(address, recipient.address))) kept.push(recipient)
  return kept
}

function originalOf(returned: Headers | undefined, envelopeId: string | undefined): Original {
  const messageId = idsIn(returned?.get('message-id'))[0]
  const subject = returned?.get('subject')?.replace(/\s+/g, ' ').trim().slice(0, MAX_SUBJECT)
  const from = mailboxIn(returned?.get('from'))
  return {
    ...(messageId === undefined ? {} : { messageId }),
    ...(subject ? { subject } : {}),
    ...(isAddress(from) ? { from } : {}),
    to: mailboxesIn(returned?.get('to') ?? '').slice(0, MAX_TO),
    ...(envelopeId === undefined ? {} : { envelopeId }),
  }
}

function referencesOf(headers: Headers): readonly string[] {
  const said = [...headers.all('in-reply-to'), ...headers.all('references')]
  return [...new Set(said.flatMap(idsIn))].slice(0, MAX_REFERENCES)
}

/** Ids without their brackets; one that lost them still counts. */
function idsIn(value: string | undefined): readonly string[] {
  if (value === undefined) return []
  const ids = value.slice(0, 20_000).match(/[^\s<>"(),]{1,250}@[^\s<>"(),]{1,250}/g) ?? []
  return ids.slice(0, MAX_REFERENCES)
}
