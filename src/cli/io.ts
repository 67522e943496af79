// Everything a command may touch of the outside: two streams, the terminal's manners, the environment, an abort
// signal for Ctrl-C. main.ts makes the real one, tests make one that remembers what was printed.

import type { Clock } from '../util/clock.ts'

export interface Io {
  out(text: string): void
  err(text: string): void
  /** Bytes that are no text of ours, as they are. */
  outBytes(bytes: Uint8Array): void
  /** All of standard input. */
  readAll(): Promise<string>
  /** Standard input as it comes. */
  input(): AsyncIterable<Uint8Array>
  /** Whether standard input is a terminal: somebody has to type what is read. */
  readonly isInputTty: boolean
  /** What is typed at the terminal, key by key and without showing it, until `signal`. Absent: nobody can type. */
  readonly keys?: (signal: AbortSignal) => AsyncIterable<string>
  /** Whether standard output is a terminal. */
  readonly isTty: boolean
  /** Columns to lay out for. */
  readonly width: number
  /** Rows of the terminal; absent where that is not known. */
  readonly height?: number
  /** Whether colours are welcome (a terminal, and NO_COLOR is not set). */
  readonly color: boolean
  readonly clock: Clock
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
}

export const EXIT = { ok: 0, failed: 1, usage: 2, notFound: 3, unreachable: 4 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with a sentence for people on stderr and an exit code. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
