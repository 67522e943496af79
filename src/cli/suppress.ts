// `studs suppress`: who must not be mailed. Entries belong to a tenant, or with --everybody to all of them.

import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { MAX_CHECKED_ADDRESSES } from '../http/input.ts'
import type { ImportOptions, SuppressionEntry, SuppressionQuery } from '../http/operations.ts'
import { EXPORT_FORMATS, type ExportFormat } from '../suppression/export.ts'
import type { ImportInput } from '../suppression/import.ts'
import { GLOBAL_SCOPE, REASONS } from '../suppression/suppression.ts'
import { durationMs, positiveInteger, whoAmI } from './argument.ts'
import { openFile } from './file.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { type Session, type Tools, withRelay } from './session.ts'
import { forWhom, maybeScope, type ScopeOptions, scoped, scopeOf, tenantOf } from './suppress-scope.ts'
import { addUndoCommand } from './suppress-undo.ts'
import { checkTable, importLines, storiesLines, suppressionTable } from './suppress-view.ts'
import { printable } from './terminal.ts'
import { dateText } from './time.ts'

interface AddOptions extends ScopeOptions {
  readonly reason: (typeof REASONS)[number]
  readonly expires?: number
  readonly note?: string
}
interface RemoveOptions extends ScopeOptions {
  readonly reason?: string
  readonly force?: boolean
  readonly forget?: boolean
}
interface ListOptions extends ScopeOptions {
  readonly reason?: (typeof REASONS)[number]
  readonly domain?: string
  readonly since?: number
  readonly search?: string
  readonly pending?: boolean
  readonly limit: number
}
interface ExportOptions extends ScopeOptions {
  readonly format: ExportFormat
}
interface ImportFlags extends ScopeOptions {
  readonly includeBlocks?: boolean
  readonly delete?: boolean
}

const PAGE = 500
const STANDINGS_EXPLAINED = [
  ['pending_until', 'pending: learned in a surge; it keeps no mail back until a further failure confirms it.'],
  ['reactivated', 'half-open: mail goes one message at a time until one has got through.'],
] as const

export function addSuppressCommands(program: Command, io: Io, { version }: Tools): void {
  const suppress = program.command('suppress').description('Who must not be mailed, and why')
  const reason = (): Option => new Option('--reason <reason>', 'kind of entry').choices(REASONS)
  scoped(suppress.command('add').description('Suppress an address, or a whole domain as @domain'), 'default')
    .argument('<address>')
    .addOption(reason().default('manual'))
    .option('--expires <duration>', 'for so long only, e.g. 30d', durationMs)
    .option('--note <text>', 'why; kept with the entry')
    .action((address: string, options: AddOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => add(session, address, options)),
    )
  scoped(
    suppress.command('rm').alias('remove').description('Let an address be mailed again, one message at a time first'),
    'the one for which the address is suppressed',
  )
    .argument('<address>')
    .option('--reason <text>', 'why; kept with the entry and in the journal')
    .option('--force', 'also when the recipient complained or unsubscribed; needs --reason')
    .option('--forget', 'at once, as if nothing had been learned of it')
    .action((address: string, options: RemoveOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => remove(session, address, options)),
    )
  scoped(suppress.command('check').description('Say for each address whether it would be mailed'), 'all of them')
    .argument('[addresses...]', 'without any, standard input is read, one a line')
    .action((addresses: string[], options: ScopeOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => check(session, addresses, options)),
    )
  scoped(suppress.command('list').description('List entries'), 'all of them')
    .addOption(reason())
    .option('--domain <domain>', 'only addresses of this domain')
    .option('--since <duration>', 'only entries made in this time, e.g. 7d', durationMs)
    .option('--search <text>', 'only addresses that contain this')
    .option('--pending', 'only entries from a surge, which keep no mail back yet')
    .option('--limit <count>', 'how many', positiveInteger, 50)
    .action((options: ListOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => list(session, options)),
    )
  scoped(suppress.command('why').description('Tell why an address is suppressed, with the evidence'), 'all of them')
    .argument('<address>')
    .action((address: string, options: ScopeOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => why(session, address, options)),
    )
  scoped(
    suppress.command('import').description('Add the entries of a CSV file; shows what would happen unless --yes'),
    'default',
  )
    .argument('<file>', '- reads standard input')
    .option('--include-blocks', 'also blocks and soft failures, which are no reason to suppress')
    .option('--delete', 'remove the addresses of the file instead of adding them')
    .action((file: string, options: ImportFlags, command: Command) =>
      withRelay({ command, io, version }, (session) => importFile(session, file, options)),
    )
  scoped(suppress.command('export').description('Write all entries to standard output'), 'all of them')
    .addOption(
      new Option('--format <format>', 'for Studs itself (csv, jsonl) or another service')
        .choices(EXPORT_FORMATS)
        .default('csv'),
    )
    .action((options: ExportOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => exportAll(session, options)),
    )
  addUndoCommand(suppress, io, { version })
}

async function add({ operations, output, io }: Session, address: string, options: AddOptions): Promise<void> {
  const { reason, expires, note } = options
  const result = await operations.suppress(address, {
    scope: scopeOf(options),
    reason,
    who: whoAmI(),
    ...(expires === undefined ? {} : { expires_at: new Date(io.clock.now() + expires).toISOString() }),
    ...(note === undefined ? {} : { note }),
  })
  const { target, scope, reason: because, created_at } = result.entry
  const until = result.entry.expires_at === undefined ? '' : ` until ${dateText(result.entry.expires_at)}`
  const sentence =
    result.result === 'added'
      ? `${target} is suppressed ${forWhom(scope)}${until}.`
      : `${target} was suppressed already ${forWhom(scope)} (${because}, ${dateText(created_at)}).`
  output.done(result, sentence)
}

async function remove({ operations, output }: Session, address: string, options: RemoveOptions): Promise<void> {
  const scope = maybeScope(options)
  if (options.force === true && options.reason === undefined)
    throw new CliError(EXIT.usage, 'Somebody asked not to be mailed: --force needs a --reason.')
  const { reason = 'by hand', force = false, forget = false } = options
  const removal = { who: whoAmI(), reason, force, forget, ...(scope === undefined ? {} : { scope }) }
  const removed = await operations.unsuppress(address, removal)
  if (removed === undefined) throw new CliError(EXIT.notFound, `${address} is not suppressed ${forWhom(scope)}.`)
  const alone = ' The next message goes alone; once it has got through, so do the others.'
  output.done(
    { address, ...removed },
    `${address} may be mailed again ${forWhom(removed.scope)}.${removed.result === 'half-open' ? alone : ''}`,
  )
  if (removed.scope === GLOBAL_SCOPE || address.startsWith('@')) return
  const [still] = await operations.checkAddresses([address], removed.scope)
  if (still?.entry !== undefined) output.note(`But ${stillLine(still.entry)}`)
}

/** What else keeps an address from being mailed. */
function stillLine({ target, scope, reason }: SuppressionEntry): string {
  return `${target} is suppressed ${forWhom(scope)} too (${reason}).`
}

async function check(
  { operations, output, io }: Session,
  given: readonly string[],
  options: ScopeOptions,
): Promise<void> {
  const tenant = tenantOf(options)
  const addresses = given.length > 0 ? given : (await io.readAll()).split(/\r?\n/).filter((line) => line.trim() !== '')
  if (addresses.length === 0) throw new CliError(EXIT.usage, 'There are no addresses to check.')
  for (let at = 0; at < addresses.length; at += MAX_CHECKED_ADDRESSES) {
    output.items(await operations.checkAddresses(addresses.slice(at, at + MAX_CHECKED_ADDRESSES), tenant), checkTable)
  }
}

async function list({ operations, output, io }: Session, options: ListOptions): Promise<void> {
  const { reason, domain, since, search, pending, limit } = options
  const scope = maybeScope(options)
  const query: SuppressionQuery = {
    ...(scope === undefined ? {} : { scope }),
    ...(reason === undefined ? {} : { reason }),
    ...(domain === undefined ? {} : { domain }),
    ...(since === undefined ? {} : { since: new Date(io.clock.now() - since).toISOString() }),
    ...(search === undefined ? {} : { q: search }),
    ...(pending === true ? { standing: 'pending' as const } : {}),
  }
  const entries: SuppressionEntry[] = []
  let cursor: string | undefined
  do {
    const page = await operations.suppressions({
      ...query,
      limit: Math.min(PAGE, limit - entries.length),
      ...(cursor === undefined ? {} : { cursor }),
    })
    entries.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== undefined && entries.length < limit)
  output.items(entries, (items, page) => (items.length === 0 ? ['Nobody.'] : suppressionTable(items, page)))
  for (const [standing, meaning] of STANDINGS_EXPLAINED)
    if (entries.some((entry) => entry[standing] !== undefined)) output.note(meaning)
  if (cursor !== undefined) output.note(`There may be more; --limit ${limit * 10} shows more of them.`)
}

async function why({ operations, output }: Session, address: string, options: ScopeOptions): Promise<void> {
  output.items(await operations.whySuppressed(address, tenantOf(options)), storiesLines)
}

async function importFile(session: Session, file: string, options: ImportFlags): Promise<void> {
  const { operations, output, io } = session
  const isReal = session.options.yes === true
  const given: ImportOptions = {
    scope: scopeOf(options),
    include_blocks: options.includeBlocks === true,
    mode: options.delete === true ? 'delete' : 'add',
    dry_run: !isReal,
    who: `import:${file === '-' ? 'stdin' : basename(file)}`,
  }
  const report = await operations.importSuppressions(await inputFrom(file, io), given)
  output.item(report, (each, page) => importLines(each, forWhom(scopeOf(options)), page))
  if (!isReal) output.note('Nothing was changed yet. Add --yes to import.')
}

/** Opened before anything is asked of the relay: a file that is not there is no failure of the relay. */
async function inputFrom(file: string, io: Io): Promise<ImportInput> {
  return file === '-' ? io.readAll() : (await openFile(file)).createReadStream()
}

async function exportAll({ operations, io }: Session, options: ExportOptions): Promise<void> {
  const scope = maybeScope(options)
  for await (const piece of operations.exportSuppressions({
    format: options.format,
    ...(scope === undefined ? {} : { scope }),
  })) {
    // For a file every byte as it is; for the eye nothing that steers the terminal.
    io.out(
      io.isTty
        ? piece
            .split(/(\r?\n)/)
            .map((part, at) => (at % 2 === 1 ? '\n' : printable(part)))
            .join('')
        : piece,
    )
  }
}
