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
const MBOX_LINE = /^>?From .*\r\n/

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
  const raw = text.slice(field.valueStart, field.end)
  return raw.indexOf('\r\n') === raw.length - 2 ? raw.trim() : raw.replace(/\r\n(?=[ \t])/g, '').trim()
}

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

const QUOTED_OR_COMMENT = /"(?:[^"\\]|\\.)*"|\([^()]*\)/g

/** The addr-spec of the first mailbox in a From value; undefined where none is to be seen. */
export function firstAddress(value: string): string | undefined {
  const bare = value.replace(QUOTED_OR_COMMENT, '')
  const bracketed = /<([^<>]*)>/.exec(bare)
  const text = bracketed?.[1] ?? bare.split(',')[0]
  return text?.includes('@') ? text.trim() : undefined
}
