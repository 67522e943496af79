// Addresses as reports write them: bare, in brackets, in quotes, behind a label, with a mailto beside. More is allowed than
// RFC 5321 does (two dots, a dot before the @: Japanese carriers gave such addresses out); what it is not is trusted.

import { sameAddress } from '../mailboxes.ts'

const LOCAL = "[\\w.!#$%&'*+/=?^`{|}~-]{1,128}"
// Every label is taken whole and only once: no way to match a text in two ways, so a hostile line costs no more than its length.
const DOMAIN = '[A-Za-z0-9_-]{1,63}(?:\\.[A-Za-z0-9_-]{1,63}){0,12}'
const BARE = new RegExp(`(?:"[^"@<>]{1,64}"|${LOCAL})@${DOMAIN}`, 'g')
const BRACKETED = /<(?:smtp:|rfc822;|mailto:)?([^\s<>"@]{1,128}@[^\s<>@"]{1,255}|"[^"<>]{1,64}"@[^\s<>@"]{1,255})>/i
const MAX_ADDRESS = 320

/** The address without what a report hangs around it; undefined where none is left. */
export function bareAddress(text: string): string | undefined {
  const at = text.lastIndexOf('@')
  if (at <= 0) return undefined
  const quoted = text.startsWith('"') && text.charAt(at - 1) === '"'
  const local = quoted ? text.slice(0, at) : text.slice(0, at).replace(/^[*'`|"/]+/, '')
  const domain = text.slice(at + 1).replace(/(?<![-_.,;:'"])[-_.,;:'"]+$/, '')
  if (local === '' || domain === '' || domain.startsWith('.') || domain.startsWith('-')) return undefined
  const whole = `${local}@${domain}`
  return whole.length > MAX_ADDRESS ? undefined : whole
}

/** Every address in a line, in order, each once. */
export function addressesIn(line: string): string[] {
  const found: string[] = []
  const bracketed = BRACKETED.exec(line)?.[1]
  const beyondAscii = bracketed !== undefined && !/^[\x21-\x7e]*$/.test(bracketed) ? bareAddress(bracketed) : undefined
  if (beyondAscii !== undefined) found.push(beyondAscii)
  const rest = beyondAscii === undefined ? line : line.replace(BRACKETED, ' ')
  for (const [match] of rest.matchAll(BARE)) {
    const address = bareAddress(match)
    if (address !== undefined && !found.some((other) => sameAddress(other, address))) found.push(address)
  }
  return found
}

export function addressIn(line: string): string | undefined {
  return addressesIn(line)[0]
}

/** Whether the domain looks like one of the public Internet; what stands in running text has to. */
export function isPublic(address: string): boolean {
  return (
    !address.includes('/') &&
    /@(?:[A-Za-z0-9_\x80-\uffff-]+\.)+(?:[A-Za-z\x80-\uffff]{2,}|xn--[a-z0-9-]+)$/.test(address)
  )
}
