// One mail transaction: the envelope as it grows from MAIL to DATA, and the function that reads the header section of its
// message into what the queue is given.

import type { CredentialSettings, TenantSettings } from '../config/schema.ts'
import { type Address, type Domain, type EmailAddress, needsSmtpUtf8, parseAddress } from '../mail/address.ts'
import type { DsnMail, Message } from '../mail/message.ts'
import type { Submitted, SubmittedRecipient } from '../queue/submission.ts'
import type { Signer } from '../sign/signer.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { checkAuthors } from './authors.ts'
import { shownHeader } from './encoded-word.ts'
import { feedbackIdHeader } from './feedback-id.ts'
import { type Field, fieldValue, type Head, scanHead, withoutFields } from './head.ts'
import type { OpenedHead } from './intake.ts'
import { type UnsubscribeOffer, type UnsubscribeTerms, unsubscribeOffer } from './list-unsubscribe.ts'
import { isOwn, type OwnHeaders, readOwnHeaders } from './own-headers.ts'
import { REPLY, type Reply } from './replies.ts'
import type { Tenancy } from './tenancy.ts'
import { dateHeader, messageIdHeader, receivedHeader, withProtocol } from './trace.ts'

export interface Envelope {
  readonly tenant: TenantSettings
  readonly credential: CredentialSettings | undefined
  readonly sender: EmailAddress | ''
  readonly smtpUtf8: boolean
  readonly dsn: DsnMail | undefined
  readonly requireTls: boolean
  readonly recipients: Map<string, SubmittedRecipient>
  /** Monotonic. */
  readonly startedAt: number
}

export interface HeadParts {
  readonly envelope: Envelope
  readonly tenancy: Tenancy
  readonly signer: Signer
  readonly clock: Pick<Clock, 'now'>
  readonly hostname: string
  readonly client: Message['client']
  readonly isEsmtp: boolean
  readonly maxReceived: number
  /** Undefined: no unsubscribe addresses can be made. */
  readonly unsubscribe?: UnsubscribeTerms | undefined
}

/** Reads the header section of message `id`; `text` is latin1 with CRLF lines. */
export function openHead(parts: HeadParts, id: string, text: string): OpenedHead | Reply {
  const head = scanHead(text)
  const known = pickFields(head)
  if (known.received > parts.maxReceived) return REPLY.loop
  const { tenancy, envelope } = parts
  const now = parts.clock.now()
  const own = readOwnHeaders(text, known.own, { now, hasPool: (name) => tenancy.mayUsePool(envelope.tenant, name) })
  if ('code' in own) return own
  const froms = known.from.map((field) => fieldValue(text, field))
  const authors = checkAuthors(froms, { tenancy, tenant: envelope.tenant })
  if ('code' in authors) return authors
  const lines =
    known.own.length === 0 && head.start === 0 ? text.slice(0, head.end) : withoutFields(text, head, known.own)
  const shown = shownHeaders(text, known, `<${id}@${parts.hostname}>`)
  const senderDomain = ownSenderDomain(parts, authors[0])
  const signing = senderDomain === undefined ? undefined : parts.signer.start(senderDomain)
  const offer = offerTo(parts, { id, now, known, senderDomain, isSigned: signing !== undefined })
  const feedback = feedbackOf(parts, { known, tag: own.tags[0], senderDomain, isSigned: signing !== undefined })
  const trace = tracePrefix(parts, { id, now, known, messageId: shown.messageId }) + (offer?.lines ?? '') + feedback
  const has8BitHead = envelope.smtpUtf8 && /[^\x00-\x7f]/.test(lines)
  return {
    lines: Buffer.from(lines, 'latin1'),
    bodyStart: head.bodyStart,
    signing,
    signedBlock: () => trace + lines,
    complete: ({ storedBytes, has8Bit, signature }) => ({
      ...envelopeOf(envelope, has8BitHead),
      ...ownOf(own, parts, now),
      ...(senderDomain === undefined ? {} : { senderDomain }),
      ...(offer === undefined ? {} : { unsubscribeUntil: offer.until }),
      ...tlsWishOf(
        envelope,
        known.tlsRequired.map((field) => fieldValue(text, field)),
      ),
      prefix: signature + trace,
      sizeBytes: signature.length + trace.length + storedBytes,
      // What the content is counts, not what MAIL said: many apps send 8 bit without saying so, some say so for ASCII.
      body: has8Bit ? '8bitmime' : '7bit',
      headers: shown,
      client: parts.client,
    }),
  }
}

interface KnownFields {
  received: number
  messageId?: Field
  date?: Field
  subject?: Field
  /** The app says itself how to unsubscribe. */
  hasUnsubscribe: boolean
  hasFeedbackId: boolean
  readonly from: Field[]
  readonly tlsRequired: Field[]
  readonly own: Field[]
}

function pickFields(head: Head): KnownFields {
  const known: KnownFields = {
    received: 0,
    hasUnsubscribe: false,
    hasFeedbackId: false,
    from: [],
    tlsRequired: [],
    own: [],
  }
  for (const field of head.fields) {
    switch (field.name) {
      case 'received':
        known.received++
        break
      case 'message-id':
        known.messageId ??= field
        break
      case 'date':
        known.date ??= field
        break
      case 'from':
        known.from.push(field)
        break
      case 'subject':
        known.subject ??= field
        break
      case 'tls-required':
        known.tlsRequired.push(field)
        break
      case 'list-unsubscribe':
      case 'list-unsubscribe-post':
        known.hasUnsubscribe = true
        break
      case 'feedback-id':
        known.hasFeedbackId = true
        break
      default:
        if (isOwn(field.name)) known.own.push(field)
    }
  }
  return known
}

function shownHeaders(text: string, known: KnownFields, madeMessageId: string): Message['headers'] {
  const show = (field: Field): string => shownHeader(fieldValue(text, field))
  const [from] = known.from
  return {
    messageId: known.messageId === undefined ? madeMessageId : show(known.messageId),
    ...(from === undefined ? {} : { from: show(from) }),
    ...(known.subject === undefined ? {} : { subject: show(known.subject) }),
  }
}

interface TraceParts {
  readonly id: string
  readonly now: EpochMs
  readonly known: KnownFields
  readonly messageId: string
}

function tracePrefix(
  { envelope, hostname, client, isEsmtp }: HeadParts,
  { id, now, known, messageId }: TraceParts,
): string {
  const { tls, address, helo = '' } = client
  const protocol = withProtocol({
    esmtp: isEsmtp,
    tls: tls !== undefined,
    auth: envelope.credential !== undefined,
    utf8: envelope.smtpUtf8,
  })
  const received = receivedHeader({
    id,
    hostname,
    helo,
    address,
    protocol,
    at: now,
    ...(tls === undefined ? {} : { tls }),
  })
  const added = known.messageId === undefined ? messageIdHeader(messageId) : ''
  return received + added + (known.date === undefined ? dateHeader(now) : '')
}

interface OfferParts {
  readonly id: string
  readonly now: EpochMs
  readonly known: KnownFields
  readonly senderDomain: Domain | undefined
  readonly isSigned: boolean
}

/** One recipient only: all get the same bytes, and whoever is forwarded a token can use it. */
function offerTo(
  { envelope, tenancy, unsubscribe }: HeadParts,
  { id, now, known, senderDomain, isSigned }: OfferParts,
): UnsubscribeOffer | undefined {
  if (envelope.credential?.listUnsubscribe !== true || envelope.recipients.size !== 1) return undefined
  if (unsubscribe === undefined || known.hasUnsubscribe || senderDomain === undefined) return undefined
  const domain = tenancy.returnPathOf(senderDomain)
  return domain === undefined ? undefined : unsubscribeOffer(unsubscribe, { id, domain, now, isSigned })
}

interface FeedbackParts extends Pick<OfferParts, 'known' | 'senderDomain' | 'isSigned'> {
  readonly tag: string | undefined
}

/** Only under a signature: Google believes no other, and anybody could spoil the numbers of the sender. */
function feedbackOf({ envelope }: HeadParts, { known, tag, senderDomain, isSigned }: FeedbackParts): string {
  if (envelope.credential?.feedbackId !== true || known.hasFeedbackId) return ''
  if (senderDomain === undefined || !isSigned) return ''
  return feedbackIdHeader({ tag, tenant: envelope.tenant.name, domain: senderDomain })
}

function ownSenderDomain({ envelope, tenancy }: HeadParts, author: Address | undefined): Submitted['senderDomain'] {
  for (const domain of [author?.domain, parseAddress(envelope.sender)?.domain]) {
    const own = domain === undefined ? undefined : tenancy.ownDomain(envelope.tenant, domain)
    if (own !== undefined) return own
  }
  return undefined
}

function envelopeOf(envelope: Envelope, has8BitHead: boolean) {
  const { tenant, credential, sender, dsn } = envelope
  const to = [...envelope.recipients.values()]
  return {
    tenant: tenant.name,
    sender,
    to,
    // Asked for and needed (RFC 6531 §3.6): a message without anything international can go to servers without it.
    smtpUtf8:
      envelope.smtpUtf8 && (has8BitHead || needsSmtpUtf8(sender) || to.some(({ address }) => needsSmtpUtf8(address))),
    ...(credential === undefined ? {} : { credential: credential.name }),
    ...(dsn === undefined ? {} : { dsn }),
  }
}

/** REQUIRETLS, or else the header field that says the contrary (RFC 8689 §5); the field goes out with the message. */
function tlsWishOf({ requireTls }: Envelope, tlsRequired: readonly string[]): Pick<Submitted, 'tlsWish'> {
  if (requireTls) return { tlsWish: 'required' }
  return tlsRequired.some((value) => value.trim().toLowerCase() === 'no') ? { tlsWish: 'optional' } : {}
}

function ownOf(own: OwnHeaders, { tenancy, envelope }: HeadParts, now: EpochMs) {
  const { tags, metadata, sendAt, idempotencyKey } = own
  const pool = own.pool ?? envelope.tenant.pool
  return {
    // The life of a message that is sent later begins then.
    expiresAt: own.expiresAt ?? Math.max(now, sendAt ?? now) + tenancy.lifetimeMs(envelope.tenant),
    ...(tags.length === 0 ? {} : { tags }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(pool === undefined ? {} : { pool }),
    ...(sendAt === undefined ? {} : { sendAt }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  }
}
