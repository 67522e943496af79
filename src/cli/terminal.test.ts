import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonLine, padEnd, painter, printable, printableDeep, truncate, widthOf, wrap } from './terminal.ts'

/** What a terminal could take for a command: C0, DEL, C1, and the marks that reorder or hide text. */
const STEERING = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

describe('printable', () => {
  test.each([
    ['plain text stays', '550 5.1.1 No such user', '550 5.1.1 No such user'],
    ['letters of other scripts stay', 'Grüße 你好 👋🏽', 'Grüße 你好 👋🏽'],
    [
      'joiners, without which Persian and families fall apart, stay',
      'می\u200cخواهم 👩\u200d👧',
      'می\u200cخواهم 👩\u200d👧',
    ],
    ['an escape sequence is shown', '\u001b[2J\u001b]0;owned\u0007', '␛[2J␛]0;owned␇'],
    ['line breaks cannot fake a line', 'ok\r\n250 fine', 'ok␍␊250 fine'],
    ['C1 control sequence introducer', '\u009b31mred', '�31mred'],
    ['DEL', 'a\u007fb', 'a␡b'],
    ['right-to-left override', 'gpj.\u202eexe', 'gpj.�exe'],
    ['zero width space', 'a\u200bb', 'a�b'],
    ['a lone surrogate', 'a\ud800b', 'a�b'],
  ])('%s', (_, text, expected) => {
    expect(printable(text)).toBe(expected)
  })

  test('never leaves anything that steers, and changes nothing twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const shown = printable(text)
        expect(STEERING.test(shown)).toBe(false)
        expect(printable(shown)).toBe(shown)
      }),
      { seed: 7 },
    )
  })

  test('reaches every text at any depth, keys too', () => {
    const hostile = { a: ['\u001b[1m', { '\u001bkey': '\u0007' }], n: 1, none: null }
    expect(printableDeep(hostile)).toEqual({ a: ['␛[1m', { '␛key': '␇' }], n: 1, none: null })
  })
})

describe('jsonLine', () => {
  test('is one line that steers nothing and reads back as it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 100 }),
        fc.constantFrom('\u001b[2J', '\u009b2J', '\u202e', '\n', '\u2028'),
        (text, evil) => {
          const line = jsonLine({ reply: text + evil })
          expect(STEERING.test(line)).toBe(false)
          expect(JSON.parse(line)).toEqual({ reply: text + evil })
        },
      ),
      { seed: 7 },
    )
  })
})

describe('width', () => {
  test.each([
    ['abc', 3],
    ['你好', 4],
    ['👋🏽', 2],
    ['e\u0301', 1],
    ['\u001b[31mred\u001b[39m', 3],
    ['', 0],
  ])('of %j is %i', (text, width) => {
    expect(widthOf(text)).toBe(width)
  })

  test('truncate never exceeds the width, and marks what it cut', () => {
    expect(truncate('jane@example.net', 8)).toBe('jane@ex…')
    expect(truncate('你好你好', 5)).toBe('你好…')
    expect(truncate('short', 5)).toBe('short')
    expect(truncate('short', 0)).toBe('')
  })

  test('padEnd counts columns, not characters', () => {
    expect(padEnd('你', 4)).toBe('你  ')
  })
})

describe('wrap', () => {
  test('breaks at spaces', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
  })

  test('breaks inside a word that is longer than the line', () => {
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
  })

  test('loses nothing but spaces and exceeds no line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 120 }), fc.integer({ min: 2, max: 40 }), (text, width) => {
        const clean = printable(text)
        const lines = wrap(clean, width)
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width)
        expect(lines.join('').replace(/ /g, '')).toBe(clean.replace(/ /g, ''))
      }),
      { seed: 7 },
    )
  })
})

test('colours are written only where they are welcome', () => {
  expect(painter(true)('red', 'x')).toBe('\u001b[31mx\u001b[39m')
  expect(painter(false)('red', 'x')).toBe('x')
})
