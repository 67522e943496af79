import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineEndings } from './line-endings.ts'

function normalise(...chunks: string[]): string {
  const endings = new LineEndings()
  const pieces = chunks.map((chunk) => endings.push(Buffer.from(chunk, 'latin1')))
  return Buffer.concat([...pieces, endings.end()]).toString('latin1')
}

describe('line ends', () => {
  test.each([
    ['a\r\nb\r\n', 'a\r\nb\r\n'],
    ['a\nb\n', 'a\r\nb\r\n'],
    ['a\rb\r', 'a\r\nb\r\n'],
    ['a\r\r\nb', 'a\r\nb'],
    ['a\r\r\r\nb', 'a\r\n\r\nb'],
    ['a\n\rb', 'a\r\n\r\nb'],
    ['\n\n', '\r\n\r\n'],
    ['\r\r', '\r\n\r\n'],
    ['\xff\r\n\x80\n', '\xff\r\n\x80\r\n'],
    ['', ''],
  ])('%j becomes %j', (input, expected) => {
    expect(normalise(input)).toBe(expected)
  })

  test('a clean chunk is not copied', () => {
    const chunk = Buffer.from('a\r\nb\r\n')
    expect(new LineEndings().push(chunk)).toBe(chunk)
  })

  test('however the message is cut, the result is the same, and has no bare CR or LF', () => {
    const text = fc.string({ unit: fc.constantFrom('\r', '\n', '\r\n', 'a', '.', '\xe9'), maxLength: 40 })
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 6 }), (whole, cuts) => {
        const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].sort((a, b) => a - b)
        const chunks = places.slice(1).map((end, index) => whole.slice(places[index], end))
        const result = normalise(...chunks)
        expect(result).toBe(normalise(whole))
        expect(result).not.toMatch(/(?<!\r)\n|\r(?!\n)/)
      }),
      { seed: 1, numRuns: 5000 },
    )
  })
})
