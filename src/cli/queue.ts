// `studs queue`: what waits and why, and the operator's hand on it. Changes are selected by ids or by a filter; the whole
// queue only with --all, and what cannot be taken back only with --yes.

import { type Command, Option } from 'commander'
import { isRecipientKey, SUMMARY_KEYS } from '../http/input.ts'
import type { Operations, QueueAction, QueueChange, QueueEntry } from '../http/operations.ts'
import { durationMs, positiveInteger, whoAmI } from './argument.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { queueDetail, queueTable, summaryTable } from './queue-view.ts'
import { type Session, type Tools, withRelay } from './session.ts'
import { counted } from './time.ts'

interface FilterOptions {
  readonly tenant?: string
  readonly domain?: string
  readonly sender?: string
  readonly older?: number
  readonly held?: boolean
  readonly waiting?: boolean
}
interface ChangeOptions extends FilterOptions {
  readonly all?: boolean
  readonly reason?: string
}

const PAGE = 500

export function addQueueCommands(program: Command, io: Io, { version }: Tools): void {
  const queue = program.command('queue').description("What waits to be sent, and the operator's hand on it")
  withFilter(queue.command('list').description('List waiting and held recipients'))
    .option('--limit <count>', 'how many', positiveInteger, 50)
    .action((options: FilterOptions & { limit: number }, command: Command) =>
      withRelay({ command, io, version }, (session) => list(session, options)),
    )
  queue
    .command('show')
    .description('Show where each recipient of a message stands')
    .argument('<id>', 'message id, or id.n')
    .action((id: string, _options: object, command: Command) =>
      withRelay({ command, io, version }, (session) => show(session, id)),
    )
  queue
    .command('summary')
    .description('Count the queue by domain, tenant or state')
    .addOption(new Option('--by <key>', 'what to count by').choices(SUMMARY_KEYS).default('domain'))
    .action(({ by }: { by: (typeof SUMMARY_KEYS)[number] }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        output.items(await operations.queueSummary(by), (rows, page) => summaryTable(rows, by, page))
      }),
    )
  for (const words of ACTIONS) addChange(queue, { io, version, words })
}

interface ActionWords {
  readonly action: QueueAction
  readonly description: string
  readonly done: string
  /** Cannot be taken back: a filter needs --yes. */
  readonly isFinal?: true
}

const ACTIONS: readonly ActionWords[] = [
  { action: 'retry', description: 'Try now what waits for its next attempt', done: 'will be tried now' },
  { action: 'hold', description: 'Keep back until released', done: 'held' },
  { action: 'release', description: 'Let go what was held', done: 'released' },
  { action: 'drop', description: 'Take out of the queue, telling nobody', done: 'dropped', isFinal: true },
  {
    action: 'bounce',
    description: 'Take out of the queue and report the failure to the sender',
    done: 'bounced',
    isFinal: true,
  },
]

function addChange(queue: Command, { io, version, words }: { io: Io; words: ActionWords } & Tools): void {
  withFilter(queue.command(words.action).description(words.description))
    .argument('[ids...]', 'message ids, or id.n for one recipient')
    .option('--all', 'the whole queue')
    .option('--reason <text>', 'why; kept in the journal')
    .action((ids: string[], options: ChangeOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => change(session, { words, ids, options })),
    )
}

function withFilter(command: Command): Command {
  return command
    .option('--tenant <name>', 'only this tenant')
    .option('--domain <domain>', 'only this recipient domain')
    .option('--sender <address>', 'only this envelope sender; "" is the null sender')
    .option('--older <duration>', 'only messages accepted longer ago, e.g. 2h', durationMs)
    .addOption(new Option('--held', 'only held recipients').conflicts('waiting'))
    .option('--waiting', 'only waiting recipients')
}

function filterOf({ tenant, domain, sender, older, held, waiting }: FilterOptions): NonNullable<QueueChange['filter']> {
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(domain === undefined ? {} : { domain }),
    ...(sender === undefined ? {} : { sender }),
    ...(older === undefined ? {} : { older_than_ms: older }),
    ...(held === true ? { state: 'held' as const } : waiting === true ? { state: 'waiting' as const } : {}),
  }
}

async function list({ operations, output }: Session, options: FilterOptions & { limit: number }): Promise<void> {
  const entries: QueueEntry[] = []
  let cursor: string | undefined
  do {
    const limit = Math.min(PAGE, options.limit - entries.length)
    const page = await operations.queue({ ...filterOf(options), limit, ...(cursor === undefined ? {} : { cursor }) })
    entries.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== undefined && entries.length < options.limit)
  output.items(entries, (items, page) => (items.length === 0 ? ['The queue is empty.'] : queueTable(items, page)))
  if (cursor !== undefined) output.note(`There are more; --limit ${options.limit * 10} shows more of them.`)
}

async function show({ operations, output }: Session, key: string): Promise<void> {
  const [id = '', n] = key.split('.')
  const message = await operations.message(id)
  const to = message?.to.filter((recipient) => n === undefined || recipient.n === Number(n))
  if (message === undefined || to === undefined || to.length === 0)
    throw new CliError(EXIT.notFound, `There is no ${key} in the store.`)
  output.item({ ...message, to }, queueDetail)
}

async function change(
  session: Session,
  given: { words: ActionWords; ids: readonly string[]; options: ChangeOptions },
): Promise<void> {
  const { words, ids, options } = given
  const filter = filterOf(options)
  const hasFilter = Object.keys(filter).length > 0
  if ([ids.length > 0, hasFilter, options.all === true].filter(Boolean).length !== 1) {
    throw new CliError(
      EXIT.usage,
      `Say what to ${words.action}: ids, or a filter such as --domain, or --all for the whole queue.`,
    )
  }
  if (session.options.yes !== true && (options.all === true || (words.isFinal && ids.length === 0))) {
    const preview = await countMatches(session.operations, filter)
    throw new CliError(EXIT.usage, `This would ${words.action} ${preview}. Add --yes to do it.`)
  }
  const unheardOf = ids.find((id) => !isRecipientKey(id))
  if (unheardOf !== undefined) throw new CliError(EXIT.notFound, `There is no ${unheardOf} in the queue.`)
  const selection = ids.length > 0 ? { ids: [...ids] } : hasFilter ? { filter } : { all: true as const }
  const blame = { who: whoAmI(), reason: options.reason ?? 'by hand' }
  const result = await session.operations.changeQueue(words.action, { ...selection, ...blame })
  if (result.count === 0) throw new CliError(EXIT.notFound, `There was nothing to ${words.action}.`)
  session.output.done(result, `${counted(result.count, 'recipient')} ${words.done}.`)
}

/** Enough to know what one is about to do; a huge queue is not read to its end for it. */
async function countMatches(operations: Operations, filter: NonNullable<QueueChange['filter']>): Promise<string> {
  const { items, next_cursor } = await operations.queue({ ...filter, limit: 1000 })
  return next_cursor === undefined
    ? counted(items.length, 'recipient')
    : `more than ${counted(items.length, 'recipient')}`
}
