// Cuts what a server sends into replies by the strict grammar of RFC 5321 §4.2: three digits from 200 to 599, then a
// hyphen, a space or the line's end; the same code on every line. Pure: bytes in, replies out, bounded memory.
// Bare LF ends a line too (old servers do it); nothing else is forgiven.
// Invariant: the same bytes give the same replies and the same fault, however they were split on their way.

import { isUtf8 } from 'node:buffer'
import { enhancedCodeOf, type SmtpReply } from '../mail/reply.ts'

/** A whole reply may be this long; a longer one is a fault. */
export const MAX_REPLY_BYTES = 64 * 1024
export const MAX_REPLY_LINES = 100
/** Of one line this much is kept. */
export const MAX_LINE_CHARACTERS = 4096

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const HYPHEN = 0x2d
const ZERO = 0x30
const NOTHING = Buffer.alloc(0)

const PLAIN = /^[\x20-\x7e]*$/
// Controls of ASCII and C1, line separators, and the marks that turn the direction of text: none may reach a log or a
// terminal from the outside.
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

export class ReplyReader {
  #rest: Buffer = NOTHING
  #at = 0
  #code = 0
  #lines: string[] = []
  #bytes = 0
  #fault: string | undefined

  /** What was wrong with the server's words; once set, nothing more is read. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** Whether bytes have come that are not part of a reply given out. */
  get pending(): boolean {
    return this.#at < this.#rest.length || this.#lines.length > 0
  }

  /** Takes bytes from the server; the buffer is kept until they are read. */
  feed(bytes: Buffer): void {
    if (this.#fault !== undefined) return
    this.#rest = this.#at < this.#rest.length ? Buffer.concat([this.#rest.subarray(this.#at), bytes]) : bytes
    this.#at = 0
  }

  /** The next whole reply; undefined when more bytes are needed or there is a fault. */
  next(): SmtpReply | undefined {
    while (this.#fault === undefined) {
      const end = this.#rest.indexOf(LF, this.#at)
      const length = (end === -1 ? this.#rest.length : end + 1) - this.#at
      if (this.#bytes + length > MAX_REPLY_BYTES) return this.#give(`reply longer than ${MAX_REPLY_BYTES} bytes`)
      if (end === -1) return undefined
      const start = this.#at
      this.#at = end + 1
      this.#bytes += length
      const last = this.#line(start, end > start && this.#rest[end - 1] === CR ? end - 1 : end)
      if (last) return this.#reply()
    }
    return undefined
  }

  /** Reads one line; whether it is the last one of its reply. */
  #line(start: number, end: number): boolean {
    const code = this.#codeAt(start, end)
    const separator = end - start === 3 ? SPACE : this.#rest[start + 3]
    if (code === undefined || (separator !== SPACE && separator !== HYPHEN)) {
      this.#give(`malformed reply "${safeText(this.#rest, start, Math.min(end, start + 80))}"`)
      return false
    }
    if (this.#lines.length === 0) this.#code = code
    else if (code !== this.#code) this.#give(`one reply with the codes ${this.#code} and ${code}`)
    else if (this.#lines.length >= MAX_REPLY_LINES) this.#give(`reply of more than ${MAX_REPLY_LINES} lines`)
    if (this.#fault !== undefined) return false
    this.#lines.push(safeText(this.#rest, start + 4, end))
    return separator === SPACE
  }

  #codeAt(start: number, end: number): number | undefined {
    if (end - start < 3) return undefined
    const [a, b, c] = [this.#digit(start), this.#digit(start + 1), this.#digit(start + 2)]
    return a < 2 || a > 5 || b > 9 || c > 9 ? undefined : a * 100 + b * 10 + c
  }

  /** The value of a digit; above 9 for everything else. */
  #digit(at: number): number {
    return ((this.#rest[at] ?? 0) - ZERO) & 0xff
  }

  #reply(): SmtpReply {
    const [code, lines] = [this.#code, this.#lines]
    this.#lines = []
    this.#bytes = 0
    const enhanced = enhancedCodeOf(code, lines[0] ?? '')
    return enhanced === undefined ? { code, lines } : { code, enhanced, lines }
  }

  #give(fault: string): undefined {
    this.#fault = fault
    this.#rest = NOTHING
    this.#at = 0
    this.#lines = []
  }
}

/** Bytes as text that may be logged: UTF-8 if it is that, else Latin-1; what could play tricks is replaced. */
function safeText(bytes: Buffer, start: number, end: number): string {
  if (end <= start) return ''
  const text = bytes.toString('latin1', start, end)
  if (PLAIN.test(text)) return text.length > MAX_LINE_CHARACTERS ? text.slice(0, MAX_LINE_CHARACTERS) : text
  const decoded = isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : text
  return decoded.slice(0, MAX_LINE_CHARACTERS).toWellFormed().replaceAll('\t', ' ').replace(UNSAFE, '\ufffd')
}
