// `studs bounce parse`: what Studs reads in mails that came back, and what its rules and the operator's make of it. Needs
// neither relay nor store. Thousands of files pass one by one: memory is that of one mail.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Command } from 'commander'
import { parseReport } from '../bounce/parse.ts'
import type { ParsedReport } from '../bounce/report.ts'
import { type Summary, summaryOf } from '../bounce/summary.ts'
import { toWire, type Wire } from '../http/wire.ts'
import { classifierFor } from './bounce-classifier.ts'
import { kindAndFamily, namedLines } from './bounce-report-view.ts'
import { forEachNamed } from './each.ts'
import { openFile, unreadable } from './file.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { createOutput, type Page } from './output.ts'
import type { GlobalOptions } from './session.ts'
import { wrap } from './terminal.ts'

interface ParseOptions extends GlobalOptions {
  readonly filesFrom?: string
  readonly rules?: string
}

/** More than the parser looks at: it sees for itself that a mail is too long. */
const READ_AT_MOST = 8 * 1024 * 1024

export function addParseCommand(bounce: Command, io: Io): void {
  bounce
    .command('parse')
    .description('Say what reports tell, without keeping them')
    .argument('[files...]', 'one mail each; - reads one from standard input')
    .option('--files-from <file>', 'names of further files, one a line; - reads them from standard input')
    .option('--rules <file>', "an operator's rules to ask first, instead of those of the configuration")
    .action(async (files: string[], _options: object, command: Command) => {
      const options = command.optsWithGlobals<ParseOptions>()
      const { filesFrom, rules } = options
      if (files.length === 0 && filesFrom === undefined)
        throw new CliError(EXIT.usage, 'Name the files to read, or - for standard input.')
      if (filesFrom === '-' && files.includes('-'))
        throw new CliError(EXIT.usage, 'Standard input cannot be both a mail and a list of files.')
      const output = createOutput(io, options)
      const classifier = classifierFor({ rules, doing: 'read', command, io, output })
      const named = (file: string): string => `${file}: `
      await forEachNamed(namesFrom(files, filesFrom, io), { output, signal: io.signal, named }, async (file) => {
        // Lets Ctrl-C through: reading and parsing never wait for anything.
        await new Promise((resolve) => setImmediate(resolve))
        const report = parseReport(file === '-' ? await readInput(io) : readFile(file))
        const summary = summaryOf(report, classifier)
        if (options.json === true) output.item({ file, ...summary }, () => [])
        else output.item(told(file, report, summary), toldLines)
      })
    })
}

async function* namesFrom(files: readonly string[], list: string | undefined, io: Io): AsyncGenerator<string> {
  yield* files
  if (list === undefined) return
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of list === '-' ? io.input() : (await openFile(list)).createReadStream()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
  const last = rest.replace(/\r$/, '')
  if (last !== '') yield last
}

/** The beginning of a file, or of whatever else can be opened by a name. */
function readFile(file: string): Buffer {
  const opened = opening(file)
  try {
    const { size } = fstatSync(opened)
    // A pipe has no size.
    const bytes = Buffer.allocUnsafe(size === 0 ? READ_AT_MOST : Math.min(size, READ_AT_MOST))
    let used = 0
    while (used < bytes.length) {
      const count = readSync(opened, bytes, used, bytes.length - used, null)
      if (count === 0) break
      used += count
    }
    return bytes.subarray(0, used)
  } finally {
    closeSync(opened)
  }
}

function opening(file: string): number {
  try {
    return openSync(file, 'r')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

async function readInput(io: Io): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of io.input()) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= READ_AT_MOST) break
  }
  return Buffer.concat(chunks)
}

/** For people: what the report says itself beside what is made of it. */
interface Told {
  readonly file: string
  readonly report: Wire<ParsedReport>
  readonly verdicts: readonly string[]
}

function told(file: string, report: ParsedReport, { recipients }: Summary): Told {
  const verdicts = recipients.map(({ category, code, hard }) => `${category} (${code}${hard ? ', hard' : ''})`)
  return { file, report: toWire(report), verdicts }
}

function toldLines({ file, report, verdicts }: Told, page: Page): string[] {
  const { kind, family, subject, feedback, link, limit } = report
  const details = [
    ...(subject === '' ? [] : [subject]),
    ...(feedback === undefined ? [] : [`feedback: ${feedback.type}`]),
    ...(link === undefined ? [] : [`prove it at ${link}`]),
    ...(limit === undefined ? [] : [`only a part was read, up to the limit of ${limit}`]),
  ]
  return [
    `${page.paint('bold', file)}  ${kindAndFamily(kind, family)}`,
    ...details.flatMap((line) => wrap(line, page.width - 2).map((part) => `  ${page.paint('dim', part)}`)),
    ...report.recipients.flatMap((named, at) => {
      const verdict = verdicts[at]
      return [...namedLines(named, page), ...(verdict === undefined ? [] : [`    → ${verdict}`])]
    }),
    '',
  ]
}
