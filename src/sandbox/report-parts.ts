// What the mails of report-mail.ts are made of: the message that is answered, MIME in several parts, the fields of a status
// report (RFC 3464), the receiver's words. Pure.

import type { EpochMs } from '../util/clock.ts'
import { headerOf } from './inbox.ts'
import { type ReplyName, replyOf, writeReply } from './replies.ts'
import { familyOf } from './zone.ts'

export const EOL = '\r\n'

/** The message that is answered. */
export interface Answered {
  /** MAIL FROM it came with. */
  readonly sender: string
  readonly recipient: string
  /** Its first bytes: the header fields are what matters. */
  readonly raw: Buffer
  /** Status that the name of the recipient asks for. */
  readonly enhanced?: string
  readonly at: EpochMs
  readonly id: string
}

/** A mail but for its common header fields. */
export interface Parts {
  /** Envelope; the null sender and the sender of the message unless said otherwise. */
  readonly from?: string
  readonly to?: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

interface StatusReport {
  readonly subject: string
  readonly from?: string
  readonly text: readonly string[]
  /** Of the recipient (RFC 3464 §2.3). */
  readonly fields: readonly string[]
  /** Whether the returned headers say which envelope sender the message came with. */
  readonly hasReturnPath: boolean
}

export function statusReport(about: Answered, report: StatusReport): Parts {
  const host = hostOf(about)
  return {
    headers: [
      ['From', report.from ?? `Mail Delivery System <MAILER-DAEMON@${host}>`],
      ['Subject', report.subject],
      ['Auto-Submitted', 'auto-replied'],
      ['Content-Type', `multipart/report; report-type=delivery-status; boundary="${boundaryOf(about)}"`],
    ],
    body: multipart(about, [
      ['text/plain; charset="utf-8"', report.text],
      [
        'message/delivery-status',
        [`Reporting-MTA: dns; ${host}`, `Arrival-Date: ${dateText(about.at)}`, '', ...report.fields],
      ],
      ['text/rfc822-headers', originalHead(about, report.hasReturnPath)],
    ]),
  }
}

export function multipart(
  about: Answered,
  parts: readonly (readonly [type: string, lines: readonly string[]])[],
): string {
  const boundary = boundaryOf(about)
  const body = parts.flatMap(([type, lines]) => [`--${boundary}`, `Content-Type: ${type}`, '', ...lines, ''])
  return text([...body, `--${boundary}--`])
}

/** What the receiver's store says, in the words of the receiver's family: its codes may differ, as in life. */
export function refusal(about: Answered, name: ReplyName): { code: string; words: string } {
  const domain = domainOf(about.recipient)
  const template = about.enhanced === undefined ? replyOf(name, familyOf(domain)) : replyOf('asked', 'postfix')
  const enhanced = about.enhanced ?? template.enhanced
  const reply = { ...template, ...(enhanced === undefined ? {} : { enhanced }) }
  const places = { recipient: about.recipient, domain, mx: hostOf(about), id: about.id, client: '127.0.0.1' }
  const words = writeReply(reply, places).trimEnd().replaceAll(EOL, ' ')
  return { code: enhanced ?? (name === 'user-unknown' ? '5.1.1' : '5.2.2'), words }
}

/** The header fields of the message as they came, before them what a final delivery adds. */
export function originalHead({ sender, raw }: Answered, hasReturnPath: boolean): string[] {
  const end = raw.indexOf(`${EOL}${EOL}`)
  const head = raw
    .subarray(0, end === -1 ? raw.length : end)
    .toString('utf8')
    .split(EOL)
  return hasReturnPath ? [`Return-Path: <${sender}>`, ...head] : head
}

// Folded again by nobody: cut, so that no line grows beyond what RFC 5322 §2.1.1 allows.
export function subjectOf(about: Answered): string {
  return (headerOf(about, 'subject') ?? '').slice(0, 200)
}

export function hostOf({ recipient }: Answered): string {
  return `mx.${domainOf(recipient)}`
}

/** The machine behind the MX that really holds the mailboxes. */
export function storeOf({ recipient }: Answered): string {
  return `store.${domainOf(recipient)}`
}

export function boundaryOf({ id }: Answered): string {
  return `report-${id}`
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}

export function dateText(at: EpochMs): string {
  return new Date(at).toUTCString().replace('GMT', '+0000')
}

export function text(lines: readonly string[]): string {
  return `${lines.join(EOL)}${EOL}`
}
