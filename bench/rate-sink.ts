// A process of its own that plays every receiver of the rate measurement: answers at once, and notes when each recipient was
// named, by domain. At a second address it accepts connections and never says a word. Asked over IPC, it tells all times.

import { type AddressInfo, createServer, type Socket } from 'node:net'

/** Milliseconds since the start of the process, by domain, then by local part up to its dash. */
export type Arrivals = Record<string, Record<string, number[]>>

const REPLIES: readonly (readonly [RegExp, string])[] = [
  [/^EHLO/i, '250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME'],
  [/^(MAIL|RCPT|RSET|HELO|NOOP)/i, '250 2.0.0 Ok'],
  [/^DATA/i, '354 Go on'],
  [/^QUIT/i, '221 2.0.0 Bye'],
]
const arrivals: Arrivals = {}

function note(line: string): void {
  const [, tenant = '', domain = ''] = /^RCPT TO:<([^-@]*)[^@]*@([^>]*)>/i.exec(line) ?? []
  if (domain === '') return
  arrivals[domain] ??= {}
  arrivals[domain][tenant] ??= []
  arrivals[domain][tenant].push(performance.now())
}

function serve(socket: Socket): void {
  let pending = ''
  let inContent = false
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.write('220 sink.test ESMTP\r\n')
  socket.setEncoding('latin1').on('data', (text: string) => {
    pending += text
    let replies = ''
    for (;;) {
      const end = pending.indexOf(inContent ? '\r\n.\r\n' : '\r\n')
      if (end === -1) break
      const line = pending.slice(0, end)
      pending = pending.slice(end + (inContent ? 5 : 2))
      const reply = inContent ? '250 2.0.0 Queued' : (REPLIES.find(([verb]) => verb.test(line))?.[1] ?? '502 5.5.1 No')
      if (!inContent) note(line)
      inContent = reply.startsWith('354')
      replies += `${reply}\r\n`
    }
    if (replies !== '') socket.write(replies)
  })
}

const [address, silent] = process.argv.slice(2)
const server = createServer(serve)
server.listen(0, address, 1024, () => {
  const { port } = server.address() as AddressInfo
  const tarpit = createServer((socket) => socket.on('error', () => socket.destroy()))
  tarpit.listen(port, silent, () => process.send?.({ port }))
})
process.on('message', () => process.send?.({ arrivals }))
process.on('disconnect', () => process.exit())
