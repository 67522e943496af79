// The Feedback-ID by which Google counts complaints for senders (Postmaster Tools): up to three parts that tell streams of
// mail apart, and at the end the sender, 5 to 15 characters that stay the same for all of its mail. Pure.

import { createHash } from 'node:crypto'
import type { Domain } from '../mail/address.ts'

const SENDER_LENGTH = { least: 5, most: 15 }
const HASH_LENGTH = 6
const MAX_PART = 40

/** The header line. `tag`: the first that the app gave, its campaign. */
export function feedbackIdHeader(of: {
  readonly tag: string | undefined
  readonly tenant: string
  readonly domain: Domain
}): string {
  const parts = [...(of.tag === undefined ? [] : [partOf(of.tag)]), partOf(of.tenant), 'mail', senderIdOf(of.domain)]
  return `Feedback-ID: ${parts.join(':')}\r\n`
}

/** What an app wrote may hold anything; colons separate, and a header is ASCII. */
function partOf(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, MAX_PART)
}

/** The domain where it fits; else its beginning, and a hash that tells it from others that begin so. */
function senderIdOf(domain: Domain): string {
  const { least, most } = SENDER_LENGTH
  if (domain.length >= least && domain.length <= most) return domain
  const hash = createHash('sha256').update(domain).digest('hex').slice(0, HASH_LENGTH)
  return `${domain.slice(0, most - HASH_LENGTH - 1)}-${hash}`
}
