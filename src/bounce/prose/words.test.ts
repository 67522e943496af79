// Where the reporter's words end and the returned message begins; what counts as written by a machine; and that no hostile
// text costs more than its length.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { proseOf } from '../../../test/support/prose.ts'
import { addressesIn } from './address.ts'
import { readProse } from './readers.ts'
import { cutReturned } from './returned.ts'
import { readTranscript, refusalOf } from './transcript.ts'
import { wordsOf } from './words.ts'

const HEADER = [
  'Return-Path: <sender@example.com>',
  'Message-ID: <1@example.com>',
  'To: jdoe@example.org',
  'Subject: Hello',
]

describe('the returned message is cut off', () => {
  test.each([
    ['------ This is a copy of the message, including all the headers. ------'],
    ['--- Below this line is a copy of the message.'],
    ['   ----- Unsent message follows -----'],
    ['Original message headers:'],
    ['--------RETURNED MAIL FOLLOWS--------'],
    ['   -- The header and top 20 lines of the message follows --'],
    ['--- Mensaje original adjunto.'],
    ['The first 50 lines of your original message follow:> '],
  ])('behind %s', (line) => {
    const { own, returned } = cutReturned(['It failed.', '', line, '', ...HEADER, '', 'Dear jane@example.net,'])
    expect(own).toEqual(['It failed.', ''])
    expect(returned?.get('Message-ID')).toBe('<1@example.com>')
  })

  test('where nothing but its header tells, quoted or indented as a whole', () => {
    for (const margin of ['', '> ', '    ']) {
      const { own, returned } = cutReturned(['It failed.', ...HEADER.map((line) => margin + line)])
      expect(own).toEqual(['It failed.'])
      expect(returned?.get('to')).toBe('jdoe@example.org')
    }
  })

  test('but not at the fields by which a report tells which message it means', () => {
    const lines = [
      'This report relates to:',
      '  Message-id: <1@example.com>',
      '  Date: today',
      '  To: jdoe@example.org',
      '',
      'x',
    ]
    expect(cutReturned(lines)).toEqual({ own: lines })
  })

  test('and not at the headings of the report itself', () => {
    const lines = [
      'Hello',
      '----- The following addresses had delivery problems -----',
      '----- Transcript of session follows -----',
    ]
    expect(cutReturned(lines).own).toEqual(lines)
  })
})

describe('who wrote it', () => {
  const machine = (from: string, subject: string, header = {}): boolean =>
    wordsOf(proseOf({ from, subject, header, text: 'x' })).machine

  test.each([
    ['MAILER-DAEMON@mx.example.net', 'failure notice', {}],
    ['Mail Delivery System <x@example.net>', 'Hello', {}],
    ['info@example.net', 'Mail delivery failed: returning message to sender', {}],
    ['info@example.net', 'Hello', { 'Return-Path': '<>' }],
    ['info@example.net', 'Hello', { 'X-Failed-Recipients': 'jdoe@example.org' }],
    ['Post_Master@example.net', 'Re:Hello', {}],
  ])('a machine: %s, %s %o', (from, subject, header) => expect(machine(from, subject, header)).toBe(true))

  test.each([
    ['jane@example.net', 'Hello', {}],
    ['jane@example.net', 'Re: Mail delivery failed', {}],
    ['jane@example.net', 'Undelivered mail', { 'User-Agent': 'Mozilla Thunderbird' }],
    ['news@example.net', 'Our offers', {}],
  ])('a person: %s, %s %o', (from, subject, header) => expect(machine(from, subject, header)).toBe(false))

  test("what is quoted is somebody else's; marks of transcripts and lists are not quotes", () => {
    const text = '> quoted <a@example.org>\n>>> RCPT TO:<b@example.org>\n> c@example.org\nown'
    expect(wordsOf(proseOf({ text: `\n${text}` })).own).toEqual(text.split('\n').slice(1))
  })
})

test.each([
  ['<jdoe@example.org>:', ['jdoe@example.org']],
  ["'jdoe@example.org'", ['jdoe@example.org']],
  ['mailto:jdoe@example.org.', ['jdoe@example.org']],
  ['a..b.@docomo.example.jp is gone', ['a..b.@docomo.example.jp']],
  ['<jürgen@exämple.org>', ['jürgen@exämple.org']],
  ['您好jdoe@example.org您好', ['jdoe@example.org']],
  ['"john doe"@example.org', ['"john doe"@example.org']],
  ['a@b@c', ['a@b']],
  ['nothing @ all', []],
])('addresses in %s', (line, addresses) => expect(addressesIn(line)).toEqual(addresses))

test('a dialog with pipelined commands gives every reply to its command', () => {
  const dialog = [
    '... while talking to mx.example.org.:',
    '>>> MAIL From:<sender@example.com>',
    '>>> RCPT To:<jdoe@example.org>',
    '>>> RCPT To:<jane@example.org>',
    '<<< 250 ok',
    '<<< 550-5.1.1 no such',
    '<<< 550 5.1.1 user',
    '<<< 250 ok',
    '>>> DATA',
    '<<< 354 go on',
    '>>> .',
    '<<< 554 5.7.1 spam',
  ]
  const transcript = readTranscript(dialog)
  expect(refusalOf(transcript, 'jdoe@example.org')).toMatchObject({ command: 'RCPT', remoteMta: 'mx.example.org' })
  expect(refusalOf(transcript, 'jane@example.org')).toMatchObject({ command: 'dot', words: ['554 5.7.1 spam'] })
})

const HOSTILE: Readonly<Record<string, (line: number) => string>> = {
  'one letter': () => 'a'.repeat(1000),
  'at signs': () => 'a@'.repeat(500),
  brackets: () => '<'.repeat(1000),
  spaces: () => `${' '.repeat(999)}x`,
  'many recipients': (line) => `<user${line}@example.org>:`,
  'a list': (line) => `  user${line}@example.org`,
  replies: () => '550 5.1.1 '.repeat(100),
  fields: (line) => `X-Field-${line}: value`,
  commands: (line) => `>>> RCPT To:<user${line}@example.org>`,
  'own words': (line) => `550 <user${line}@example.org>... User unknown`,
  openings: () => 'could not be delivered to the following '.repeat(25),
  headings: () => 'konnte nicht erreicht werden folgende Empfänger '.repeat(20),
  labels: () => 'Your message to: a '.repeat(50),
}
const INTRODUCTIONS = [
  'Hello.',
  'This message was created automatically by mail delivery software. The following address(es) failed:',
  '   ----- The following addresses had permanent fatal errors -----',
  '   ----- Transcript of session follows -----',
  'Delivery has failed to these recipients or groups:',
]

test.each(Object.entries(HOSTILE))(
  '2,000 lines of %s are read in little time, and 100 recipients at most',
  (_, line) => {
    const body = Array.from({ length: 2000 }, (__, index) => line(index)).join('\n')
    for (const introduction of INTRODUCTIONS) {
      const before = performance.now()
      const finding = readProse(proseOf({ text: `\n${introduction}\n\n${body}` }))
      // Some 50 ms on an idle machine; anything quadratic takes seconds.
      expect(performance.now() - before).toBeLessThan(1000)
      expect(finding?.recipients.length ?? 0).toBeLessThanOrEqual(100)
    }
  },
)

test('any lines in any order: no throw, bounded diagnostics, no address that does not stand in the text', () => {
  const piece = fc.constantFrom(
    'jdoe@example.org',
    '<jane@example.net>:',
    '550 5.1.1 User unknown',
    '>>> RCPT To:<bob@example.com>',
    '<<< 450 4.2.1 later',
    'The following address(es) failed:',
    '   ----- Transcript of session follows -----',
    'was not delivered to:',
    'because:',
    'Diagnostic information for administrators:',
    '',
    '--- Below this line is a copy of the message.',
    'Received: from x',
    '退信原因：',
  )
  const line = fc.oneof(
    piece,
    fc.string({ maxLength: 80 }),
    fc.tuple(piece, piece).map((two) => two.join(' ')),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      const text = lines.join('\n')
      for (const { address, diagnostic } of readProse(proseOf({ text: `\n${text}` }))?.recipients ?? []) {
        expect(text).toContain(address)
        expect(diagnostic.length).toBeLessThanOrEqual(2000)
        expect(diagnostic).not.toMatch(/[\r\n]/)
      }
    }),
    { numRuns: 300, seed: 20 },
  )
})
