import { expect, test } from 'vitest'
import type { ReportName } from './behaviours.ts'
import { headerOf } from './inbox.ts'
import { reportMail } from './report-mail.ts'
import type { Answered } from './report-parts.ts'

const TOKEN = `b-${'0123456789abcdefghij'.repeat(2)}`
const RETURN_PATH = `${TOKEN}@bounce.shop.test`
const about: Answered = {
  sender: RETURN_PATH,
  recipient: 'jane@gmail.test',
  raw: Buffer.from(
    'From: The Shop <news@shop.test>\r\nSubject: Order 7\r\nMessage-ID: <m1@shop.test>\r\n' +
      'List-Unsubscribe: <https://shop.test/u/1>,\r\n <mailto:u-abc%2Bd@bounce.shop.test?subject=get%20me%20off>\r\n\r\nbody text\r\n',
  ),
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  id: '4440000001',
}

/** Envelope sender and recipient, and what must (not) stand in it. */
const CASES: [name: ReportName, from: string, to: string, has: RegExp[], hasNot: RegExp[]][] = [
  [
    'ndr',
    '',
    RETURN_PATH,
    [/report-type=delivery-status/, /^Action: failed\r$/m, /^Status: 5\.1\.1\r$/m, /NoSuchUser/, /^Return-Path: <b-/m],
    [/body text/],
  ],
  ['full-ndr', '', RETURN_PATH, [/^Status: 5\.2\.2\r$/m, /OverQuotaPerm/], []],
  ['delay', '', RETURN_PATH, [/^Action: delayed\r$/m, /^Status: 4\.4\.1\r$/m], [/Action: failed/]],
  ['mimecast', '', 'news@shop.test', [/^Final-Recipient: rfc822; jane@gmail\.test\r$/m], [/In-Reply-To/i, /b-0123/]],
  ['qmail', '', RETURN_PATH, [/^<jane@gmail\.test>:\r\nSorry, no mailbox here/m], [/multipart/]],
  ['exchange', '', RETURN_PATH, [/^ +<mx\.gmail\.test #5\.1\.1>\r$/m, /Undeliverable: Order 7/], [/m1@shop\.test/]],
  [
    'complaint',
    'feedback@mx.gmail.test',
    'fbl@bounce.shop.test',
    [/report-type=feedback-report/, /^Feedback-Type: abuse\r$/m, /^Message-ID: <m1@shop\.test>\r$/m],
    [/jane@/],
  ],
  ['vacation', '', RETURN_PATH, [/^Auto-Submitted: auto-replied\r$/m, /^In-Reply-To: <m1@shop\.test>\r$/m], []],
  ['challenge', '', RETURN_PATH, [/https:\/\/challenge\.gmail\.test\/verify\//], []],
  ['unsubscribe', 'jane@gmail.test', 'u-abc+d@bounce.shop.test', [/^Subject: get me off\r$/m], []],
  ['wrong-name', '', RETURN_PATH, [/^Final-Recipient: rfc822; somebody\.else@gmail\.test\r$/m], [/jane@/]],
]

test.each(CASES)('%s', (name, from, to, has, hasNot) => {
  const mail = reportMail(name, about)!
  expect([mail.sender, mail.recipient]).toEqual([from, to])
  const text = mail.raw.toString()
  for (const pattern of has) expect(text).toMatch(pattern)
  for (const pattern of hasNot) expect(text).not.toMatch(pattern)
  expect(headerOf(mail, 'to')).toBe(to)
  expect(headerOf(mail, 'date')).toBe('Fri, 02 Jan 2026 03:04:05 +0000')
  // What SMTP can carry: CRLF only, no line too long (RFC 5321 §4.5.3.1.6).
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  expect(Math.max(...text.split('\r\n').map((line) => line.length))).toBeLessThan(998)
})

test('a status that was asked for', () => {
  expect(reportMail('ndr', { ...about, enhanced: '5.7.1' })?.raw.toString()).toMatch(/^Status: 5\.7\.1\r$/m)
})

test('a forged return path has the shape of a true one, and is nowhere the true one', () => {
  const mail = reportMail('forged-ndr', about)!
  expect(mail.recipient).toMatch(/^b-[0-9a-v]{40}@bounce\.shop\.test$/)
  expect(mail.recipient).not.toBe(RETURN_PATH)
  expect(mail.raw.toString()).not.toContain(TOKEN)
})

test('nothing goes to the null sender, nor where nobody is named', () => {
  for (const name of CASES.map(([each]) => each)) expect(reportMail(name, { ...about, sender: '' })).toBeUndefined()
  const bare = { ...about, raw: Buffer.from('Subject: x\r\n\r\n') }
  expect(reportMail('unsubscribe', bare)).toBeUndefined()
  expect(reportMail('mimecast', bare)).toBeUndefined()
  const webOnly = { ...about, raw: Buffer.from('List-Unsubscribe: <https://shop.test/u>\r\n\r\n') }
  expect(reportMail('unsubscribe', webOnly)).toBeUndefined()
})

test.each(['', '\r\n', 'no header at all', `Subject: ${'x'.repeat(5000)}\r\nFrom: <@>\r\n\r\n`, '\xff\xfe: \r\n\r\n'])(
  'a message of rubbish is answered all the same',
  (raw) => {
    for (const [name] of CASES) {
      const mail = reportMail(name, { ...about, raw: Buffer.from(raw, 'latin1') })
      if (name !== 'mimecast' && name !== 'unsubscribe') expect(mail?.raw.length).toBeGreaterThan(100)
    }
  },
)
