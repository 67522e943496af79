import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RelaxedBodyHash } from './body-hash.ts'

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('base64')

function hashOf(body: string, cuts: readonly number[] = []): string {
  const bytes = Buffer.from(body, 'latin1')
  const hash = new RelaxedBodyHash()
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    hash.update(bytes.subarray(from, cut))
    from = cut
  }
  return hash.digest()
}

// The standard's rules one after the other, over the whole text at once.
function canonical(body: string): string {
  const lines = body.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
  while (lines.at(-1) === '') lines.pop()
  return lines.map((line) => `${line}\r\n`).join('')
}

describe('relaxed body canonicalisation', () => {
  test.each([
    ['an empty body', '', ''],
    ['only empty lines', '\r\n\r\n\r\n', ''],
    ['only white space', '  \t \r\n \t', ''],
    ['the example of RFC 6376 §3.4.5', ' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['no last line break', 'abc', 'abc\r\n'],
    ['white space at the end without a line break', 'abc \t', 'abc\r\n'],
    ['trailing empty lines', 'abc\r\n\r\n\r\n', 'abc\r\n'],
    ['trailing lines of white space', 'abc\r\n \r\n\t\r\n', 'abc\r\n'],
    ['empty lines inside', 'a\r\n\r\n\r\nb\r\n', 'a\r\n\r\n\r\nb\r\n'],
    ['dots', '.\r\n..\r\n.a\r\n', '.\r\n..\r\n.a\r\n'],
    ['8-bit bytes, also 0x85 and 0xa0, are no white space', 'caf\xe9\xa0\r\n\x85\r\n', 'caf\xe9\xa0\r\n\x85\r\n'],
    ['a bare CR is content', 'a \r b\r', 'a \r b\r\r\n'],
    ['NUL', 'a\0 \r\n', 'a\0\r\n'],
  ])('%s', (_, body, expected) => {
    expect(hashOf(body)).toBe(sha256(expected))
  })

  test('a chunk boundary at every position changes nothing', () => {
    const body = ' a  b\t\r\n\r\n \t\r\n.\r\nlong line without end \r\n\r\n\tx \r\n\r\n \r\n'
    for (let first = 0; first <= body.length; first++) {
      for (let second = first; second <= body.length; second++) {
        expect(hashOf(body, [first, second]), `cut at ${first} and ${second}`).toBe(sha256(canonical(body)))
      }
    }
  })

  test('any text in any chunks', () => {
    const piece = fc.constantFrom(' ', '\t', '\r\n', 'a', '.', '\xff', '  ', ' \r\n', 'word word')
    const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 12 }), (body, marks) => {
        const cuts = marks.map((mark) => mark % (body.length + 1)).sort((a, b) => a - b)
        expect(hashOf(body, cuts)).toBe(sha256(canonical(body)))
      }),
      { seed: 6376, numRuns: 2000 },
    )
  })

  test('more empty lines and white space than fit one piece', () => {
    const body = `a${'\r\n'.repeat(100_000)}b${' '.repeat(200_000)}c${'\t'.repeat(70_000)}\r\n${'\r\n'.repeat(50_000)}`
    expect(hashOf(body)).toBe(sha256(canonical(body)))
    expect(hashOf(body, [1, 65_537, 200_001])).toBe(sha256(canonical(body)))
  })

  test.each([
    ['one line without end', 'a'],
    ['white space', ' '],
    ['tabs', 'a\t'],
    ['empty lines', '\r\n'],
    ['CR without LF', ' \r'],
  ])('takes linear time: 8 MiB of %s in small chunks', (_, unit) => {
    const chunk = Buffer.from(unit.repeat(4096))
    const hash = new RelaxedBodyHash()
    const begun = performance.now()
    for (let bytes = 0; bytes < 8 * 1024 * 1024; bytes += chunk.length) hash.update(chunk)
    expect(hash.digest()).toHaveLength(44)
    // Linear work takes a tenth of a second here; quadratic work takes minutes.
    expect(performance.now() - begun).toBeLessThan(5000)
  })
})
