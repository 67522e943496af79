// From an address or a domain to the target a suppression is kept under. Pure. Exact after lower-casing: no dots or tags
// are folded, for no domain, because only the receiver knows what they mean (RFC 5321 §2.4; docs/suppressions.md).

import type { EmailAddress } from '../mail/address.ts'
import { domainOf, parseAddress, parseDomain } from '../mail/address.ts'

export interface Folding {
  /** Jane@ and jane@ are one address: true of every receiver that matters, though RFC 5321 §2.4 allows otherwise. */
  readonly lowerCaseLocalPart: boolean
}

/** The target of one address; its domain is lower-case already. One way to write é, not two (RFC 6532 §3.1). */
export function addressTarget(address: EmailAddress, folding: Folding): string {
  const composed = address.normalize('NFC')
  return folding.lowerCaseLocalPart ? composed.toLowerCase() : composed
}

/** The target under which the whole domain of an address is suppressed. */
export function domainTarget(address: EmailAddress): string {
  return `@${domainOf(address)}`
}

/** Reads what people write (`Jane@Example.ORG`, `@example.org`) into a target; undefined when it is neither. */
export function parseTarget(text: string, folding: Folding): string | undefined {
  const trimmed = text.trim()
  if (trimmed.startsWith('@')) {
    const domain = parseDomain(trimmed.slice(1))
    return domain === undefined ? undefined : `@${domain}`
  }
  const bare = trimmed.startsWith('<') && trimmed.endsWith('>') ? trimmed.slice(1, -1) : trimmed
  const address = parseAddress(bare)
  return address === undefined ? undefined : addressTarget(address.text, folding)
}
