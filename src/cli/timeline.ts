// The story of a message for people: what it is, and then for each recipient everything that happened, when, where, in
// the receiver's own words, and what Studs made of it. Pure: printable data in, lines out.

import type { Category } from '../bounce/verdict.ts'
import type { EventRecord, MessageDetail, RecipientDetail } from '../http/operations.ts'
import type { RecordKind } from '../journal/record.ts'
import { causeText } from '../mail/outcome.ts'
import type { SmtpCommand } from '../mail/reply.ts'
import { EVIDENCE_MEANINGS, MEANINGS, REPORT_KIND_NAMES, UNSUBSCRIBE_MEANING } from './meaning.ts'
import type { Page } from './output.ts'
import { type Colour, padEnd, widthOf, wrap } from './terminal.ts'
import { clockText, counted, dateText, dateTimeText, durationText, offsetText, sizeText } from './time.ts'

const LABELS: Readonly<Record<RecordKind, { readonly label: string; readonly colour: Colour }>> = {
  accepted: { label: 'accepted', colour: 'blue' },
  suppressed: { label: 'suppressed', colour: 'cyan' },
  delivered: { label: 'delivered', colour: 'green' },
  deferred: { label: 'deferred', colour: 'yellow' },
  failed: { label: 'failed', colour: 'red' },
  expired: { label: 'expired', colour: 'red' },
  held: { label: 'held', colour: 'cyan' },
  released: { label: 'released', colour: 'cyan' },
  retried: { label: 'retried', colour: 'cyan' },
  cancelled: { label: 'cancelled', colour: 'cyan' },
  bounced: { label: 'bounced', colour: 'red' },
  complained: { label: 'complained', colour: 'red' },
  unsubscribed: { label: 'unsubscribed', colour: 'cyan' },
  reported: { label: 'reported', colour: 'yellow' },
  'suppression-added': { label: 'suppression', colour: 'red' },
  'suppression-removed': { label: 'reactivated', colour: 'cyan' },
  alert: { label: 'alert', colour: 'red' },
  suspended: { label: 'suspended', colour: 'yellow' },
  resumed: { label: 'resumed', colour: 'cyan' },
  slowed: { label: 'slowed', colour: 'yellow' },
  recovered: { label: 'recovered', colour: 'cyan' },
  'dsn-sent': { label: 'DSN sent', colour: 'blue' },
}
/** Kinds that end an attempt; on the others the count of attempts says nothing. */
const IS_ATTEMPT: ReadonlySet<RecordKind> = new Set(['delivered', 'deferred', 'failed', 'expired'])
/** From these on it is about the mail, not about the connection. */
const MAIL_COMMANDS: ReadonlySet<SmtpCommand> = new Set(['MAIL', 'RCPT', 'DATA', 'dot'])
const OFFSET_WIDTH = 10
const LABEL_WIDTH = 12
const DETAIL_INDENT = ' '.repeat(16)
// Below the code and its separator.
const REPLY_HANG = 4
const HEADING_WIDTH = 12

export interface Story {
  readonly message: MessageDetail
  readonly events: readonly EventRecord[]
  /** Why a person should look, or should have looked, at some of the reports. */
  readonly reviews?: readonly Review[]
}

export interface Review {
  /** Of the report. */
  readonly id: string
  readonly why: string
  readonly open: boolean
  /** Nothing has followed yet: accepting it would let it act. */
  readonly acts: boolean
}

export function timeline({ message, events, reviews = [] }: Story, page: Page): string[] {
  const lines = heading(message, page)
  const ofNobody = events.filter((event) => event.n === undefined)
  if (ofNobody.length > 0) lines.push('', ...eventLines({ events: ofNobody, message, reviews }, page))
  for (const recipient of message.to) {
    const own = events.filter((event) => event.n === recipient.n)
    lines.push('', recipientLine(recipient, page), ...eventLines({ events: own, message, reviews }, page))
  }
  return lines
}

function heading(message: MessageDetail, { paint, width }: Page): string[] {
  const { client, headers } = message
  const who = [
    `tenant ${message.tenant}`,
    ...(message.credential === undefined ? ['trusted network'] : [`credential ${message.credential}`]),
  ]
  const helo = client.helo === undefined ? '' : ` (${client.helo})`
  const rows: [string, string][] = [
    ['Subject', headers.subject ?? '(none)'],
    ['From', headers.from ?? '(none)'],
    ['Envelope', `${message.sender === '' ? '<>' : message.sender} to ${counted(message.recipients, 'recipient')}`],
    ['Message-ID', headers.message_id],
    [
      'Accepted',
      `${dateTimeText(message.received_at)} UTC from ${client.address}${helo}, ${client.listener}, ${client.tls ?? 'no TLS'}`,
    ],
    ['Sent by', [...who, ...(message.tags?.map((tag) => `#${tag}`) ?? [])].join(', ')],
    ['Size', `${sizeText(message.size_bytes)}${triedUntil(message)}`],
  ]
  const body = rows.flatMap(([name, value]) =>
    wrap(value, width - HEADING_WIDTH - 2).map(
      (line, at) => `  ${paint('dim', padEnd(at === 0 ? name : '', HEADING_WIDTH))}${line}`,
    ),
  )
  return [`Message ${paint('bold', message.id)}`, ...body]
}

/** Says nothing any more when nobody waits. */
function triedUntil({ to, expires_at }: MessageDetail): string {
  const isOpen = to.some(({ state }) => state.kind === 'waiting' || state.kind === 'held')
  return isOpen ? `, tried until ${dateTimeText(expires_at)} UTC` : ''
}

function recipientLine({ n, address, state }: RecipientDetail, { paint }: Page): string {
  const colour: Colour =
    state.kind === 'delivered' ? 'green' : state.kind === 'waiting' ? 'yellow' : state.kind === 'held' ? 'cyan' : 'red'
  return `${paint('dim', `.${n}`)} ${paint('bold', address)}  ${paint(colour, state.kind)}`
}

function eventLines({ message, events, reviews }: Required<Story>, page: Page): string[] {
  const start = Date.parse(message.received_at)
  let day = dateText(message.received_at)
  return events.flatMap((event) => {
    const lines = eventBlock({ event, offsetMs: Date.parse(event.at) - start, reviews }, page)
    if (dateText(event.at) === day) return lines
    day = dateText(event.at)
    return [page.paint('dim', `  ${day}`), ...lines]
  })
}

interface Block {
  readonly event: EventRecord
  readonly offsetMs: number
  readonly reviews: readonly Review[]
}

function eventBlock({ event, offsetMs, reviews }: Block, { paint, width }: Page): string[] {
  const { label, colour } = LABELS[event.kind]
  const lead = `  ${clockText(event.at)}  ${paint('dim', padEnd(offsetText(offsetMs), OFFSET_WIDTH))}  ${paint(colour, padEnd(label, LABEL_WIDTH))}  `
  const [first = '', ...others] = wrap(summary(event), Math.max(20, width - widthOf(lead)))
  const review = reviews.find(({ id }) => id === event.report?.id)
  const below = details(event, review).flatMap(({ text, hang, colour: hue }) => {
    const [top = '', ...rest] = wrap(text, width - DETAIL_INDENT.length)
    const hung = rest.length === 0 ? [] : wrap(rest.join(' '), width - DETAIL_INDENT.length - hang)
    return [top, ...hung.map((line) => ' '.repeat(hang) + line)].map(
      (line) => DETAIL_INDENT + (hue === undefined ? line : paint(hue, line)),
    )
  })
  return [`${lead}${first}`.trimEnd(), ...others.map((line) => ' '.repeat(widthOf(lead)) + line), ...below]
}

/** What stands beside the kind: which attempt and where; or for whom, by whom. */
function summary({ kind, client, scope, reason, attempt, way, who, report }: EventRecord): string {
  const host = way?.mx ?? way?.site
  const where = host === undefined ? '' : ` at ${host}${way?.mx_address === undefined ? '' : ` [${way.mx_address}]`}`
  const parts = [
    kind === 'accepted' && client !== undefined ? `from ${client}` : '',
    scope === undefined ? '' : `${reason ?? ''} for ${scope === '*' ? 'all tenants' : `tenant ${scope}`}`.trim(),
    attempt === undefined || !IS_ATTEMPT.has(kind) ? '' : `attempt ${attempt}${where}`,
    report === undefined ? '' : `${REPORT_KIND_NAMES[report.kind]} ${report.id}`,
    who === undefined ? '' : `by ${who}`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}

interface Detail {
  readonly text: string
  /** Columns by which further lines are moved in, when the text needs several. */
  readonly hang: number
  readonly colour?: Colour
}

function details(event: EventRecord, review: Review | undefined): Detail[] {
  const { kind, why, reply, cause, ambiguous, verdict, due_at, at, report, pending_until } = event
  const plain = (text: string): Detail => ({ text, hang: 2 })
  const said = (text: string): Detail => ({ text, hang: REPLY_HANG })
  return [
    ...(report === undefined ? [] : [{ ...plain(evidenceLine(kind, report)), colour: 'dim' as const }]),
    ...(report?.link === undefined ? [] : [plain(`prove it at ${report.link}`)]),
    ...(why === undefined ? [] : [plain(`${review?.why === why ? 'doubtful' : 'because'}: ${why}`)]),
    ...(review === undefined || review.why === why ? [] : [plain(`odd: ${review.why}`)]),
    ...(review?.open === true ? [{ ...plain(decisionLine(review)), colour: 'yellow' as const }] : []),
    ...(event.way === undefined ? [] : [{ ...plain(wayLine(event)), colour: 'dim' as const }]),
    ...(reply === undefined ? [] : replyLines(reply).map(said)),
    ...(cause === undefined ? [] : causeLines(cause).map(said)),
    ...(ambiguous === true
      ? [
          {
            ...plain('It was sent and no reply was seen: it may have been taken, a duplicate is possible.'),
            colour: 'yellow' as const,
          },
        ]
      : []),
    ...(verdict === undefined || kind === 'suppression-added' ? [] : [plain(verdictLine(verdict))]),
    ...(pending_until === undefined
      ? []
      : [plain(`pending until ${dateTimeText(pending_until)} UTC: it keeps no mail back yet`)]),
    ...(due_at === undefined
      ? []
      : [plain(`next attempt ${dateTimeText(due_at)} UTC, in ${durationText(Date.parse(due_at) - Date.parse(at))}`)]),
  ]
}

/** `from 203.0.113.10 over TLSv1.3, after 214ms, to RCPT:` */
function wayLine({ way, cause }: EventRecord): string {
  if (way === undefined) return ''
  const isMail = way.tls !== undefined || cause === undefined || mayHaveBegun(cause)
  const over = way.mx === undefined || !isMail ? '' : ` over ${tlsText(way)}`
  const to = cause?.kind === 'reply' ? `, to ${cause.command}` : ''
  return `from ${way.local_address ?? way.source}${over}, after ${durationText(way.duration_ms)}${to}:`
}

function decisionLine({ id, acts }: Review): string {
  return acts
    ? `It waits for a person. If it is right: studs bounce review accept ${id}. If not: studs bounce review dismiss ${id}`
    : `Somebody should look: studs bounce show ${id}`
}

function evidenceLine(kind: RecordKind, { evidence }: NonNullable<EventRecord['report']>): string {
  const meaning =
    kind === 'unsubscribed' && evidence === 'return-path' ? UNSUBSCRIBE_MEANING : EVIDENCE_MEANINGS[evidence]
  return meaning === undefined ? `found by ${evidence}` : `about this recipient because ${meaning}`
}

type WireReply = NonNullable<EventRecord['reply']>
type WireCause = NonNullable<EventRecord['cause']>

/** As it was said on the wire: `550-first`, `550 last` (RFC 5321 §4.2.1). */
export function replyLines({ code, lines }: WireReply): string[] {
  if (code === 0) return [...lines] // quoted in a report that gave none
  if (lines.length === 0) return [String(code)]
  return lines.map((line, at) => `${code}${at === lines.length - 1 ? ' ' : '-'}${line}`.trimEnd())
}

export function causeLines(cause: WireCause): string[] {
  switch (cause.kind) {
    case 'reply':
      return replyLines(cause.reply)
    case 'expired':
      if (cause.by === 'hold') return ['Its life ended while it was held.']
      if (cause.by === 'throttle') return ['Its life ended before an attempt: held back by the limits of the path.']
      return cause.last === undefined
        ? ['Its life ended before the first attempt.']
        : ['Its life ended. The last attempt:', ...causeLines(cause.last)]
    default:
      return [causeText(cause)]
  }
}

/** The same on one line, for tables. */
export function causeLine(cause: WireCause): string {
  if (cause.kind === 'reply')
    return [...(cause.reply.code === 0 ? [] : [cause.reply.code]), ...cause.reply.lines].join(' ')
  if (cause.kind === 'expired') return cause.last === undefined ? 'expired' : `expired: ${causeLine(cause.last)}`
  return causeText(cause)
}

function verdictLine({ category, code, kind, fault, rule }: NonNullable<EventRecord['verdict']>): string {
  const meaning: string | undefined = MEANINGS[category as Category]
  return `→ ${category} (${code}, ${kind}, fault: ${fault}) by ${rule}${meaning === undefined ? '' : `. ${meaning}`}`
}

/** Whether anything of the mail may have been said when it ended so: not where TLS or the connection could not be had. */
function mayHaveBegun(cause: WireCause): boolean {
  if (cause.kind === 'expired') return cause.last !== undefined && mayHaveBegun(cause.last)
  return (
    cause.kind === 'ambiguous' ||
    ('command' in cause && cause.command !== undefined && MAIL_COMMANDS.has(cause.command))
  )
}

/** `TLSv1.3 (dane)`: by what the certificate was verified, if it was. */
function tlsText({ tls, tls_verified: verified }: NonNullable<EventRecord['way']>): string {
  if (tls === undefined) return 'plaintext'
  return verified === undefined ? `${tls.split(' ')[0]}` : `${tls.split(' ')[0]} (${verified})`
}
