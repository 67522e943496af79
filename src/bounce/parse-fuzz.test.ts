// Hostile bytes: whatever comes, parseReport answers, within its limits, and in time that grows with the size only.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseReport } from './parse.ts'
import { type ParsedReport, REPORT_KINDS } from './report.ts'

const DSN = `Return-Path: <>
From: MAILER-DAEMON@mx.example.net
Subject: =?utf-8?q?Undeliverable:_caf=C3=A9?=
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/html; charset=iso-2022-jp
Content-Transfer-Encoding: quoted-printable

<p>The message to &lt;jane@example.org&gt; =1B$B could not</p> be delivered.
--b1
Content-Type: message/delivery-status
Content-Transfer-Encoding: base64

${Buffer.from('Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; jane@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no\n').toString('base64')}
--b1
Content-Type: message/rfc822

To: jane@example.org
Message-ID: <m1@example.com>

Hello
--b1--
`
const ARF = `From: fbl@example.org
Content-Type: multipart/report; report-type=feedback-report; boundary=b1

--b1
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
Original-Rcpt-To: jane@example.org
--b1
Content-Type: message/rfc822

To: jane@example.org

Hello
--b1--
`
const TEXT = `Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
Subject: Mail delivery failed: returning message to sender

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jane@example.org
    host mx.example.org [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<jane@example.org>:
    550 5.1.1 No such user

------ This is a copy of the message, including all the headers. ------

From: shop@example.com
To: jane@example.org
`
const SEEDS: readonly string[] = [DSN, ARF, TEXT]

/** What every answer keeps, see report.ts. */
function expectSound(report: ParsedReport): void {
  expect(REPORT_KINDS).toContain(report.kind)
  expect(report.family).not.toBe('unreadable')
  expect(report.recipients.length).toBeLessThanOrEqual(100)
  expect(report.tokens.length).toBeLessThanOrEqual(20)
  expect(report.subject.length).toBeLessThanOrEqual(255)
  if (report.kind !== 'dsn' && report.kind !== 'complaint') expect(report.recipients).toEqual([])
  for (const { diagnostic, status, code } of report.recipients) {
    expect(diagnostic.length).toBeLessThanOrEqual(2000)
    expect(diagnostic).not.toMatch(/[\x00-\x1f\x7f]/)
    if (status !== undefined) expect(status).toMatch(/^[245]\.\d{1,3}\.\d{1,3}$/)
    if (code !== undefined) expect(code).toBeGreaterThanOrEqual(200)
    if (code !== undefined) expect(code).toBeLessThan(600)
  }
}

const seed = fc.constantFrom(...SEEDS).map((text) => Buffer.from(text, 'latin1'))

describe('survives', () => {
  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4000 }), (bytes) => expectSound(parseReport(bytes))),
      { numRuns: 300 },
    )
  })

  test('a report cut off anywhere, in the middle or at its ends', () => {
    fc.assert(
      fc.property(seed, fc.nat(2000), fc.nat(2000), (mail, from, length) => {
        expectSound(parseReport(mail.subarray(0, from)))
        expectSound(parseReport(Buffer.concat([mail.subarray(0, from), mail.subarray(from + length)])))
      }),
      { numRuns: 300 },
    )
  })

  test('a report with some bytes changed', () => {
    const change = fc.record({ at: fc.nat(2000), byte: fc.nat(255), times: fc.constantFrom(1, 1, 1, 50) })
    fc.assert(
      fc.property(seed, fc.array(change, { minLength: 1, maxLength: 30 }), (mail, changes) => {
        const bytes = Buffer.from(mail)
        for (const { at, byte, times } of changes)
          bytes.fill(byte, at % bytes.length, Math.min((at % bytes.length) + times, bytes.length))
        expectSound(parseReport(bytes))
      }),
      { numRuns: 500 },
    )
  })

  test('lines in another order, doubled and missing', () => {
    fc.assert(
      fc.property(seed, fc.array(fc.nat(60), { maxLength: 120 }), (mail, order) => {
        const lines = mail.toString('latin1').split('\n')
        expectSound(parseReport(Buffer.from(order.map((at) => lines[at % lines.length]).join('\n'), 'latin1')))
      }),
      { numRuns: 500 },
    )
  })

  test('line ends of every kind tell the same', () => {
    fc.assert(
      fc.property(seed, fc.nat(2000), (mail, length) => {
        const text = mail.toString('latin1', 0, length)
        const plain = parseReport(Buffer.from(text, 'latin1'))
        for (const end of ['\r\n', '\r'])
          expect(parseReport(Buffer.from(text.replaceAll('\n', end), 'latin1'))).toEqual(plain)
      }),
      { numRuns: 200 },
    )
  })
})

describe('repetition without end', () => {
  const SIZE = 512 * 1024
  // An algorithm that looks at everything again for every piece needs minutes for these; the wide margin is for slow machines.
  const MAX_MS = 3000
  const HEAD = 'Return-Path: <>\nFrom: MAILER-DAEMON@example.net\nSubject: Undelivered Mail\n'
  const REPORT = `${HEAD}Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n`
  const places: readonly (readonly [string, string])[] = [
    ['the mail', ''],
    ['a field', `${HEAD}To: `],
    ['the words', `${HEAD}\n`],
    ['HTML', `${HEAD}Content-Type: text/html\n\n`],
    ['quoted-printable', `${HEAD}Content-Transfer-Encoding: quoted-printable\n\n`],
    ['a part', REPORT],
    ['the status', `${REPORT}--b\nContent-Type: message/delivery-status\n\n`],
    ['the recipient', `${REPORT}--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; `],
    [
      'the diagnostic',
      `${REPORT}--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.c\nDiagnostic-Code: `,
    ],
    ['what is returned', `${REPORT}--b\nContent-Type: message/rfc822\n\n`],
    ['a forward', 'Subject: Fwd: a\n\n'],
  ]
  const units = [
    ' ',
    '\t',
    '\n',
    '\r',
    '\n ',
    ' \n',
    '<',
    '>',
    '"',
    '(',
    '[',
    '&',
    '=',
    '=\n',
    '\\',
    ',',
    ';',
    ':',
    '@',
    'a',
    '5',
    '-',
    '--b\n',
    '=?utf-8?q?',
    'a@',
    'a@b.c ',
    '<a ',
    '<style>',
    '<!--',
    '550 ',
    '5.1.1 ',
    'said: ',
    'after ',
    'http://',
    'b-0',
    '> ',
    '\x1b$B',
    '\xff',
    '\0',
    'Final-Recipient: a@b.c\n',
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n',
    '--b\nContent-Type: message/rfc822\n\n',
    'Received: a\n',
    '---- Original message ----\n',
  ]

  test.each(places)(
    'of anything in %s',
    (_name, before) => {
      for (const unit of units) {
        const mail = Buffer.from(before + unit.repeat(Math.ceil(SIZE / unit.length)), 'latin1')
        const start = performance.now()
        expectSound(parseReport(mail))
        expect([unit, performance.now() - start < MAX_MS]).toEqual([unit, true])
      }
    },
    60_000,
  )

  // What is cut off at the end of a word is looked for again from every place in a run that does not end the word.
  test.each(places)(
    'of punctuation within a word, in %s',
    (_name, before) => {
      for (const unit of [',', ';', '.', '>', '<', '-', '_', "'", '"', ':', '!', ')', '(', '/', '*', '|', '`', '=']) {
        for (const word of ['jane', 'jane@example.org', 'rfc822; jane@'])
          for (const end of ['x', '@example.org\n']) {
            const mail = Buffer.from(`${before}${word}${unit.repeat(SIZE / 4)}${end}`, 'latin1')
            const start = performance.now()
            expectSound(parseReport(mail))
            expect([unit, word, end, performance.now() - start < MAX_MS]).toEqual([unit, word, end, true])
          }
      }
    },
    60_000,
  )
})
