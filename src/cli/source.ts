// `studs source`: the addresses that mail leaves from, what each may send and has sent, where its warm-up is, and taking
// one out of use.

import type { Command } from 'commander'
import { whoAmI } from './argument.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { type Tools, withRelay } from './session.ts'
import { sourceTable, warmUpLines } from './source-view.ts'

export function addSourceCommands(program: Command, io: Io, { version }: Tools): void {
  const source = program.command('source').description('The addresses that mail leaves from: state, warm-up, drain')
  source
    .command('list')
    .description('List sources: pools, state, what they may send and have sent')
    .action((_options: object, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) =>
        output.items(await operations.sources(), sourceTable),
      ),
    )
  source
    .command('warm-up')
    .description('Show the warm-up plan of a source around today, its end, and where it stands at each provider')
    .argument('<name>')
    .option('--all', 'every day of the plan')
    .action((name: string, { all }: { all?: boolean }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) =>
        output.item(await operations.warmUp(name), (story, page) => warmUpLines(story, page, all === true)),
      ),
    )
  addDrainCommands(source, io, { version })
}

function addDrainCommands(source: Command, io: Io, { version }: Tools): void {
  source
    .command('drain')
    .description('Let nothing new leave from a source until it is taken back; what is under way ends')
    .argument('<name>')
    .requiredOption('--reason <text>', 'why; kept in the journal')
    .action((name: string, { reason }: { reason: string }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        const drain = await operations.drainSource(name, { reason, who: whoAmI() })
        output.done(
          drain,
          `Nothing new leaves from ${drain.name}. Its mail leaves from the others of its pools, or waits.`,
        )
      }),
    )
  source
    .command('undrain')
    .description('Take a source into use again')
    .argument('<name>')
    .requiredOption('--reason <text>', 'why; kept in the journal')
    .action((name: string, { reason }: { reason: string }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        const drain = await operations.undrainSource(name, { reason, who: whoAmI() })
        if (drain === undefined) throw new CliError(EXIT.notFound, `The source ${name} is not drained.`)
        output.done(drain, `Mail leaves from ${drain.name} again.`)
      }),
    )
}
