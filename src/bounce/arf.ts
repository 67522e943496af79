// Complaints: the abuse reporting format (RFC 5965, RFC 6591), whole or redacted, and the mails that providers send in
// its place. A complaint stays one when it does not say whose it is.

import type { Found } from './found.ts'
import { FieldList, readHeaders } from './headers.ts'
import { cleanAddress, isAddress, mailboxesIn, mailboxIn, sameAddress } from './mailboxes.ts'
import type { OpenMail } from './open-mail.ts'
import type { Headers } from './prose/prose.ts'
import { oneLine } from './quoted-reply.ts'
import type { Feedback, ReportedRecipient } from './report.ts'

const MAX_RECIPIENTS = 100
/** Where complaints name the complainer when Original-Rcpt-To does not, in the report's fields and in the returned header. */
const REPORT_FIELDS = ['original-rcpt-to', 'removal-recipient', 'complainant-address', 'x-original-rcpt-to'] as const
const RETURNED_FIELDS = ['x-hmxmroriginalrecipient', 'to', 'x-apparently-to', 'x-original-to', 'delivered-to'] as const

/** A message/feedback-report part, or its fields under another name in a mail that claims to be such a report. */
export function readArf(mail: OpenMail): Found | undefined {
  const fields = feedbackFields(mail)
  if (fields === undefined) return undefined
  const type = (fields.get('feedback-type') ?? 'other').toLowerCase().match(/[a-z][\w-]*/)?.[0] ?? 'other'
  const feedback = feedbackOf(fields, type)
  const envelopeId = fields.get('original-envelope-id')
  return {
    kind: 'complaint',
    family: 'arf',
    recipients: complainers(addressesOf(fields, REPORT_FIELDS), mail, type),
    feedback,
    ...(envelopeId ? { envelopeId: oneLine(envelopeId).slice(0, 255) } : {}),
  }
}

function feedbackFields(mail: OpenMail): FieldList | undefined {
  const part = mail.part('message/feedback-report')
  if (part !== undefined) {
    const content = mail.content(part)
    // The blank line before the fields was lost: they stand among the part's own.
    return part.headers.has('feedback-type') ? part.headers : fieldsOf(content)
  }
  const claims = /feedback-report/i.test(mail.root.parameters.get('report-type') ?? '')
  if (!claims && mail.root.parts.length === 0) return undefined
  for (const leaf of mail.leaves) {
    if (!leaf.type.startsWith('text/') && leaf.type !== 'application/octet-stream') continue
    if (!claims && mail.part('message/rfc822', 'text/rfc822-headers') === undefined) continue
    const start = leaf.source.slice(leaf.start, Math.min(leaf.end, leaf.start + 4000))
    if (!/^Feedback-Type[ \t]*:/im.test(start) || !/^(?:User-Agent|Version|Source-IP)[ \t]*:/im.test(start)) continue
    const fields = fieldsOf(mail.content(leaf))
    if (fields.has('feedback-type')) return fields
  }
  return claims ? new FieldList() : undefined
}

function fieldsOf(content: string): FieldList {
  return readHeaders(content, { start: 0, end: content.length, isLoose: true }).headers
}

function feedbackOf(fields: Headers, type: string): Feedback {
  const userAgent = fields.get('user-agent')
  const sourceIp = fields.get('source-ip')?.match(/[0-9a-f:.]{3,45}/i)?.[0]
  const from = fields.get('original-mail-from')
  const domain = fields.get('reported-domain')
  return {
    type,
    ...(userAgent ? { userAgent: oneLine(userAgent).slice(0, 255) } : {}),
    ...(sourceIp ? { sourceIp } : {}),
    ...(from ? { originalMailFrom: cleanAddress(from) } : {}),
    originalRcptTo: addressesOf(fields, ['original-rcpt-to']),
    ...(domain ? { reportedDomain: oneLine(domain).slice(0, 255).toLowerCase() } : {}),
  }
}

function addressesOf(fields: Headers, names: readonly string[]): readonly string[] {
  const found: string[] = []
  for (const value of names.flatMap((name) => fields.all(name))) {
    for (const entry of value.includes('@') ? mailboxesIn(value) : [cleanAddress(value)])
      if (isAddress(entry) && !found.some((known) => sameAddress(known, entry))) found.push(entry)
    if (found.length >= MAX_RECIPIENTS) break
  }
  return found
}

/** Who complained: as the report says; otherwise the only addressee of the mail that is given back. */
function complainers(named: readonly string[], mail: OpenMail, type: string): readonly ReportedRecipient[] {
  const addresses = named.length > 0 ? named : addressee(mail.returned ?? forwarded(mail))
  return addresses.slice(0, MAX_RECIPIENTS).map((address) => ({ address, action: 'delivered', diagnostic: type }))
}

function forwarded({ headers }: OpenMail): Headers | undefined {
  return headers.has('x-hmxmroriginalrecipient') ? headers : undefined
}

function addressee(returned: Headers | undefined): readonly string[] {
  if (returned === undefined) return []
  for (const name of RETURNED_FIELDS) {
    const addresses = addressesOf(returned, [name])
    if (addresses.length === 1) return addresses
  }
  return []
}

interface ComplaintForm {
  readonly family: string
  readonly is: (mail: OpenMail) => boolean
}

const fromOf = (mail: OpenMail): string => mail.from.toLowerCase()
const givesBack = (mail: OpenMail): boolean => mail.part('message/rfc822', 'text/rfc822-headers') !== undefined
const ABUSE_SENDER =
  /^(?:fbl|feedback|complaints?|abuse|scomp|staff|spam-?report|arf|tosalert|feedbackloop|junk)\b[^@]*@/
const ABUSE_SUBJECT =
  /^(?:(?:e-?mail |spam |user )?(?:abuse|spam|junk)[ -](?:report|complaint|feedback|notification)|(?:spam )?complaint\b|client tos notification|e-?mail feedback report|feedback loop|fbl\b)/i

/** Mails of providers that are complaints by custom, in no format of their own. */
const FORMS: readonly ComplaintForm[] = [
  {
    // Microsoft's junk mail reporting programme: the mail attached, the complainer in a field that was added to it.
    family: 'jmrp',
    is: (mail) =>
      // Older ones send the mail itself on, with that field in its header.
      mail.headers.has('x-hmxmroriginalrecipient') ||
      (givesBack(mail) &&
        (mail.returned?.get('x-hmxmroriginalrecipient') !== undefined ||
          /^complaint about message from /i.test(mail.subject))),
  },
  {
    family: 'amazonses',
    is: (mail) =>
      /^complaints@[\w.-]*amazonses\.com$/.test(fromOf(mail)) && /complaint/i.test(`${mail.subject} ${mail.words}`),
  },
  {
    family: 'spamcop',
    is: (mail) =>
      /@(?:reports|bounces)\.spamcop\.net$/.test(fromOf(mail)) && /spamcop/i.test(mail.subject + mail.words),
  },
  { family: 'xarf', is: (mail) => mail.headers.has('x-xarf') || /^yes/i.test(mail.headers.get('x-arf') ?? '') },
  {
    family: 'provider-complaint',
    is: (mail) => givesBack(mail) && ABUSE_SENDER.test(fromOf(mail)) && ABUSE_SUBJECT.test(mail.subject),
  },
]

export function readComplaint(mail: OpenMail): Found | undefined {
  const form = FORMS.find(({ is }) => is(mail))
  if (form === undefined) return undefined
  const sourceIp = /\b\d{1,3}(?:\.\d{1,3}){3}\b/.exec(mail.subject)?.[0]
  const sender = mailboxIn(mail.returned?.get('return-path') ?? mail.returned?.get('from'))
  return {
    kind: 'complaint',
    family: form.family,
    recipients: complainers([], mail, 'abuse'),
    feedback: {
      type: 'abuse',
      ...(sourceIp ? { sourceIp } : {}),
      ...(sender ? { originalMailFrom: sender } : {}),
      originalRcptTo: [],
    },
  }
}
