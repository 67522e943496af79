// `studs credential hash`: the form in which the configuration keeps a password.

import type { Command } from 'commander'
import { hashPassword } from '../inbound/password.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { createOutput } from './output.ts'
import type { GlobalOptions } from './session.ts'

export function addCredentialCommands(program: Command, io: Io): void {
  program
    .command('credential')
    .description('Credentials of the apps that send')
    .command('hash')
    .description('Read a password from standard input and print its hash for [[credential]] password')
    .action(async (_options: object, command: Command) => {
      const output = createOutput(io, command.optsWithGlobals<GlobalOptions>())
      // Never as an argument: those stand in the process list and in the shell's history.
      if (io.isInputTty) output.note('Type the password, then Enter and Ctrl-D.')
      const password = (await io.readAll()).replace(/\r?\n$/, '')
      if (password === '') throw new CliError(EXIT.usage, 'There is no password on standard input.')
      const hash = await hashPassword(password)
      output.item({ hash }, () => [hash])
    })
}
