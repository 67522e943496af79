// Header blocks of mail as it comes: read leniently and within limits, decoded only when asked for (RFC 5322 §2.2, RFC 2047).

import { decodeBytes } from './charset.ts'
import type { Headers } from './prose/prose.ts'
import { decodeQuotedPrintable } from './transfer-encoding.ts'

export const MAX_HEADER_CHARACTERS = 100 * 1024
const MAX_FIELDS = 1000
const MAX_VALUE = 10_000
const NAME = /^[!-9;-~]{1,76}$/
const ENVELOPE_LINE = /^>?From [^\n]*$/

export interface HeaderBlock {
  readonly headers: FieldList
  /** Where the body begins. */
  readonly bodyAt: number
  readonly isTooLong: boolean
}

/** The fields as they stand, by lower-case name. */
export class FieldList implements Headers {
  readonly #raw = new Map<string, string[]>()
  readonly #decoded = new Map<string, readonly string[]>()

  get names(): readonly string[] {
    return [...this.#raw.keys()]
  }

  get size(): number {
    return this.#raw.size
  }

  add(name: string, value: string): void {
    const values = this.#raw.get(name)
    if (values === undefined) this.#raw.set(name, [value])
    else values.push(value)
  }

  has(name: string): boolean {
    return this.#raw.has(name)
  }

  get(name: string): string | undefined {
    return this.all(name)[0]
  }

  all(name: string): readonly string[] {
    const raw = this.#raw.get(name)
    if (raw === undefined) return []
    let decoded = this.#decoded.get(name)
    if (decoded === undefined) {
      decoded = raw.map((value) => decodeWords(unfolded(value)))
      this.#decoded.set(name, decoded)
    }
    return decoded
  }

  /** Unfolded but not decoded: for structured fields. */
  raw(name: string): string | undefined {
    const value = this.#raw.get(name)?.[0]
    return value === undefined ? undefined : unfolded(value)
  }
}

export const NO_FIELDS: Headers = new FieldList()

const PARAMETER = /^[a-z][\w-]{1,20}\*?\d?\*?=/i

/** Reads the header block at `start`. `isLoose`: blank lines and an mbox "From " line may stand before it. */
export function readHeaders(source: string, range: { start: number; end: number; isLoose: boolean }): HeaderBlock {
  const headers = new FieldList()
  const { end } = range
  let at = range.isLoose ? skipBlank(source, range.start, end) : range.start
  const limit = Math.min(end, at + MAX_HEADER_CHARACTERS)
  let fields = 0
  let name = ''
  let value = ''
  while (at < limit && fields < MAX_FIELDS) {
    const lineEnd = endOfLine(source, at, end)
    if (lineEnd === at) break
    const first = source.charCodeAt(at)
    const next = Math.min(lineEnd + 1, end)
    if (first === 32 || first === 9 || goesOn(value, source, { at, lineEnd })) {
      if (name === '') break
      // A line of nothing but white space continues nothing; mostly the end of the header is meant.
      if (isBlank(source, at, lineEnd) && !(next < end && fieldAt(source, next, endOfLine(source, next, end)))) break
      if (value.length < MAX_VALUE) value += `\n${source.slice(at, lineEnd)}`
    } else {
      const field = fieldAt(source, at, lineEnd)
      if (field !== undefined) {
        if (name !== '') headers.add(name, value)
        ;({ name, value } = field)
        fields++
      } else if (!isSkippable(source, { at, lineEnd, next, end })) {
        if (name !== '') headers.add(name, value)
        return { headers, bodyAt: at, isTooLong: false }
      }
    }
    at = next
  }
  if (name !== '') headers.add(name, value)
  const isTooLong = at < end && source.charCodeAt(at) !== 10 && (at >= limit || fields >= MAX_FIELDS)
  return { headers, bodyAt: isTooLong ? bodyBehind(source, at, end) : bodyAfter(source, at, end), isTooLong }
}

/** A parameter that was folded without the white space: `multipart/mixed;` and `boundary="…"` below it. */
function goesOn(value: string, source: string, { at, lineEnd }: { at: number; lineEnd: number }): boolean {
  return value.endsWith(';') && PARAMETER.test(source.slice(at, Math.min(lineEnd, at + 40)))
}

/** The field that begins on this line, the name in lower case. */
function fieldAt(source: string, at: number, lineEnd: number): { name: string; value: string } | undefined {
  const colon = source.indexOf(':', at)
  if (colon <= at || colon >= lineEnd || colon - at > 80) return undefined
  const name = source.slice(at, colon).trimEnd()
  if (!NAME.test(name)) return undefined
  return { name: name.toLowerCase(), value: source.slice(colon + 1, Math.min(lineEnd, colon + 1 + MAX_VALUE)) }
}

/** A line that is no field: passed over where the header goes on behind it, otherwise the body begins with it. */
function isSkippable(source: string, line: { at: number; lineEnd: number; next: number; end: number }): boolean {
  const { at, lineEnd, next, end } = line
  if (source.startsWith('From ', at) || source.startsWith('>From ', at)) {
    if (ENVELOPE_LINE.test(source.slice(at, Math.min(lineEnd, at + 500)))) return true
  }
  // "--" begins a part: the blank line before it was lost.
  if (source.startsWith('--', at) || next >= end) return false
  return fieldAt(source, next, endOfLine(source, next, end)) !== undefined
}

export function endOfLine(source: string, at: number, end: number): number {
  const found = source.indexOf('\n', at)
  return found < 0 || found > end ? end : found
}

function skipBlank(source: string, start: number, end: number): number {
  let at = start
  while (at < end && (source.charCodeAt(at) === 10 || source.charCodeAt(at) === 32 || source.charCodeAt(at) === 9)) at++
  return at
}

function isBlank(source: string, at: number, lineEnd: number): boolean {
  return source.slice(at, Math.min(lineEnd, at + 100)).trim() === ''
}

/** Behind the blank line at which the header ended. */
function bodyAfter(source: string, at: number, end: number): number {
  return Math.min((at < end && source.charCodeAt(at) !== 10 ? endOfLine(source, at, end) : at) + 1, end)
}

function bodyBehind(source: string, at: number, end: number): number {
  const blank = source.indexOf('\n\n', at)
  return blank < 0 || blank + 2 > end ? end : blank + 2
}

export function unfolded(value: string): string {
  return (value.includes('\n') ? value.replace(/\n[ \t]*/g, ' ') : value).trim()
}

const ENCODED_WORD = /=\?([^?\s]{1,40})\?([bq])\?([^?]*)\?=/gi
/** Between two encoded words white space is none (RFC 2047 §6.2). */
const BETWEEN_WORDS = /(\?=)\s+(?==\?[^?\s]{1,40}\?[bq]\?)/gi

/** RFC 2047; what is not encoded is guessed at. A character split over two words of one charset is put together. */
export function decodeWords(value: string): string {
  if (!value.includes('=?')) return decodeBytes(value)
  const joined = value.replace(BETWEEN_WORDS, '$1')
  let text = ''
  let pending = { charset: '', bytes: '' }
  let at = 0
  const flush = (): void => {
    if (pending.bytes !== '') text += decodeBytes(pending.bytes, pending.charset)
    pending = { charset: '', bytes: '' }
  }
  for (const match of joined.matchAll(ENCODED_WORD)) {
    const [whole, label = '', encoding = '', content = ''] = match
    const charset = (label.split('*')[0] ?? '').toLowerCase()
    if (match.index > at || charset !== pending.charset) flush()
    if (match.index > at) text += decodeBytes(joined.slice(at, match.index))
    pending = { charset, bytes: pending.bytes + wordBytes(encoding, content) }
    at = match.index + whole.length
  }
  flush()
  return text + decodeBytes(joined.slice(at))
}

function wordBytes(encoding: string, content: string): string {
  return encoding === 'b' || encoding === 'B'
    ? Buffer.from(content, 'base64').toString('latin1')
    : decodeQuotedPrintable(content.replaceAll('_', ' '))
}
