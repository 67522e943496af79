// The main thread's end of one delivery thread: knows what is under way there, reads chunks for it, and when it dies
// answers for it. An attempt that died with the thread may have been delivered: its outcome is `ambiguous`.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Settings } from '../config/schema.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Logger } from '../observe/logger.ts'
import { type Clock, SECOND } from '../util/clock.ts'
import type { Carrier } from './courier.ts'
import type { Attempt, ChunkReader, PathStatus } from './delivery.ts'
import { Batch, type FromWorker, type ToWorker } from './thread-messages.ts'
import type { TlsResult } from './tls-result.ts'
import { type Told, ToldPlaces } from './told-places.ts'
import type { Work } from './work.ts'

// The sources run as .ts, the built package as .js; a thread is started from the same kind of file as this one.
const WORKER = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)
/** A thread that dies at once is not started again and again: for this long its attempts go back. */
const REST_MS = SECOND

export interface ThreadOptions {
  readonly settings: Settings['delivery']
  readonly clock: Clock
  readonly readChunk: ChunkReader
  readonly logger: Logger
  readonly onTls?: (result: TlsResult) => void
  /** Instead of worker.ts. */
  readonly script?: URL
}

export class Thread implements Carrier {
  readonly #options: ThreadOptions
  readonly #underWay = new Map<number, { readonly work: Work; readonly answer: (outcome: Outcome) => void }>()
  readonly #asked = new Map<number, (paths: readonly PathStatus[]) => void>()
  readonly #batch: Batch<{ readonly id: number; readonly work: Work }>
  readonly #places = new ToldPlaces()
  #settings: Settings['delivery']
  #worker: Worker | undefined
  #lastId = 0
  #restUntil = 0
  #closed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  constructor(options: ThreadOptions) {
    this.#options = options
    this.#settings = options.settings
    this.#batch = new Batch((items) => this.#send(items))
    this.#worker = this.#start()
  }

  carry(work: Work): Promise<Outcome> {
    if (this.#closed !== undefined) return Promise.resolve(returned('shutting down'))
    return new Promise((resolve) => {
      const id = ++this.#lastId
      this.#underWay.set(id, { work, answer: resolve })
      this.#batch.add({ id, work })
    })
  }

  paths(): Promise<readonly PathStatus[]> {
    const worker = this.#worker
    if (worker === undefined) return Promise.resolve([])
    return new Promise((resolve) => {
      const id = ++this.#lastId
      this.#asked.set(id, resolve)
      post(worker, { kind: 'paths', id })
    })
  }

  reconfigure(settings: Settings['delivery']): void {
    this.#settings = settings
    if (this.#worker !== undefined) post(this.#worker, { kind: 'settings', settings })
  }

  async close(graceMs: number): Promise<void> {
    this.#closed ??= Promise.withResolvers<void>()
    if (this.#worker === undefined) return
    // Behind the work of this turn.
    const worker = this.#worker
    setImmediate(() => post(worker, { kind: 'close', graceMs }))
    await this.#closed.promise
    await worker.terminate()
  }

  #start(): Worker {
    this.#places.forget()
    const worker = new Worker(this.#options.script ?? WORKER, {
      workerData: { settings: this.#settings },
      name: 'delivery',
    })
    worker.on('message', (message: FromWorker) => this.#hear(message, worker))
    worker.on('error', (error) =>
      this.#options.logger.error(
        { event: 'delivery.thread-died', err: error },
        'a delivery thread died; another one takes over',
      ),
    )
    worker.on('exit', () => this.#died(worker))
    return worker
  }

  #send(items: readonly { readonly id: number; readonly work: Work }[]): void {
    if (this.#worker === undefined && this.#options.clock.monotonic() < this.#restUntil) {
      for (const { id } of items) this.#answer(id, returned('the delivery thread is starting again'))
      return
    }
    this.#worker ??= this.#start()
    const transfer: ArrayBuffer[] = []
    const told: Told[] = []
    const forget = this.#places.isFull
    if (forget) this.#places.forget()
    const numbered = items.map(({ id, work }) => ({
      id,
      place: this.#places.numberOf(work, (place) => told.push(place)),
      attempt: packed(work.attempt, transfer),
    }))
    post(this.#worker, { kind: 'work', forget, told, items: numbered }, transfer)
  }

  #hear(message: FromWorker, worker: Worker): void {
    switch (message.kind) {
      case 'outcomes':
        for (const { id, outcome } of message.items) this.#answer(id, outcome)
        return
      case 'read':
        this.#read(message, worker)
        return
      case 'tls':
        for (const result of message.items) this.#options.onTls?.(result)
        return
      case 'paths':
        this.#asked.get(message.id)?.(message.paths)
        this.#asked.delete(message.id)
        return
      case 'error': {
        const { problem, message: id, n } = message
        this.#options.logger.error(
          { event: 'delivery.own-error', message: id, n, problem },
          'an attempt was deferred by an error of our own',
        )
        return
      }
      case 'closed':
        this.#closed?.resolve()
    }
  }

  async #read({ id, message, index }: Extract<FromWorker, { kind: 'read' }>, worker: Worker): Promise<void> {
    try {
      const bytes = await this.#options.readChunk(message, index)
      if (bytes === undefined) return post(worker, { kind: 'chunk', id })
      const own = new Uint8Array(bytes)
      post(worker, { kind: 'chunk', id, bytes: own }, [own.buffer])
    } catch (error) {
      post(worker, { kind: 'chunk', id, problem: error instanceof Error ? error.message : String(error) })
    }
  }

  #answer(id: number, outcome: Outcome): void {
    this.#underWay.get(id)?.answer(outcome)
    this.#underWay.delete(id)
  }

  #died(worker: Worker): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    this.#restUntil = this.#options.clock.monotonic() + REST_MS
    const detail = 'the delivery thread died during the attempt; the mail may have been delivered'
    for (const id of this.#underWay.keys()) this.#answer(id, { kind: 'deferred', cause: { kind: 'ambiguous', detail } })
    for (const answer of this.#asked.values()) answer([])
    this.#asked.clear()
    this.#closed?.resolve()
  }
}

function post(worker: Worker, message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
  worker.postMessage(message, transfer)
}

/**
 * The content as bytes of its own that move to the worker: one copy, and the caller keeps what is his. Cloned as it is,
 * a slice of a large buffer would take the whole of it along.
 */
function packed(attempt: Attempt, transfer: ArrayBuffer[]): Attempt {
  if (attempt.content === undefined) return attempt
  const content = new Uint8Array(attempt.content)
  transfer.push(content.buffer)
  return { ...attempt, content }
}

function returned(reason: string): Outcome {
  return { kind: 'returned', reason, retryAfterMs: SECOND }
}
