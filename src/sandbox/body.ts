// Takes the bytes after DATA as they come, finds the end (RFC 5321 §4.1.1.4) and takes the stuffed dots off (§4.5.2).
// Only CRLF "." CRLF ends a message: a bare LF never does. Keeps the first bytes, counts all.

export const KEPT_BYTES = 64 * 1024

const LINE_DOT = Buffer.from('\r\n.')
const CR = 13
const LF = 10

export class BodyReader {
  /** Bytes of the message so far, without dot-stuffing. */
  sizeBytes = 0
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  // The line end before the first line is that of the DATA command: it is looked at, but is no part of the message.
  #held: Buffer = Buffer.from('\r\n')
  #skip = 2

  /** Gives back what follows the end of the message, or undefined while the end has not come. */
  push(chunk: Buffer): Buffer | undefined {
    const data = Buffer.concat([this.#held, chunk])
    let from = 0
    for (let at = data.indexOf(LINE_DOT); at !== -1; at = data.indexOf(LINE_DOT, from)) {
      const next = at + LINE_DOT.length
      if (next + 2 > data.length) return this.#hold(data, from, at)
      this.#take(data.subarray(from, at + 2))
      if (data[next] === CR && data[next + 1] === LF) return data.subarray(next + 2)
      from = next
    }
    return this.#hold(data, from, Math.max(from, data.length - 2))
  }

  /** The first KEPT_BYTES of the message. */
  kept(): Buffer {
    return Buffer.concat(this.#kept)
  }

  #hold(data: Buffer, from: number, until: number): undefined {
    this.#take(data.subarray(from, until))
    this.#held = Buffer.from(data.subarray(until))
  }

  #take(bytes: Buffer): void {
    const skipped = Math.min(this.#skip, bytes.length)
    this.#skip -= skipped
    const taken = bytes.subarray(skipped)
    this.sizeBytes += taken.length
    if (taken.length === 0 || this.#keptBytes >= KEPT_BYTES) return
    const kept = taken.subarray(0, KEPT_BYTES - this.#keptBytes)
    this.#kept.push(kept)
    this.#keptBytes += kept.length
  }
}
