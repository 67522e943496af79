// The content of one message between the parser and who takes it. smtp-server would make a PassThrough for each message,
// two stream state machines for what is nearly always one chunk; this has only what its parser and handler_DATA ask of one
// (smtp-library.test.ts names it), and hands the bytes on in the call that brings them.

import { EventEmitter } from 'node:events'

/** Takes the content of a message, unstuffed and without the final dot. */
export interface DataTaker {
  /** A promise when nothing more may come until it resolves; never rejects. */
  push(chunk: Buffer): Promise<void> | undefined
  /** The final dot has come. */
  end(): void
  /** The client went away before it. */
  gone(): void
}

const NOBODY: DataTaker = { push: () => undefined, end: () => undefined, gone: () => undefined }

/** Emits `drain` when more may be written, `end` when everything was handed on, `close` when it was destroyed. */
export class MessageData extends EventEmitter {
  /** Kept up to date by the parser. */
  byteLength = 0
  sizeExceeded = false
  /** More may be written. */
  writable = true
  writableEnded = false
  /** Something may still be handed on. */
  readable = true
  readableEnded = false
  destroyed = false
  #taker: DataTaker | undefined
  #isBusy = false
  /** Came while the taker was busy, or before there was one. */
  #held: Buffer[] = []

  /** Null until somebody takes it, as with every Readable. */
  get readableFlowing(): true | null {
    return this.#taker === undefined ? null : true
  }

  /** `drain` or `close` is to come. */
  get writableNeedDrain(): boolean {
    return !this.destroyed && (this.#isBusy || this.#held.length > 0)
  }

  handTo(taker: DataTaker): void {
    this.#taker = taker
    if (this.destroyed) taker.gone()
    else this.#handOn()
  }

  /** Nobody wants it: what comes is thrown away. */
  resume(): this {
    if (this.#taker === undefined) this.handTo(NOBODY)
    return this
  }

  /** False when `drain` must be waited for. */
  write(chunk: Buffer): boolean {
    if (!this.writable) return true
    if (this.#held.length === 0 && this.#push(chunk)) return !this.#isBusy
    this.#held.push(chunk)
    return false
  }

  end(chunk?: Buffer): this {
    if (chunk !== undefined) this.write(chunk)
    this.writable = false
    this.writableEnded = true
    if (this.#held.length === 0 && !this.#isBusy) this.#conclude()
    return this
  }

  destroy(): this {
    if (this.destroyed) return this
    this.destroyed = true
    this.writable = false
    this.readable = false
    this.#held = []
    if (!this.readableEnded) this.#taker?.gone()
    process.nextTick(() => this.emit('close'))
    return this
  }

  /** Whether somebody took it. */
  #push(chunk: Buffer): boolean {
    if (this.#taker === undefined || this.#isBusy) return false
    const busy = this.#taker.push(chunk)
    if (busy !== undefined) void this.#wait(busy)
    return true
  }

  async #wait(busy: Promise<void>): Promise<void> {
    this.#isBusy = true
    await busy
    this.#isBusy = false
    if (!this.destroyed) this.#handOn()
  }

  #handOn(): void {
    while (this.#held.length > 0) {
      const [chunk] = this.#held
      if (chunk === undefined || !this.#push(chunk)) return
      this.#held.shift()
    }
    if (this.#isBusy) return
    if (this.writableEnded) this.#conclude()
    else this.emit('drain')
  }

  #conclude(): void {
    if (this.readableEnded || this.#taker === undefined) return
    this.readable = false
    this.readableEnded = true
    this.#taker.end()
    // Not within end(): the parser is still in the middle of leaving DATA.
    if (this.listenerCount('end') > 0) process.nextTick(() => this.emit('end'))
  }
}
