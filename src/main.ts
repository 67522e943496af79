#!/usr/bin/env -S node --max-semi-space-size=4 --no-memory-reducer
// The process: arguments, signals, exit codes. The only file that touches process.on and process.exit.
// A small young generation: what a message leaves behind dies at once, and a third of the memory is never needed.
// Everything of ours is imported below the check of Node's version: an older one could not even read it.

import { on } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Io } from './cli/io.ts'

// As in package.json, "engines".
const LEAST_NODE = [22, 19] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
  process.stderr.write(`Studs needs Node ${LEAST_NODE.join('.')} or newer; this is ${process.versions.node}.\n`)
  process.exit(1)
}

const { buildProgram, runProgram } = await import('./cli/program.ts')
const { environment } = await import('./config/load.ts')
const { systemClock } = await import('./util/clock.ts')
const { VERSION } = await import('./version.ts')

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
  ...(process.stdin.isTTY === true ? { keys } : {}),
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

/** Raw: nothing is shown, and Ctrl-C is a key like any other. */
async function* keys(signal: AbortSignal): AsyncGenerator<string> {
  process.stdin.setRawMode(true)
  try {
    for await (const [chunk] of on(process.stdin, 'data', { signal })) {
      const typed = String(chunk)
      if (typed.includes('\u0003')) stop.abort()
      else yield typed
    }
  } catch (error) {
    // How the signal ends it.
    if (!signal.aborted) throw error
  } finally {
    process.stdin.setRawMode(false)
    process.stdin.pause()
  }
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
