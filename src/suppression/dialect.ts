// The dialects suppression lists come in: which one a first row shows, and what one row of it says. Pure. Told apart by
// their set of column names; files without a header by what stands in the first row.

import type { EpochMs } from '../util/clock.ts'
import { SECOND } from '../util/clock.ts'
import type { Reason } from './suppression.ts'

export type Dialect =
  | 'studs'
  | 'sendgrid'
  | 'mailgun'
  | 'ses'
  | 'postmark'
  | 'sparkpost'
  | 'mailchimp'
  | 'telnyx'
  | 'generic'
  | 'list'

/** What one row says, in our words as far as they fit; nothing checked yet. */
export interface Row {
  readonly address: string
  readonly reason: Reason | 'block' | 'soft'
  readonly createdAt?: EpochMs
  readonly expiresAt?: EpochMs
  readonly note?: string
  readonly scope?: string
  readonly category?: string
  /** Basic and enhanced code and the words of the refusal, where the list has them. */
  readonly code?: number
  readonly enhanced?: string
  readonly diagnostic?: string
  /** It keeps no mail back where it comes from (our own JSON: pending, half-open). */
  readonly isIdle?: boolean
}

/** How the rows of a file are read. `isHeader`: its first row holds column names. */
export interface Reading {
  readonly dialect: Dialect
  readonly isHeader: boolean
  readonly row: (cells: readonly string[]) => Row
}

type Column = (name: string) => string

interface Shape {
  readonly dialect: Dialect
  /** All of these columns, and none of those, are there. */
  readonly has: readonly string[]
  readonly lacks?: readonly string[]
  readonly row: (column: Column) => Row
}

// The first one that fits.
const SHAPES: readonly Shape[] = [
  { dialect: 'studs', has: ['email', 'reason', 'scope', 'created_at'], row: ownRow },
  { dialect: 'sendgrid', has: ['email', 'reason', 'status', 'created'], row: sendgridRow },
  {
    dialect: 'sendgrid',
    has: ['email', 'created'],
    row: (c) => ({ address: c('email'), reason: 'unsubscribe', ...at(c('created')) }),
  },
  { dialect: 'mailgun', has: ['address', 'error', 'created_at'], row: mailgunRow },
  {
    dialect: 'mailgun',
    has: ['address', 'tags', 'created_at'],
    row: (c) => ({ address: c('address'), reason: 'unsubscribe', ...at(c('created_at')) }),
  },
  {
    dialect: 'mailgun',
    has: ['address', 'created_at'],
    lacks: ['reason'],
    row: (c) => ({ address: c('address'), reason: 'complaint', ...at(c('created_at')) }),
  },
  {
    dialect: 'postmark',
    has: ['emailaddress', 'suppressionreason'],
    row: (c) => ({ address: c('emailaddress'), reason: reasonOf(c('suppressionreason')), ...at(c('createdat')) }),
  },
  {
    dialect: 'ses',
    has: ['emailaddress'],
    row: (c) => ({ address: c('emailaddress'), reason: reasonOf(c('reason')), ...at(c('lastupdatetime')) }),
  },
  { dialect: 'telnyx', has: ['to', 'reason', 'scope', 'status'], row: telnyxRow },
  { dialect: 'sparkpost', has: ['recipient', 'type'], row: sparkpostRow },
  { dialect: 'sparkpost', has: ['recipient', 'transactional'], row: sparkpostRow },
  {
    dialect: 'mailchimp',
    has: ['email address', 'clean_time'],
    row: (c) => ({ address: c('email address'), reason: 'hard_bounce', ...at(c('clean_time')) }),
  },
  {
    dialect: 'mailchimp',
    has: ['email address', 'unsub_time'],
    row: (c) => ({ address: c('email address'), reason: 'unsubscribe', ...at(c('unsub_time')) }),
  },
]
const ADDRESS_COLUMNS = [
  'email',
  'address',
  'recipient',
  'email_address',
  'email address',
  'e-mail',
  'mail',
  'to',
  'target',
]
/** Columns of a mailing list: importing it would suppress everybody on it. */
const SUBSCRIBER_COLUMNS = ['member_rating', 'optin_time', 'confirm_time', 'subscribed_at']

const REASON_WORDS: Readonly<Record<string, Row['reason']>> = {
  bounce: 'hard_bounce',
  bounced: 'hard_bounce',
  hard: 'hard_bounce',
  hardbounce: 'hard_bounce',
  bouncerule: 'hard_bounce',
  invalid: 'hard_bounce',
  invalidemail: 'hard_bounce',
  badmailbox: 'hard_bounce',
  permanent: 'hard_bounce',
  cleaned: 'hard_bounce',
  softbouncelimit: 'soft_bounce_limit',
  complaint: 'complaint',
  spam: 'complaint',
  spamcomplaint: 'complaint',
  spamreport: 'complaint',
  abuse: 'complaint',
  complained: 'complaint',
  unsubscribe: 'unsubscribe',
  unsubscribed: 'unsubscribe',
  listunsubscribe: 'unsubscribe',
  unsubscribelink: 'unsubscribe',
  optout: 'unsubscribe',
  manual: 'manual',
  manualsuppression: 'manual',
  manuallyadded: 'manual',
  manualblock: 'manual',
  inactivity: 'inactivity',
  inactive: 'inactivity',
  policy: 'policy',
  compliance: 'policy',
  imported: 'imported',
  block: 'block',
  blocked: 'block',
  soft: 'soft',
  softbounce: 'soft',
  transient: 'soft',
  temporary: 'soft',
}

export function reasonOf(word: string): Row['reason'] {
  return REASON_WORDS[word.toLowerCase().replace(/[^a-z]/g, '')] ?? 'imported'
}

/** How to read the rows after (or from) `first`; undefined when no column holds addresses or it is a mailing list. */
export function readingFor(first: readonly string[]): Reading | undefined {
  const names = first.map((cell) => cell.trim().toLowerCase())
  if (first.some((cell) => cell.includes('@'))) return bareReading(first)
  const row = rowFor(new Set(names))
  if (row === undefined) return undefined
  const places = new Map(names.map((name, place) => [name, place]))
  return {
    dialect: row.dialect,
    isHeader: true,
    row: (cells) => row.row((name) => cells[places.get(name) ?? -1]?.trim() ?? ''),
  }
}

/** One JSON object of a JSON-lines file; nested values are passed over. */
export function objectRow(value: Readonly<Record<string, unknown>>): Row | undefined {
  const fields = new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), textOf(field)]))
  return rowFor(new Set(fields.keys()))?.row((name) => fields.get(name) ?? '')
}

function rowFor(names: ReadonlySet<string>): Pick<Shape, 'dialect' | 'row'> | undefined {
  const shape = SHAPES.find(
    ({ has, lacks }) => has.every((name) => names.has(name)) && !lacks?.some((name) => names.has(name)),
  )
  if (shape !== undefined) return shape
  if (SUBSCRIBER_COLUMNS.some((name) => names.has(name))) return undefined
  const address = ADDRESS_COLUMNS.find((name) => names.has(name))
  return address === undefined
    ? undefined
    : { dialect: 'generic', row: (column) => ({ ...ownRow(column), address: column(address) }) }
}

/** `address`, `address,BOUNCE` (SES) or `address,expiry,scope`, without column names. */
function bareReading(first: readonly string[]): Reading {
  const place = first.findIndex((cell) => cell.includes('@'))
  const isSes = /^(bounce|complaint)$/i.test(first[place + 1]?.trim() ?? '')
  const row = (cells: readonly string[]): Row => {
    const next = cells[place + 1]?.trim() ?? ''
    const expiresAt = isSes ? undefined : parseDate(next)
    return {
      address: cells[place]?.trim() ?? '',
      reason: isSes ? reasonOf(next) : 'imported',
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }
  }
  return { dialect: isSes ? 'ses' : 'list', isHeader: false, row }
}

function ownRow(column: Column): Row {
  const expiresAt = parseDate(column('expires_at'))
  return {
    address: column('email'),
    reason: reasonOf(column('reason')),
    ...at(column('created_at')),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...given('note', column('note')),
    ...given('scope', column('scope')),
    ...given('category', column('category')),
    ...refusal({ code: column('smtp_code'), enhanced: column('enhanced_code'), diagnostic: column('diagnostic') }),
  }
}

function sendgridRow(column: Column): Row {
  // The same columns serve bounces, blocks and spam reports; what the server said tells them apart (see import.ts).
  const words = column('reason')
  const status = column('status')
  const reason = words === '' && status === '' ? 'imported' : status.startsWith('4') ? 'soft' : 'hard_bounce'
  return {
    address: column('email'),
    reason,
    ...at(column('created')),
    ...refusal({ code: '', enhanced: status, diagnostic: words }),
  }
}

function mailgunRow(column: Column): Row {
  const code = column('code')
  const reason = code.startsWith('4') ? 'soft' : 'hard_bounce'
  return {
    address: column('address'),
    reason,
    ...at(column('created_at')),
    ...refusal({ code, enhanced: '', diagnostic: column('error') }),
  }
}

function telnyxRow(column: Column): Row {
  const expiresAt = parseDate(column('expires_at'))
  return {
    address: column('to'),
    reason: reasonOf(column('reason')),
    ...at(column('created_at')),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

function sparkpostRow(column: Column): Row {
  return {
    address: column('recipient'),
    reason: reasonOf(column('source')),
    ...at(column('created')),
    ...given('note', column('description')),
  }
}

function refusal(given: {
  readonly code: string
  readonly enhanced: string
  readonly diagnostic: string
}): Partial<Row> {
  const code = Number(given.code === '' ? /^\s*([245]\d\d)\b/.exec(given.diagnostic)?.[1] : given.code)
  return {
    ...(Number.isInteger(code) && code >= 200 && code < 600 ? { code } : {}),
    ...(/^[245]\.\d{1,3}\.\d{1,3}$/.test(given.enhanced) ? { enhanced: given.enhanced } : {}),
    ...(given.diagnostic === '' ? {} : { diagnostic: given.diagnostic }),
  }
}

function given<Name extends string>(name: Name, value: string): Partial<Record<Name, string>> {
  return (value === '' ? {} : { [name]: value }) as Partial<Record<Name, string>>
}

function at(text: string): { createdAt?: EpochMs } {
  const createdAt = parseDate(text)
  return createdAt === undefined ? {} : { createdAt }
}

/** Unix seconds or milliseconds, RFC 3339, RFC 5322, or `2026-01-02 03:04:05` taken as UTC. */
export function parseDate(text: string): EpochMs | undefined {
  const trimmed = text.trim()
  if (/^\d{9,11}(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * SECOND)
  if (/^\d{12,14}$/.test(trimmed)) return Number(trimmed)
  const plain = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?( UTC|Z)?$/.exec(trimmed)
  const time = Date.parse(plain === null ? trimmed : `${plain[1]}T${plain[2] ?? '00:00'}Z`)
  return Number.isNaN(time) || !/\d{4}/.test(trimmed) ? undefined : time
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}
