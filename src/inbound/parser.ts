// smtp-server's parser of commands and DATA, taken without the queue that every Writable is: a chunk is parsed in the call
// that brings it, and only what comes while a command waits for its answer is kept. What is parsed, and how, stays
// smtp-server's.

import type { SMTPServerDataStream } from 'smtp-server'
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'
import { MessageData } from './message-data.ts'

/** Of a client that sends on while it should wait; then it is not read from any more. */
const HIGH_WATER = 16 * 1024
const NOTHING = Buffer.alloc(0)

export class Parser extends SMTPStream {
  /** Which wait behind the one that is being parsed. */
  readonly #chunks: Buffer[] = []
  #heldBytes = 0
  #isParsing = false
  #isLooping = false
  #needsDrain = false
  #isEnding = false

  override write(chunk: Buffer): boolean {
    if (this.destroyed) return true
    this.#heldBytes += chunk.length
    this.#chunks.push(chunk)
    this.#parse()
    if (this.#heldBytes < HIGH_WATER) return true
    this.#needsDrain = true
    return false
  }

  override end(): this {
    this.#isEnding = true
    this.#parse()
    return this
  }

  #parse(): void {
    // A chunk that was parsed within the call is followed here, not there: thousands of them would be as many frames deep.
    if (this.#isLooping) return
    this.#isLooping = true
    while (!this.#isParsing && this.#chunks.length > 0) this.#parseNext(this.#chunks.shift())
    this.#isLooping = false
    if (this.#isParsing) return
    if (this.#needsDrain) {
      this.#needsDrain = false
      this.emit('drain')
    }
    // A last line without an end is looked at only now.
    if (this.#isEnding && !this.writableEnded) super.end()
  }

  #parseNext(chunk: Buffer = NOTHING): void {
    this.#isParsing = true
    this._write(chunk, 'buffer', (error) => this.#whenTaken(() => this.#parsed(chunk, error)))
  }

  #parsed(chunk: Buffer, error: Error | null | undefined): void {
    this.#isParsing = false
    this.#heldBytes -= chunk.length
    if (error) this.#fail(error)
    else this.#parse()
  }

  /**
   * Of what it hands on from one chunk the original waits only for the last, and for nothing when the chunk ends right behind
   * a stuffed dot: with a slow store, a client could fill the memory.
   */
  #whenTaken(next: () => void): void {
    const data = this._dataStream as unknown as MessageData | null
    if (!data?.writableNeedDrain) {
      next()
      return
    }
    const go = (): void => {
      data.off('drain', go).off('close', go)
      next()
    }
    data.on('drain', go).on('close', go)
  }

  #fail(error: Error): void {
    this.#chunks.length = 0
    this.destroy(error)
  }

  /**
   * The original forgets its callback after it has called it, and with it that of another message which came along in the
   * same chunk: the client would wait for ever.
   */
  override continue(): void {
    const callback = this._continueCallback
    this._continueCallback = typeof callback !== 'function'
    if (typeof callback === 'function') callback()
  }

  /** As the original, but for what stands for the message. */
  override startDataMode(): SMTPServerDataStream {
    this._dataMode = true
    this._maxBytes = Number.POSITIVE_INFINITY
    this.dataBytes = 0
    this._atDataStart = true
    const data = new MessageData() as unknown as SMTPServerDataStream
    this._dataStream = data
    return data
  }
}
