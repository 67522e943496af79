// `studs config`: check, show, describe. Works on the files alone; no running relay is needed or asked.

import type { Command } from 'commander'
import { describeSection, type SectionText } from '../config/describe.ts'
import { markdownReference } from '../config/describe-markdown.ts'
import { tomlReference } from '../config/describe-toml.ts'
import type { Origin } from '../config/document.ts'
import { optionsOf, tomlValue } from '../config/effective.ts'
import {
  ConfigError,
  environment,
  formatProblem,
  type LoadedSettings,
  loadSettings,
  type Problem,
} from '../config/load.ts'
import type { Remainder } from '../config/problem.ts'
import { checkNamedFiles } from './config-files.ts'
import { EXIT } from './io.ts'

const WIDEST_COLUMN = 72

export interface ConfigIo {
  out(text: string): void
  err(text: string): void
  /** Sets the exit code of the command; may throw. */
  fail(code: number): void
  /** Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: the working directory of the process. */
  readonly cwd?: string
}

interface Options {
  readonly file?: string
  /** The global option, for those who are used to it. */
  readonly config?: string
  readonly json?: boolean
  readonly toml?: boolean
  readonly markdown?: boolean
}

export function addConfigCommands(program: Command, io: ConfigIo): void {
  const config = program.command('config').description('Check, show and explain the configuration')
  config
    .command('check')
    .description('Say everything that is wrong with the configuration; exit code 1 if anything is')
    .option('--file <file>', 'the file to check instead of the one that would be used')
    .action((_options: Options, command: Command) => check(command.optsWithGlobals(), io))
  config
    .command('show')
    .description('Show every effective option and where it comes from; secrets are hidden')
    .option('--file <file>', 'the file to read instead of the one that would be used')
    .option('--json', 'one JSON object per option')
    .action((_options: Options, command: Command) => show(command.optsWithGlobals(), io))
  config
    .command('describe')
    .description('Explain the options: all sections in brief, or one section or option in full')
    .argument('[section]', 'for example "delivery" or "delivery.mode"')
    .option('--toml', 'the whole reference as a commented configuration file')
    .option('--markdown', 'the whole reference as a Markdown page')
    .action((section: string | undefined, options: Options) => describe(section, options, io))
}

function check(options: Options, io: ConfigIo): void {
  const read = reading(options, io)
  const files = read.remainder === undefined ? { problems: [], warnings: [] } : checkNamedFiles(read.remainder)
  const problems = [...read.problems, ...files.problems]
  if (read.loaded === undefined || problems.length > 0) {
    for (const problem of problems) io.err(`${formatProblem(problem)}\n`)
    io.fail(EXIT.failed)
    return
  }
  const warnings = [...read.loaded.warnings.map(formatProblem), ...files.warnings]
  for (const warning of warnings) io.err(`warning: ${warning}\n`)
  const { length } = warnings
  const warned = length === 0 ? '' : ` (${length} ${length === 1 ? 'warning' : 'warnings'})`
  io.out(`${read.loaded.file ?? 'no file, defaults only'}: valid${warned}\n`)
}

function show(options: Options, io: ConfigIo): void {
  const loaded = load(options, io)
  if (loaded === undefined) return
  const rows = optionsOf(loaded.tree).map(({ path, label, value }) => ({ label, value, origin: loaded.origin(path) }))
  const lines = options.json === true ? rows.map(jsonRow) : textRows(rows)
  if (options.json !== true && loaded.file !== undefined) lines.unshift(`# ${loaded.file}`)
  io.out(`${lines.join('\n')}\n`)
}

interface Row {
  readonly label: string
  readonly value: unknown
  readonly origin: Origin
}

function jsonRow({ label, value, origin }: Row): string {
  return JSON.stringify({ key: label, value, origin })
}

function textRows(rows: readonly Row[]): string[] {
  const texts = rows.map(({ label, value }) => `${label} = ${tomlValue(value)}`)
  const width = Math.min(WIDEST_COLUMN, Math.max(...texts.map((text) => text.length)))
  return texts.map((text, at) => `${text.padEnd(width)}  # ${originText(rows[at]?.origin ?? { kind: 'default' })}`)
}

function originText(origin: Origin): string {
  if (origin.kind === 'file') return `line ${origin.line}`
  return origin.kind === 'env' ? `$${origin.variable}` : 'default'
}

function describe(section: string | undefined, options: Options, io: ConfigIo): void {
  const found = reference(section, options)
  if (found.kind === 'text') {
    io.out(found.text)
    return
  }
  const hint = found.suggestion === undefined ? 'see `studs config describe`' : `did you mean "${found.suggestion}"?`
  io.err(`There is no section or option "${section}"; ${hint}\n`)
  io.fail(EXIT.notFound)
}

function reference(section: string | undefined, { toml, markdown }: Options): SectionText {
  if (toml === true) return { kind: 'text', text: tomlReference() }
  if (markdown === true) return { kind: 'text', text: markdownReference() }
  return describeSection(section)
}

/** Undefined when the configuration is wrong: everything has then been said. */
function load(options: Options, io: ConfigIo): LoadedSettings | undefined {
  const { loaded, problems } = reading(options, io)
  if (loaded !== undefined) return loaded
  for (const problem of problems) io.err(`${formatProblem(problem)}\n`)
  io.fail(EXIT.usage)
  return undefined
}

interface Reading {
  readonly loaded?: LoadedSettings
  readonly problems: readonly Problem[]
  /** What of it can be looked at further. */
  readonly remainder?: Remainder | undefined
}

function reading({ file, config }: Options, io: ConfigIo): Reading {
  try {
    const loaded = loadSettings({
      file: file ?? config,
      env: io.env ?? environment(),
      ...(io.cwd !== undefined && { cwd: io.cwd }),
    })
    return { loaded, problems: [], remainder: loaded }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { problems: error.problems, remainder: error.remainder }
  }
}
