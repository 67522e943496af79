// Runs one command line in this process, with everything it touches of the outside remembered.

import type { Io } from '../../src/cli/io.ts'
import { buildProgram, runProgram } from '../../src/cli/program.ts'
import type { Clock } from '../../src/util/clock.ts'

export interface CliResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface CliOptions {
  readonly clock: Clock
  readonly configFile?: string
  readonly input?: string
  readonly width?: number
  readonly color?: boolean
  readonly isTty?: boolean
  readonly height?: number
  readonly env?: Record<string, string>
  readonly signal?: AbortSignal
  readonly serve?: (options: { readonly config?: string }) => Promise<void>
  readonly onOut?: (text: string) => void
}

export async function runCli(words: readonly string[], options: CliOptions): Promise<CliResult> {
  let out = ''
  let err = ''
  const io: Io = {
    out: (text) => {
      out += text
      options.onOut?.(text)
    },
    err: (text) => {
      err += text
    },
    readAll: async () => options.input ?? '',
    isInputTty: false,
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
  return { code, out, err }
}
