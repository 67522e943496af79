// `studs suspend`: keep mail back for a while, see what is kept back or slowed down, by people, by rules and by what was
// learned, and take it back. A reason and a duration are required: whoever finds it tomorrow must know why, and nothing may be forgotten for good.

import { Argument, type Command } from 'commander'
import type { Suspension } from '../http/suspension-operations.ts'
import { SUSPENDABLE, type SuspensionKind } from '../queue/suspensions.ts'
import { durationMs, whoAmI } from './argument.ts'
import { CliError, EXIT, type Io } from './io.ts'
import type { Page } from './output.ts'
import { type Tools, withRelay } from './session.ts'
import { table } from './table.ts'
import { dateTimeText, durationText } from './time.ts'

const ORDERED = SUSPENDABLE.filter((kind): kind is Ordered => kind !== 'slow')
type Ordered = Exclude<SuspensionKind, 'slow'>

export function addSuspendCommands(program: Command, io: Io, { version }: Tools): void {
  const suspend = program
    .command('suspend')
    .description('Keep mail back: of a domain, a provider, a site, a source or a tenant; see what is slow')
  suspend
    .command('add')
    .description('Keep mail back for a while; a second time sets another end')
    .addArgument(new Argument('<kind>', 'whose mail').choices(ORDERED))
    .argument('<name>', 'a source or tenant may be bound at one place only: mta1@google')
    .requiredOption('--for <duration>', 'how long, e.g. 30m, 2h, 1d', durationMs)
    .requiredOption('--reason <text>', 'why; kept in the journal')
    .action((of: Ordered, name: string, options: { for: number; reason: string }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        const { for: duration_ms, reason } = options
        const made = await operations.suspend({ kind: of, name, reason, duration_ms, who: whoAmI() })
        const until = made.until === undefined ? '' : ` until ${dateTimeText(made.until)} UTC`
        output.done(made, `Mail of the ${of} ${made.name} waits${until}.`)
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
        if (resumed === undefined)
          throw new CliError(
            EXIT.notFound,
            of === 'slow' ? `No path ${name} is slow.` : `The ${of} ${name} is not suspended.`,
          )
        const done =
          of === 'slow' ? `The path ${resumed.name} is free again.` : `Mail of the ${of} ${resumed.name} goes on.`
        output.done(resumed, done)
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

function suspensionTable(items: readonly Suspension[], page: Page): string[] {
  return table(
    items,
    [
      { title: 'WHOSE', value: (each) => `${each.kind} ${each.name}`, least: 16 },
      {
        title: 'STILL',
        align: 'right',
        value: ({ until }) => (until === undefined ? '-' : durationText(Date.parse(until) - page.now)),
      },
      { title: 'SINCE', value: ({ since }) => dateTimeText(since) },
      { title: 'PACE', value: paceText },
      { title: 'BY', value: ({ who }) => who, least: 8 },
      { title: 'WHY', value: ({ why }) => why, least: 12 },
    ],
    page,
  )
}

/** `12/min, usually 10/s`: now, and before. */
export function paceText({ kind, pace, usual, connections }: Suspension): string {
  if (kind !== 'slow') return 'none'
  const parts = [
    ...(pace === undefined ? [] : [usual === undefined ? pace : `${pace}, usually ${usual}`]),
    ...(connections === undefined ? [] : [`${connections} at a time`]),
  ]
  return parts.join(', ')
}
