// A day of counts as the report that RFC 8460 §4 describes, and the mail that carries it (§3, §5.3). Pure.

import { gzipSync } from 'node:zlib'
import type { DayCount } from './tally.ts'

export interface ReportFacts {
  /** Who reports. */
  readonly organization: string
  /** Address to ask about it. */
  readonly contact: string
  readonly id: string
}

/** The counts of one domain on one day; at least one. */
export function composeReport(counts: readonly [DayCount, ...DayCount[]], facts: ReportFacts): Buffer {
  const [{ day }] = counts
  return gzipSync(
    JSON.stringify({
      'organization-name': facts.organization,
      'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
      'contact-info': facts.contact,
      'report-id': facts.id,
      policies: counts.map(policyPart),
    }),
  )
}

function policyPart({ domain, policy, ok, failed, failures }: DayCount) {
  return {
    policy: {
      'policy-type': policy.type,
      ...(policy.strings.length > 0 && { 'policy-string': policy.strings }),
      'policy-domain': policy.domain ?? domain,
      ...(policy.mx.length > 0 && { 'mx-host': policy.mx }),
    },
    summary: { 'total-successful-session-count': ok, 'total-failure-session-count': failed },
    ...(failures.length > 0 && {
      'failure-details': failures.map(({ failure, mx, mxAddress, localAddress, reason, count }) => ({
        'result-type': failure,
        ...(localAddress !== undefined && { 'sending-mta-ip': localAddress }),
        'receiving-mx-hostname': mx,
        ...(mxAddress !== undefined && { 'receiving-ip': mxAddress }),
        'failed-session-count': count,
        ...(reason !== undefined && { 'failure-reason-code': reason }),
      })),
    }),
  }
}

export interface ReportMail {
  readonly from: string
  readonly to: string
  readonly domain: string
  /** Our own domain: who submits. */
  readonly submitter: string
  readonly id: string
  readonly day: string
  readonly date: string
  readonly messageId: string
  readonly report: Buffer
}

const LINE = 76

/** Header lines, latin1 with CRLF, and the body behind the empty line. */
export function composeMail(mail: ReportMail): { readonly head: string; readonly body: string } {
  const { from, to, domain, submitter, id, day, report } = mail
  const boundary = `tlsrpt-${id}`
  const begin = Date.parse(`${day}T00:00:00Z`) / 1000
  // RFC 8460 §5.1.
  const name = `${submitter}!${domain}!${begin}!${begin + 86_399}!${id}.json.gz`
  const head = [
    `From: <${from}>`,
    `To: <${to}>`,
    `Subject: Report Domain: ${domain}\r\n Submitter: ${submitter}\r\n Report-ID: <${id}@${submitter}>`,
    `Date: ${mail.date}`,
    `Message-ID: ${mail.messageId}`,
    `TLS-Report-Domain: ${domain}`,
    `TLS-Report-Submitter: ${submitter}`,
    'TLS-Required: No',
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type="tlsrpt";\r\n boundary="${boundary}"`,
    '',
  ].join('\r\n')
  const encoded = report
    .toString('base64')
    .replace(new RegExp(`.{${LINE}}`, 'g'), '$&\r\n')
    .trimEnd()
  const body = [
    `--${boundary}`,
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `This is an aggregate TLS report from ${submitter} about ${domain}, ${day} (UTC).`,
    '',
    `--${boundary}`,
    'Content-Type: application/tlsrpt+gzip',
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment;\r\n filename="${name}"`,
    '',
    encoded,
    '',
    `--${boundary}--`,
    '',
  ].join('\r\n')
  return { head, body }
}
