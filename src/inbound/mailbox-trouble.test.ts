import { expect, test } from 'vitest'
import type { MailboxSettings } from '../config/schema.ts'
import { troubleOf } from './mailbox-trouble.ts'

const MAILBOX = { name: 'support', host: 'imap.example.com', port: 993, user: 'u', tls: 'implicit' } as MailboxSettings

test.each<[string, Partial<MailboxSettings>, string]>([
  [
    'ECONNREFUSED',
    {},
    'imap.example.com:993: nobody listens there; IMAP is on port 993 with tls = "implicit"; correct host, port or tls',
  ],
  ['ECONNREFUSED', { tls: 'starttls', port: 99 }, 'IMAP is on port 143 with tls = "starttls"'],
  ['ENOTFOUND', {}, 'the name imap.example.com is not known to DNS; correct host of [[mailbox]] "support"'],
  ['EAI_AGAIN', {}, 'cannot be looked up at the moment'],
  ['ETIMEDOUT', {}, 'does not answer; correct host and port, or let connections out'],
  ['CONNECT_TIMEOUT', {}, 'does not answer'],
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    {},
    'no TLS from the first byte; if this port speaks the other kind of TLS, set tls = "starttls"',
  ],
  [
    'GREETING_TIMEOUT',
    { tls: 'starttls' },
    'no IMAP greeting; if this port speaks the other kind of TLS, set tls = "implicit"',
  ],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', {}, 'the certificate is not trusted'],
  ['EWHATEVER', {}, 'imap.example.com:993: it broke'],
])('%s is told with what to do', (code, mailbox, text) => {
  const trouble = troubleOf(Object.assign(new Error('it broke'), { code }), { ...MAILBOX, ...mailbox })
  expect(trouble.kind).toBe('other')
  expect(trouble.text).toContain(text)
})
