// A bounded MIME walker for mail that is often broken: lost, wrong and missing boundaries, parts cut off. It marks where
// the parts lie and decodes nothing that is not asked for; attachments are never touched. Each level of nesting looks at
// its text once, so the work is at most depth × size.

import { decodeBytes } from './charset.ts'
import { endOfLine, FieldList, readHeaders } from './headers.ts'
import { htmlText } from './html-text.ts'
import type { ParsedReport } from './report.ts'
import { decodeTransfer } from './transfer-encoding.ts'

export const MAX_DEPTH = 10
export const MAX_PARTS = 100
/** What is decoded of one part, and of one mail in all. */
const MAX_PART_CHARACTERS = 1024 * 1024
const MAX_DECODED = 4 * 1024 * 1024
/** Lines that may be tried as a boundary that nobody declared. */
const MAX_GUESSES = 50
const MAX_PREAMBLE = 300

/** Spent by everything that is read of one report, wrapped ones included. */
export interface Budget {
  parts: number
  decoded: number
  limit?: NonNullable<ParsedReport['limit']>
}

export function freshBudget(): Budget {
  return { parts: MAX_PARTS, decoded: MAX_DECODED }
}

export interface Part {
  readonly headers: FieldList
  /** `text/plain`, in lower case. */
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly encoding: string
  readonly isAttachment: boolean
  /** Of a multipart. */
  readonly parts: readonly Part[]
  readonly source: string
  /** Where its headers begin, its content begins, and it ends. */
  readonly headerAt: number
  readonly start: number
  readonly end: number
  readonly depth: number
}

interface Range {
  readonly start: number
  readonly end: number
  readonly depth: number
  /** A whole mail rather than a part of one: what stands before its header is passed over. */
  readonly isMail: boolean
}

/** Reads the mail in `source`, a byte string with LF line ends. */
export function readMail(source: string, depth: number, budget: Budget): Part {
  return readPart(source, { start: 0, end: source.length, depth, isMail: true }, budget)
}

function readPart(source: string, range: Range, budget: Budget): Part {
  const block = readHeaders(source, { start: range.start, end: range.end, isLoose: range.isMail })
  if (block.isTooLong) budget.limit ??= 'headers'
  const { headers } = block
  const { type, parameters } = contentType(headers.raw('content-type'))
  const part = {
    headers,
    type,
    parameters,
    encoding: (headers.raw('content-transfer-encoding') ?? '').toLowerCase().match(/[a-z0-9-]+/)?.[0] ?? '',
    isAttachment: /^\s*attachment/i.test(headers.raw('content-disposition') ?? ''),
    source,
    headerAt: range.start,
    start: block.bodyAt,
    end: range.end,
    depth: range.depth,
  }
  const isMultipart = type.startsWith('multipart/')
  // Some gateways lose the MIME fields of a mail, and its parts lie bare in the text.
  const mayHaveParts = isMultipart || (range.isMail && !headers.has('content-type') && beginsWithPart(part))
  const parts = mayHaveParts ? readParts(part, budget) : []
  if (parts.length > 0) return { ...part, type: isMultipart ? type : 'multipart/mixed', parts }
  // A multipart in which no part is found is read as the text that it looks like.
  return { ...part, type: isMultipart ? 'text/plain' : type, parts }
}

/** Right at the start, behind no more than a preamble: further down are the parts of a mail that is given back. */
function beginsWithPart({ source, start, end }: Omit<Part, 'parts'>): boolean {
  const head = source.slice(start, Math.min(end, start + MAX_PREAMBLE))
  const at = head.startsWith('--') ? 0 : head.indexOf('\n--') + 1
  return (at > 0 || head.startsWith('--')) && /^--\S[^\n]*\ncontent-/i.test(head.slice(at))
}

function readParts(parent: Omit<Part, 'parts'>, budget: Budget): Part[] {
  if (parent.depth >= MAX_DEPTH) {
    budget.limit ??= 'depth'
    return []
  }
  const { source } = parent
  const declared = parent.parameters.get('boundary') ?? ''
  const boundary =
    declared !== '' && nextBoundary(source, { boundary: declared, from: parent.start, end: parent.end }) !== undefined
      ? declared
      : guessBoundary(source, parent.start, parent.end)
  if (boundary === undefined) return []
  const parts: Part[] = []
  let mark = nextBoundary(source, { boundary, from: parent.start, end: parent.end })
  // With a boundary that was only guessed, what stands before it may be more than a preamble.
  if (mark !== undefined && boundary !== declared && mark.at > parent.start) parts.push(textBefore(parent, mark.at))
  while (mark !== undefined && !mark.isLast && mark.after < parent.end) {
    if (budget.parts <= 0) {
      budget.limit ??= 'parts'
      break
    }
    budget.parts--
    const next = nextBoundary(source, { boundary, from: mark.after, end: parent.end })
    const range = { start: mark.after, end: next?.at ?? parent.end, depth: parent.depth + 1, isMail: false }
    parts.push(readPart(source, range, budget))
    mark = next
  }
  return parts
}

function textBefore(parent: Omit<Part, 'parts'>, end: number): Part {
  const { source, start } = parent
  const text = { headers: new FieldList(), type: 'text/plain', parameters: NO_PARAMETERS, encoding: '', parts: [] }
  return { ...text, isAttachment: false, source, headerAt: start, start, end, depth: parent.depth + 1 }
}

interface Mark {
  /** Start of the boundary line, without the line end before it, which belongs to it. */
  readonly at: number
  readonly after: number
  readonly isLast: boolean
}

function nextBoundary(
  source: string,
  search: { readonly boundary: string; readonly from: number; readonly end: number },
): Mark | undefined {
  const { boundary, end } = search
  const line = `--${boundary}`
  let at = search.from
  while (at < end) {
    at = source.startsWith(line, at) && isLineStart(source, at) ? at : source.indexOf(`\n${line}`, at) + 1
    if (at === 0 || at >= end) return undefined
    const lineEnd = endOfLine(source, at, end)
    const rest = source.slice(at + line.length, Math.min(lineEnd, at + line.length + 80)).trimEnd()
    if (rest === '' || rest === '--') {
      const isAtStart = at === search.from
      return { at: isAtStart ? at : at - 1, after: Math.min(lineEnd + 1, end), isLast: rest === '--' }
    }
    at = lineEnd
  }
  return undefined
}

function isLineStart(source: string, at: number): boolean {
  return at === 0 || source.charCodeAt(at - 1) === 10
}

/** The first line that begins with -- and has a part's header (or nothing) behind it. */
function guessBoundary(source: string, start: number, end: number): string | undefined {
  let at = source.startsWith('--', start) ? start : source.indexOf('\n--', start) + 1
  for (let tries = 0; at > 0 && at < end && tries < MAX_GUESSES; tries++) {
    const lineEnd = endOfLine(source, at, end)
    const line = source.slice(at + 2, lineEnd).trimEnd()
    const next = source.slice(lineEnd + 1, Math.min(end, lineEnd + 9))
    if (line.length > 0 && line.length <= 200 && !line.startsWith(' ') && /^content-/i.test(next)) return line
    at = source.indexOf('\n--', lineEnd) + 1
  }
  return undefined
}

interface ContentType {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map()
const PARAMETER = /;?\s*([\w!#$&+.^`|~*-]{1,60})\s*=\s*(?:"((?:[^"\\]|\\.){0,1000})"|"?([^;\s"]{0,1000}))/g

/** RFC 2045 §5.1, lenient; RFC 2231 pieces of a value are put together. Nothing said is text/plain. */
export function contentType(value: string | undefined): ContentType {
  if (value === undefined) return { type: 'text/plain', parameters: NO_PARAMETERS }
  const type = /^[\s"']*([\w!#$&+.^-]{1,60}\/[\w!#$&+.^-]{1,100})/.exec(value)?.[1]?.toLowerCase()
  const parameters = new Map<string, string>()
  const rest = value.slice(value.search(/[;\s]/) + 1, 4000)
  for (const [, name = '', quoted, plain] of rest.matchAll(PARAMETER)) {
    const key = name.toLowerCase().replace(/\*\d*\*?$/, '')
    const text = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
    parameters.set(key, name.includes('*') ? (parameters.get(key) ?? '') + text : (parameters.get(key) ?? text))
  }
  return { type: type ?? (parameters.has('boundary') ? 'multipart/mixed' : 'text/plain'), parameters }
}

/** The content with its transfer encoding undone, as a byte string; at most 1 MB of it. */
export function contentOf(part: Part, budget: Budget): string {
  const size = Math.min(part.end - part.start, MAX_PART_CHARACTERS, budget.decoded)
  if (size < part.end - part.start) budget.limit ??= 'size'
  budget.decoded -= size
  return decodeTransfer(part.source.slice(part.start, part.start + size), part.encoding)
}

/** The content of a text part for people, HTML turned to text. */
export function textOf(part: Part, budget: Budget): string {
  const text = decodeBytes(contentOf(part, budget), part.parameters.get('charset'))
  return part.type === 'text/html' || /^\s*(?:<!doctype html|<html)/i.test(text.slice(0, 200)) ? htmlText(text) : text
}

/** All parts that are no multipart, in order. */
export function leavesOf(part: Part): readonly Part[] {
  if (part.parts.length === 0) return [part]
  return part.parts.flatMap(leavesOf)
}
