// Delivery status notifications that we send: when one is wanted, and how it is written (RFC 3461, RFC 3464, RFC 6522;
// RFC 6533 for addresses beyond ASCII). It knows no queue and sends nothing; the envelope sender is always the null one.
// MIME is put together by hand: it is four fixed pieces of text, and a composer has no say over the parts' encodings.

import { encode as encodeQuotedPrintable, wrap } from 'nodemailer/lib/qp'
import { type EmailAddress, needsSmtpUtf8 } from '../mail/address.ts'
import type { BodyType, Message, Recipient } from '../mail/message.ts'
import type { EpochMs } from '../util/clock.ts'
import {
  type DsnKind,
  type DsnRecipient,
  deliveryStatus,
  originalRecipient,
  rfc5322Date,
  type StatusParts,
} from './dsn-status.ts'
import { humanText } from './dsn-text.ts'

export type { DsnKind, DsnRecipient }

export interface DsnParts {
  readonly kind: DsnKind
  /** Our host name. */
  readonly reportingMta: string
  readonly message: Message
  /** All with the same kind. */
  readonly recipients: readonly DsnRecipient[]
  /** Header block as it was accepted, Latin-1. */
  readonly originalHeaders: string
  /** For RET=FULL; left away when it is too large or cannot be carried unchanged. */
  readonly originalBody?: Buffer
  readonly now: EpochMs
  /** Unique; becomes the Message-ID and part of the boundary. */
  readonly id: string
}

export interface Dsn {
  readonly to: EmailAddress
  readonly raw: Buffer
  readonly body: BodyType
  /** Whether it can only travel by SMTPUTF8. */
  readonly smtpUtf8: boolean
}

const MAX_RETURNED_BYTES = 1024 * 1024
const MAX_RETURNED_HEADER = 64 * 1024
const LONGEST_LINE = 998 // RFC 5321 §4.5.3.1.6, without CRLF

const SUBJECTS: Record<DsnKind, string> = {
  failed: 'Your message could not be delivered',
  delayed: 'Your message is delayed',
  delivered: 'Your message was delivered',
  relayed: 'Your message was handed over',
}

/** One MIME part; `content` in Latin-1, one character a byte. */
interface Part {
  readonly type: string
  readonly encoding: '7bit' | '8bit' | 'quoted-printable'
  readonly content: string
}

/** Throws when the message has no sender: nobody can be told (RFC 5321 §4.5.5), and asking for it is a bug. */
export function composeDsn(parts: DsnParts): Dsn {
  const { message, recipients } = parts
  const to = message.sender
  if (to === '') throw new Error(`message ${message.id} has no sender to notify`)
  const isInternational = [to, ...recipients.map(addressesOf)].some(needsSmtpUtf8)
  const status: StatusParts = { ...parts, isInternational }
  const pieces = [explanation(status), machinePart(status), returnedPart(parts, isInternational)]
  const smtpUtf8 = needsSmtpUtf8(to)
  const raw = Buffer.from(
    `${header(parts, to, boundaryFor(parts.id, pieces))}${multipart(boundaryFor(parts.id, pieces), pieces)}`,
    'latin1',
  )
  const body: BodyType = smtpUtf8 || pieces.some(({ encoding }) => encoding === '8bit') ? '8bitmime' : '7bit'
  return { to, raw, body, smtpUtf8 }
}

function addressesOf({ recipient }: DsnRecipient): string {
  return `${recipient.address} ${originalRecipient(recipient) ?? ''}`
}

function header({ kind, reportingMta, message, now, id }: DsnParts, to: EmailAddress, boundary: string): string {
  const original = /^<[\x21-\x3b\x3d\x3f-\x7e]{1,250}>$/.test(message.headers.messageId)
    ? message.headers.messageId
    : undefined
  const lines = [
    `From: Mail Delivery System <postmaster@${reportingMta}>`,
    `To: <${Buffer.from(to).toString('latin1')}>`,
    `Subject: ${SUBJECTS[kind]}`,
    `Date: ${rfc5322Date(now)}`,
    `Message-ID: <${id}@${reportingMta}>`,
    // RFC 3834 §3.1.7, so that no other machine answers this one.
    'Auto-Submitted: auto-replied',
    ...(original === undefined ? [] : [`In-Reply-To: ${original}`, `References: ${original}`]),
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

function explanation(status: StatusParts): Part {
  return textPart('text/plain; charset=utf-8', Buffer.from(humanText(status)).toString('latin1'))
}

function machinePart(status: StatusParts): Part {
  const content = Buffer.from(deliveryStatus(status)).toString('latin1')
  // RFC 3464 §2.1.1: 7bit, nothing else. RFC 6533 §4.1 for the other.
  if (!status.isInternational) return { type: 'message/delivery-status', encoding: '7bit', content }
  return { type: 'message/global-delivery-status', encoding: '8bit', content }
}

/** RET speaks of failures only: other reports return the header, whatever was asked (RFC 3461 §4.3). */
function returnedPart({ kind, message, originalHeaders, originalBody }: DsnParts, isInternational: boolean): Part {
  const isGlobal = isInternational || message.smtpUtf8
  // RFC 8689 §5: what had to be protected does not come back on a way that may not be.
  const mayReturnAll = message.dsn?.ret === 'FULL' && message.tlsWish !== 'required'
  if (kind === 'failed' && mayReturnAll && originalBody !== undefined) {
    const whole = `${originalHeaders}\r\n${originalBody.toString('latin1')}`
    if (whole.length <= MAX_RETURNED_BYTES && isCarriedUnchanged(whole)) {
      // RFC 2046 §5.2.1: message/rfc822 may not be encoded, so 8-bit bytes stay as they are.
      return {
        type: isGlobal ? 'message/global' : 'message/rfc822',
        encoding: isAscii(whole) ? '7bit' : '8bit',
        content: whole,
      }
    }
  }
  return textPart(isGlobal ? 'message/global-headers' : 'text/rfc822-headers', boundedHeader(originalHeaders))
}

function boundedHeader(headers: string): string {
  const lines = headers.replace(/\r\n|\r|\n/g, '\r\n').replaceAll('\0', '?')
  if (lines.length <= MAX_RETURNED_HEADER) return lines
  const end = lines.lastIndexOf('\r\n', MAX_RETURNED_HEADER)
  return end === -1 ? `${lines.slice(0, MAX_RETURNED_HEADER)}\r\n` : lines.slice(0, end + 2)
}

function textPart(type: string, content: string): Part {
  if (isAscii(content) && isCarriedUnchanged(content)) return { type, encoding: '7bit', content }
  return { type, encoding: 'quoted-printable', content: wrap(encodeQuotedPrintable(Buffer.from(content, 'latin1'))) }
}

const isAscii = (content: string): boolean => !/[^\x00-\x7f]/.test(content)

/** No line over the limit, no NUL, CR and LF only together: what 7bit and 8bit allow (RFC 2045 §2.7, §2.8). */
function isCarriedUnchanged(content: string): boolean {
  return content.split('\r\n').every((line) => line.length <= LONGEST_LINE && !/[\0\r\n]/.test(line))
}

/** A boundary that none of the parts contains, also when somebody guessed the id. */
function boundaryFor(id: string, parts: readonly Part[]): string {
  let boundary = `=_studs-${id}`
  for (let turn = 1; parts.some(({ content }) => content.includes(boundary)); turn++) boundary = `=_studs-${id}-${turn}`
  return boundary
}

function multipart(boundary: string, parts: readonly Part[]): string {
  const written = parts.map(
    ({ type, encoding, content }) =>
      `--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${content}\r\n`,
  )
  return `This is a delivery status notification in MIME format (RFC 3464).\r\n\r\n${written.join('')}--${boundary}--\r\n`
}

export interface DsnWish {
  readonly kind: DsnKind
  readonly recipient: Recipient
  readonly message: Message
  /** `dsn` of the credential the message came with; for a trusted network `requested`. */
  readonly setting: 'requested' | 'failures' | 'never'
  /** By AUTH, or as from a trusted network with a sender of a domain that is the tenant's own. */
  readonly authenticated: boolean
}

const ASKED_BY = { failed: 'FAILURE', delayed: 'DELAY', delivered: 'SUCCESS', relayed: 'SUCCESS' } as const

/**
 * Whether the sender is told. NOTIFY decides where it was given. Without it RFC 3461 §4.1 would tell every failure; we
 * tell it only where the credential is set to `failures`, because apps learn of failures from the journal and nobody
 * reads their mailboxes. A trusted network proves no identity, so a sender there is only told what NOTIFY asked for.
 */
export function wantsDsn({ kind, recipient, message, setting, authenticated }: DsnWish): boolean {
  if (message.sender === '' || !authenticated || setting === 'never') return false
  const notify = recipient.dsn?.notify
  if (notify !== undefined) return !notify.includes('NEVER') && notify.includes(ASKED_BY[kind])
  return kind === 'failed' && setting === 'failures' && message.credential !== undefined
}
