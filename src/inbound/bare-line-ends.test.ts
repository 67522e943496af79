import { describe, expect, test } from 'vitest'
import { BareLineEnds } from './bare-line-ends.ts'

function isBare(pieces: readonly string[]): boolean {
  const watch = new BareLineEnds()
  const seen = pieces.map((piece) => watch.push(Buffer.from(piece, 'latin1')))
  return seen.includes(true) || watch.end()
}

describe.each([
  ['', false],
  ['text\r\n', false],
  ['a\r\n\r\nb\r\n', false],
  ['\r\n', false],
  ['a\nb\r\n', true],
  ['a\rb\r\n', true],
  ['a\r\r\n', true],
  ['a\n\r\n', true],
  ['\n', true],
  ['\r', true],
  ['a\r\nb\r', true],
])('%j', (text, expected) => {
  test('whole, byte by byte, cut everywhere', () => {
    expect(isBare([text])).toBe(expected)
    expect(isBare([...text])).toBe(expected)
    for (let cut = 0; cut <= text.length; cut++) expect(isBare([text.slice(0, cut), text.slice(cut)])).toBe(expected)
  })
})
