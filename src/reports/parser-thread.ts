// Parses reports in a thread, where one that takes too long can be stopped: strangers write them, and no limit inside a
// parser is proof against all of them. One thread; it starts with the first report. A report that takes longer than the
// deadline, or takes the thread down with it, is `unknown`; those behind it are parsed by the next thread.
// Who calls parse() waits for it, so what waits here is bounded by the callers; only a window of it is copied over.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ParsedReport } from '../bounce/report.ts'
import type { Logger } from '../observe/logger.ts'
import { type Clock, SECOND, systemClock, type Timer } from '../util/clock.ts'
import type { ReportParser } from './desk.ts'
import type { FromParser, ToParser } from './parser-messages.ts'

// The sources run as .ts, the built package as .js; a thread is started from the same kind of file as this one.
const WORKER = new URL(`./parser-worker${extname(import.meta.url)}`, import.meta.url)
const DEADLINE_MS = 250
/** Loading may take longer than any report. */
const START_MS = 10 * SECOND
/** A thread that cannot even start is not started again and again: for this long reports are `unknown`. */
const REST_MS = SECOND
// The deadline is counted in steps, each of which counts once however long it took: a process that was stopped for a
// while, or a busy main thread, is not the report's fault.
const STEPS = 5
/** Reports and bytes that are in the thread's hands at one time. */
const WINDOW = 64
const WINDOW_BYTES = 4 * 2 ** 20

export interface ParserThreadOptions {
  readonly logger: Logger
  readonly deadlineMs?: number
  /** Instead of parser-worker.ts. */
  readonly script?: URL
  /** Whatever a thread does takes real time: a clock that stands still or jumps is of no use here. */
  readonly clock?: Clock
}

interface Waiting {
  readonly id: number
  readonly raw: Buffer
  readonly answer: (report: ParsedReport) => void
}

export function createParserThread(options: ParserThreadOptions): ReportParser {
  return new ParserThread(options)
}

class ParserThread implements ReportParser {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #script: URL
  readonly #deadlineMs: number
  /** Not sent yet, oldest first. */
  #waiting: Waiting[] = []
  /** In the thread's hands, in the order in which it parses them. */
  readonly #sent = new Map<number, Waiting>()
  #sentBytes = 0
  #worker: Worker | undefined
  #isReady = false
  #restUntil = Number.NEGATIVE_INFINITY
  #steps = 0
  #timer: Timer | undefined
  #isSending = false
  #lastId = 0
  #closed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  constructor({ logger, clock = systemClock, script = WORKER, deadlineMs = DEADLINE_MS }: ParserThreadOptions) {
    this.#logger = logger
    this.#clock = clock
    this.#script = script
    this.#deadlineMs = deadlineMs
  }

  parse(raw: Buffer): Promise<ParsedReport> {
    if (this.#closed !== undefined) return Promise.resolve(unreadable())
    return new Promise((answer) => {
      this.#waiting.push({ id: ++this.#lastId, raw, answer })
      this.#sendSoon()
    })
  }

  /** What waits is parsed first: it takes a deadline each at most. */
  async close(): Promise<void> {
    this.#closed ??= Promise.withResolvers<void>()
    this.#endIfDone()
    await this.#closed.promise
    this.#timer?.cancel()
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  /** At the end of the turn, so that what comes in together goes over together. */
  #sendSoon(): void {
    if (this.#isSending) return
    this.#isSending = true
    setImmediate(() => {
      this.#isSending = false
      this.#send()
    })
  }

  #send(): void {
    const items: { id: number; raw: Uint8Array<ArrayBuffer> }[] = []
    let taken = 0
    for (const entry of this.#waiting) {
      const isFull = this.#sent.size >= WINDOW || this.#sentBytes + entry.raw.length > WINDOW_BYTES
      if (isFull && this.#sent.size > 0) break
      taken++
      this.#sent.set(entry.id, entry)
      this.#sentBytes += entry.raw.length
      // A copy that moves over: the caller keeps what is his.
      items.push({ id: entry.id, raw: new Uint8Array(entry.raw) })
    }
    if (taken === 0) return
    this.#waiting = this.#waiting.slice(taken)
    const worker = this.#ensureWorker()
    if (worker === undefined) {
      this.#giveUpAll()
      return
    }
    const message: ToParser = { items }
    worker.postMessage(
      message,
      items.map(({ raw }) => raw.buffer),
    )
    this.#watch()
  }

  #ensureWorker(): Worker | undefined {
    if (this.#worker === undefined && this.#clock.monotonic() >= this.#restUntil) this.#worker = this.#start()
    return this.#worker
  }

  #start(): Worker {
    this.#isReady = false
    this.#steps = 0
    // No resourceLimits: a thread that runs into its heap limit within one allocation takes the process with it. What the
    // deadline lets a report allocate is less than that.
    const worker = new Worker(this.#script, { name: 'reports' })
    worker.on('message', (message: FromParser) => {
      if (worker === this.#worker) this.#hear(message)
    })
    worker.on('error', (error) =>
      this.#logger.error(
        { event: 'reports.parser-died', err: error },
        'the parser of reports died; another takes over',
      ),
    )
    worker.on('exit', () => {
      if (worker === this.#worker) this.#died()
    })
    return worker
  }

  #hear(message: FromParser): void {
    this.#steps = 0
    if (message.kind === 'ready') {
      this.#isReady = true
      // From the patience for a start to that for a report.
      this.#timer?.cancel()
      this.#timer = undefined
      this.#watch()
      return
    }
    if (message.kind === 'problem') {
      const { problem } = message
      this.#logger.error({ event: 'reports.own-error', problem }, 'a report is unknown because of an error of our own')
    }
    this.#answer(message.id, message.kind === 'parsed' ? message.report : unreadable())
    if (this.#waiting.length > 0) this.#sendSoon()
    this.#endIfDone()
  }

  #answer(id: number, report: ParsedReport): void {
    const entry = this.#sent.get(id)
    if (entry === undefined) return
    this.#sent.delete(id)
    this.#sentBytes -= entry.raw.length
    entry.answer(report)
  }

  /** One timer while anything is in the thread's hands. */
  #watch(): void {
    if (this.#timer !== undefined || this.#sent.size === 0) return
    const limitMs = this.#isReady ? this.#deadlineMs : START_MS
    this.#timer = this.#clock.after(limitMs / STEPS, () => {
      this.#timer = undefined
      if (this.#sent.size > 0 && ++this.#steps > STEPS) this.#stopWorker()
      this.#watch()
    })
  }

  #stopWorker(): void {
    const worker = this.#worker
    this.#worker = undefined
    void worker?.terminate()
    const [slow] = this.#sent.values()
    if (!this.#isReady) {
      this.#startFailed('it did not start in time')
    } else if (slow !== undefined) {
      const sizeBytes = slow.raw.length
      this.#logger.warn({ event: 'reports.too-slow', sizeBytes }, 'a report took too long to parse; it is unknown')
      this.#answer(slow.id, unreadable('time'))
      this.#sendAgain()
    }
  }

  #died(): void {
    this.#worker = undefined
    if (!this.#isReady) {
      this.#startFailed('it ended while it started')
      return
    }
    const [guilty] = this.#sent.values()
    if (guilty !== undefined) this.#answer(guilty.id, unreadable())
    this.#sendAgain()
  }

  #startFailed(problem: string): void {
    this.#logger.error({ event: 'reports.parser-died', problem }, 'the parser of reports cannot be started')
    this.#restUntil = this.#clock.monotonic() + REST_MS
    this.#giveUpAll()
  }

  /** What was behind the report that ended the thread goes to the next one. */
  #sendAgain(): void {
    this.#waiting = [...this.#sent.values(), ...this.#waiting]
    this.#sent.clear()
    this.#sentBytes = 0
    if (this.#waiting.length > 0) this.#sendSoon()
    this.#endIfDone()
  }

  #giveUpAll(): void {
    const all = [...this.#sent.values(), ...this.#waiting]
    this.#sent.clear()
    this.#waiting = []
    this.#sentBytes = 0
    for (const { answer } of all) answer(unreadable())
    this.#endIfDone()
  }

  #endIfDone(): void {
    if (this.#sent.size === 0 && this.#waiting.length === 0) this.#closed?.resolve()
  }
}

function unreadable(limit?: 'time'): ParsedReport {
  const nothing = { recipients: [], subject: '', from: '', references: [], tokens: [] }
  return { kind: 'unknown', family: 'none', ...nothing, ...(limit === undefined ? {} : { limit }) }
}
