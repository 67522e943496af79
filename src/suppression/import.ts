// Lists of suppressions from elsewhere, read line by line: memory stays bounded whatever their size. Says what it would
// do before it does it (dry run), keeps the original dates, and may be run again: what is there stays as it is.
// Blocks and soft failures of other services are no reason to suppress and are passed over unless asked for.

import { pipeline, Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { type Info, parse } from 'csv-parse'
import type { Classifier } from '../bounce/classify.ts'
import { CATEGORIES, type Category } from '../bounce/verdict.ts'
import type { Cause } from '../mail/outcome.ts'
import type { Clock } from '../util/clock.ts'
import { type Dialect, objectRow, type Reading, type Row, readingFor } from './dialect.ts'
import type { SuppressionList } from './list.ts'
import { type Folding, parseTarget } from './normalise.ts'
import { isProtected, REASONS, type Scope, type Standing, type Suppression, standingOf } from './suppression.ts'

export type ImportInput = string | AsyncIterable<string | Uint8Array>

export interface BadLine {
  readonly line: number
  readonly text: string
  readonly problem: string
}

export interface ImportReport {
  readonly format: Dialect | 'jsonl' | 'unknown'
  readonly dryRun: boolean
  /** Added, or with `mode` delete removed. A dry run counts an address twice that stands twice, far apart. */
  readonly changed: number
  /** Nothing to do: there already, or with delete not there. */
  readonly already: number
  /** Blocks, soft failures, and entries that had expired or kept no mail back. */
  readonly skipped: number
  readonly invalid: number
  /** Complaints and unsubscriptions that delete leaves where they are. */
  readonly protected: number
  readonly badLines: readonly BadLine[]
}

export interface ImportOptions {
  readonly input: ImportInput
  readonly list: SuppressionList
  readonly folding: Folding
  readonly clock: Clock
  /** Where the entries go, whatever scope the file names. */
  readonly scope: Scope
  /** `import:<file>` */
  readonly who: string
  readonly mode?: 'add' | 'delete'
  readonly dryRun?: boolean
  readonly includeBlocks?: boolean
  /** Tells blocks from unknown users where a service lists both in one. */
  readonly classifier?: Classifier
}

/** How an entry stands that an import leaves alone: a person has just given the half-open ones another chance. */
const STAYS: ReadonlySet<Standing> = new Set(['in-force', 'half-open'])
const BATCH = 1000
const SHOWN_BAD_LINES = 20
const SHOWN_CHARACTERS = 200
/** An unclosed quote would take in the whole rest of the file. */
const MAX_ROW_BYTES = 64 * 1024
/** Beyond it there is no date (ECMA-262, time values), and writing one as text would throw. */
const LAST_DATE = 8.64e15

/** Reads `input` to its end and applies it in batches, each durable before the next is read. */
export async function importSuppressions(options: ImportOptions): Promise<ImportReport> {
  return new Import(options).run()
}

type Line = { readonly line: number } & ({ readonly row: Row } | { readonly text: string; readonly problem: string })

class Import {
  readonly #options: ImportOptions
  readonly #counts = { changed: 0, already: 0, skipped: 0, invalid: 0, protected: 0 }
  readonly #badLines: BadLine[] = []
  #format: ImportReport['format'] = 'unknown'
  #batch = new Map<string, Suppression>()

  constructor(options: ImportOptions) {
    this.#options = options
  }

  async run(): Promise<ImportReport> {
    const text = withoutBom(decoded(this.#options.input))
    const { head, whole } = await peeked(text)
    const lines = head.trimStart().startsWith('{') ? this.#jsonLines(whole) : this.#csvLines(whole, delimiterOf(head))
    for await (const line of lines) {
      if ('problem' in line) this.#bad(line)
      else this.#take(line.line, line.row)
      if (this.#batch.size >= BATCH) await this.#commit()
    }
    await this.#commit()
    return { format: this.#format, dryRun: this.#options.dryRun === true, ...this.#counts, badLines: this.#badLines }
  }

  #take(line: number, row: Row): void {
    const { folding, scope, list, mode } = this.#options
    const target = parseTarget(row.address, folding)
    if (target === undefined) {
      this.#bad({ line, text: row.address, problem: 'not a mail address' })
      return
    }
    if (![row.createdAt, row.expiresAt].every(isDate)) {
      this.#bad({ line, text: row.address, problem: 'a date that is none' })
      return
    }
    const entry = this.#entry(target, row)
    if (entry === undefined) {
      this.#counts.skipped++
      return
    }
    const there = list.get(scope, target)
    const isThere =
      there !== undefined && (mode === 'delete' || STAYS.has(standingOf(there, this.#options.clock.now())))
    if (this.#batch.has(target) || isThere !== (mode === 'delete')) this.#counts.already++
    else if (mode === 'delete' && there !== undefined && isProtected(there)) this.#counts.protected++
    else {
      this.#counts.changed++
      this.#batch.set(target, entry)
    }
  }

  /** Undefined for what is no reason to suppress; deleting takes every address named. */
  #entry(target: string, row: Row): Suppression | undefined {
    const { scope, who, clock, includeBlocks, mode } = this.#options
    const now = clock.now()
    const { reason, evidence } = this.#judged(row)
    const isKept = REASONS.find((known) => known === reason)
    if (mode !== 'delete') {
      if (row.isIdle === true || (isKept === undefined && includeBlocks !== true)) return undefined
      if (row.expiresAt !== undefined && row.expiresAt <= now) return undefined
    }
    return {
      scope,
      target,
      reason: isKept ?? 'imported',
      createdAt: Math.min(row.createdAt ?? now, now),
      who,
      ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }),
      ...(row.note === undefined ? {} : { note: row.note }),
      ...(evidence === undefined ? {} : { evidence }),
    }
  }

  #judged(row: Row): { reason: Row['reason']; evidence?: NonNullable<Suppression['evidence']> } {
    if (row.diagnostic === undefined) return { reason: row.reason }
    const { code = 0, enhanced, diagnostic } = row
    // No list says which command was answered; recipients are nearly always refused at RCPT.
    const reply = {
      code,
      lines: [diagnostic.replace(/^\s*[245]\d\d[ -]/, '')],
      ...(enhanced === undefined ? {} : { enhanced }),
    }
    const cause: Cause = { kind: 'reply', reply, command: 'RCPT' }
    const known = Object.hasOwn(CATEGORIES, row.category ?? '') ? (row.category as Category) : undefined
    const verdict = this.#options.classifier?.classify({ cause })
    const category = known ?? verdict?.category ?? 'other'
    // Our own export names the category: then the matter was decided once. Another's list is looked at.
    const isBlock = known === undefined && row.reason === 'hard_bounce' && verdict?.kind === 'block'
    const isSoft = known === undefined && row.reason === 'hard_bounce' && verdict?.kind === 'soft'
    return {
      reason: isBlock ? 'block' : isSoft ? 'soft' : row.reason,
      evidence: { rule: 'imported', category, code: CATEGORIES[category].code, cause },
    }
  }

  #bad({ line, text, problem }: BadLine): void {
    this.#counts.invalid++
    if (this.#badLines.length < SHOWN_BAD_LINES)
      this.#badLines.push({ line, text: text.slice(0, SHOWN_CHARACTERS), problem })
  }

  async #commit(): Promise<void> {
    const { list, scope, who, mode, dryRun } = this.#options
    const entries = [...this.#batch.values()]
    this.#batch = new Map()
    // A turn for everybody else: a dry run waits for no disk.
    await new Promise(setImmediate)
    if (dryRun === true || entries.length === 0) return
    await list.apply({ kind: mode ?? 'add', scope, entries, who })
  }

  async *#jsonLines(text: AsyncIterable<string>): AsyncGenerator<Line> {
    this.#format = 'jsonl'
    let line = 0
    for await (const each of linesOf(text)) {
      line++
      if (each.trim() === '') continue
      const row = jsonRow(each)
      yield row === undefined ? { line, text: each, problem: 'not a JSON object with an address' } : { line, row }
    }
  }

  async *#csvLines(text: AsyncIterable<string>, delimiter: string): AsyncGenerator<Line> {
    const broken: Line[] = []
    const parser = parse({
      delimiter,
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      max_record_size: MAX_ROW_BYTES,
      info: true,
      on_skip: (error) => {
        broken.push({ line: Number(error?.lines ?? 0), text: '', problem: error?.message ?? 'not CSV' })
        return undefined
      },
    })
    // Errors of either end come out of the parser, where they are awaited.
    pipeline(Readable.from(text), parser, () => {})
    let reading: Reading | undefined
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      yield* broken.splice(0)
      if (reading === undefined) {
        reading = readingFor(record)
        if (reading === undefined) {
          yield {
            line: 1,
            text: record.join(delimiter),
            problem: 'no column of addresses of a suppression list; nothing was read',
          }
          return
        }
        this.#format = reading.dialect
        if (reading.isHeader) continue
      }
      yield { line: info.lines, row: reading.row(record) }
    }
    yield* broken
  }
}

function isDate(at: number | undefined): boolean {
  return at === undefined || Math.abs(at) <= LAST_DATE
}

function jsonRow(text: string): Row | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return isOwnEntry(value) ? entryRow(value) : objectRow(value as Record<string, unknown>)
  } catch {
    // Not JSON: the line is reported as bad.
    return undefined
  }
}

/** A line of our own JSON export. Only what a row can say is taken from it. */
function isOwnEntry(value: object): value is Suppression {
  return (
    'target' in value &&
    typeof value.target === 'string' &&
    'reason' in value &&
    REASONS.some((reason) => reason === value.reason)
  )
}

function entryRow({ target, reason, createdAt, expiresAt, note, evidence, ...more }: Suppression): Row {
  const reply = evidence?.cause?.kind === 'reply' ? evidence.cause.reply : undefined
  return {
    address: target,
    reason,
    ...(typeof createdAt === 'number' ? { createdAt } : {}),
    ...(typeof expiresAt === 'number' ? { expiresAt } : {}),
    ...(typeof note === 'string' ? { note } : {}),
    ...(more.pendingUntil === undefined && more.reactivated === undefined ? {} : { isIdle: true }),
    ...(typeof evidence?.category === 'string' ? { category: evidence.category } : {}),
    ...(typeof reply?.code === 'number' && Array.isArray(reply.lines)
      ? {
          code: reply.code,
          diagnostic: reply.lines.join(' '),
          ...(reply.enhanced === undefined ? {} : { enhanced: String(reply.enhanced) }),
        }
      : {}),
  }
}

async function* decoded(input: ImportInput): AsyncGenerator<string> {
  if (typeof input === 'string') {
    yield input
    return
  }
  const decoder = new StringDecoder('utf8')
  for await (const chunk of input) yield typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk))
  yield decoder.end()
}

async function* withoutBom(text: AsyncIterable<string>): AsyncGenerator<string> {
  let isFirst = true
  for await (const chunk of text) {
    if (chunk === '') continue
    yield isFirst && chunk.startsWith('\ufeff') ? chunk.slice(1) : chunk
    isFirst = false
  }
}

/** The first line, and the whole text again. */
async function peeked(text: AsyncGenerator<string>): Promise<{ head: string; whole: AsyncIterable<string> }> {
  let head = ''
  while (!head.trimStart().includes('\n') && head.length < MAX_ROW_BYTES) {
    const next = await text.next()
    if (next.done === true) break
    head += next.value
  }
  async function* whole(): AsyncGenerator<string> {
    yield head
    yield* text
  }
  return { head, whole: whole() }
}

function delimiterOf(head: string): string {
  const firstLine = head.trimStart().split('\n', 1)[0] ?? ''
  const counted = [',', ';', '\t'].map((delimiter) => ({ delimiter, count: firstLine.split(delimiter).length }))
  return counted.reduce((best, each) => (each.count > best.count ? each : best)).delimiter
}

async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of text) {
    const lines = (rest + chunk).split(/\r?\n/)
    rest = lines.pop() ?? ''
    yield* lines
    // A line without end is one bad line, not all memory.
    if (rest.length > MAX_ROW_BYTES) rest = rest.slice(0, MAX_ROW_BYTES)
  }
  if (rest !== '') yield rest
}
