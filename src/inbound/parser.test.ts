// Against smtp-server's own parser, which gets one byte at a time and late answers (it would lose the second of two mails in
// one chunk): whatever is said, and however it is cut into chunks, ours understands the same.

import { once } from 'node:events'
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'
import { describe, expect, test } from 'vitest'
import type { MessageData } from './message-data.ts'
import { Parser } from './parser.ts'

const DIALOGS: Readonly<Record<string, string>> = {
  'one command': 'NOOP\r\n',
  'a line without an end': 'NOOP\r\nQUIT',
  'a mail': 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n',
  'dots at the beginning of lines': 'DATA\r\n..\r\n.a\r\n..b\r\n\r\n..\r\n.\r\nNOOP\r\n',
  'an empty mail': 'DATA\r\n.\r\nDATA\r\n\r\n.\r\n',
  'ends that are none': 'DATA\r\na\n.\nb\r\n.\nc\n.\r\nd\r.\re\r\n.\r\nNOOP\r\n',
  'several mails in a row': 'DATA\r\none\r\n.\r\nDATA\r\ntwo\r\n.\r\nDATA\r\n..three\r\n.\r\n',
}

/** What `parser` makes of it: commands, contents, ends; a command is answered at once or in a later turn. */
async function understood(parser: SMTPStream, chunks: readonly Buffer[], isLate: boolean): Promise<string[]> {
  const notes: string[] = []
  const later = (callback: () => void): void => {
    if (isLate) setImmediate(callback)
    else callback()
  }
  parser.oncommand = (command, callback = () => undefined) => {
    notes.push(`command ${command.toString('latin1')}`)
    if (command.toString() === 'DATA') listen(parser.startDataMode(), () => later(() => parser.continue()))
    later(callback)
  }
  const listen = (stream: unknown, done: () => void): void => {
    const pieces: Buffer[] = []
    const end = (): void => {
      notes.push(`content ${Buffer.concat(pieces).toString('latin1')}`)
      // Who decides on a message never does within the call.
      queueMicrotask(done)
    }
    if (parser instanceof Parser) {
      const push = (chunk: Buffer): undefined => void pieces.push(Buffer.from(chunk))
      ;(stream as MessageData).handTo({ push, end, gone: () => undefined })
    } else (stream as NodeJS.ReadableStream).on('data', (chunk: Buffer) => pieces.push(chunk)).on('end', end)
  }
  for (const chunk of chunks) if (!parser.write(chunk)) await once(parser, 'drain')
  const finished = once(parser, 'finish')
  parser.end()
  await finished
  return notes
}

const cut = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))

describe.each(Object.entries(DIALOGS))('%s', (_, text) => {
  const bytes = Buffer.from(text, 'latin1')
  const ways = [
    ...[bytes.length, 1, 2, 3, 5, 7].map((size) => cut(bytes, size)),
    ...Array.from({ length: bytes.length - 1 }, (_, at) => [bytes.subarray(0, at + 1), bytes.subarray(at + 1)]),
  ]

  test.each([
    ['at once', false],
    ['in a later turn', true],
  ])('commands answered %s', async (_when, isLate) => {
    const original = await understood(new SMTPStream(), cut(bytes, 1), true)
    for (const chunks of ways) expect(await understood(new Parser(), chunks, isLate)).toEqual(original)
  })
})

test('a client that sends on while its command waits is held back, and goes on where it was', async () => {
  const parser = new Parser()
  const commands: string[] = []
  let answer: () => void = () => undefined
  parser.oncommand = (command, callback = () => undefined) => {
    commands.push(command.toString())
    answer = callback
  }
  expect(parser.write(Buffer.from('FIRST\r\n'))).toBe(true)
  let isTaken = true
  let written = 0
  while (isTaken && written < 100) isTaken = parser.write(Buffer.from(`${'x'.repeat(1000)}${++written}\r\n`))
  expect(written).toBe(17)
  let drained = 0
  parser.on('drain', () => drained++)
  for (let n = 0; n < written; n++) {
    expect(commands).toHaveLength(n + 1)
    expect(drained).toBe(0)
    answer()
  }
  answer()
  expect(drained).toBe(1)
  expect(commands.at(-1)).toMatch(/x17$/)
})

test('while the store is busy no further chunk is looked at, whatever the one before it ends with', async () => {
  const parser = new Parser()
  const taken: string[] = []
  let isReady: () => void = () => undefined
  parser.oncommand = (_command, callback = () => undefined) => {
    const data = parser.startDataMode() as unknown as MessageData
    const push = (chunk: Buffer): Promise<void> => {
      taken.push(chunk.toString())
      return new Promise((resolve) => {
        isReady = resolve
      })
    }
    data.handTo({ push, end: () => undefined, gone: () => undefined })
    callback()
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  parser.write(Buffer.from('DATA\r\n'))
  // Behind the stuffed dot there is too little to be handed on, and so nothing that would be waited for.
  const chunk = Buffer.from(`${'x'.repeat(8000)}\r\n..\r\n`)
  const isTaken: boolean[] = []
  for (let n = 0; n < 3; n++) {
    isTaken.push(parser.write(chunk))
    await turn()
  }
  expect(isTaken).toEqual([true, true, false])
  expect(parser.dataBytes).toBe(8002)
  let drained = 0
  parser.on('drain', () => drained++)
  for (let n = 0; drained === 0 && n < 10; n++) {
    isReady()
    await turn()
    await turn()
  }
  expect(drained).toBe(1)
  expect(taken.join('').length).toBeGreaterThan(16_000)
})

test('thousands of chunks behind a command are no deep recursion', async () => {
  const parser = new Parser()
  let count = 0
  let answer: () => void = () => undefined
  parser.oncommand = (_command, callback = () => undefined) => {
    count++
    if (count === 1) answer = callback
    else callback()
  }
  parser.write(Buffer.from('FIRST\r\n'))
  for (let n = 0; n < 16_000; n++) parser.write(Buffer.from('\n'))
  answer()
  expect(count).toBe(16_001)
})

test('a line that is too long is an error, and nothing after it is looked at', async () => {
  const parser = new Parser({ maxCommandLength: 100 })
  const commands: string[] = []
  parser.oncommand = (command, callback = () => undefined) => {
    commands.push(command.toString())
    callback()
  }
  const failed = once(parser, 'error')
  parser.write(Buffer.from(`${'x'.repeat(101)}\r\nNOOP\r\n`))
  parser.write(Buffer.from('NOOP\r\n'))
  expect(await failed).toEqual([expect.objectContaining({ message: 'Command line too long' })])
  expect(commands).toEqual([])
})
