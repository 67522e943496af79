// Suppressions as text, for people and for other senders' services. Machine formats: RFC 4180, UTF-8, no BOM, nothing
// added against spreadsheets. Entries come one by one and leave in pieces: memory stays bounded. What keeps no mail back
// (pending, half-open) is in our own JSON only: whoever reads the others would take it for a suppression.

import { stringify } from 'csv-stringify/sync'
import { causeStatus, causeText } from '../mail/outcome.ts'
import type { EpochMs } from '../util/clock.ts'
import { SECOND } from '../util/clock.ts'
import type { Reason, Suppression } from './suppression.ts'

export const EXPORT_FORMATS = ['csv', 'jsonl', 'ses', 'sendgrid', 'mailgun'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export const CSV_COLUMNS = [
  'email',
  'reason',
  'source',
  'category',
  'smtp_code',
  'enhanced_code',
  'diagnostic',
  'scope',
  'created_at',
  'expires_at',
  'note',
] as const

interface Table {
  /** Absent where the format has no header line. */
  readonly header?: readonly string[]
  readonly row: (entry: Suppression) => readonly string[]
  readonly newline: string
  /** Only Studs itself knows suppressed domains. */
  readonly takesDomains: boolean
}

const ROWS_AT_ONCE = 500
const COMPLAINED: ReadonlySet<Reason> = new Set(['complaint', 'unsubscribe'])

const TABLES: Readonly<Record<Exclude<ExportFormat, 'jsonl'>, Table>> = {
  csv: { header: CSV_COLUMNS, row: ownRow, newline: '\r\n', takesDomains: true },
  ses: {
    row: (entry) => [entry.target, COMPLAINED.has(entry.reason) ? 'COMPLAINT' : 'BOUNCE'],
    newline: '\n',
    takesDomains: false,
  },
  sendgrid: {
    header: ['status', 'reason', 'email', 'created'],
    row: (entry) => [statusOf(entry), wordsOf(entry), entry.target, String(Math.floor(entry.createdAt / SECOND))],
    newline: '\n',
    takesDomains: false,
  },
  mailgun: {
    header: ['address', 'code', 'error', 'created_at'],
    row: (entry) => [
      entry.target,
      String(codeOf(entry) ?? 550),
      wordsOf(entry),
      new Date(entry.createdAt).toUTCString(),
    ],
    newline: '\n',
    takesDomains: false,
  },
}

/** The text of `entries` in pieces of whole lines. */
export function* exportSuppressions(entries: Iterable<Suppression>, format: ExportFormat): Generator<string, void> {
  if (format === 'jsonl') {
    for (const entry of entries) yield `${JSON.stringify(entry)}\n`
    return
  }
  const table = TABLES[format]
  const lines = (rows: readonly (readonly string[])[]): string =>
    stringify(rows as string[][], { record_delimiter: table.newline })
  if (table.header !== undefined) yield lines([table.header])
  let rows: (readonly string[])[] = []
  for (const entry of entries) {
    if (entry.target.startsWith('@') && !table.takesDomains) continue
    if (entry.pendingUntil !== undefined || entry.reactivated !== undefined) continue
    rows.push(table.row(entry))
    if (rows.length < ROWS_AT_ONCE) continue
    yield lines(rows)
    rows = []
  }
  if (rows.length > 0) yield lines(rows)
}

function ownRow(entry: Suppression): readonly string[] {
  const values: Record<(typeof CSV_COLUMNS)[number], string> = {
    email: entry.target,
    reason: entry.reason,
    source: entry.who,
    category: entry.evidence?.category ?? '',
    smtp_code: String(codeOf(entry) ?? ''),
    enhanced_code: statusOf(entry),
    diagnostic: entry.evidence?.cause === undefined ? '' : causeText(entry.evidence.cause),
    scope: entry.scope,
    created_at: dateText(entry.createdAt),
    expires_at: entry.expiresAt === undefined ? '' : dateText(entry.expiresAt),
    note: entry.note ?? '',
  }
  return CSV_COLUMNS.map((column) => values[column])
}

function dateText(at: EpochMs): string {
  return new Date(at).toISOString()
}

function codeOf({ evidence }: Suppression): number | undefined {
  return evidence?.cause?.kind === 'reply' ? evidence.cause.reply.code : undefined
}

function statusOf({ evidence }: Suppression): string {
  return evidence?.cause === undefined ? '' : causeStatus(evidence.cause, true)
}

function wordsOf({ evidence, note, reason }: Suppression): string {
  return evidence?.cause === undefined ? (note ?? reason) : causeText(evidence.cause)
}
