// Runs one command line in this process, with everything it touches of the outside remembered.

import type { Io } from '../../src/cli/io.ts'
import { buildProgram, runProgram } from '../../src/cli/program.ts'
import type { Clock } from '../../src/util/clock.ts'

export interface CliResult {
  readonly code: number
  readonly out: string
  readonly err: string
  /** What was written as bytes. */
  readonly bytes?: Buffer
}

export interface CliOptions {
  readonly clock: Clock
  readonly configFile?: string
  /** Standard input; several pieces arrive one by one. */
  readonly input?: string | Buffer | readonly Buffer[]
  readonly width?: number
  readonly color?: boolean
  readonly isTty?: boolean
  readonly height?: number
  readonly env?: Record<string, string>
  readonly signal?: AbortSignal
  readonly serve?: (options: { readonly config?: string }) => Promise<void>
  readonly keys?: NonNullable<Io['keys']>
  readonly onOut?: (text: string) => void
}

export async function runCli(words: readonly string[], options: CliOptions): Promise<CliResult> {
  let out = ''
  let err = ''
  const bytesOut: Buffer[] = []
  const { input = '' } = options
  const pieces = typeof input === 'string' || Buffer.isBuffer(input) ? [Buffer.from(input)] : input
  const io: Io = {
    out: (text) => {
      out += text
      options.onOut?.(text)
    },
    err: (text) => {
      err += text
    },
    outBytes: (bytes) => {
      bytesOut.push(Buffer.from(bytes))
    },
    readAll: async () => Buffer.concat(pieces).toString(),
    input: async function* () {
      yield* pieces
    },
    isInputTty: options.keys !== undefined,
    ...(options.keys === undefined ? {} : { keys: options.keys }),
    isTty: options.isTty ?? false,
    width: options.width ?? 88,
    color: options.color ?? false,
    ...(options.height === undefined ? {} : { height: options.height }),
    clock: options.clock,
    signal: options.signal ?? new AbortController().signal,
    env: options.env ?? {},
  }
  const program = buildProgram(io, {
    version: '1.2.3',
    serve: options.serve ?? (async () => undefined),
    startRelay: () => Promise.reject(new Error('no demo here')),
  })
  const config = options.configFile === undefined ? [] : ['--config', options.configFile]
  const code = await runProgram(program, [...config, ...words], io)
  return bytesOut.length === 0 ? { code, out, err } : { code, out, err, bytes: Buffer.concat(bytesOut) }
}
