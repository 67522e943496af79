// From a claimed recipient to what delivery takes: the return path on the wire, the pool, the body when it is one chunk.

import { dayOf, makeToken, type ReturnPathKey } from '../bounce/return-path.ts'
import { byName } from '../config/by-name.ts'
import type { Settings } from '../config/schema.ts'
import type { Attempt } from '../delivery/delivery.ts'
import { domainOf } from '../mail/address.ts'
import type { Message } from '../mail/message.ts'
import type { BodyLocation } from '../store/body-reader.ts'
import type { Clock } from '../util/clock.ts'
import type { Flight } from './flight.ts'

export interface AttemptParts {
  readonly settings: () => Settings
  readonly key: ReturnPathKey
  readonly readChunk: (id: string, index: number) => Buffer | undefined
  readonly bodyFile: (id: string) => BodyLocation | undefined
  readonly clock: Clock
}

export function attemptOf(parts: AttemptParts, { message, recipient, content, permit }: Flight): Attempt {
  const token = tokenOf(parts, message, recipient.n)
  const whole = message.chunks === 1 ? (content ?? parts.readChunk(message.id, 0)) : undefined
  const file = message.chunks === 1 ? undefined : parts.bodyFile(message.id)
  const sender = senderOnTheWire(parts, message, token)
  // Receivers give headers back in their reports, and not all of them to the envelope sender: by this one its recipient
  // is found whatever way a report takes. No signature covers it; it carries its own.
  const header = token === undefined ? '' : `X-Studs-Token: ${token}\r\n`
  // Behind our own return path reports come back to us, whatever the app wants to hear of them: it hears from us.
  const isOurs = sender !== message.sender
  return {
    message: message.id,
    n: recipient.n,
    attempt: recipient.state.kind === 'waiting' ? recipient.state.attempts : 0,
    tenant: message.tenant,
    sender,
    recipient: recipient.address,
    domain: domainOf(recipient.address),
    pool: message.pool ?? byName(parts.settings().tenant, message.tenant)?.pool ?? 'default',
    ...(permit?.source === undefined ? {} : { source: permit.source }),
    sizeBytes: message.sizeBytes + header.length,
    body: message.body,
    smtpUtf8: message.smtpUtf8,
    ...(message.tlsWish === undefined ? {} : { tlsWish: message.tlsWish }),
    prefix: header + message.prefix,
    chunks: message.chunks,
    ...(message.dsn === undefined || isOurs ? {} : { dsnMail: message.dsn }),
    ...(recipient.dsn === undefined || isOurs ? {} : { dsnRcpt: recipient.dsn }),
    ...(whole === undefined ? {} : { content: whole }),
    ...(file === undefined ? {} : { file }),
  }
}

/** Names this recipient and is signed; mail that nothing may come back to has none. */
function tokenOf({ settings, key, clock }: AttemptParts, { id, sender }: Message, n: number): string | undefined {
  if (sender === '') return undefined
  return makeToken({ key, id, n, expiresDay: dayOf(clock.now()) + settings().queue.returnPathDays })
}

/** The signed return path of this recipient; the app's own sender where its domain has none; null stays null. */
function senderOnTheWire({ settings }: AttemptParts, message: Message, token: string | undefined): string {
  if (token === undefined || message.senderDomain === undefined) return message.sender
  const { domain } = settings()
  const domainName = message.senderDomain
  const own =
    byName(domain, domainName) ?? domain.find((each) => each.subdomains && domainName.endsWith(`.${each.name}`))
  return own?.returnPath === undefined ? message.sender : `${token}@${own.returnPath}`
}
