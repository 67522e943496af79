import { describe, expect, test } from 'vitest'
import { quotedStrings, zoneLine, zoneLines } from './zone.ts'

describe('character strings', () => {
  test.each([
    ['', '""'],
    ['v=spf1 -all', '"v=spf1 -all"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['tab\there', '"tab\\009here"'],
    ['ü', '"\\195\\188"'],
    ['x'.repeat(255), `"${'x'.repeat(255)}"`],
    ['x'.repeat(256), `"${'x'.repeat(255)}" "x"`],
    ['x'.repeat(510), `"${'x'.repeat(255)}" "${'x'.repeat(255)}"`],
    // The limit is of octets, and an escape is one.
    ['"'.repeat(256), `"${'\\"'.repeat(255)}" "\\""`],
  ])('%j', (text, expected) => {
    expect(quotedStrings(text)).toBe(expected)
  })
})

const record = {
  topic: 'return-path',
  name: 'b.example.com',
  type: 'MX',
  value: '10 relay.example.com',
  need: 'required',
  why: 'so',
} as const

test('names are full', () => {
  expect(zoneLine(record)).toBe('b.example.com. 3600 IN MX 10 relay.example.com.')
  expect(zoneLine({ ...record, type: 'A', value: '192.0.2.1' })).toBe('b.example.com. 3600 IN A 192.0.2.1')
})

test('what is optional is a comment', () => {
  expect(zoneLines([record, { ...record, need: 'optional' }])).toEqual([
    '; required: so',
    'b.example.com. 3600 IN MX 10 relay.example.com.',
    '; optional: so',
    ';b.example.com. 3600 IN MX 10 relay.example.com.',
  ])
})
