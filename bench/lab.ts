// What a benchmark run needs of the machine and must give back: one temporary folder, child processes, network names.
// Whatever was taken is given back in the other order, also after an error or Ctrl-C.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const KILL_AFTER_MS = 15_000
const MEMORY_INTERVAL_MS = 20

/** The machine lacks something; the part is left out with this sentence. */
export class Missing extends Error {
  override readonly name = 'Missing'
}

export interface Child {
  readonly pid: number
  readonly process: ChildProcess
  /** What it wrote so far, both streams. */
  output(): string
  /** The end of that. */
  tail(bytes: number): string
  /** SIGTERM, then SIGKILL; resolves when it is gone. */
  stop(): Promise<void>
}

export class Lab {
  readonly directory: string
  #ending: Promise<void> | undefined
  readonly #undo: (() => Promise<unknown> | undefined)[] = []

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'studs-bench-'))
    // Postfix and smtp-sink give up root and still have to find their folders.
    chmodSync(this.directory, 0o711)
    this.defer(async () => rmSync(this.directory, { recursive: true, force: true }))
  }

  /** Runs at the end, last first; at once where the end has come already. */
  defer(undo: () => Promise<unknown> | undefined): void {
    if (this.#ending === undefined) this.#undo.push(undo)
    else void undo()
  }

  /** However often it is called, all wait for the same end: Ctrl-C is pressed twice. */
  end(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #end(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) {
      await undo()?.catch((error: unknown) => console.error(`bench: cleaning up: ${String(error)}`))
    }
  }

  folder(name: string): string {
    const path = join(this.directory, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** A process that runs until it is stopped; its output goes to a file, as it would in service. */
  start(
    name: string,
    command: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Child {
    const file = join(this.directory, `${name}.log`)
    const out = openSync(file, 'w')
    const child = spawn(command, args, {
      stdio: ['ignore', out, out],
      cwd: this.directory,
      env: { ...process.env, ...environment },
    })
    closeSync(out)
    const gone = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    const stop = async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
      await gone
      clearTimeout(timer)
    }
    this.defer(stop)
    return {
      pid: child.pid ?? 0,
      process: child,
      output: () => readFileSync(file, 'latin1'),
      tail: (bytes) => tailOf(file, bytes),
      stop,
    }
  }
}

function tailOf(file: string, bytes: number): string {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    const buffer = Buffer.alloc(Math.min(bytes, size))
    const read = readSync(descriptor, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('latin1', 0, read)
  } finally {
    closeSync(descriptor)
  }
}

export function isRunning({ process: child }: Child): boolean {
  return child.exitCode === null && child.signalCode === null && child.pid !== undefined
}

/** Runs a command to its end; rejects with what it said. */
export async function command(name: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(name, args, { maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

/** Rejects with Missing where a program is not installed. */
export async function need(program: string, hint: string): Promise<void> {
  await command('sh', '-c', `command -v ${program}`).catch(() => {
    throw new Missing(`${program} is not installed (${hint})`)
  })
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Asks every `everyMs` until it is so. Rejects after `withinMs`. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  { withinMs = 60_000, everyMs = 20 } = {},
): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited ${withinMs / 1000} s in vain: ${what}`)
    await sleep(everyMs)
  }
}

/** Memory of a process, in MiB. */
export interface Memory {
  /** All of the resident set (RSS), the pages of the store that the kernel maps in and may drop at any time included. */
  readonly resident: number
  /** What the process itself holds (RssAnon). */
  readonly own: number
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string): number => {
    const match = new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)
    if (match === null) throw new Error(`no ${name} of process ${pid}`)
    return Number(match[1]) / 1024
  }
  return { resident: field('VmRSS'), own: field('RssAnon') }
}

/** Looks often while `work` runs and keeps the most it saw. */
export async function peakMemoryDuring(pid: number, work: () => Promise<void>): Promise<Memory> {
  let peak = memoryOf(pid)
  const timer = setInterval(() => {
    const { resident, own } = memoryOf(pid)
    peak = { resident: Math.max(peak.resident, resident), own: Math.max(peak.own, own) }
  }, MEMORY_INTERVAL_MS)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return peak
}
