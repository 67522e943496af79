// How replies leave: those to commands that came together go out together (RFC 2920 §3.2), all others at once, and none is
// lost where a session ends.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startSubmission } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startSubmission({ config: { submission: { max_junk_commands: 1_000_000 } } })
})
afterAll(() => harness[Symbol.asyncDispose]())

/** A client that never closes its own end, and what it reads piece by piece. */
async function open(): Promise<{ socket: Socket; pieces: string[]; ended: Promise<unknown> }> {
  const socket = connect({ port: harness.port('trusted'), host: '127.0.0.1', allowHalfOpen: true })
  const pieces: string[] = []
  const ended = once(socket, 'end')
  socket.setEncoding('latin1').on('data', (piece: string) => pieces.push(piece))
  await once(socket, 'data')
  socket.write('EHLO app.test\r\n')
  await once(socket, 'data')
  pieces.length = 0
  return { socket, pieces, ended }
}

const codes = (text: string): string[] => text.split('\r\n').flatMap((line) => /^\d{3}(?= )/.exec(line) ?? [])

test('a whole transaction in one write is answered in one', async () => {
  const { socket, pieces } = await open()
  const recipients = Array.from({ length: 20 }, (_, n) => `RCPT TO:<r${n}@y.test>\r\n`)
  socket.write(`MAIL FROM:<a@x.test>\r\n${recipients.join('')}DATA\r\n`)
  await once(socket, 'data')
  expect(pieces.map(codes)).toEqual([[...Array.from({ length: 21 }, () => '250'), '354']])
  socket.destroy()
})

test('a command by itself is answered although nothing follows', async () => {
  const { socket, pieces } = await open()
  for (const command of ['NOOP', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>']) {
    socket.write(`${command}\r\n`)
    await once(socket, 'data')
  }
  expect(pieces.flatMap(codes)).toEqual(['250', '250', '250'])
  socket.destroy()
})

test('QUIT behind everything else: each reply arrives, the server closes first, and what follows is not looked at', async () => {
  const before = harness.acceptor.messages.length
  const { socket, pieces, ended } = await open()
  const mail = (subject: string) =>
    `MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\nSubject: ${subject}\r\n\r\n.\r\n`
  socket.write(`${mail('one')}${mail('two')}QUIT\r\n${mail('three')}`)
  await ended
  expect(codes(pieces.join(''))).toEqual(['250', '250', '354', '250', '250', '250', '354', '250', '221'])
  expect(harness.acceptor.messages.length - before).toBe(2)
  socket.destroy()
})

test('a client that reads slowly gets everything that was said before QUIT', async () => {
  const { socket, pieces, ended } = await open()
  socket.pause()
  const count = 30_000
  // More than the kernel keeps for a client that does not read, by far.
  socket.write('NOOP\r\n'.repeat(count))
  socket.write('QUIT\r\n')
  socket.resume()
  await ended
  const replies = codes(pieces.join(''))
  expect(replies).toHaveLength(count + 1)
  expect(replies.at(-1)).toBe('221')
  socket.destroy()
})

test('the reason why a session ends is said before it ends', async () => {
  const { socket, pieces, ended } = await open()
  socket.write(`${'NONSENSE\r\n'.repeat(30)}`)
  await ended
  const replies = codes(pieces.join(''))
  expect(replies.slice(0, -1).every((code) => code === '500' || code === '502')).toBe(true)
  expect(replies.at(-1)).toBe('421')
  socket.destroy()
})
