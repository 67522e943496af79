// Makes message content safe to stand between DATA and the final dot (RFC 5321 §4.5.2), however it is cut into pieces.
// Works on Latin-1 strings, one character per byte, because the engine's regular expressions find what must change
// faster than any loop over bytes. Does no I/O and knows nothing of sockets.
// Invariant: what leaves has CR and LF only as CRLF, and a line of a single dot only at its very end (no smuggling out).

const UNSAFE = /\r(?!\n|$)|(?<!\r)\n|\n\./
// A CR that ends a piece is left alone: only the next piece tells whether its LF follows.
const LINE_END = /\r\n|\n|\r(?!$)/g
const LEADING_DOT = /\n\./g

export class DotStuffer {
  /** Last character given out; the content begins at the start of a line. */
  #last = '\n'

  /** The next piece of the content, ready for the wire. */
  push(piece: string): string {
    if (piece === '') return ''
    let head = ''
    let rest = piece
    if (this.#last === '\r') {
      head = '\n'
      if (piece.startsWith('\n')) rest = piece.slice(1)
    }
    if ((head !== '' || this.#last === '\n') && rest.startsWith('.')) head += '.'
    if (UNSAFE.test(rest)) rest = rest.replace(LINE_END, '\r\n').replace(LEADING_DOT, '\n..')
    this.#last = rest === '' ? '\n' : rest.charAt(rest.length - 1)
    return head === '' ? rest : head + rest
  }

  /** What must follow the last piece: the end of its last line where that is missing, and the final dot. */
  end(): string {
    if (this.#last === '\n') return '.\r\n'
    return this.#last === '\r' ? '\n.\r\n' : '\r\n.\r\n'
  }
}
