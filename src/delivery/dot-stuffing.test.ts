import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DotStuffer } from './dot-stuffing.ts'

function onWire(...pieces: readonly string[]): string {
  const stuffer = new DotStuffer()
  return pieces.map((piece) => stuffer.push(piece)).join('') + stuffer.end()
}

/** What a receiver by the book makes of it (RFC 5321 §4.5.2). */
function received(wire: string): string {
  expect(wire.endsWith('\r\n.\r\n') || wire === '.\r\n').toBe(true)
  return wire.slice(0, -3).replace(/(^|\r\n)\./g, '$1')
}

function expectSafe(wire: string): void {
  expect(wire).not.toMatch(/\r(?!\n)|(?<!\r)\n/)
  // A lone dot ends the message for any server, also one that takes bare line ends; it may only stand at the very end.
  expect(wire.split(/\r\n|\r|\n/).indexOf('.')).toBe(wire.split('\r\n').length - 2)
}

describe('content', () => {
  const cases: readonly [string, string, string][] = [
    ['nothing', '', '.\r\n'],
    ['a line', 'a\r\n', 'a\r\n.\r\n'],
    ['no end of the last line', 'a', 'a\r\n.\r\n'],
    ['a dot at the start', '.a\r\n', '..a\r\n.\r\n'],
    ['a lone dot', '.\r\n', '..\r\n.\r\n'],
    ['a dot without a line end', '.', '..\r\n.\r\n'],
    ['a dot in the middle', 'a.b\r\n', 'a.b\r\n.\r\n'],
    ['a dot after a line', 'a\r\n.b\r\n', 'a\r\n..b\r\n.\r\n'],
    ['many dots', '.\r\n..\r\n.\r\n', '..\r\n...\r\n..\r\n.\r\n'],
    ['bare LF', 'a\nb\r\n', 'a\r\nb\r\n.\r\n'],
    ['bare CR', 'a\rb\r\n', 'a\r\nb\r\n.\r\n'],
    ['CR at the end', 'a\r', 'a\r\n.\r\n'],
    ['LF at the start', '\na', '\r\na\r\n.\r\n'],
    ['LF CR', 'a\n\rb', 'a\r\n\r\nb\r\n.\r\n'],
    ['CR CR LF', 'a\r\r\nb', 'a\r\n\r\nb\r\n.\r\n'],
    ['bytes above 0x7f', 'gr\xfc\xdfe\r\n', 'gr\xfc\xdfe\r\n.\r\n'],
  ]
  test.each(cases)('%s', (_name, content, wire) => {
    expect(onWire(content)).toBe(wire)
  })
})

test('no shape of a false end of data gets through, however it is cut', () => {
  const ends = ['\r\n', '\n', '\r', '\n\r', '\r\r\n', '\n\n', '\r\n\0', '\0\r\n']
  for (const before of ends) {
    for (const after of ends) {
      const content = `a${before}.${after}MAIL FROM:<evil@example.com>\r\n`
      for (let cut = 0; cut <= content.length; cut++) expectSafe(onWire(content.slice(0, cut), content.slice(cut)))
      expectSafe(onWire(...content))
    }
  }
})

describe('random content', () => {
  const content = fc
    .array(fc.constantFrom('\r\n', '\r\n', '\r', '\n', '.', '.', 'a', '\xff', '\0'), { maxLength: 40 })
    .map((parts) => parts.join(''))

  test('is safe and the same however it is cut', () => {
    fc.assert(
      fc.property(content, fc.array(fc.nat(40), { maxLength: 6 }), (text, cuts) => {
        const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length]
        const pieces = places.slice(1).map((to, index) => text.slice(places[index], to))
        const whole = onWire(text)
        expectSafe(whole)
        expect(onWire(...pieces)).toBe(whole)
      }),
      { seed: 20260101, numRuns: 5000 },
    )
  })

  test('well-formed content arrives as it was', () => {
    const lines = fc.array(fc.string({ maxLength: 10, unit: fc.constantFrom('.', 'a', ' ', '\xe9') }), {
      maxLength: 10,
    })
    fc.assert(
      fc.property(lines, (parts) => {
        const text = parts.map((line) => `${line}\r\n`).join('')
        expect(received(onWire(text))).toBe(text)
      }),
      { seed: 20260102, numRuns: 2000 },
    )
  })
})
