import { expect, test } from 'vitest'
import { oneLine, replyIn } from './quoted-reply.ts'

test.each([
  ['550 5.1.1 No such user', { code: 550, enhanced: '5.1.1' }],
  ['550-5.1.1 No such user', { code: 550, enhanced: '5.1.1' }],
  ['550 #5.1.1 no', { code: 550, enhanced: '5.1.1' }],
  ['host mx.example.org[192.0.2.1] said: 552 full (in reply to end of DATA command)', { code: 552, command: 'dot' }],
  [
    'host mx.example.org said: 450 4.2.0 later (in reply to RCPT TO command)',
    { code: 450, enhanced: '4.2.0', command: 'RCPT' },
  ],
  ['SMTP error from remote mail server after MAIL FROM:<a@example.org>: 550 no', { code: 550, command: 'MAIL' }],
  ['SMTP error from remote mail server after initial connection: 421 busy', { code: 421, command: 'banner' }],
  ['192.0.2.1 does not like recipient. Remote host said: 554 no', { code: 554 }],
  ["Remote Server returned '550 5.1.10 not found'", { code: 550, enhanced: '5.1.10' }],
  ['Error 5.0.0, then 5.2.2', { enhanced: '5.2.2' }],
  ['450 5.1.1 codes that differ', { code: 450 }],
  ['550 4.1.1 codes that differ', { code: 550 }],
  ['550 4.4.7 QUEUE.Expired; message expired', { code: 550, enhanced: '4.4.7' }],
  ['550 no, says Mail Server v5.0.5', { code: 550 }],
  ['sent by version 5.0.5 of something', {}],
  ['connect to 192.0.2.550: timed out after 300 seconds', {}],
  ['version 5.1.1.2 of 2026, 500 pages', {}],
  ['', {}],
])('%j quotes %j', (text, expected) => {
  expect(replyIn(text)).toEqual(expected)
})

test('a diagnostic is one line without control characters, 2,000 characters at most', () => {
  expect(oneLine(' a\r\n\tb\x00c\x1b[31m ')).toBe('a b c [31m')
  expect(oneLine('x'.repeat(5000))).toHaveLength(2000)
})
