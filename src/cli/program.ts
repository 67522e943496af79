// The `studs` command line: every noun in its own file, global options here, and one place where an error becomes a
// sentence on stderr and an exit code: 0 ok, 1 failed, 2 usage, 3 not found, 4 the relay is down and its store not to be had.

import { MessageChannel } from 'node:worker_threads'
import { Command, CommanderError } from 'commander'
import { addBounceCommands } from './bounce.ts'
import { addConfigCommands } from './config.ts'
import { addCredentialCommands } from './credential.ts'
import { addDemoCommand, type DemoIo } from './demo.ts'
import { addDkimCommands } from './dkim.ts'
import { addDnsCommands } from './dns.ts'
import { addDoctorCommand } from './doctor.ts'
import { addExplainCommand } from './explain.ts'
import { addHealthCommands } from './health.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { addMessageCommand } from './message.ts'
import { createOutput } from './output.ts'
import { addQueueCommands } from './queue.ts'
import { addResolveCommand } from './resolve.ts'
import { addSandboxCommands } from './sandbox.ts'
import { explainError, type GlobalOptions } from './session.ts'
import { addSourceCommands } from './source.ts'
import { addStatusCommands } from './status.ts'
import { addStoreCommands } from './store.ts'
import { addSuppressCommands } from './suppress.ts'
import { addSuspendCommands } from './suspend.ts'
import { addTopCommand } from './top.ts'

export interface ProgramParts {
  readonly version: string
  /** Runs the relay until it is told to stop. */
  readonly serve: (options: { readonly config?: string }) => Promise<void>
  /** The relay of the demo; the composition root stands above the commands. */
  readonly startRelay: DemoIo['startRelay']
}

export function buildProgram(io: Io, parts: ProgramParts): Command {
  const program = new Command('studs')
    .description('Self-hosted outbound SMTP relay with inline bounce capture')
    .version(parts.version, '-V, --version')
    .option('-c, --config <file>', 'configuration file')
    .option('--endpoint <endpoint>', 'unix socket or http:// URL of the relay (also $STUDS_ENDPOINT)')
    .option('--json', 'JSON lines instead of text for people')
    .option('--no-color', 'no colours')
    .option('-q, --quiet', 'only what was asked for')
    .option('-y, --yes', 'really do it')
  addServe(program, parts)
  addStatusCommands(program, io, parts)
  addTopCommand(program, io, parts)
  addMessageCommand(program, io, parts)
  addQueueCommands(program, io, parts)
  addResolveCommand(program, io, parts)
  addExplainCommand(program, io, parts)
  addHealthCommands(program, io, parts)
  addSuspendCommands(program, io, parts)
  addSourceCommands(program, io, parts)
  addSuppressCommands(program, io, parts)
  addBounceCommands(program, io, parts)
  addStoreCommands(program, io, parts)
  addCredentialCommands(program, io)
  addDoctorCommand(program, io, parts)
  addDnsCommands(program, io)
  addDkimCommands(program, io)
  addConfigCommands(program, { ...io, fail: endWith })
  addSandboxCommands(program, io, parts)
  addDemoCommand(program, { ...io, startRelay: parts.startRelay })
  program
    .command('version')
    .description('Print the version')
    .action((_options: object, command: Command) =>
      createOutput(io, command.optsWithGlobals<GlobalOptions>()).item({ version: parts.version }, ({ version }) => [
        version,
      ]),
    )
  tame(program, io)
  return program
}

function addServe(program: Command, { serve }: ProgramParts): void {
  program
    .command('serve')
    .description('Run the relay')
    .action(async (_options: object, command: Command) => {
      const { config } = command.optsWithGlobals<GlobalOptions>()
      await serve(config === undefined ? {} : { config })
    })
}

/** commander must neither end the process nor write around io; this holds for every command in the tree. */
function tame(command: Command, io: Io): void {
  command.showHelpAfterError('(--help says how it is used)')
  command.exitOverride().configureOutput({
    writeOut: (text) => io.out(text),
    writeErr: (text) => io.err(text),
    getOutHelpWidth: () => io.width,
    getErrHelpWidth: () => io.width,
    getOutHasColors: () => io.color,
    getErrHasColors: () => io.color,
  })
  for (const child of command.commands) tame(child, io)
}

function endWith(exitCode: number): void {
  if (exitCode !== EXIT.ok) throw new CliError(exitCode as CliError['exitCode'], '')
}

/** Runs one command line (without node and script) and answers with the exit code; never throws. */
export async function runProgram(program: Command, words: readonly string[], io: Io): Promise<number> {
  // A pending timer of the clock keeps no process alive, and a command may wait for nothing else: an open port does.
  const keepAlive = new MessageChannel()
  keepAlive.port1.ref()
  try {
    await program.parseAsync(words, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    // commander has printed its own sentence already; asking for help is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const { exitCode, message } = explainError(error)
    if (message !== '') createOutput(io, program.opts<GlobalOptions>()).error(message)
    return exitCode
  } finally {
    keepAlive.port1.close()
  }
}
