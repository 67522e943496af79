// Mail addresses as everything below the SMTP doors sees them: parsed once, domain in lower-case A-labels, local part
// untouched (RFC 5321 §2.4: only the receiver may interpret it) but for needless quoting: "jane"@ and jane@ are one
// mailbox, and one mailbox has one text here, so that no suppression can be walked around.

import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'

declare const emailAddress: unique symbol
declare const domain: unique symbol

/** `local@domain` with the domain in lower-case A-labels (or an address literal); made by parseAddress. */
export type EmailAddress = string & { readonly [emailAddress]: true }
/** Lower-case A-labels without a trailing dot, or an address literal such as `[192.0.2.1]`; made by parseDomain. */
export type Domain = string & { readonly [domain]: true }

export interface Address {
  readonly local: string
  readonly domain: Domain
  readonly text: EmailAddress
}

// Without C1 controls, line and paragraph separators, the marks that turn text around, and the byte order mark: what
// people cannot see must not tell two addresses apart, nor rearrange the line it is shown in.
const BEYOND_ASCII = '\\u{a0}-\\u{2027}\\u{202f}-\\u{2065}\\u{206a}-\\u{fefe}\\u{ff00}-\\u{10ffff}'
const ATOM = `[A-Za-z0-9!#$%&'*+/=?^_\`{|}~${BEYOND_ASCII}-]+`
const DOT_ATOM = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`, 'u')
const QUOTED = new RegExp(`^"(?:[\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e${BEYOND_ASCII}]|\\\\[\\x20-\\x7e])*"$`, 'u')
/** ASCII letters, digits, hyphens, dots, the underscore that some use; beyond ASCII what IDNA makes of it decides. */
const DOMAIN_TEXT = /^[A-Za-z0-9._\u{80}-\u{10ffff}-]+$/u
/** Nothing in it to fold, to translate (`xn--`) or to take for a number: as nearly all domains are written. */
const PLAIN_DOMAIN = /^(?!.*xn--)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
// RFC 5321 §4.5.3.1: 64 octets of local part, 255 of domain, 256 of path with its brackets.
const MAX_LOCAL = 64
const MAX_DOMAIN = 255
const MAX_ADDRESS = 254

export function parseDomain(text: string): Domain | undefined {
  if (text.length <= MAX_DOMAIN && PLAIN_DOMAIN.test(text)) return text as Domain
  if (text.startsWith('[') && text.endsWith(']')) return parseLiteral(text)
  // domainToASCII is made for URLs: it drops control characters, decodes %XX and stops at a slash.
  if (!DOMAIN_TEXT.test(text)) return undefined
  const ascii = domainToASCII(text.endsWith('.') ? text.slice(0, -1) : text)
  if (ascii === '' || ascii.length > MAX_DOMAIN || isIP(ascii) !== 0) return undefined
  return ascii.split('.').every((label) => LABEL.test(label)) ? (ascii as Domain) : undefined
}

function parseLiteral(text: string): Domain | undefined {
  const inner = text.slice(1, -1)
  const host = /^ipv6:/i.test(inner) ? inner.slice(5) : inner
  const family = isIP(host)
  if (family === 0 || (family === 6) !== /^ipv6:/i.test(inner)) return undefined
  return (family === 6 ? `[IPv6:${host.toLowerCase()}]` : `[${host}]`) as Domain
}

/** Parses an addr-spec (no angle brackets, no display name). Undefined for anything RFC 5321 §4.1.2 refuses. */
export function parseAddress(text: string): Address | undefined {
  const at = text.lastIndexOf('@')
  if (at <= 0) return undefined
  const local = parseLocalPart(text.slice(0, at))
  if (local === undefined) return undefined
  const parsedDomain = parseDomain(text.slice(at + 1))
  if (parsedDomain === undefined) return undefined
  const whole = `${local}@${parsedDomain}`
  return Buffer.byteLength(whole) > MAX_ADDRESS
    ? undefined
    : { local, domain: parsedDomain, text: whole as EmailAddress }
}

/** The local part in its shortest form (RFC 5321 §4.1.2: quotes and backslashes that need not be are not part of it). */
function parseLocalPart(text: string): string | undefined {
  if (Buffer.byteLength(text) > MAX_LOCAL) return undefined
  if (DOT_ATOM.test(text)) return text
  if (!QUOTED.test(text)) return undefined
  const content = text.slice(1, -1).replace(/\\(.)/g, '$1')
  return DOT_ATOM.test(content) ? content : `"${content.replace(/["\\]/g, '\\$&')}"`
}

/** The domain of an address that parseAddress made. */
export function domainOf(address: EmailAddress): Domain {
  return address.slice(address.lastIndexOf('@') + 1) as Domain
}

/** Whether the address can only travel by SMTPUTF8 (RFC 6531): its local part has bytes above 0x7f. */
export function needsSmtpUtf8(address: string): boolean {
  return /[^\x00-\x7f]/.test(address)
}
