// Makes every line end CRLF while a message streams by (RFC 5321 §2.3.8: CR and LF only occur together). A bare LF, a
// bare CR and the CR CR LF of a double conversion each become one CRLF, so nothing that goes out can be read as
// another end of data by a laxer server. Clean chunks are passed through without a copy.

const CR = 13
// Postfix reads CR CR LF as one line end too; longer runs are bare CRs.
const STRAY = /\r{0,2}\n|\r/g
const HELD = ['', '\r', '\r\r']

export class LineEndings {
  /** CRs at the end of the last chunk (0 to 2) whose meaning the next byte decides. */
  #held = 0

  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk
    const trailing = trailingCrs(chunk)
    if (this.#held === 0 && trailing === 0) {
      const text = chunk.toString('latin1')
      return isClean(text) ? chunk : Buffer.from(text.replace(STRAY, '\r\n'), 'latin1')
    }
    const text = `${HELD[this.#held]}${chunk.toString('latin1')}`
    this.#held = Math.min(2, trailingCrsOf(text))
    return Buffer.from(text.slice(0, text.length - this.#held).replace(STRAY, '\r\n'), 'latin1')
  }

  /** What was held back at the end of the message. */
  end(): Buffer {
    const rest = Buffer.from('\r\n'.repeat(this.#held), 'latin1')
    this.#held = 0
    return rest
  }
}

/** CR and LF are looked for natively and must come in pairs: no loop over bytes, about 1 µs for 4 KiB. */
export function isClean(text: string): boolean {
  let cr = text.indexOf('\r')
  let lf = text.indexOf('\n')
  while (cr !== -1 && lf === cr + 1) {
    cr = text.indexOf('\r', lf)
    lf = text.indexOf('\n', lf + 1)
  }
  return cr === -1 && lf === -1
}

function trailingCrs(chunk: Buffer): number {
  if (chunk[chunk.length - 1] !== CR) return 0
  return chunk[chunk.length - 2] === CR ? 2 : 1
}

function trailingCrsOf(text: string): number {
  if (!text.endsWith('\r')) return 0
  return text.endsWith('\r\r') ? 2 : 1
}
