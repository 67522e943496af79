// A receiver that takes every mail and notes for whom it was and under which return path: what is sent back later must
// carry genuine tokens. Raw sockets, no extensions.

import { createServer, type Socket } from 'node:net'
import type { Lab } from './lab.ts'
import type { Upstream } from './system.ts'

export interface Captured {
  readonly returnPath: string
  readonly recipient: string
}

export interface CapturingSink extends Upstream {
  /** In the order in which they came. */
  readonly captured: readonly Captured[]
}

const PATH = /^(?:MAIL FROM|RCPT TO):<([^>]*)>/i

export async function startCapturingSink(lab: Lab): Promise<CapturingSink> {
  const captured: Captured[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // The relay closes connections as it likes.
    socket.on('error', () => socket.destroy())
    receive(socket, captured)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  lab.defer(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the sink has no port')
  return { host: '127.0.0.1', port: address.port, captured }
}

function receive(socket: Socket, captured: Captured[]): void {
  let text = ''
  let isData = false
  let returnPath = ''
  let recipient = ''
  socket.write('220 sink.test\r\n')
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
    for (;;) {
      const end = text.indexOf(isData ? '\r\n.\r\n' : '\r\n')
      if (end < 0) return
      const line = text.slice(0, end)
      text = text.slice(end + (isData ? 5 : 2))
      if (isData) captured.push({ returnPath, recipient })
      const path = isData ? '' : (PATH.exec(line)?.[1] ?? '')
      const verb = isData ? '' : line.slice(0, 4).toUpperCase()
      if (verb === 'MAIL') returnPath = path
      if (verb === 'RCPT') recipient = path
      isData = verb === 'DATA'
      socket.write(isData ? '354 go on\r\n' : verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n')
      if (verb === 'QUIT') socket.end()
    }
  })
}
