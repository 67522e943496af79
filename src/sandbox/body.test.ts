import { describe, expect, test } from 'vitest'
import { BodyReader, KEPT_BYTES } from './body.ts'

/** Feeds `wire` in pieces of `size` bytes; gives back the message and what follows it. */
function read(wire: string, size: number): { message: string; rest: string | undefined; sizeBytes: number } {
  const reader = new BodyReader()
  const bytes = Buffer.from(wire, 'latin1')
  let rest: Buffer | undefined
  for (let at = 0; at < bytes.length && rest === undefined; at += size) {
    rest = reader.push(bytes.subarray(at, at + size))
    if (rest !== undefined) rest = Buffer.concat([rest, bytes.subarray(at + size)])
  }
  return { message: reader.kept().toString('latin1'), rest: rest?.toString('latin1'), sizeBytes: reader.sizeBytes }
}

const CASES: [what: string, wire: string, message: string, rest: string | undefined][] = [
  ['a message', 'a\r\nb\r\n.\r\n', 'a\r\nb\r\n', ''],
  ['an empty message', '.\r\n', '', ''],
  ['the next command behind it', 'a\r\n.\r\nQUIT\r\n', 'a\r\n', 'QUIT\r\n'],
  ['stuffed dots', '..\r\n..a\r\n...\r\n.\r\n', '.\r\n.a\r\n..\r\n', ''],
  ['a dot within a line', 'a.\r\n.b.\r\n.\r\n', 'a.\r\nb.\r\n', ''],
  ['LF . LF is no end', 'a\n.\nb\n.\r\nc\r\n.\nd\r\n.\r\n', 'a\n.\nb\n.\r\nc\r\n\nd\r\n', ''],
  ['CR . CR is no end', 'a\r.\rb\r\n.\r\r\n.\r\n', 'a\r.\rb\r\n\r\r\n', ''],
  ['no end yet', 'a\r\n.', 'a', undefined],
  ['all bytes', 'a\x00\xff\r\n.\r\n', 'a\x00\xff\r\n', ''],
]

describe('finds the end and takes the stuffed dots off', () => {
  test.each(CASES)('%s', (_, wire, message, rest) => {
    for (let size = 1; size <= wire.length; size++) {
      expect(read(wire, size), `in pieces of ${size}`).toEqual({ message, rest, sizeBytes: message.length })
    }
  })
})

test('keeps the first 64 KiB and counts all', () => {
  const line = `${'x'.repeat(998)}\r\n`
  const { message, sizeBytes } = read(`${line.repeat(200)}.\r\n`, 1460)
  expect(sizeBytes).toBe(200_000)
  expect(message).toBe(line.repeat(200).slice(0, KEPT_BYTES))
})
