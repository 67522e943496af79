// `studs suspend`: keep the mail of a domain, provider, source or tenant back for a while. A reason and a duration are
// required: whoever finds it tomorrow must know why, and nothing may be forgotten for good.

import { Argument, type Command } from 'commander'
import { SUSPENDABLE, type SuspensionKind } from '../queue/suspensions.ts'
import { durationMs, whoAmI } from './argument.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { type Tools, withRelay } from './session.ts'
import { table } from './table.ts'
import { dateTimeText, durationText } from './time.ts'

export function addSuspendCommands(program: Command, io: Io, { version }: Tools): void {
  const suspend = program
    .command('suspend')
    .description('Keep mail back: of a domain, a provider, a source or a tenant')
  const kind = (): Argument => new Argument('<kind>', 'whose mail').choices(SUSPENDABLE)
  suspend
    .command('add')
    .description('Keep mail back for a while; a second time sets another end')
    .addArgument(kind())
    .argument('<name>')
    .requiredOption('--for <duration>', 'how long, e.g. 30m, 2h, 1d', durationMs)
    .requiredOption('--reason <text>', 'why; kept in the journal')
    .action((of: SuspensionKind, name: string, options: { for: number; reason: string }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        const { for: duration_ms, reason } = options
        const made = await operations.suspend({ kind: of, name, reason, duration_ms, who: whoAmI() })
        output.done(made, `Mail of the ${of} ${made.name} waits until ${dateTimeText(made.until)} UTC.`)
      }),
    )
  suspend
    .command('rm')
    .alias('remove')
    .description('Let the mail go on')
    .addArgument(kind())
    .argument('<name>')
    .requiredOption('--reason <text>', 'why; kept in the journal')
    .action((of: SuspensionKind, name: string, { reason }: { reason: string }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        const resumed = await operations.resume({ kind: of, name }, { reason, who: whoAmI() })
        if (resumed === undefined) throw new CliError(EXIT.notFound, `The ${of} ${name} is not suspended.`)
        output.done(resumed, `Mail of the ${of} ${resumed.name} goes on.`)
      }),
    )
  suspend
    .command('list')
    .description('List what is suspended')
    .action((_options: object, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) =>
        output.items(await operations.suspensions(), (items, page) =>
          items.length === 0
            ? ['Nothing is suspended.']
            : table(
                items,
                [
                  { title: 'WHOSE', value: (each) => `${each.kind} ${each.name}`, least: 16 },
                  { title: 'STILL', align: 'right', value: ({ until }) => durationText(Date.parse(until) - page.now) },
                  { title: 'SINCE', value: ({ since }) => dateTimeText(since) },
                  { title: 'BY', value: ({ who }) => who, least: 8 },
                  { title: 'WHY', value: ({ why }) => why, least: 12 },
                ],
                page,
              ),
        ),
      ),
    )
}
