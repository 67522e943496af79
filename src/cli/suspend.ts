// `studs suspend`: keep mail back for a while, see what is kept back or slowed down, by people, by rules and by what was
// learned, and take it back. A reason and a duration are required: whoever finds it tomorrow must know why, and nothing may be forgotten for good.

import { Argument, type Command } from 'commander'
import { nearest } from '../config/suggest.ts'
import type { Suspension } from '../http/suspension-operations.ts'
import { SUSPENDABLE, type SuspensionKind } from '../throttle/suspensions.ts'
import { spanMs, whoAmI } from './argument.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { slowedText } from './limit-words.ts'
import type { Page } from './output.ts'
import { type Tools, withRelay } from './session.ts'
import { table } from './table.ts'
import { widthOf } from './terminal.ts'
import { dateTimeText, durationText } from './time.ts'

const ORDERED = SUSPENDABLE.filter((kind): kind is Ordered => kind !== 'slow')
type Ordered = Exclude<SuspensionKind, 'slow'>

// Columns of a table that is worth having, with the gaps before them.
const LEAST_BY = 24
const LEAST_WHY = 24

export function addSuspendCommands(program: Command, io: Io, { version }: Tools): void {
  const suspend = program
    .command('suspend')
    .description('Keep mail back: of a domain, a provider, a site, a source or a tenant; see what is slow')
  suspend
    .command('add')
    .description('Keep mail back for a while; a second time sets another end')
    .addArgument(new Argument('<kind>', 'whose mail').choices(ORDERED))
    .argument('<name>', 'a source or tenant may be bound at one place only: mta1@google')
    .requiredOption('--for <duration>', 'how long, e.g. 30m, 2h, 1d', spanMs)
    .requiredOption('--reason <text>', 'why; kept in the journal')
    .action((of: Ordered, name: string, options: { for: number; reason: string }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        const { for: duration_ms, reason } = options
        const made = await operations.suspend({ kind: of, name, reason, duration_ms, who: whoAmI() })
        const until = made.until === undefined ? '' : ` until ${dateTimeText(made.until)} UTC`
        // Mail of a source has others to leave from.
        const done =
          of === 'source' ? `Nothing leaves from the source ${made.name}` : `Mail of the ${of} ${made.name} waits`
        output.done(made, `${done}${until}.`)
      }),
    )
  suspend
    .command('rm')
    .alias('remove')
    .description('Let the mail go on; of a slow path: forget what slows it down')
    .addArgument(new Argument('<kind>', 'whose mail').choices(SUSPENDABLE))
    .argument('<name>')
    .requiredOption('--reason <text>', 'why; kept in the journal')
    .action((of: SuspensionKind, name: string, { reason }: { reason: string }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        const resumed = await operations.resume({ kind: of, name }, { reason, who: whoAmI() })
        if (resumed === undefined) throw notBound(of, name, await operations.suspensions())
        output.done(resumed, resumedText(of, resumed.name))
      }),
    )
  suspend
    .command('list')
    .description('List what is suspended or slow, by whom and why')
    .action((_options: object, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) =>
        output.items(await operations.suspensions(), (items, page) =>
          items.length === 0 ? ['Nothing is suspended.'] : suspensionTable(items, page),
        ),
      ),
    )
}

function notBound(of: SuspensionKind, name: string, all: readonly Suspension[]): CliError {
  const near = nearest(
    name,
    all.filter(({ kind }) => kind === of).map((each) => each.name),
  )
  const sentence = of === 'slow' ? `No path ${name} is slow` : `The ${of} ${name} is not suspended`
  return new CliError(EXIT.notFound, near === undefined ? `${sentence}.` : `${sentence}; did you mean ${near}?`)
}

function resumedText(of: SuspensionKind, name: string): string {
  if (of === 'slow') return `The path ${name} is free again.`
  return of === 'source' ? `Mail leaves from the source ${name} again.` : `Mail of the ${of} ${name} goes on.`
}

/** Whole names: they are what `rm` wants. Where they leave too little room, who and why stand below. */
export function suspensionTable(items: readonly Suspension[], page: Page): string[] {
  const columns = [
    { title: 'WHOSE', value: (each: Suspension) => `${each.kind} ${each.name}` },
    { title: 'STILL', align: 'right', value: (each: Suspension) => stillText(each, page) },
    { title: 'SINCE', value: ({ since }: Suspension) => dateTimeText(since) },
    { title: 'PACE', value: paceText },
    { title: 'BY', value: ({ who }: Suspension) => who, least: 8 },
    { title: 'WHY', value: ({ why }: Suspension) => why, least: LEAST_WHY, long: 'wrap' },
  ] as const
  const names = table(items, columns.slice(0, 4), { ...page, isFile: true })
  if (page.isFile === true || Math.max(...names.map(widthOf)) + LEAST_BY + LEAST_WHY <= page.width)
    return table(items, columns, page)
  const reason = { title: '', value: reasonText, long: 'below' } as const
  return table(items, [{ ...columns[0], least: 16, long: 'wrap' }, columns[1], columns[3], reason], page)
}

function reasonText({ who, since, why }: Suspension): string {
  return `${who}, ${dateTimeText(since)}: ${why}`
}

function stillText({ until }: Suspension, { now }: Page): string {
  return until === undefined ? '–' : durationText(Date.parse(until) - now)
}

/** `12/min, usually 10/s`: now, and before. `1/min, 1 connection`: by a rule. */
export function paceText({ kind, pace, usual, connections }: Suspension): string {
  if (kind !== 'slow') return 'none'
  const now = slowedText({
    ...(pace !== undefined && { rate: pace }),
    ...(connections !== undefined && { connections }),
  })
  return usual === undefined ? now : `${now}, usually ${usual}`
}
