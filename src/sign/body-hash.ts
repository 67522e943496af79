// The body hash of a DKIM signature: SHA-256 over the relaxed canonicalisation, taken while the body streams by. Holds
// at most two characters and a count between two chunks; the time is linear in the bytes whatever they are.
// How the bytes are cut into chunks never changes the hash.

import { createHash } from 'node:crypto'

const PIECE_BYTES = 64 * 1024
const LINE_BREAKS = Buffer.from('\r\n'.repeat(4096))
const CR = 0x0d
const LF = 0x0a
// Whether anything must change at all. Most text and all base64 says no and is hashed as it came.
const NEEDS_CHANGE = /\t| {2}| \r\n/

/** RFC 6376 §3.4.4, fed in order, read once. */
export class RelaxedBodyHash {
  readonly #hash = createHash('sha256')
  /** '', ' ', '\r' or ' \r': the end of what was seen; the next bytes decide what becomes of it. */
  #held = ''
  /** Line breaks that count only if something follows them: empty lines at the end of the body are ignored. */
  #lineBreaks = 0
  #isEmpty = true

  update(bytes: Buffer): void {
    // In pieces, so that neither a string nor the work of one regular expression grows with the size of the chunk.
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) this.#piece(bytes.subarray(at, at + PIECE_BYTES))
  }

  /** The hash in base64. */
  digest(): string {
    // WSP at the end of a last line without CRLF goes too; a CR that no LF followed is content.
    if (this.#held.endsWith('\r')) this.#content(this.#held)
    // A body with content ends in exactly one CRLF; an empty one stays empty.
    if (!this.#isEmpty) this.#hash.update('\r\n')
    return this.#hash.digest('base64')
  }

  #piece(bytes: Buffer): void {
    let text = this.#held + bytes.toString('latin1')
    const isUnchanged = this.#held === '' && !NEEDS_CHANGE.test(text)
    if (!isUnchanged) {
      // Runs first: a pattern that looked for WSP before CRLF by itself would take quadratic time on long runs.
      text = text.replace(/[ \t]{2,}|\t/g, ' ').replaceAll(' \r\n', '\r\n')
    }
    this.#held = /(?: \r?|\r)$/.exec(text.slice(-2))?.[0] ?? ''
    const heldFrom = text.length - this.#held.length
    let end = heldFrom
    while (end >= 2 && text.charCodeAt(end - 1) === LF && text.charCodeAt(end - 2) === CR) end -= 2
    if (end > 0) this.#content(isUnchanged ? bytes.subarray(0, end) : text.slice(0, end))
    this.#lineBreaks += (heldFrom - end) / 2
  }

  #content(content: Buffer | string): void {
    while (this.#lineBreaks > 0) {
      const count = Math.min(this.#lineBreaks, LINE_BREAKS.length / 2)
      this.#hash.update(LINE_BREAKS.subarray(0, count * 2))
      this.#lineBreaks -= count
    }
    if (typeof content === 'string') this.#hash.update(content, 'latin1')
    else this.#hash.update(content)
    this.#isEmpty = false
  }
}
