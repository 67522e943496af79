// Several things named on one command line: one that fails gets its sentence, the others still have their turn, and the
// first failure decides the exit code.

import { Unreachable } from '../http/client.ts'
import { CliError, EXIT, type ExitCode } from './io.ts'
import type { Output } from './output.ts'
import { explainError } from './session.ts'

interface Each {
  readonly output: Pick<Output, 'error'>
  readonly signal: AbortSignal
  /** Stands before the sentence of a failure. */
  readonly named?: (name: string) => string
}

/** Ends with a CliError, without a sentence of its own, when anything failed. */
export async function forEachNamed(
  names: Iterable<string> | AsyncIterable<string>,
  { output, signal, named }: Each,
  work: (name: string) => Promise<void> | void,
): Promise<void> {
  let failed: ExitCode | undefined
  for await (const name of names) {
    if (signal.aborted) throw new CliError(EXIT.failed, 'Interrupted.')
    try {
      await work(name)
    } catch (error) {
      // Without the relay none of the others can fare better.
      if (error instanceof Unreachable) throw error
      const { exitCode, message } = explainError(error)
      output.error(`${named?.(name) ?? ''}${message}`)
      failed ??= exitCode
    }
  }
  if (failed !== undefined) throw new CliError(failed, '')
}
