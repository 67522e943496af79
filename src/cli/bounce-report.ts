// `studs bounce list|show|raw|review|ingest`: the reports that came back, and what a person decides of those that no
// machine should.

import { type Command, Option } from 'commander'
import { MAX_PAGE } from '../http/input.ts'
import type { MailInput, Operations, Report, ReportDecision, ReportQuery } from '../http/operations.ts'
import { OperationError } from '../http/problem.ts'
import { REPORT_OUTCOMES, type ReportOutcome } from '../reports/report-entry.ts'
import { positiveInteger, whoAmI } from './argument.ts'
import { decidedText, followedText, reportLines, reportTable, reviewTable } from './bounce-report-view.ts'
import { forEachNamed } from './each.ts'
import { openFile } from './file.ts'
import { CliError, EXIT, type Io } from './io.ts'
import type { Page } from './output.ts'
import { type Session, type Tools, withRelay } from './session.ts'
import { printable } from './terminal.ts'

interface ListOptions {
  readonly review?: boolean
  readonly outcome?: ReportOutcome
  readonly tenant?: string
  readonly message?: string
  readonly address?: string
  readonly limit: number
}

export function addReportCommands(bounce: Command, io: Io, { version }: Tools): void {
  bounce
    .command('list')
    .description('List the reports that came back, newest first')
    .option('--review', 'only those a person should look at')
    .addOption(new Option('--outcome <outcome>', 'only those that led to this').choices(REPORT_OUTCOMES))
    .option('--tenant <name>', 'only about mail of this tenant')
    .option('--message <id>', 'only about this message')
    .option('--address <address>', 'only about this recipient, or naming it')
    .option('--limit <count>', 'how many', positiveInteger, 50)
    .action((options: ListOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => list(session, options, reportTable)),
    )
  bounce
    .command('show')
    .description('Show everything known of a report')
    .argument('<id>', 'report id')
    .action((id: string, _options: object, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        output.item(await found(await operations.report(id), id, operations), reportLines)
      }),
    )
  bounce
    .command('raw')
    .description('Write the mail that came back, as it was kept')
    .argument('<id>', 'report id')
    .action((id: string, _options: object, command: Command) =>
      withRelay({ command, io, version }, (session) => raw(session, id)),
    )
  bounce
    .command('ingest')
    .description('Take mails as if they had come back by themselves')
    .argument('<files...>', 'one mail each; - reads one from standard input')
    .action((files: string[], _options: object, command: Command) =>
      withRelay({ command, io, version }, (session) => ingest(session, files)),
    )
  addReviewCommands(bounce, io, { version })
}

function addReviewCommands(bounce: Command, io: Io, { version }: Tools): void {
  const review = bounce.command('review').description('Reports that a person should look at')
  review
    .command('list')
    .description('List those that wait, newest first')
    .option('--limit <count>', 'how many', positiveInteger, 50)
    .action(({ limit }: ListOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => list(session, { review: true, limit }, reviewTable)),
    )
  const decisions: readonly [ReportDecision, string][] = [
    ['accept', 'Let reports act on the recipient found'],
    ['dismiss', 'Put reports aside; nothing follows'],
  ]
  for (const [decision, description] of decisions) {
    review
      .command(decision)
      .description(description)
      .argument('<ids...>', 'report ids')
      .action((ids: string[], _options: object, command: Command) =>
        withRelay({ command, io, version }, (session) => decide(session, ids, decision)),
      )
  }
}

async function list(
  { operations, output }: Session,
  { limit, ...filter }: ListOptions,
  tableOf: (reports: readonly Report[], page: Page) => string[],
): Promise<void> {
  const reports: Report[] = []
  let cursor: string | undefined
  do {
    const page = await operations.reports(queryOf(filter, Math.min(MAX_PAGE, limit - reports.length), cursor))
    reports.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== undefined && reports.length < limit)
  output.items(reports, (items, page) => (items.length === 0 ? ['None.'] : tableOf(items, page)))
  if (cursor !== undefined) output.note(`There may be more; --limit ${limit * 10} shows more of them.`)
}

function queryOf(filter: Omit<ListOptions, 'limit'>, limit: number, cursor: string | undefined): ReportQuery {
  return { ...filter, limit, ...(cursor === undefined ? {} : { cursor }) }
}

async function found<T>(value: T | undefined, id: string, operations: Operations): Promise<T> {
  if (value !== undefined) return value
  const hint = (await operations.message(id)) === undefined ? '' : ` It is a message: studs message ${id}`
  throw new CliError(EXIT.notFound, `There is no report ${id}.${hint}`)
}

async function raw({ operations, output, io, options }: Session, id: string): Promise<void> {
  const mail = await operations.reportMail(id)
  if (mail === undefined) {
    await found(await operations.report(id), id, operations)
    throw new CliError(EXIT.notFound, `The mail of the report ${id} is not kept any more (bounce.keep_raw).`)
  }
  const bytes = Buffer.from(mail.buffer, mail.byteOffset, mail.byteLength)
  if (options.json === true) output.item({ id, encoding: 'base64', raw: bytes.toString('base64') }, () => [])
  // For a file every byte as it is; for the eye nothing that steers the terminal.
  else if (io.isTty) io.out(`${bytes.toString().split(/\r?\n/).map(printable).join('\n')}\n`)
  else io.outBytes(bytes)
}

function ingest({ operations, output, io }: Session, files: readonly string[]): Promise<void> {
  const named = (file: string): string => (files.length > 1 ? `${file}: ` : '')
  return forEachNamed(files, { output, signal: io.signal, named }, async (file) => {
    const report = await ingested(operations, await mailFrom(file, io))
    output.done(report, `${named(file)}report ${report.id}: ${followedText(report)}`)
  })
}

/** Opened before the relay is asked: a file that is not there is no failure of the relay. */
async function mailFrom(file: string, io: Io): Promise<MailInput> {
  return file === '-' ? io.input() : (await openFile(file)).createReadStream()
}

/** A mail that is none (empty, say) is a failure of this mail; the command line was right. */
async function ingested(operations: Operations, mail: MailInput): Promise<Report> {
  try {
    return await operations.ingestReport(mail, whoAmI())
  } catch (error) {
    if (error instanceof OperationError && error.code === 'invalid')
      throw new CliError(EXIT.failed, error.message, { cause: error })
    throw error
  }
}

function decide({ operations, output, io }: Session, ids: readonly string[], decision: ReportDecision): Promise<void> {
  return forEachNamed(ids, { output, signal: io.signal }, async (id) => {
    const report = await found(await decided(operations, id, decision), id, operations)
    output.done(report, `${id}: ${decidedText(report, decision)}`)
  })
}

function decided(operations: Operations, id: string, decision: ReportDecision): Promise<Report | undefined> {
  return operations.decideReport(id, decision, whoAmI())
}
