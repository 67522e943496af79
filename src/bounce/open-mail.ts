// A report laid open for the readers: its parts, words and returned mail, each worked out once and only when asked for.

import { type FieldList, NO_FIELDS, readHeaders } from './headers.ts'
import { addressesInText, mailboxIn } from './mailboxes.ts'
import { type Budget, contentOf, leavesOf, type Part, readMail, textOf } from './mime.ts'
import type { Headers, Prose, ProseFinding } from './prose/prose.ts'
import { readProse } from './prose/readers.ts'
import { cutReturned } from './prose/returned.ts'

/** More words than a report has; a newsletter that came back as text is not read to its end. */
const MAX_WORDS = 256 * 1024
const MAX_LINES = 5000
/** Parts of these types are read by machines; all other message/* parts give the mail back. */
const MACHINE_TYPES: ReadonlySet<string> = new Set([
  'message/delivery-status',
  'message/global-delivery-status',
  'message/feedback-report',
  'message/disposition-notification',
  'message/global-disposition-notification',
  'message/external-body',
])
const HEADER_TYPES: ReadonlySet<string> = new Set([
  'text/rfc822-headers',
  'message/global-headers',
  'text/rfc822-header',
])

export class OpenMail {
  readonly root: Part
  readonly headers: FieldList
  readonly subject: string
  readonly from: string
  readonly leaves: readonly Part[]
  readonly budget: Budget
  #lines: readonly string[] | undefined
  #returned: Headers | undefined
  #prose: { readonly finding: ProseFinding | undefined } | undefined

  constructor(source: string, depth: number, budget: Budget) {
    this.budget = budget
    this.root = readMail(source, depth, budget)
    this.headers = this.root.headers
    this.leaves = leavesOf(this.root)
    this.subject = (this.headers.get('subject') ?? '').replace(/\s+/g, ' ').trim()
    const from = this.headers.get('from') ?? ''
    this.from = mailboxIn(from) || (addressesInText(from)[0] ?? '')
  }

  /** The first part of one of the types. */
  part(...types: readonly string[]): Part | undefined {
    return this.leaves.find((leaf) => types.includes(leaf.type))
  }

  content(part: Part): string {
    return contentOf(part, this.budget)
  }

  /** What people read of it: text parts in order, one form of each alternative, without what is given back. */
  get lines(): readonly string[] {
    this.#lines ??= textParts(this.root)
      .map((part) => textOf(part, this.budget))
      .join('\n')
      .slice(0, MAX_WORDS)
      .split('\n', MAX_LINES)
      .map((line) => line.trimEnd())
    return this.#lines
  }

  /** The words on one line, spaces made single. */
  get words(): string {
    return this.lines.join(' ').replace(/\s+/g, ' ')
  }

  /** Whether the mail that failed lies in a part of its own. */
  get givesBack(): boolean {
    return this.leaves.some(isReturned)
  }

  /** Texts whose encoding hides what a look at the raw mail would find. */
  get encodedTexts(): readonly string[] {
    const encoded = this.leaves.filter(
      ({ encoding, type }) => encoding === 'base64' && /^(?:text|message)\//.test(type),
    )
    return encoded.map((leaf) => this.content(leaf))
  }

  /** Header of the mail that is given back, from a part of its own or from where it stands in the text. */
  get returned(): Headers | undefined {
    this.#returned ??= this.#returnedPart() ?? this.prose?.returned ?? cutReturned(this.lines).returned ?? NO_FIELDS
    return this.#returned === NO_FIELDS ? undefined : this.#returned
  }

  /** What the free-text readers make of it. */
  get prose(): ProseFinding | undefined {
    this.#prose ??= { finding: readProse(this.#asProse()) }
    return this.#prose.finding
  }

  #asProse(): Prose {
    const returned = this.#returnedPart()
    const { headers, subject, from, lines } = this
    return { headers, subject, from, lines, ...(returned === undefined ? {} : { returned }) }
  }

  #returnedPart(): Headers | undefined {
    for (const leaf of this.leaves) {
      if (!isReturned(leaf)) continue
      // Not decoded where it is not encoded: only the header is wanted of what may be large.
      const isEncoded = leaf.encoding === 'base64' || leaf.encoding === 'quoted-printable'
      const source = isEncoded ? this.content(leaf) : leaf.source
      const range = isEncoded ? { start: 0, end: source.length } : { start: leaf.start, end: leaf.end }
      const { headers } = readHeaders(source, { ...range, isLoose: true })
      if (headers.size > 0) return headers
    }
    return undefined
  }
}

export function isReturned(part: Part): boolean {
  return HEADER_TYPES.has(part.type) || (part.type.startsWith('message/') && !MACHINE_TYPES.has(part.type))
}

function textParts(part: Part): readonly Part[] {
  if (part.type === 'multipart/alternative' && part.parts.length > 0) {
    const forms = part.parts.map(textParts).filter((form) => form.some((leaf) => leaf.end - leaf.start > 1))
    return forms.find((form) => form.every((leaf) => leaf.type === 'text/plain' && hasWords(leaf))) ?? forms[0] ?? []
  }
  if (part.parts.length > 0) return part.parts.flatMap(textParts)
  if (!part.type.startsWith('text/') || HEADER_TYPES.has(part.type) || part.type === 'text/xml') return []
  // The words of a report are sometimes "attached"; a text file attached to a mail has a name.
  return part.isAttachment && part.parameters.has('name') && part.depth > 0 ? [] : [part]
}

function hasWords(part: Part): boolean {
  return /\S/.test(part.source.slice(part.start, Math.min(part.end, part.start + 2000)))
}
