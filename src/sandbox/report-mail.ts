// The mails by which the pretend internet answers after it said 250: bounces in several formats, a complaint, automatic
// replies, a wish to get no more mail. Pure: from a delivered message to one mail with its envelope. Who is to get it and
// what stands in it follows what such senders do in life; the words are the sandbox's own.
// Invariant: nothing is ever sent back to the null sender (RFC 5321 §6.1).

import type { ReportName } from './behaviours.ts'
import { headerOf } from './inbox.ts'
import type { ReplyName } from './replies.ts'
import {
  type Answered,
  boundaryOf,
  dateText,
  domainOf,
  EOL,
  hostOf,
  multipart,
  originalHead,
  type Parts,
  refusal,
  statusReport,
  storeOf,
  subjectOf,
  text,
} from './report-parts.ts'

export interface ReportMail {
  /** MAIL FROM; '' is the null sender. */
  readonly sender: string
  readonly recipient: string
  readonly raw: Buffer
}

const WORDS_OF: Partial<Record<ReportName, ReplyName>> = { 'full-ndr': 'mailbox-full-hard' }

const COMPOSERS: Readonly<Record<ReportName, (about: Answered, name: ReportName) => Parts | undefined>> = {
  ndr: standardNdr,
  'full-ndr': standardNdr,
  'wrong-name': standardNdr,
  'forged-ndr': (about, name) => standardNdr(forged(about), name),
  delay: delayNotice,
  mimecast: gatewayNdr,
  qmail: qmailNdr,
  exchange: exchangeNdr,
  complaint: feedbackReport,
  vacation,
  challenge,
  unsubscribe: unsubscribeRequest,
}

/** The mail that comes back; undefined where there is nobody to get it. */
export function reportMail(name: ReportName, about: Answered): ReportMail | undefined {
  if (about.sender === '') return undefined
  const parts = COMPOSERS[name](about, name)
  if (parts === undefined) return undefined
  const recipient = parts.to ?? (name === 'forged-ndr' ? forged(about).sender : about.sender)
  const headers: Parts['headers'] = [
    ['Date', dateText(about.at)],
    ['Message-ID', `<${about.id}@${hostOf(about)}>`],
    ['To', recipient],
    ['MIME-Version', '1.0'],
    ...parts.headers,
  ]
  const head = headers.map(([field, value]) => `${field}: ${value}${EOL}`).join('')
  return { sender: parts.from ?? '', recipient, raw: Buffer.from(`${head}${EOL}${parts.body}`) }
}

/** RFC 3464, as Postfix and most others write it. */
function standardNdr(about: Answered, name: ReportName): Parts {
  const { code, words } = refusal(about, WORDS_OF[name] ?? 'user-unknown')
  const named = name === 'wrong-name' ? `somebody.else@${domainOf(about.recipient)}` : about.recipient
  return statusReport(about, {
    subject: 'Undelivered Mail Returned to Sender',
    text: [
      `This is the mail system at host ${hostOf(about)}.`,
      '',
      'Your message was taken, but could not be handed on to its mailbox.',
      'Nothing more will be tried.',
      '',
      `<${named}>: host ${storeOf(about)} said: ${words}`,
    ],
    fields: [
      `Final-Recipient: rfc822; ${named}`,
      'Action: failed',
      `Status: ${code}`,
      `Remote-MTA: dns; ${storeOf(about)}`,
      `Diagnostic-Code: smtp; ${words}`,
    ],
    hasReturnPath: true,
  })
}

function delayNotice(about: Answered): Parts {
  const words = `451 4.4.1 connect to ${storeOf(about)}: Connection timed out`
  return statusReport(about, {
    subject: 'Delayed Mail (still being retried)',
    text: [
      `This is the mail system at host ${hostOf(about)}.`,
      '',
      'Your message could not be handed on to its mailbox yet. It is tried again;',
      'you need not send it once more.',
      '',
      `<${about.recipient}>: ${words}`,
    ],
    fields: [
      `Final-Recipient: rfc822; ${about.recipient}`,
      'Action: delayed',
      'Status: 4.4.1',
      `Diagnostic-Code: smtp; ${words}`,
    ],
    hasReturnPath: true,
  })
}

/**
 * A filter in front of the receiver, in Mimecast's manner: a separate mail to the author (From), not to the envelope
 * sender, that is no reply to anything. The envelope sender stands nowhere in it.
 */
function gatewayNdr(about: Answered): Parts | undefined {
  const author = addressIn(headerOf(about, 'from') ?? '')
  if (author === undefined) return undefined
  const { code, words } = refusal(about, 'user-unknown')
  const report = statusReport(about, {
    subject: '[Postmaster] Email Delivery Failure',
    from: `Postmaster <postmaster@${domainOf(about.recipient)}>`,
    text: [
      'Your email could not be delivered.',
      '',
      `Recipient: ${about.recipient}`,
      `Subject: ${subjectOf(about)}`,
      `Reason: ${words}`,
    ],
    fields: [
      `Final-Recipient: rfc822; ${about.recipient}`,
      'Action: failed',
      `Status: ${code}`,
      `Diagnostic-Code: smtp; ${words}`,
    ],
    hasReturnPath: false,
  })
  return { ...report, to: author }
}

/** qmail's bounce message format (QSBMF): plain text, the paragraphs say it all. */
function qmailNdr(about: Answered): Parts {
  const lines = [
    `Hi. This is the qmail-send program at ${domainOf(about.recipient)}.`,
    "I'm afraid I wasn't able to deliver your message to the following addresses.",
    "This is a permanent error; I've given up. Sorry it didn't work out.",
    '',
    `<${about.recipient}>:`,
    'Sorry, no mailbox here by that name. (#5.1.1)',
    '',
    '--- Below this line is a copy of the message.',
    '',
    ...originalHead(about, true),
  ]
  return {
    headers: [
      ['From', `MAILER-DAEMON@${domainOf(about.recipient)}`],
      ['Subject', 'failure notice'],
    ],
    body: text(lines),
  }
}

/** Exchange before it learned RFC 3464: prose, and the status in angle brackets at its end. Nothing of the message but its subject. */
function exchangeNdr(about: Answered): Parts {
  const subject = subjectOf(about)
  return {
    headers: [
      ['From', `System Administrator <postmaster@${domainOf(about.recipient)}>`],
      ['Subject', `Undeliverable: ${subject}`],
      ['Content-Type', 'text/plain; charset="us-ascii"'],
    ],
    body: text([
      'Your message did not reach some or all of the intended recipients.',
      '',
      `      Subject:  ${subject}`,
      `      Sent:     ${dateText(about.at)}`,
      '',
      'The following recipient(s) could not be reached:',
      '',
      `      ${about.recipient} on ${dateText(about.at)}`,
      '            The e-mail account does not exist at the organization this message was sent to.',
      '            Check the e-mail address, or contact the recipient directly to find out the correct address.',
      `            <${hostOf(about)} #5.1.1>`,
    ]),
  }
}

/** ARF (RFC 5965) to the feedback box of the return-path domain; whose complaint it is stands nowhere, as with most providers. */
function feedbackReport(about: Answered): Parts {
  const domain = domainOf(about.sender)
  const body = multipart(about, [
    ['text/plain; charset="us-ascii"', ['This is an abuse report for an email that a user marked as spam.']],
    [
      'message/feedback-report',
      [
        'Feedback-Type: abuse',
        'User-Agent: StudsSandbox/1.0',
        'Version: 1',
        `Original-Mail-From: <${about.sender}>`,
        `Arrival-Date: ${dateText(about.at)}`,
        `Reported-Domain: ${domain}`,
      ],
    ],
    ['message/rfc822', originalHead(about, true)],
  ])
  return {
    from: `feedback@${hostOf(about)}`,
    to: `fbl@${domain}`,
    headers: [
      ['From', `Feedback Loop <feedback@${hostOf(about)}>`],
      ['Subject', `FW: ${subjectOf(about)}`],
      ['Content-Type', `multipart/report; report-type=feedback-report; boundary="${boundaryOf(about)}"`],
    ],
    body,
  }
}

/** RFC 3834: to the envelope sender, from the null sender. */
function vacation(about: Answered): Parts {
  return personalReply(about, `Out of office: ${subjectOf(about)}`, [
    'I am out of the office until Monday and will read your message then.',
    'This is an automatic reply.',
  ])
}

function challenge(about: Answered): Parts {
  return personalReply(about, `Please confirm your message: ${subjectOf(about)}`, [
    'Your message is being held, because I do not know your address yet.',
    'To prove that you are a human being and have it delivered, click this link:',
    '',
    `https://challenge.${domainOf(about.recipient)}/verify/${about.id}`,
    '',
    'You need to do this only once.',
  ])
}

function personalReply(about: Answered, subject: string, lines: readonly string[]): Parts {
  const messageId = headerOf(about, 'message-id')
  return {
    headers: [
      ['From', about.recipient],
      ['Subject', subject],
      ['Auto-Submitted', 'auto-replied'],
      ['Content-Type', 'text/plain; charset="utf-8"'],
      ...(messageId === undefined ? [] : ([['In-Reply-To', messageId] as const, ['References', messageId]] as const)),
    ],
    body: text(lines),
  }
}

/** RFC 2369 §3.2: to the mailto of List-Unsubscribe, with its subject; nothing where the message has none. */
function unsubscribeRequest(about: Answered): Parts | undefined {
  const link = /<mailto:([^>?\s]+)(?:\?([^>\s]*))?>/i.exec(headerOf(about, 'list-unsubscribe') ?? '')
  if (link === null) return undefined
  const subject = new URLSearchParams(link[2] ?? '').get('subject') ?? 'unsubscribe'
  return {
    from: about.recipient,
    to: percentDecoded(link[1] ?? ''),
    headers: [
      ['From', about.recipient],
      ['Subject', subject],
      ['Content-Type', 'text/plain; charset="us-ascii"'],
    ],
    body: text(['Please remove me from your list.']),
  }
}

const TOKEN = /\b([bu]-[0-9a-v]{39})([0-9a-v])\b/gi
const otherCharacter = (character: string): string => (character === '0' ? '1' : '0')

/** The same message as if every token of the relay in it were made up: the last character of the signature is another. */
function forged(about: Answered): Answered {
  const changed = (words: string): string =>
    words.replace(TOKEN, (_, rest: string, last: string) => `${rest}${otherCharacter(last)}`)
  return { ...about, sender: changed(about.sender), raw: Buffer.from(changed(about.raw.toString('latin1')), 'latin1') }
}

function addressIn(header: string): string | undefined {
  return /<([^<>\s]+@[^<>\s]+)>/.exec(header)?.[1] ?? /[^<>\s,;"]+@[^<>\s,;"]+/.exec(header)?.[0]
}

function percentDecoded(address: string): string {
  try {
    return decodeURIComponent(address)
  } catch {
    return address // not percent-encoded after all: taken as it stands
  }
}
