// `studs backup DIR` and `studs store verify`: the store as a thing of its own.

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { answers } from '../http/socket.ts'
import { type Verification, verify } from '../queue/verify.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { createOutput } from './output.ts'
import { type GlobalOptions, settingsFor, type Tools, withRelay } from './session.ts'
import { holdsStore, openExistingStore } from './stopped.ts'
import { counted } from './time.ts'

export function addStoreCommands(program: Command, io: Io, { version }: Tools): void {
  program
    .command('backup')
    .description('Copy the store into a new or empty directory, while the relay runs')
    .argument('<directory>', 'on the machine of the relay')
    .action((given: string, _options: object, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        const directory = resolve(given)
        await operations.backup(directory)
        output.done(
          { directory },
          `The store is copied to ${directory}. \`studs store verify ${given}\` checks the copy.`,
        )
      }),
    )
  program
    .command('store')
    .description('The store on disk')
    .command('verify')
    .description('Read the whole store and name every place where it disagrees with itself')
    .argument('[directory]', 'a backup; without it the store of the stopped relay')
    .action((directory: string | undefined, _options: object, command: Command) =>
      verifyStore({ directory, command, io }),
    )
}

async function verifyStore({
  directory,
  command,
  io,
}: {
  directory: string | undefined
  command: Command
  io: Io
}): Promise<void> {
  const { data, api } = settingsFor(command, io)
  if (directory === undefined && (await answers(api.socket))) {
    throw new CliError(
      EXIT.failed,
      'The relay is running. Stop it first, or verify a backup: studs backup DIR && studs store verify DIR',
    )
  }
  const output = createOutput(io, command.optsWithGlobals<GlobalOptions>())
  if (directory !== undefined && !holdsStore(resolve(directory)))
    throw new CliError(EXIT.notFound, `There is no store in ${directory}.`)
  const store = openExistingStore(directory === undefined ? data.directory : resolve(directory), {
    mapSize: data.mapSize,
    clock: io.clock,
  })
  try {
    const result = await verify(store)
    output.item(result, verificationLines)
    if (result.problemCount > 0)
      throw new CliError(EXIT.failed, `The store disagrees with itself in ${counted(result.problemCount, 'place')}.`)
  } finally {
    await store.close()
  }
}

function verificationLines({ counts, problems, problemCount }: Verification): string[] {
  const { messages, recipients, waiting, held, bodies, records, reports } = counts
  const more = problemCount - problems.length
  return [
    `${[counted(messages, 'message'), counted(recipients, 'recipient'), `${waiting} waiting`, `${held} held`, `${bodies} with a body`, counted(records, 'record'), counted(reports, 'report')].join(', ')}`,
    ...problems.map((problem) => `- ${problem}`),
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...(problemCount === 0 ? ['The store agrees with itself.'] : []),
  ]
}
