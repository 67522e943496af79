// An attempt to hand to a delivery: a small message to one recipient, and what a test wants otherwise.

import type { Attempt } from '../../src/delivery/delivery.ts'
import { type EmailAddress, parseDomain } from '../../src/mail/address.ts'

const CONTENT = Buffer.from('Subject: hello\r\n\r\nhello\r\n')
let made = 0

/** Each is another message. One of several chunks has no content: that is read piece by piece. */
export function attemptTo(recipient: string, more: Partial<Attempt> = {}): Attempt {
  const { chunks = 1 } = more
  return {
    message: `m${++made}`,
    n: 0,
    attempt: 1,
    tenant: 'default',
    sender: '',
    recipient: recipient as EmailAddress,
    domain: parseDomain(recipient.slice(recipient.lastIndexOf('@') + 1))!,
    pool: 'default',
    sizeBytes: CONTENT.length,
    body: '7bit',
    smtpUtf8: false,
    prefix: '',
    ...(chunks === 1 && { content: CONTENT }),
    chunks,
    ...more,
  }
}
