// Who a message says it is from: every mailbox of From (RFC 5322 §3.6.2), and whether the tenant may write them there.
// Only what everybody reads alike is read at all. Where two programs could see two addresses both are checked, and what
// is left (source routes, groups, text around an address) is refused: the reader of the mail decides whom it shows, not
// we. One pass over a bounded text, so that no value is dear to read.

import type { TenantSettings } from '../config/schema.ts'
import { type Address, parseAddress } from '../mail/address.ts'
import { badHeader, fromNotAllowed, type Reply } from './replies.ts'
import type { Tenancy } from './tenancy.ts'

const MAX_LENGTH = 8 * 1024

/** The authors, none when there is no From; a Reply when the tenant may not write them. `values`: of every From field. */
export function checkAuthors(
  values: readonly string[],
  { tenancy, tenant }: { tenancy: Tenancy; tenant: TenantSettings },
): readonly Address[] | Reply {
  const [value] = values
  if (value === undefined) return []
  // RFC 5322 §3.6: one at most. Which of two is shown is the reader's choice.
  if (values.length > 1) return badHeader('From', 'the field stands more than once')
  const authors = authorsOf(value)
  if (authors === undefined) {
    // Cron's "From: root" claims no domain; an encoded word might hold one.
    if (tenant.anySender && !value.includes('@') && !value.includes('=?')) return []
    return badHeader('From', 'expected addresses such as "A Name" <user@example.com>, separated by commas')
  }
  const foreign = authors.find(({ domain }) => !tenancy.maySendAs(tenant, domain))
  return foreign === undefined ? authors : fromNotAllowed(tenant.name, foreign.domain)
}

/** Every mailbox of a From value (latin1, unfolded); undefined where there is none or the value can be read in two ways. */
export function authorsOf(value: string): readonly Address[] | undefined {
  if (value.length > MAX_LENGTH) return undefined
  const text = Buffer.from(value, 'latin1').toString()
  const authors: Address[] = []
  let mailbox = newMailbox()
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at)
    if (token === undefined) return undefined
    at = token.end
    if (token.text !== ',') {
      if (!extend(mailbox, token.text)) return undefined
    } else {
      if (!collect(mailbox, authors)) return undefined
      mailbox = newMailbox()
    }
  }
  return collect(mailbox, authors) && authors.length > 0 ? authors : undefined
}

interface Mailbox {
  /** What stands outside the angle brackets. */
  text: string
  /** The same with a mere quotation mark for every quoted string: addresses in those are names. */
  words: string
  inBrackets: string
  at: 'before' | 'inside' | 'behind'
}

const newMailbox = (): Mailbox => ({ text: '', words: '', inBrackets: '', at: 'before' })

// No alternative can match what another one can, so each character is looked at once.
const TOKEN = /"(?:[^"\\]|\\[\s\S])*"|[<>,]|[^"<>,(]+/y

/** The token at `at`, a comment being a space; undefined where a quote or comment does not end. */
function tokenAt(text: string, at: number): { text: string; end: number } | undefined {
  if (text[at] === '(') {
    const end = commentEnd(text, at)
    return end === undefined ? undefined : { text: ' ', end }
  }
  TOKEN.lastIndex = at
  const token = TOKEN.exec(text)?.[0]
  return token === undefined ? undefined : { text: token, end: at + token.length }
}

// RFC 5322 §3.2.2: comments nest, and a backslash takes the meaning from what follows it.
function commentEnd(text: string, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (character === '(') depth++
    else if (character === ')' && --depth === 0) return at + 1
  }
  return undefined
}

/** False where the token has no place. */
function extend(mailbox: Mailbox, token: string): boolean {
  if (token === '<' || token === '>') {
    if (mailbox.at !== (token === '<' ? 'before' : 'inside')) return false
    mailbox.at = token === '<' ? 'inside' : 'behind'
  } else if (mailbox.at === 'inside') {
    mailbox.inBrackets += token
  } else if (mailbox.at === 'behind') {
    return /^[ \t]*$/.test(token)
  } else {
    mailbox.text += token
    mailbox.words += token.startsWith('"') ? '"' : token
  }
  return true
}

/** Adds the addresses of a mailbox that has ended; false where one cannot be read. */
function collect({ text, words, inBrackets, at }: Mailbox, authors: Address[]): boolean {
  if (at === 'inside') return false
  // Without brackets: an address, or a part of a name with a comma that should have been quoted ("Acme, Inc.").
  const written = at === 'behind' ? [inBrackets, ...addressesIn(words)] : text.includes('@') ? [text] : []
  for (const spec of written) {
    const address = parseAddress(withoutBlanks(spec))
    if (address === undefined) return false
    authors.push(address)
  }
  return true
}

/** Of `ceo@a.test <me@b.test>` some programs show the first address, some the second. */
const addressesIn = (words: string): string[] =>
  withoutBlanks(words)
    .split(/[ \t]/)
    .filter((word) => word.includes('@'))

/** RFC 5322 §4.4: blanks around the @ mean nothing. */
const withoutBlanks = (text: string): string =>
  text
    .split('@')
    .map((part) => part.replaceAll('\t', ' ').trim())
    .join('@')
