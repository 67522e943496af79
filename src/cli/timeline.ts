// The story of a message for people: what it is, and then for each recipient everything that happened, when, where, in
// the receiver's own words, and what Studs made of it. Pure: printable data in, lines out.

import type { Category } from '../bounce/verdict.ts'
import type { RecordKind } from '../journal/record.ts'
import type { EventRecord, MessageDetail, RecipientDetail } from '../http/operations.ts'
import { MEANINGS } from './meaning.ts'
import type { Page } from './output.ts'
import { type Colour, padEnd, wrap, widthOf } from './terminal.ts'
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
  reported: { label: 'reported', colour: 'yellow' },
  'suppression-added': { label: 'suppress', colour: 'red' },
  'suppression-removed': { label: 'unsuppress', colour: 'cyan' },
  'dsn-sent': { label: 'DSN sent', colour: 'blue' },
}
const DETAIL_INDENT = ' '.repeat(16)
const HEADING_WIDTH = 12

export interface Story {
  readonly message: MessageDetail
  readonly events: readonly EventRecord[]
}

export function timeline({ message, events }: Story, page: Page): string[] {
  const lines = heading(message, page)
  const ofNobody = events.filter((event) => event.n === undefined)
  if (ofNobody.length > 0) lines.push('', ...eventLines(ofNobody, message, page))
  for (const recipient of message.to) {
    const own = events.filter((event) => event.n === recipient.n)
    lines.push('', recipientLine(recipient, page), ...eventLines(own, message, page))
  }
  return lines
}

function heading(message: MessageDetail, { paint, width }: Page): string[] {
  const { client, headers } = message
  const who = [`tenant ${message.tenant}`, ...(message.credential === undefined ? ['trusted network'] : [`credential ${message.credential}`])]
  const helo = client.helo === undefined ? '' : ` (${client.helo})`
  const rows: [string, string][] = [
    ['Subject', headers.subject ?? '(none)'],
    ['From', headers.from ?? '(none)'],
    ['Envelope', `${message.sender === '' ? '<>' : message.sender} to ${counted(message.recipients, 'recipient')}`],
    ['Message-ID', headers.message_id],
    ['Accepted', `${dateTimeText(message.received_at)} UTC from ${client.address}${helo}, ${client.listener}, ${client.tls ?? 'no TLS'}`],
    ['Sent by', [...who, ...(message.tags?.map((tag) => `#${tag}`) ?? [])].join(', ')],
    ['Size', `${sizeText(message.size_bytes)}, tried until ${dateTimeText(message.expires_at)} UTC`],
  ]
  const body = rows.flatMap(([name, value]) =>
    wrap(value, width - HEADING_WIDTH - 2).map((line, at) => `  ${paint('dim', padEnd(at === 0 ? name : '', HEADING_WIDTH))}${line}`),
  )
  return [`Message ${paint('bold', message.id)}`, ...body]
}

function recipientLine({ n, address, state }: RecipientDetail, { paint }: Page): string {
  const colour: Colour = state.kind === 'delivered' ? 'green' : state.kind === 'waiting' ? 'yellow' : state.kind === 'held' ? 'cyan' : 'red'
  return `${paint('dim', `.${n}`)} ${paint('bold', address)}  ${paint(colour, state.kind)}`
}

function eventLines(events: readonly EventRecord[], message: MessageDetail, page: Page): string[] {
  const start = Date.parse(message.received_at)
  let day = dateText(message.received_at)
  return events.flatMap((event) => {
    const lines = eventBlock(event, Date.parse(event.at) - start, page)
    if (dateText(event.at) === day) return lines
    day = dateText(event.at)
    return [page.paint('dim', `  ${day}`), ...lines]
  })
}

function eventBlock(event: EventRecord, offsetMs: number, { paint, width }: Page): string[] {
  const { label, colour } = LABELS[event.kind]
  const lead = `  ${clockText(event.at)}  ${paint('dim', padEnd(offsetText(offsetMs), 10))}  ${paint(colour, padEnd(label, 10))}`
  const [first = '', ...others] = [...wrap(summary(event), Math.max(20, width - widthOf(lead) - 2))]
  const continued = others.map((line) => ' '.repeat(widthOf(lead) + 2) + line)
  const below = details(event).flatMap(([text, hue]) =>
    wrap(text, width - DETAIL_INDENT.length).map((line, at) => `${DETAIL_INDENT}${at === 0 ? '' : '  '}${hue === undefined ? line : paint(hue, line)}`),
  )
  return [`${lead}  ${first}`.trimEnd(), ...continued, ...below]
}

/** The line beside the kind: which attempt, where, how; or who and why. */
function summary(event: EventRecord): string {
  const { way } = event
  const host = way?.mx ?? way?.site
  const parts = [
    event.kind === 'accepted' && event.client !== undefined ? `from ${event.client}` : '',
    event.scope === undefined ? '' : `${event.reason ?? ''} (${event.scope === '*' ? 'all tenants' : `tenant ${event.scope}`})`,
    event.attempt === undefined ? '' : `attempt ${event.attempt}`,
    host === undefined ? '' : `${host}${way?.mx_address === undefined ? '' : ` [${way.mx_address}]`}`,
    way === undefined ? '' : `from ${way.local_address ?? way.source}`,
    way?.mx === undefined ? '' : (way.tls?.split(' ')[0] ?? 'no TLS'),
    way === undefined ? '' : durationText(way.duration_ms),
    event.who === undefined ? '' : `by ${event.who}`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function details(event: EventRecord): [string, Colour?][] {
  const lines: [string, Colour?][] = []
  if (event.why !== undefined) lines.push([`because: ${event.why}`])
  if (event.reply !== undefined) for (const line of replyLines(event.reply)) lines.push([line])
  if (event.cause !== undefined) for (const line of causeLines(event.cause)) lines.push([line])
  if (event.ambiguous === true) {
    lines.push(['The message was sent and no reply seen: it may have been taken, a duplicate is possible.', 'yellow'])
  }
  if (event.verdict !== undefined) lines.push(...verdictLines(event.verdict))
  if (event.due_at !== undefined) {
    lines.push([`next attempt ${dateTimeText(event.due_at)} UTC, in ${durationText(Date.parse(event.due_at) - Date.parse(event.at))}`])
  }
  return lines
}

type WireReply = NonNullable<EventRecord['reply']>
type WireCause = NonNullable<EventRecord['cause']>

/** As it was said on the wire: `550-first`, `550 last` (RFC 5321 §4.2.1). */
export function replyLines({ code, lines }: WireReply): string[] {
  if (lines.length === 0) return [String(code)]
  return lines.map((line, at) => `${code}${at === lines.length - 1 ? ' ' : '-'}${line}`.trimEnd())
}

export function causeLines(cause: WireCause): string[] {
  switch (cause.kind) {
    case 'reply': {
      const [first = '', ...others] = replyLines(cause.reply)
      return [`${cause.command}: ${first}`, ...others.map((line) => `${' '.repeat(cause.command.length + 2)}${line}`)]
    }
    case 'expired':
      return cause.last === undefined ? ['Its life ended before the first attempt.'] : ['Its life ended. The last attempt:', ...causeLines(cause.last)]
    case 'dns':
    case 'local':
      return [`${cause.kind} ${cause.code}: ${cause.detail}`]
    default:
      return [`${cause.kind}: ${cause.detail}`]
  }
}

/** The same on one line, for tables. */
export function causeLine(cause: WireCause): string {
  if (cause.kind === 'reply') return [cause.reply.code, ...cause.reply.lines].join(' ')
  if (cause.kind === 'expired') return cause.last === undefined ? 'expired' : `expired: ${causeLine(cause.last)}`
  return `${cause.kind}: ${cause.detail}`
}

function verdictLines({ category, code, kind, fault, rule }: NonNullable<EventRecord['verdict']>): [string, Colour?][] {
  const meaning: string | undefined = MEANINGS[category as Category]
  return [[`→ ${category} (${code}, ${kind}, fault: ${fault}) by ${rule}${meaning === undefined ? '' : `. ${meaning}`}`, 'dim']]
}
