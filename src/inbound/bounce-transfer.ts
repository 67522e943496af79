// DATA of a report: keeps the first bytes, reads the rest and throws it away, and watches for what makes the mail
// unacceptable. Takes no decision about the report itself. Memory is bounded by `keepBytes`, whatever is sent.

import type { Clock } from '../util/clock.ts'
import { BareLineEnds } from './bare-line-ends.ts'
import { isTooSlow } from './data-rate.ts'
import type { Incoming } from './listener-parts.ts'
import type { MessageData } from './message-data.ts'
import { REPLY, type Reply } from './replies.ts'

/** What is announced as SIZE: far more than is kept, since whoever sends a report back may send all of the mail with it. */
export const MAX_REPORT_BYTES = 50 * 2 ** 20
// RFC 5321 §6.3 speaks of 100; nothing that comes back to us has legitimately passed this many hosts (Postfix: 50).
const MAX_RECEIVED = 50
const MAX_HEAD_BYTES = 256 * 1024
// A client that sends a few bytes at a time must not make us keep a buffer object for each of them.
const MAX_PIECES = 256

export type Arrival =
  | { readonly kind: 'complete'; readonly raw: Buffer; readonly sizeBytes: number }
  /** To be said to the dot. */
  | { readonly kind: 'refused'; readonly reply: Reply }
  /** To be said at once, as the last thing. */
  | { readonly kind: 'broken'; readonly reply: Reply }
  /** The client went away before the dot. */
  | { readonly kind: 'gone' }

export interface BounceTransferParts {
  readonly data: Pick<MessageData, 'handTo'>
  readonly keepBytes: number
  readonly clock: Pick<Clock, 'monotonic'>
}

export class BounceTransfer implements Incoming {
  isReceiving = true
  readonly #parts: BounceTransferParts
  readonly #startedAt: number
  readonly #bareLineEnds = new BareLineEnds()
  #pieces: Buffer[] = []
  #keptBytes = 0
  #receivedBytes = 0
  #refusal: Reply | undefined

  constructor(parts: BounceTransferParts) {
    this.#parts = parts
    this.#startedAt = parts.clock.monotonic()
  }

  isTooSlow(now: number, minBytesPerSecond: number): boolean {
    const progress = { elapsedMs: now - this.#startedAt, receivedBytes: this.#receivedBytes }
    return isTooSlow(progress, minBytesPerSecond)
  }

  /** Resolves when the dot has come, or earlier when nothing more can come of it. */
  async read(): Promise<Arrival> {
    const arrival = await new Promise<Arrival>((resolve) => {
      this.#parts.data.handTo({
        push: (chunk) => {
          if (this.#push(chunk) === 'broken') resolve({ kind: 'broken', reply: REPLY.bareLineEnd })
          return undefined
        },
        end: () => resolve(this.#concluded()),
        gone: () => resolve({ kind: 'gone' }),
      })
    })
    this.isReceiving = false
    this.#pieces = []
    return arrival
  }

  #push(chunk: Buffer): 'fine' | 'broken' {
    this.#receivedBytes += chunk.length
    if (this.#bareLineEnds.push(chunk)) return 'broken'
    if (this.#refusal !== undefined) return 'fine'
    if (chunk.includes(0)) this.#refuse(REPLY.nul)
    else if (this.#receivedBytes > MAX_REPORT_BYTES) this.#refuse(REPLY.tooBig)
    else this.#keep(chunk)
    return 'fine'
  }

  #refuse(reply: Reply): void {
    this.#refusal = reply
    this.#pieces = []
  }

  #keep(chunk: Buffer): void {
    const room = this.#parts.keepBytes - this.#keptBytes
    if (room <= 0) return
    const piece = chunk.length > room ? chunk.subarray(0, room) : chunk
    this.#keptBytes += piece.length
    if (this.#pieces.push(piece) > MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)]
  }

  #concluded(): Arrival {
    if (this.#bareLineEnds.end()) return { kind: 'broken', reply: REPLY.bareLineEnd }
    if (this.#refusal !== undefined) return { kind: 'refused', reply: this.#refusal }
    const [only] = this.#pieces
    const raw = only !== undefined && this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces)
    if (receivedCount(raw) > MAX_RECEIVED) return { kind: 'refused', reply: REPLY.loop }
    return { kind: 'complete', raw, sizeBytes: this.#receivedBytes }
  }
}

/** Received lines in the header section of the mail itself, not of one that it quotes. */
function receivedCount(raw: Buffer): number {
  const end = raw.indexOf('\r\n\r\n')
  const head = raw.toString('latin1', 0, Math.min(end === -1 ? raw.length : end, MAX_HEAD_BYTES))
  return head.match(/^received[ \t]*:/gim)?.length ?? 0
}
