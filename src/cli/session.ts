// What a command works with: its options, its output and the relay. The relay is found like this: the endpoint that
// was named; else the socket of the configuration, if somebody answers there; else the store itself, when the relay is
// stopped. Every error ends here as a sentence and an exit code.

import type { Command } from 'commander'
import { ConfigError, loadSettings } from '../config/load.ts'
import type { Settings } from '../config/schema.ts'
import { createClient, type Endpoint, parseEndpoint, Unreachable } from '../http/client.ts'
import type { Operations } from '../http/operations.ts'
import { OperationError } from '../http/problem.ts'
import { answers } from '../http/socket.ts'
import { originIn } from '../shaping/origin.ts'
import { CliError, EXIT, type ExitCode, type Io } from './io.ts'
import { createOutput, type Output } from './output.ts'
import { openStopped, StoreInUse, StoreMissing } from './stopped.ts'

export interface GlobalOptions {
  readonly config?: string
  readonly json?: boolean
  readonly color?: boolean
  readonly quiet?: boolean
  readonly yes?: boolean
  readonly endpoint?: string
}

export interface Session {
  readonly io: Io
  readonly output: Output
  readonly options: GlobalOptions
  readonly operations: Operations
  /** False: the relay is stopped and `operations` works on its store. */
  readonly isRunning: boolean
}

export interface SessionNeeds {
  /** The command makes no sense on a stopped relay. */
  readonly running?: boolean
  /** For this long without an answer the relay counts as unreachable. */
  readonly timeoutMs?: number
}

/** What buildProgram hands to every noun. */
export interface Tools {
  readonly version: string
}

type Work = (session: Session) => Promise<void>

/** Runs `work` with the relay it is about and closes what was opened for it. */
export async function withRelay(
  { command, io, version, ...needs }: { command: Command; io: Io } & Tools & SessionNeeds,
  work: Work,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>()
  const output = createOutput(io, options)
  const relay = await findRelay({ options, io, version, output, needs })
  try {
    await work({ io, output, options, operations: relay.operations, isRunning: relay.close === undefined })
  } catch (error) {
    if (io.signal.aborted) throw new CliError(EXIT.failed, 'Interrupted.', { cause: error })
    throw error
  } finally {
    await relay.close?.()
  }
}

interface FoundRelay {
  readonly operations: Operations
  /** Present when the store was opened for this command. */
  readonly close?: () => Promise<void>
}

async function findRelay(
  given: { options: GlobalOptions; io: Io; output: Output; needs: SessionNeeds } & Tools,
): Promise<FoundRelay> {
  const { options, io, version, output, needs } = given
  const named = options.endpoint ?? io.env.STUDS_ENDPOINT
  if (named !== undefined && named !== '')
    return { operations: createClient(endpointOf(named), { ...needs, signal: io.signal }) }
  const loaded = loadSettings({ file: options.config, env: io.env })
  const { settings } = loaded
  const path = settings.api.socket
  if (await answers(path))
    return { operations: createClient({ kind: 'socket', path }, { ...needs, signal: io.signal }) }
  if (needs.running === true)
    throw new CliError(EXIT.unreachable, `The relay is not running: nobody answers on ${path}.`)
  const stopped = openStopped({ settings, originOf: originIn(loaded), version, clock: io.clock })
  output.note('The relay is not running; working on its store.')
  return stopped
}

function endpointOf(text: string): Endpoint {
  try {
    return parseEndpoint(text)
  } catch (error) {
    throw new CliError(EXIT.usage, `Not an endpoint: ${text} (${(error as Error).message})`)
  }
}

/** The settings a command needs that has nothing to do with a relay. */
export function settingsFor(command: Command, io: Io): Settings {
  return loadSettings({ file: command.optsWithGlobals<GlobalOptions>().config, env: io.env }).settings
}

const EXIT_OF_OPERATION: Readonly<Record<OperationError['code'], ExitCode>> = {
  invalid: EXIT.usage,
  'unknown-name': EXIT.notFound,
  'not-found': EXIT.notFound,
  conflict: EXIT.failed,
  'too-large': EXIT.usage,
  unavailable: EXIT.failed,
  stopped: EXIT.unreachable,
  failed: EXIT.failed,
}

/** What an error means to the shell and to people. */
export function explainError(error: unknown): { readonly exitCode: ExitCode; readonly message: string } {
  if (error instanceof CliError) return { exitCode: error.exitCode, message: error.message }
  if (error instanceof OperationError) return { exitCode: EXIT_OF_OPERATION[error.code], message: error.message }
  if (error instanceof Unreachable)
    return { exitCode: EXIT.unreachable, message: `The relay does not answer: ${error.message}` }
  if (error instanceof StoreInUse || error instanceof StoreMissing)
    return { exitCode: EXIT.unreachable, message: error.message }
  if (error instanceof ConfigError) return { exitCode: EXIT.usage, message: error.message }
  return { exitCode: EXIT.failed, message: error instanceof Error ? error.message : String(error) }
}
