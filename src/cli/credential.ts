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
      const password = io.keys === undefined ? (await io.readAll()).replace(/\r?\n$/, '') : await typed(io, io.keys)
      if (password === '') throw new CliError(EXIT.usage, 'There is no password.')
      const hash = await hashPassword(password)
      output.item({ hash }, () => [hash])
    })
}

const ENTER_OR_END = /[\r\n\u0004]/
const ERASE = /[\u0008\u007f]/

/** What is typed up to Enter; nobody who looks at the screen sees it. */
async function typed(io: Io, keys: NonNullable<Io['keys']>): Promise<string> {
  io.err('Password (it is not shown): ')
  const done = new AbortController()
  const characters: string[] = []
  try {
    for await (const text of keys(AbortSignal.any([io.signal, done.signal]))) {
      for (const character of text) {
        if (ENTER_OR_END.test(character)) return characters.join('')
        if (ERASE.test(character)) characters.pop()
        else characters.push(character)
      }
    }
    throw new CliError(EXIT.failed, 'Interrupted.')
  } finally {
    done.abort()
    io.err('\n')
  }
}
