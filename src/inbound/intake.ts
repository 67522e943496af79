// One message on its way in: from the bytes of DATA to an accepted message. Owns the order of things: NUL and line ends,
// size, header section, signature, chunks to the store, acceptance. Memory is bounded by the head limit and one chunk,
// whatever the size. What is wrong with the message is kept as a reply; the rest is then read and thrown away.

import { isAscii } from 'node:buffer'
import type { BodyWriter, Submitted } from '../queue/submission.ts'
import type { SigningSession } from '../sign/signer.ts'
import { CHUNK_BYTES } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'
import { LineEndings } from './line-endings.ts'
import { REPLY, type Reply } from './replies.ts'

// Postfix's header_size_limit is 100 KiB; some apps put long reference lists and signatures in.
const MAX_HEAD_BYTES = 256 * 1024
// A client that sends a few bytes at a time must not make us keep a buffer object for each of them.
const MAX_PIECES = 4096
// Many sessions wait for the disk at one time: what each of them keeps meanwhile is this much of a large body.
const PIECE_BYTES = 64 * 1024
const CRLF = Buffer.from('\r\n')
const EMPTY_LINE = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)

/** What reading the header section gave. */
export interface OpenedHead {
  /** The header lines as they are stored; the empty line follows. */
  readonly lines: Buffer
  /** Where the body begins in what was read. */
  readonly bodyStart: number
  /** Undefined when nobody signs. */
  readonly signing: SigningSession | undefined
  /** Everything known by now; the prefix is completed once the body has been signed. */
  complete(content: { storedBytes: number; has8Bit: boolean; signature: string }): Submitted
  /** The header block as it goes out, for signing. */
  signedBlock(): string
}

/** Reads the header section (latin1) of the message `id`. `atEnd`: there is nothing behind `text`. */
export type OpenHead = (id: string, text: string) => OpenedHead | Reply

export interface IntakeParts {
  readonly body: BodyWriter
  readonly openHead: OpenHead
  readonly maxSize: number
  readonly clock: Pick<Clock, 'monotonic'>
}

export class Intake {
  readonly body: BodyWriter
  readonly #parts: IntakeParts
  readonly #lineEndings = new LineEndings()
  readonly startedAt: number
  /** Milliseconds in which the client waited for us, up to the last time it did. */
  stalledMs = 0
  /** The client is waiting for us now. */
  isStalled = false
  receivedBytes = 0
  #refusal: Reply | undefined
  #error: { readonly value: unknown } | undefined
  #has8Bit = false
  #storedBytes = 0
  #headPieces: Buffer[] | undefined = []
  #headBytes = 0
  #headTail: Buffer = NOTHING
  #head: OpenedHead | undefined
  #pieces: Buffer[] = []
  #pieceBytes = 0
  /** A body that may still be small is not interrupted. */
  #enough = CHUNK_BYTES
  /** The write under way, or the last one. */
  #writing: Promise<void> | undefined

  constructor(parts: IntakeParts) {
    this.#parts = parts
    this.body = parts.body
    this.startedAt = parts.clock.monotonic()
  }

  /** Takes the next bytes; a promise when the caller must wait before it brings more. Never rejects. */
  push(chunk: Buffer): Promise<void> | undefined {
    this.receivedBytes += chunk.length
    if (this.#isDoomed) return undefined
    try {
      if (chunk.includes(0)) return this.#refuse(REPLY.nul)
      if (!this.#has8Bit && !isAscii(chunk)) this.#has8Bit = true
      return this.#take(this.#lineEndings.push(chunk))
    } catch (error) {
      // A bug of ours must not end the process from within a stream's event.
      this.#error = { value: error }
      return undefined
    }
  }

  /** Everything has come: the message to accept, the reply that refuses it, or the exception that prevents it. */
  async finish(): Promise<{ submitted: Submitted } | { refusal: Reply } | { error: unknown }> {
    try {
      // A stream that was paused over its last bytes ends all the same.
      await this.#writing
      if (!this.#isDoomed) await this.#take(this.#lineEndings.end())
      if (!this.#isDoomed && this.#headPieces !== undefined) await this.#openHead(true)
      if (!this.#isDoomed && this.#pieceBytes > 0) await this.#write(this.#joined())
      if (this.#refusal !== undefined) return { refusal: this.#refusal }
      return this.#error === undefined ? { submitted: await this.#completed() } : { error: this.#error.value }
    } catch (error) {
      return { error }
    }
  }

  get #isDoomed(): boolean {
    return this.#refusal !== undefined || this.#error !== undefined
  }

  async #completed(): Promise<Submitted> {
    const head = this.#head
    if (head === undefined) throw new Error('the header section was not read')
    const signature = head.signing === undefined ? '' : await head.signing.finish(head.signedBlock())
    return head.complete({ storedBytes: this.#storedBytes, has8Bit: this.#has8Bit, signature })
  }

  #refuse(reply: Reply): undefined {
    this.#refusal = reply
    this.#headPieces = undefined
    this.#pieces = []
  }

  #take(bytes: Buffer): Promise<void> | undefined {
    if (this.#storedBytes + this.#headBytes + bytes.length > this.#parts.maxSize) return this.#refuse(REPLY.tooBig)
    if (this.#headPieces === undefined) return this.#takeBody(bytes)
    const end = this.#endOfHead(bytes)
    this.#headPieces.push(bytes)
    this.#headBytes += bytes.length
    if (this.#headPieces.length > MAX_PIECES) this.#headPieces = [Buffer.concat(this.#headPieces)]
    return end !== undefined || this.#headBytes > MAX_HEAD_BYTES ? this.#openHead(end !== undefined, end) : undefined
  }

  /** Behind the empty line, counted from the first byte of the message; undefined when it has not come with these bytes. */
  #endOfHead(bytes: Buffer): number | undefined {
    const before = this.#headBytes
    if (before === 0 && bytes[0] === CRLF[0] && bytes[1] === CRLF[1]) return CRLF.length
    // It may be spread over chunks, so the last three bytes are looked at again.
    const tail = this.#headTail
    const window = before === 0 ? bytes : Buffer.concat([tail, bytes])
    const at = window.indexOf(EMPTY_LINE)
    if (at !== -1) return before - tail.length + at + EMPTY_LINE.length
    this.#headTail = Buffer.from(window.subarray(-(EMPTY_LINE.length - 1)))
    return undefined
  }

  #openHead(isComplete: boolean, end?: number): Promise<void> | undefined {
    const pieces = this.#headPieces ?? []
    const [only = NOTHING] = pieces
    const bytes = pieces.length < 2 ? only : Buffer.concat(pieces)
    const head = this.#parts.openHead(this.body.id, bytes.toString('latin1', 0, end))
    if ('code' in head) return this.#refuse(head)
    if (head.bodyStart > MAX_HEAD_BYTES || (!isComplete && head.bodyStart === bytes.length)) {
      return this.#refuse(REPLY.headTooBig)
    }
    this.#headPieces = undefined
    this.#headBytes = 0
    this.#head = head
    this.#store(head.lines)
    this.#store(CRLF)
    return this.#takeBody(bytes.subarray(head.bodyStart))
  }

  #takeBody(bytes: Buffer): Promise<void> | undefined {
    if (bytes.length === 0) return undefined
    this.#head?.signing?.body(bytes)
    this.#store(bytes)
    if (this.#pieceBytes < this.#enough) return undefined
    this.#writing = this.#writePieces()
    return this.#writing
  }

  #store(bytes: Buffer): void {
    this.#pieces.push(bytes)
    this.#pieceBytes += bytes.length
    this.#storedBytes += bytes.length
    if (this.#pieces.length > MAX_PIECES) this.#pieces = [this.#joined()]
  }

  #joined(): Buffer {
    return Buffer.concat(this.#pieces, this.#pieceBytes)
  }

  async #writePieces(): Promise<void> {
    const stalledAt = this.#parts.clock.monotonic()
    this.isStalled = true
    // Small ones are joined; those of a read of the socket's go as they are.
    const isJoined = this.#pieces.length * PIECE_BYTES > 2 * this.#pieceBytes
    const pieces = isJoined ? [this.#joined()] : this.#pieces
    this.#pieces = []
    this.#pieceBytes = 0
    this.#enough = PIECE_BYTES
    for (const piece of pieces) if (!this.#isDoomed) await this.#write(piece)
    this.isStalled = false
    this.stalledMs += this.#parts.clock.monotonic() - stalledAt
  }

  async #write(bytes: Buffer): Promise<void> {
    try {
      await this.body.write(bytes)
    } catch (error) {
      // Answered after the dot, when the client listens again; the rest is read and dropped.
      this.#error = { value: error }
    }
  }
}
