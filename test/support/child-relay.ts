// A relay as a process of its own, `node src/main.ts serve`: the only form in which it can be killed, starved of disk, or
// run over another libc. Every process started here is ended by its own id when the test is over.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
const START_LIMIT_MS = 25_000

export interface ChildOptions {
  /** Where the configuration and (unless `data` says otherwise) the data are; a new folder if absent. */
  readonly folder?: string
  /** The data directory. */
  readonly data?: string
  /** Port of the MX every mail goes to. */
  readonly mxPort: number
  /** smtps = TLS from the first byte. */
  readonly mxScheme?: 'smtp' | 'smtps'
  readonly minFree?: string
  /** More keys of the sections. */
  readonly delivery?: string
  readonly queue?: string
  readonly submission?: string
  /** Keys of the one route. */
  readonly route?: string
  /** More TOML. */
  readonly toml?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const configOf = (options: ChildOptions, data: string): string => `
[node]
hostname = "relay.test"
[data]
directory = "${data}"
map_size = "1GiB"
min_free = "${options.minFree ?? '0'}"
[log]
format = "json"
[delivery]
mode = "internet"
connection_rate = "100000/s"
${options.delivery ?? ''}
[[route]]
domain = "*"
to = "${options.mxScheme ?? 'smtp'}://127.0.0.1:${options.mxPort}"
allow_private = true
${options.route ?? 'tls = "none"'}
[queue]
jitter = 0
${options.queue ?? 'retry = ["1s"]'}
[submission]
${options.submission ?? ''}
[[listener]]
name = "trusted"
port = 0
tls = "none"
auth = "optional"
[[bounce_listener]]
name = "bounces"
port = 0
tls = "none"
${options.toml ?? ''}
`

/** Every process that has not ended, with what resolves when it has. */
const running = new Map<ChildProcess, Promise<unknown>>()
const folders = new Set<string>()

/** For afterEach: ends what a test left running and removes its folders. */
export async function endChildren({ keepFolders = false } = {}): Promise<void> {
  for (const [child, ended] of running) {
    child.kill('SIGKILL')
    await ended
  }
  if (keepFolders) return
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  folders.clear()
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'studs-fault-'))
  folders.add(folder)
  return folder
}

/** Runs a command line to its end; for what must not start, and for `studs store verify`. */
export async function runStuds(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Exit & { out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = ending(child)
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return { ...(await ended), out, err }
}

async function ending(child: ChildProcess): Promise<Exit> {
  const closed = once(child, 'close')
  running.set(child, closed)
  await closed
  running.delete(child)
  return { code: child.exitCode, signal: child.signalCode }
}

export class ChildRelay {
  readonly folder: string
  readonly data: string
  readonly configFile: string
  /** Lines of the log, parsed. */
  readonly log: Record<string, unknown>[] = []
  /** What it wrote to stderr. */
  stderr = ''
  port = 0
  bouncePort = 0
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #wake: () => void = () => undefined

  private constructor(options: ChildOptions) {
    this.folder = options.folder ?? temporaryFolder()
    this.data = options.data ?? join(this.folder, 'data')
    this.configFile = join(this.folder, 'studs.toml')
    writeFileSync(this.configFile, configOf(options, this.data))
    this.#child = spawn(process.execPath, [MAIN, 'serve', '-c', this.configFile], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.exited = ending(this.#child)
    void this.exited.then(() => this.#tell())
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#heard(line))
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
  }

  /** Resolves when it is ready; rejects with what it said when it ends before. */
  static async start(options: ChildOptions): Promise<ChildRelay> {
    const relay = new ChildRelay(options)
    const limit = setTimeout(() => relay.#child.kill('SIGKILL'), START_LIMIT_MS)
    await relay.logged('ready')
    clearTimeout(limit)
    if (relay.hasEnded)
      throw new Error(`the relay did not start: ${JSON.stringify(await relay.exited)} ${relay.stderr}`)
    return relay
  }

  get pid(): number {
    return this.#child.pid!
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Resolves with the first line of this event, or undefined when the process ends without. */
  async logged(event: string): Promise<Record<string, unknown> | undefined> {
    for (;;) {
      const found = this.log.find((line) => line.event === event)
      if (found !== undefined || this.hasEnded) return found
      await this.loggedMore()
    }
  }

  /** Resolves with the next line of the log, or with the end. */
  loggedMore(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#wake
      this.#wake = () => {
        before()
        resolve()
      }
    })
  }

  /** Lines of this event so far. */
  count(event: string): number {
    return this.log.filter((line) => line.event === event).length
  }

  async kill(): Promise<Exit> {
    this.#child.kill('SIGKILL')
    return this.exited
  }

  async stop(): Promise<Exit> {
    this.#child.kill('SIGTERM')
    return this.exited
  }

  /** Makes everything that waits due now. */
  async retryAll(): Promise<void> {
    const { code, err } = await runStuds(['queue', 'retry', '--all', '--yes', '-c', this.configFile])
    if (code !== 0) throw new Error(err)
  }

  /** Sends a signal that does not end it. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGHUP'): void {
    this.#child.kill(name)
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** Resident memory of its own in MiB, without the pages of the store that are mapped. */
  memory(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1]) / 1024
  }

  #tell(): void {
    const wake = this.#wake
    this.#wake = () => undefined
    wake()
  }

  #heard(line: string): void {
    // A process that is killed may end in the middle of a line.
    if (!line.endsWith('}')) return
    const entry = JSON.parse(line) as Record<string, unknown>
    this.log.push(entry)
    if (entry.event === 'listening' && entry.listener === 'bounces') this.bouncePort = Number(entry.port)
    else if (entry.event === 'listening') this.port = Number(entry.port)
    this.#tell()
  }
}
