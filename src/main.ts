#!/usr/bin/env -S node --max-semi-space-size=4
// The process: arguments, signals, exit codes. The only file that touches process.on and process.exit.
// A small young generation: what a message leaves behind dies at once, and a third of the memory is never needed.

import { text } from 'node:stream/consumers'
import type { Io } from './cli/io.ts'
import { buildProgram, runProgram } from './cli/program.ts'
import { environment } from './config/load.ts'
import { systemClock } from './util/clock.ts'
import { VERSION } from './version.ts'

const DEFAULT_WIDTH = 100
const EX_SOFTWARE = 70

const env = environment()
const stop = new AbortController()
const io: Io = {
  out: (line) => process.stdout.write(line),
  err: (line) => process.stderr.write(line),
  outBytes: (bytes) => process.stdout.write(bytes),
  readAll: () => text(process.stdin),
  input: () => process.stdin,
  isInputTty: process.stdin.isTTY === true,
  isTty: process.stdout.isTTY === true,
  get width() {
    return process.stdout.columns ?? DEFAULT_WIDTH
  },
  get height() {
    return process.stdout.rows
  },
  color: process.stdout.isTTY === true && (env.NO_COLOR ?? '') === '',
  clock: systemClock,
  signal: stop.signal,
  env,
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second time somebody means it: what is durable stays so.
    if (stop.signal.aborted) process.exit(EX_SOFTWARE)
    stop.abort()
  })
}
// `studs queue list | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

/** process.exit waits for libuv's threads, and one of them may hang in fdatasync for ever. */
function die(exitCode: number): never {
  // Another program in our place ends every thread at once.
  process.execve?.('/bin/sh', ['sh', '-c', `exit ${exitCode}`])
  // Where that cannot be done, nobody can say the code; a supervisor starts us again either way.
  process.kill(process.pid, 'SIGKILL')
  throw new Error('a process that was killed goes on')
}

const program = buildProgram(io, {
  version: VERSION,
  // Loaded when they are wanted: most commands only talk to a relay, and should start at once.
  startRelay: async (options) => (await import('./relay.ts')).startRelay(options),
  serve: async ({ config }) =>
    (await import('./cli/serve.ts')).serve(config, {
      ...io,
      onReload: (listener) => process.on('SIGHUP', listener),
      die,
    }),
})
process.exitCode = await runProgram(program, process.argv.slice(2), io)
// Nothing that is still open (an idle connection, a timer) keeps a finished command alive.
process.stdout.write('', () => process.exit())
