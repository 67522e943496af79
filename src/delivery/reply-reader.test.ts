import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SmtpReply } from '../mail/reply.ts'
import { MAX_LINE_CHARACTERS, MAX_REPLY_BYTES, MAX_REPLY_LINES, ReplyReader } from './reply-reader.ts'

interface Reading {
  readonly replies: readonly SmtpReply[]
  readonly fault: string | undefined
  readonly pending: boolean
}

function read(...pieces: readonly (string | Uint8Array)[]): Reading {
  const reader = new ReplyReader()
  const replies: SmtpReply[] = []
  for (const piece of pieces) {
    reader.feed(typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece))
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) replies.push(reply)
  }
  return { replies, fault: reader.fault, pending: reader.pending }
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index]))
}

describe('well-formed replies', () => {
  const cases: readonly [string, string, readonly SmtpReply[]][] = [
    ['one line', '250 ok\r\n', [{ code: 250, lines: ['ok'] }]],
    ['a code alone', '250\r\n', [{ code: 250, lines: [''] }]],
    ['a code and a space', '250 \r\n', [{ code: 250, lines: [''] }]],
    ['several lines', '250-a\r\n250-\r\n250 b\r\n', [{ code: 250, lines: ['a', '', 'b'] }]],
    ['a code alone as the last line', '250-a\r\n250\r\n', [{ code: 250, lines: ['a', ''] }]],
    [
      'an enhanced code',
      '550 5.1.1 no such user\r\n',
      [{ code: 550, enhanced: '5.1.1', lines: ['5.1.1 no such user'] }],
    ],
    ['an enhanced code of another class', '550 4.2.1 hm\r\n', [{ code: 550, lines: ['4.2.1 hm'] }]],
    ['bare LF', '220-a\n220 b\n', [{ code: 220, lines: ['a', 'b'] }]],
    [
      'two replies',
      '250 a\r\n354 b\r\n',
      [
        { code: 250, lines: ['a'] },
        { code: 354, lines: ['b'] },
      ],
    ],
    [
      'the lowest and the highest code',
      '200 a\r\n599 b\r\n',
      [
        { code: 200, lines: ['a'] },
        { code: 599, lines: ['b'] },
      ],
    ],
    ['UTF-8', '550 user “jürgen” unknown\r\n', [{ code: 550, lines: ['user “jürgen” unknown'] }]],
    ['a tab', '550 a\tb\r\n', [{ code: 550, lines: ['a b'] }]],
    ['controls', '550 a\x1b[31mb\0\x7f\rc\r\n', [{ code: 550, lines: ['a\ufffd[31mb\ufffd\ufffd\ufffdc'] }]],
    ['marks of direction', '550 a\u202eb\u2028c\r\n', [{ code: 550, lines: ['a\ufffdb\ufffdc'] }]],
  ]
  test.each(cases)('%s', (_name, text, replies) => {
    expect(read(text)).toEqual({ replies, fault: undefined, pending: false })
  })

  test('bytes that are no UTF-8 are Latin-1, C1 controls replaced', () => {
    const { replies } = read(Buffer.from('550 gr\xfc\xdfe\x85\r\n', 'latin1'))
    expect(replies).toEqual([{ code: 550, lines: ['grüße\ufffd'] }])
  })

  test('a long line is cut, the reply is good', () => {
    const { replies, fault } = read(`550 ${'x'.repeat(60_000)}\r\n`)
    expect(fault).toBeUndefined()
    expect(replies[0]?.lines).toEqual(['x'.repeat(MAX_LINE_CHARACTERS)])
  })

  test('a character is not cut in half', () => {
    const { replies } = read(`550 ${'x'.repeat(MAX_LINE_CHARACTERS - 1)}😀\r\n`)
    expect(replies[0]?.lines[0]?.isWellFormed()).toBe(true)
  })

  test('as many lines as are allowed', () => {
    const { replies, fault } = read(`${'250-a\r\n'.repeat(MAX_REPLY_LINES - 1)}250 b\r\n`)
    expect(fault).toBeUndefined()
    expect(replies[0]?.lines).toHaveLength(MAX_REPLY_LINES)
  })

  test('limits are for each reply, not for the connection', () => {
    const { replies, fault } = read(`250 ${'x'.repeat(1000)}\r\n`.repeat(200))
    expect(fault).toBeUndefined()
    expect(replies).toHaveLength(200)
  })
})

describe('malformed replies', () => {
  const cases: readonly [string, string, RegExp][] = [
    ['no code', 'hello\r\n', /malformed reply "hello"/],
    ['one digit', '2hello\r\n', /malformed/],
    ['six digits', '299999 hi\r\n', /malformed/],
    ['two digits', '25 hi\r\n', /malformed/],
    ['an empty line', '\r\n', /malformed/],
    ['a leading space', ' 250 ok\r\n', /malformed/],
    ['1xx', '150 wait\r\n', /malformed/],
    ['6xx', '600 no\r\n', /malformed/],
    ['0xx', '000 no\r\n', /malformed/],
    ['a tab for a separator', '250\tok\r\n', /malformed/],
    ['a full-width digit', '２50 ok\r\n', /malformed/],
    ['a CR before the LF of the code', '250\rok\r\n', /malformed/],
    ['mixed codes', '250-ok\r\n550 no\r\n', /codes 250 and 550/],
    ['a last line without a code', '250-ok\r\nand on\r\n', /malformed/],
    ['too many lines', `${'250-a\r\n'.repeat(MAX_REPLY_LINES)}250 b\r\n`, /more than 100 lines/],
    ['too many bytes in one line', `250 ${'x'.repeat(MAX_REPLY_BYTES)}\r\n`, /longer than/],
    ['too many bytes without an end', `250 ${'x'.repeat(MAX_REPLY_BYTES)}`, /longer than/],
    ['too many bytes in many lines', `250-${'x'.repeat(1000)}\r\n`.repeat(70), /longer than/],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n', /malformed/],
  ]
  test.each(cases)('%s', (_name, text, fault) => {
    const reading = read(text)
    expect(reading.replies).toEqual([])
    expect(reading.fault).toMatch(fault)
  })

  test('the reply before a malformed one stands, none after it', () => {
    const { replies, fault } = read('250 a\r\nwhat\r\n250 b\r\n', '250 c\r\n')
    expect(replies).toEqual([{ code: 250, lines: ['a'] }])
    expect(fault).toMatch(/malformed/)
  })

  test('the quoted words are safe and short', () => {
    const { fault } = read(`\x1b[2J${'x'.repeat(500)}\r\n`)
    expect(fault).not.toContain('\x1b')
    expect(fault?.length).toBeLessThan(120)
  })
})

test('an unfinished reply is none', () => {
  expect(read('550 no')).toEqual({ replies: [], fault: undefined, pending: true })
  expect(read('550-no\r\n')).toEqual({ replies: [], fault: undefined, pending: true })
  expect(read('250 ok\r\n5').pending).toBe(true)
})

describe('random input', () => {
  const line = fc.tuple(
    fc.constantFrom('250', '250', '250', '354', '550', '25', '999', ''),
    fc.constantFrom(' ', '-', '-', ''),
    fc.string({ maxLength: 20, unit: 'binary' }),
    fc.constantFrom('\r\n', '\r\n', '\n', '\r', '\r\r\n'),
  )
  const likely = fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(lines.flat().join('')))
  const bytes = fc.oneof(likely, fc.uint8Array({ maxLength: 200 }))

  test('never throws, and says the same however it was split', () => {
    const cuts = fc.array(fc.nat(), { maxLength: 10 })
    fc.assert(
      fc.property(bytes, cuts, (input, places) => {
        expect(read(...cutAt(input, places))).toEqual(read(input))
      }),
      { seed: 20260101, numRuns: 3000 },
    )
  })

  test('byte by byte', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        expect(read(...[...input].map((byte) => Uint8Array.of(byte)))).toEqual(read(input))
      }),
      { seed: 20260102, numRuns: 1000 },
    )
  })

  test('what is given out is safe to print', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (input) => {
        const { replies } = read(
          Buffer.concat([Buffer.from('250 '), input.filter((byte) => byte !== 10), Buffer.from('\r\n')]),
        )
        expect(replies[0]?.lines.join('')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/)
      }),
      { seed: 20260103, numRuns: 2000 },
    )
  })
})
