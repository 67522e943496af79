// Watches a message stream by for a CR or LF that stands alone (RFC 5321 §2.3.8). Where anybody may send, such a message is
// refused, not mended: a server before us may have read another end of data in it than we do (SMTP smuggling).

import { isClean } from './line-endings.ts'

const CR = '\r'

export class BareLineEnds {
  /** The last chunk ended in a CR, and the next byte decides what it was. */
  #held = ''

  /** Whether one has been seen by now; an undecided CR at the end does not count yet. */
  push(chunk: Buffer): boolean {
    const text = this.#held + chunk.toString('latin1')
    this.#held = text.endsWith(CR) ? CR : ''
    return !isClean(this.#held === '' ? text : text.slice(0, -1))
  }

  /** Whether the message ends in a CR. */
  end(): boolean {
    return this.#held !== ''
  }
}
