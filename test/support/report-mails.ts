// Mails that come back, as text: what a receiver writes about one recipient. Only as much of the formats as a test needs
// to vary; the many forms of life are the parser's own tests.

export interface NdrText {
  /** Final-Recipient; none at all when absent. */
  readonly recipient?: string
  readonly action?: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'
  readonly status?: string
  /** What the remote server said. */
  readonly diagnostic?: string
  readonly remoteMta?: string
  /** Header lines of the message given back. */
  readonly original?: string
}

const lines = (...all: readonly (string | undefined)[]): string => all.filter((line) => line !== undefined).join('\r\n')

/** RFC 3464. */
export function ndr(given: NdrText): string {
  const { recipient, action = 'failed', status = '5.1.1', diagnostic, remoteMta, original } = given
  return lines(
    'From: Mail Delivery System <MAILER-DAEMON@mx.example.test>',
    'To: sender@example.test',
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"',
    '',
    '--b1',
    'Content-Type: text/plain',
    '',
    'This is the mail system at host mx.example.test.',
    '',
    '--b1',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.test',
    '',
    ...(recipient === undefined
      ? []
      : [
          `Final-Recipient: rfc822; ${recipient}`,
          `Action: ${action}`,
          `Status: ${status}`,
          remoteMta === undefined ? undefined : `Remote-MTA: dns; ${remoteMta}`,
          diagnostic === undefined ? undefined : `Diagnostic-Code: smtp; ${diagnostic}`,
        ]),
    '',
    ...(original === undefined ? [] : ['--b1', 'Content-Type: text/rfc822-headers', '', original, '']),
    '--b1--',
    '',
  )
}

/** ARF (RFC 5965). */
export function complaint({ type = 'abuse', original }: { type?: string; original: string }): string {
  return lines(
    'From: feedback@provider.test',
    'Subject: FW: Hello',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary="b1"',
    '',
    '--b1',
    'Content-Type: text/plain',
    '',
    'This is an email abuse report.',
    '',
    '--b1',
    'Content-Type: message/feedback-report',
    '',
    `Feedback-Type: ${type}`,
    'User-Agent: Provider/1.0',
    'Version: 1',
    '',
    '--b1',
    'Content-Type: message/rfc822',
    '',
    original,
    '',
    '--b1--',
    '',
  )
}

/** An answer by a person. */
export function answer(from: string): string {
  return lines(
    `From: ${from}`,
    'Subject: Re: Hello',
    'Message-ID: <answer@example.test>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain',
    '',
    'Thank you for your message. See you on Monday!',
    '',
  )
}
