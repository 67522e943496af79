// What an address of the bounce listener is for. Asked at RCPT by anybody who can reach the port, so it reads as little
// as it can: nothing at all for what is not signed.

import { dayOf, looksLikeReturnPath, type ReturnPathKey, readReturnPath } from '../bounce/return-path.ts'
import type { Settings } from '../config/schema.ts'
import { parseAddress } from '../mail/address.ts'
import { type Clock, DAY } from '../util/clock.ts'
import type { Addressee } from './desk.ts'

export interface AddresseeParts {
  readonly keys: readonly ReturnPathKey[]
  readonly settings: () => Settings
  readonly clock: Clock
  /** Whether the recipient of a token is still known. */
  readonly isKnown: (id: string, n: number) => boolean
  /** How the wish of whoever an unsubscribe token was made for stands; undefined when nobody knows them any more. */
  readonly subscriber: (local: string) => 'open' | 'settled' | undefined
  /** Reports about a recipient since then. */
  readonly countSince: (id: string, n: number, since: number) => number
}

/** RFC 5321 §4.5.1 and RFC 2142: always to be reached. */
const PEOPLE: ReadonlySet<string> = new Set(['postmaster', 'abuse'])
const UNKNOWN: Addressee = { kind: 'unknown' }

export function addresseeOf(parts: AddresseeParts, text: string): Addressee {
  const address = parseAddress(text)
  if (address === undefined) return UNKNOWN
  const { domain: domains, bounceBox: boxes } = parts.settings()
  const domain: string = address.domain
  const local = address.local.toLowerCase()
  const own = boxes.filter((box) => box.address.slice(box.address.lastIndexOf('@') + 1).toLowerCase() === domain)
  const isReturnPath = domains.some(({ returnPath }) => returnPath === domain)
  if (!isReturnPath && own.length === 0) return { kind: 'foreign' }
  const exact = own.find((box) => box.address.toLowerCase() === `${local}@${domain}`)
  if (exact !== undefined) return { kind: 'box', box: exact.kind }
  if (looksLikeReturnPath(local)) return bounceOf(parts, local)
  if (looksLikeReturnPath(local, 'unsubscribe')) return unsubscribeOf(parts, local)
  if (PEOPLE.has(local)) return { kind: 'box', box: 'postmaster' }
  const rest = own.find((box) => box.address.startsWith('*@'))
  return rest === undefined ? UNKNOWN : { kind: 'box', box: rest.kind }
}

function bounceOf(parts: AddresseeParts, local: string): Addressee {
  const now = parts.clock.now()
  const read = readReturnPath(local, parts.keys, dayOf(now))
  if (read.kind !== 'ok' || !parts.isKnown(read.id, read.n)) return UNKNOWN
  const count = parts.countSince(read.id, read.n, now - DAY)
  if (count >= parts.settings().bounce.reportsPerRecipient) return { kind: 'too-many' }
  return { kind: 'bounce', id: read.id, n: read.n }
}

function unsubscribeOf(parts: AddresseeParts, local: string): Addressee {
  const read = readReturnPath(local, parts.keys, dayOf(parts.clock.now()), 'unsubscribe')
  const subscriber = read.kind === 'ok' ? parts.subscriber(local) : undefined
  if (read.kind !== 'ok' || subscriber === undefined) return UNKNOWN
  if (subscriber === 'settled') return { kind: 'too-many' }
  return { kind: 'unsubscribe', id: read.id, n: read.n }
}
