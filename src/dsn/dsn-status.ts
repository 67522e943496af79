// The machine-readable part of a delivery status notification: message/delivery-status of RFC 3464, and its UTF-8 form
// of RFC 6533. Whatever a remote server said is made harmless here: no field can be added, no line is too long.

import { isIP } from 'node:net'
import { needsSmtpUtf8 } from '../mail/address.ts'
import type { Message, Recipient } from '../mail/message.ts'
import { type Cause, causeText, type Way } from '../mail/outcome.ts'
import { replyText, type SmtpReply } from '../mail/reply.ts'
import type { EpochMs } from '../util/clock.ts'

/** `relayed`: handed to a server that sends no notifications itself (RFC 3464 §2.3.3). */
export type DsnKind = 'failed' | 'delayed' | 'delivered' | 'relayed'

export interface DsnRecipient {
  readonly recipient: Recipient
  /** failed, delayed: why. */
  readonly cause?: Cause
  readonly way?: Way
  /** RFC 3463 code. */
  readonly status: string
  /** delivered, relayed: the reply to the dot. */
  readonly reply?: SmtpReply
}

export interface StatusParts {
  readonly kind: DsnKind
  readonly reportingMta: string
  readonly message: Message
  readonly recipients: readonly DsnRecipient[]
  /** Written in UTF-8 (message/global-delivery-status) instead of ASCII. */
  readonly isInternational: boolean
}

const STATUS = /^[245]\.\d{1,3}\.\d{1,3}$/
const UNKNOWN_STATUS: Record<DsnKind, string> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  relayed: '2.0.0',
}
const FOLD_AT = 76
const MAX_WORD_BYTES = 800
const MAX_VALUE = 8000

/** The part's content: groups of fields, an empty line between them. */
export function deliveryStatus({ kind, reportingMta, message, recipients, isInternational }: StatusParts): string {
  const perMessage = [
    field('Original-Envelope-Id', message.dsn?.envid === undefined ? undefined : decodeXtext(message.dsn.envid)),
    field('Reporting-MTA', `dns; ${reportingMta}`),
    field('Arrival-Date', rfc5322Date(message.receivedAt)),
  ].join('')
  const groups = recipients.map((entry) => recipientFields({ kind, message, entry }))
  const text = [perMessage, ...groups].join('\r\n')
  return isInternational ? text : text.replace(/[^\x00-\x7f]/g, '?')
}

function recipientFields({ kind, message, entry }: { kind: DsnKind; message: Message; entry: DsnRecipient }): string {
  const { recipient, status } = entry
  const way = entry.way ?? recipient.lastWay
  const mta = way?.mx === undefined ? undefined : `dns; ${domainOrLiteral(way.mx)}`
  return [
    field('Original-Recipient', originalRecipient(recipient)),
    field('Final-Recipient', typedAddress(recipient.address)),
    field('Action', kind),
    field('Status', STATUS.test(status) ? status : UNKNOWN_STATUS[kind]),
    field('Remote-MTA', mta),
    field('Diagnostic-Code', diagnosticCode(entry)),
    field('Last-Attempt-Date', recipient.lastAt === undefined ? undefined : rfc5322Date(recipient.lastAt)),
    field('Will-Retry-Until', kind === 'delayed' ? rfc5322Date(message.expiresAt) : undefined),
  ].join('')
}

/** What the server said goes out as smtp, what we found ourselves under a name of our own (RFC 3464 §2.3.6). */
function diagnosticCode({ reply, cause }: DsnRecipient): string | undefined {
  if (reply !== undefined) return `smtp; ${replyText(reply)}`
  if (cause === undefined) return undefined
  const last = cause.kind === 'expired' ? (cause.last ?? cause) : cause
  return `${last.kind === 'reply' ? 'smtp' : 'X-Studs'}; ${causeText(last)}`
}

/** ORCPT as the sender gave it, its encoding undone (RFC 3464 §2.3.1). */
export function originalRecipient({ dsn }: Recipient): string | undefined {
  const found = /^([A-Za-z0-9-]+);(.+)$/s.exec(dsn?.orcpt ?? '')
  if (found === null) return undefined
  const [, type = '', encoded = ''] = found
  const address = decodeXtext(encoded)
  return `${type}; ${type.toLowerCase() === 'utf-8' ? decodeCodePoints(address) : address}`
}

function typedAddress(address: string): string {
  return `${needsSmtpUtf8(address) ? 'utf-8' : 'rfc822'}; ${address}`
}

/** RFC 3461 §4: `+` and two upper-case hexadecimal digits stand for one octet. */
function decodeXtext(text: string): string {
  return text.replace(/(?:\+[0-9A-F]{2})+/g, (octets) => Buffer.from(octets.replaceAll('+', ''), 'hex').toString())
}

/** RFC 6533 §3: `\x{E9}` stands for one character of a utf-8 address. */
function decodeCodePoints(text: string): string {
  return text.replace(/\\x\{([0-9A-F]{2,6})\}/g, (_, digits: string) => {
    const point = Number.parseInt(digits, 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : '?'
  })
}

/** Control characters, direction changes and half characters have no business in a report; they become "?". */
export function printable(text: string): string {
  return text.toWellFormed().replace(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffd]/g, '?')
}

/** RFC 5322 §3.3, in UTC. */
export function rfc5322Date(at: EpochMs): string {
  return new Date(at).toUTCString().replace('GMT', '+0000')
}

function field(name: string, value: string | undefined): string {
  if (value === undefined) return ''
  const words = `${name}: ${printable(value).slice(0, MAX_VALUE)}`.split(/ +/).flatMap(shortWords)
  return `${foldWords(words)}\r\n`
}

function foldWords([first = '', ...words]: readonly string[]): string {
  const lines: string[] = []
  let line = first
  for (const word of words) {
    if (line.length + 1 + word.length > FOLD_AT) {
      lines.push(line)
      line = ` ${word}`
    } else {
      line += ` ${word}`
    }
  }
  return [...lines, line].join('\r\n').trimEnd()
}

/** Only what no line can hold is cut; an address (at most 254 octets) never is. */
function shortWords(word: string): readonly string[] {
  return Buffer.byteLength(word) <= MAX_WORD_BYTES ? [word] : (word.match(/.{1,200}/gu) ?? [])
}

/** Type dns holds a domain name or an address literal (RFC 3464 §2.1.2). */
function domainOrLiteral(host: string): string {
  switch (isIP(host)) {
    case 4:
      return `[${host}]`
    case 6:
      return `[IPv6:${host}]`
    default:
      return host
  }
}
