// The header section of a submitted message: where it ends, what its fields are. Works on one latin1 string with CRLF
// lines and never copies more than it must. Liberal like Postfix: a message whose header section runs into text without
// an empty line gets that line; a leading mbox "From " line is dropped.

export interface Field {
  /** Lower case. */
  readonly name: string
  readonly start: number
  /** Just behind the colon. */
  readonly valueStart: number
  /** Behind the last CRLF of the field, continuation lines included. */
  end: number
}

export interface Head {
  readonly fields: readonly Field[]
  /** Where the header lines begin (behind an mbox line) and end. */
  readonly start: number
  readonly end: number
  /** Where the body begins: behind the empty line, or at the first line that is no header. */
  readonly bodyStart: number
}

// RFC 5322 §3.6.8 field names; §4.5 allows blanks before the colon.
const FIELD_NAME = /([!-9;-~]+)[ \t]*:/y
// "From : a@b" is the obsolete form of the field.
const MBOX_LINE = /^>?From (?![ \t]*:).*\r\n/

export function scanHead(text: string): Head {
  const start = MBOX_LINE.exec(text)?.[0].length ?? 0
  const fields: Field[] = []
  let at = start
  let current: Field | undefined
  while (at < text.length) {
    const newline = text.indexOf('\r\n', at)
    const end = newline === -1 ? text.length : newline + 2
    if (newline === at) return { fields, start, end: at, bodyStart: end }
    const first = text.charCodeAt(at)
    if ((first === 32 || first === 9) && current !== undefined) {
      current.end = end
    } else {
      FIELD_NAME.lastIndex = at
      const name = FIELD_NAME.exec(text)?.[1]
      if (name === undefined) return { fields, start, end: at, bodyStart: at }
      current = { name: name.toLowerCase(), start: at, valueStart: FIELD_NAME.lastIndex, end }
      fields.push(current)
    }
    at = end
  }
  return { fields, start, end: text.length, bodyStart: text.length }
}

/** The unfolded value (RFC 5322 §2.2.3), trimmed; latin1. */
export function fieldValue(text: string, field: Field): string {
  let { valueStart: start, end } = field
  // By hand: trim() would take a byte 0xa0 or 0x85 from the end of a UTF-8 sequence.
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  const value = text.slice(start, end)
  return value.includes('\r\n') ? value.replace(/\r\n(?=[ \t])/g, '') : value
}

const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 13 || code === 10

/** The name as the client wrote it, for replies. */
export function writtenName(text: string, field: Field): string {
  return text.slice(field.start, field.start + field.name.length)
}

/** The header lines without `removed` (in order of appearance). */
export function withoutFields(text: string, head: Head, removed: readonly Field[]): string {
  let kept = ''
  let from = head.start
  for (const field of removed) {
    kept += text.slice(from, field.start)
    from = field.end
  }
  return kept + text.slice(from, head.end)
}
