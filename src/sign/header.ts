// The header half of a DKIM signature: which fields it covers, their relaxed canonicalisation, and how the
// DKIM-Signature field itself is written. Pure; texts are Latin-1, one character a byte, so 8-bit bytes pass unchanged.

/**
 * Listed once more than present, so that a field added on the way breaks the signature (RFC 6376 §8.15): what people see,
 * what decides whom they answer, and how the body is read. Somebody who replays a signed mail may add none of them.
 */
const OVERSIGNED = ['from', 'to', 'cc', 'reply-to', 'subject', 'date', 'message-id', 'content-type']

/** The same where there is one. Where there is none, a server on the way may have a reason to add it. */
const OVERSIGNED_IF_PRESENT = [
  'sender',
  'mime-version',
  'content-transfer-encoding',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'feedback-id',
]

/** Listed as often as present. Not Received, Return-Path or DKIM-Signature: those change on the way (RFC 6376 §5.4.1). */
const SIGNED_IF_PRESENT = [
  'in-reply-to',
  'references',
  'list-id',
  'resent-date',
  'resent-from',
  'resent-sender',
  'resent-to',
  'resent-cc',
  'resent-message-id',
]

const FIELD = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/
const LINE_LENGTH = 76
const SIGNATURE_LINES = new RegExp(`.{1,${LINE_LENGTH - 4}}`, 'g')

/** The fields one message's signatures cover. */
export interface SignedFields {
  /** Lower-case names in the order of the h= tag. */
  readonly names: readonly string[]
  /** The fields in that order, canonicalised, each with its CRLF: what is signed in front of the signature's own field. */
  readonly canonical: string
}

/** Undefined when there is no From: a signature that does not cover it fails everywhere (RFC 6376 §5.4). */
export function signedFields(headers: string): SignedFields | undefined {
  const present = fieldsByName(headers)
  if (!present.has('from')) return undefined
  const names: string[] = []
  let canonical = ''
  const sign = (name: string, extra: number): void => {
    const fields = present.get(name) ?? []
    // The n-th mention of a name means its n-th field from the bottom (RFC 6376 §5.4.2).
    for (const field of fields.toReversed()) canonical += `${relaxed(field)}\r\n`
    for (let count = fields.length + extra; count > 0; count--) names.push(name)
  }
  for (const name of OVERSIGNED) sign(name, 1)
  for (const name of OVERSIGNED_IF_PRESENT) if (present.has(name)) sign(name, 1)
  for (const name of SIGNED_IF_PRESENT) sign(name, 0)
  return { names, canonical }
}

function fieldsByName(headers: string): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const field of headers.split(/\r\n(?![ \t])/)) {
    const name = FIELD.exec(field)?.[1]?.toLowerCase()
    if (name === undefined) continue
    const known = fields.get(name)
    if (known === undefined) fields.set(name, [field])
    else known.push(field)
  }
  return fields
}

/** RFC 6376 §3.4.2. WSP is space and tab only: String.trim would also eat 0xa0, the second byte of many a UTF-8 letter. */
function relaxed(field: string): string {
  const colon = field.indexOf(':')
  const name = field
    .slice(0, colon)
    .replace(/[ \t]+/g, '')
    .toLowerCase()
  const value = field
    .slice(colon + 1)
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
  return `${name}:${value.replace(/^ | $/g, '')}`
}

export interface SignatureTags {
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  readonly domain: string
  readonly selector: string
  /** Seconds since 1970. */
  readonly time: number
  readonly names: readonly string[]
  readonly bodyHash: string
}

/**
 * The field without the value of b=, folded, without a last CRLF. No l=, so nothing can be added to the body; no x=, so
 * mail that waited in a queue is not refused for it.
 */
export function unsignedField(tags: SignatureTags): string {
  const { algorithm, domain, selector, time, names, bodyHash } = tags
  return [
    `DKIM-Signature: v=1; a=${algorithm}; c=relaxed/relaxed;`,
    `d=${domain}; s=${selector}; t=${time};`,
    `h=${foldNames(names)};`,
    `bh=${bodyHash};`,
    'b=',
  ].join('\r\n\t')
}

/** What is signed: the covered fields, then the signature's own field with an empty b= and no CRLF (RFC 6376 §3.7). */
export function signingInput(fields: SignedFields, unsigned: string): Buffer {
  return Buffer.from(fields.canonical + relaxed(unsigned), 'latin1')
}

/** The finished field, CRLF-terminated. */
export function signedField(unsigned: string, signature: Buffer): string {
  const lines = signature.toString('base64').match(SIGNATURE_LINES) ?? []
  return `${unsigned}${lines.join('\r\n\t ')}\r\n`
}

function foldNames(names: readonly string[]): string {
  let folded = ''
  let length = 'h='.length
  for (const [at, name] of names.entries()) {
    const piece = at === 0 ? name : `:${name}`
    if (at > 0 && length + piece.length > LINE_LENGTH - 8) {
      folded += `:\r\n\t ${name}`
      length = name.length + 1
    } else {
      folded += piece
      length += piece.length
    }
  }
  return folded
}
