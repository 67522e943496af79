import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fieldValue, scanHead, withoutFields, writtenName } from './head.ts'

describe('header section', () => {
  test('names, values, continuation lines, the end', () => {
    const text = 'Subject: a\r\n\tb\r\nX-Odd :c\r\n\r\nbody: no\r\n'
    const head = scanHead(text)
    expect(head.fields.map((field) => [field.name, fieldValue(text, field)])).toEqual([
      ['subject', 'a\tb'],
      ['x-odd', 'c'],
    ])
    expect(text.slice(head.bodyStart)).toBe('body: no\r\n')
    expect(writtenName(text, head.fields[1]!)).toBe('X-Odd')
  })

  test('a value keeps the last byte of a letter that looks like a blank', () => {
    const text = Buffer.from('Subject: voilà \r\n').toString('latin1')
    expect(Buffer.from(fieldValue(text, scanHead(text).fields[0]!), 'latin1').toString()).toBe('voilà')
  })

  test.each([
    ['a text\r\nwithout header\r\n', '', 'a text\r\nwithout header\r\n'],
    ['A: b\r\ntext\r\n', 'A: b\r\n', 'text\r\n'],
    [' leading blank\r\n', '', ' leading blank\r\n'],
    ['\r\nbody\r\n', '', 'body\r\n'],
    ['A: b\r\n', 'A: b\r\n', ''],
    ['A:\r\n\r\n', 'A:\r\n', ''],
    ['\xe5: b\r\n\r\n', '', '\xe5: b\r\n\r\n'],
    ['From me Sun Nov 22\r\nA: b\r\n\r\n', 'A: b\r\n', ''],
    ['From : me\r\nA: b\r\n\r\n', 'From : me\r\nA: b\r\n', ''],
    ['>From me\r\nA: b\r\n\r\n', 'A: b\r\n', ''],
    ['', '', ''],
  ])('%j: lines %j, body %j', (text, lines, body) => {
    const head = scanHead(text)
    expect(text.slice(head.start, head.end)).toBe(lines)
    expect(text.slice(head.bodyStart)).toBe(body)
  })

  test('fields are cut out with their continuation lines', () => {
    const text = 'A: 1\r\nB: 2\r\n more\r\nC: 3\r\nB: 4\r\n\r\n'
    const head = scanHead(text)
    expect(
      withoutFields(
        text,
        head,
        head.fields.filter(({ name }) => name === 'b'),
      ),
    ).toBe('A: 1\r\nC: 3\r\n')
  })

  test('terminates and loses nothing on any text', () => {
    const text = fc.string({
      unit: fc.constantFrom('\r\n', ':', ' ', '\t', 'A', 'b', 'From ', '\x00', '\xe9'),
      maxLength: 60,
    })
    fc.assert(
      fc.property(text, (any) => {
        const head = scanHead(any)
        expect(head.start).toBeLessThanOrEqual(head.end)
        expect(head.end).toBeLessThanOrEqual(head.bodyStart)
        expect(head.bodyStart - head.end).toBeLessThanOrEqual(2)
      }),
      { seed: 1, numRuns: 5000 },
    )
  })
})
