// The part of a delivery status notification that people read: who was not reached, what the server said word for word,
// and what can be done about it. Plain sentences; quoted words are indented and harmless.

import type { Cause } from '../mail/outcome.ts'
import { type DsnKind, type DsnRecipient, printable, rfc5322Date, type StatusParts } from './dsn-status.ts'

const MAX_QUOTED_LINES = 40
const MAX_QUOTED_LENGTH = 1000
const QUOTE = '    '

const OPENING: Record<DsnKind, string> = {
  failed: 'Your message could not be delivered to the recipients below. It is not tried again.',
  delayed:
    'Your message has not been delivered yet to the recipients below. You need not do anything: it is tried again.',
  delivered: 'Your message was delivered to the recipients below.',
  relayed:
    'Your message was handed over to the mail servers of the recipients below. Those servers send no confirmation of delivery.',
}

/** The first row whose pattern fits the status says what to do about a failure. */
const ADVICE: readonly (readonly [status: RegExp, advice: string])[] = [
  [/^[45]\.1\.2$/, 'Check the part of the address after the "@" for a typing error: there is no such mail domain.'],
  [/^[45]\.1\.[0136]$/, 'Check the address for a typing error, or ask the recipient for the current one.'],
  [/^[45]\.1\.10$|^[45]\.4\.4$/, 'Check the part of the address after the "@": that domain takes no mail.'],
  [/^[45]\.1\.[78]$/, 'The server objects to the address you send from. Show this report to whoever runs your mail.'],
  [/^[45]\.2\.1$/, 'The mailbox is disabled. Reach the recipient in another way.'],
  [/^[45]\.2\.2$/, 'The mailbox is full. Send the message again later, or tell the recipient in another way.'],
  [/^[45]\.2\.3$|^[45]\.3\.4$/, 'The message is too large. Send it without attachments, or with smaller ones.'],
  [/^[45]\.4\.6$/, 'The message went round in a circle between servers. Show this report to whoever runs your mail.'],
  [/^[45]\.6\./, 'The server cannot take a message of this form. Send it again as plain text, with simple characters.'],
  [/^[45]\.7\./, 'The server refuses the message by its own rules. Show this report to whoever runs your mail.'],
  [/^4\./, 'Send the message again later. If it fails again, reach the recipient in another way.'],
]
const GENERAL_ADVICE = 'Reach the recipient in another way, or show this report to whoever runs your mail.'

/** UTF-8 text with CRLF lines. */
export function humanText({ kind, reportingMta, message, recipients }: StatusParts): string {
  const subject = message.headers.subject
  const lines = [
    `This is the mail system at ${reportingMta}.`,
    '',
    OPENING[kind],
    '',
    ...(subject === undefined ? [] : [`Subject: ${printable(subject)}`]),
    `Accepted: ${rfc5322Date(message.receivedAt)}`,
    `Message-ID: ${printable(message.headers.messageId)}`,
    ...recipients.flatMap((entry) => ['', ...recipientLines(kind, entry)]),
    ...(kind === 'delayed'
      ? ['', `It is tried until ${rfc5322Date(message.expiresAt)}; if it fails then, you are told.`]
      : []),
  ]
  return `${lines.join('\r\n')}\r\n`
}

function recipientLines(kind: DsnKind, entry: DsnRecipient): string[] {
  const lines = [`<${printable(entry.recipient.address)}>`, ...whatHappened(entry)]
  if (kind === 'failed') lines.push(adviceFor(entry.status))
  return lines
}

function whatHappened({ recipient, cause, reply, way }: DsnRecipient): string[] {
  const host = printable((way ?? recipient.lastWay)?.mx ?? 'The mail server')
  if (cause !== undefined) return causeLines(cause, host)
  return reply === undefined ? [] : [`${host} answered:`, ...quoted(reply.code, reply.lines)]
}

function causeLines(cause: Cause, host: string): string[] {
  switch (cause.kind) {
    case 'reply': {
      const to = cause.command === 'dot' ? 'the message' : cause.command === 'banner' ? 'the connection' : cause.command
      return [`${host} answered to ${to}:`, ...quoted(cause.reply.code, cause.reply.lines)]
    }
    case 'expired':
      if (cause.by === 'hold') return ['Its time ended while the operator of the relay held it.']
      if (cause.last === undefined) return ['The time for delivery ended before a first attempt was made.']
      return ['It was tried until its time ended. The last attempt:', ...causeLines(cause.last, host)]
    case 'dns':
      return ['The domain was looked up in DNS:', ...quotedText(cause.detail)]
    case 'local':
      return ['The message cannot be sent to this address:', ...quotedText(cause.detail)]
    case 'ambiguous':
      return [`${host} did not confirm that it took the message:`, ...quotedText(cause.detail)]
    default:
      return [
        `The conversation with ${host === 'The mail server' ? 'the mail server' : host} failed:`,
        ...quotedText(cause.detail),
      ]
  }
}

function quoted(code: number, lines: readonly string[]): string[] {
  return (lines.length === 0 ? [''] : lines)
    .slice(0, MAX_QUOTED_LINES)
    .map((line) => quote(code === 0 ? line : `${code} ${line}`))
}

function quotedText(detail: string): string[] {
  return detail.split(/\r?\n/, MAX_QUOTED_LINES).map(quote)
}

function quote(line: string): string {
  return `${QUOTE}${printable(line.slice(0, MAX_QUOTED_LENGTH)).trimEnd()}`
}

function adviceFor(status: string): string {
  return ADVICE.find(([pattern]) => pattern.test(status))?.[1] ?? GENERAL_ADVICE
}
