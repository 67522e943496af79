// A small SMTP client that can say when the final dot went out and when its reply came in. Raw sockets: what a library
// would add to the time is not the relay's.

import { connect, type Socket } from 'node:net'
import type { Upstream } from './system.ts'

export interface Envelope {
  readonly sender: string
  readonly recipient: string
}

const ENVELOPE: Envelope = { sender: 'bench@sender.test', recipient: 'someone@receiver.test' }

export class SmtpClient {
  readonly #socket: Socket
  #text = ''
  #waiting: { resolve: (reply: string) => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (data) => this.#hear(data))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('the relay closed the connection')))
  }

  static async open({ host, port }: Upstream): Promise<SmtpClient> {
    const client = new SmtpClient(connect(port, host))
    await client.#reply('220')
    await client.#ask('EHLO bench.test', '250')
    return client
  }

  /** Milliseconds from the final dot to 250. */
  async send(body: Buffer, { sender, recipient }: Envelope = ENVELOPE): Promise<number> {
    await this.#ask(`MAIL FROM:<${sender}>`, '250')
    await this.#ask(`RCPT TO:<${recipient}>`, '250')
    await this.#ask('DATA', '354')
    if (!this.#socket.write(body)) await new Promise<void>((resolve) => this.#socket.once('drain', resolve))
    const startedAt = performance.now()
    await this.#ask('.', '250')
    return performance.now() - startedAt
  }

  async quit(): Promise<void> {
    await this.#ask('QUIT', '221')
    this.#socket.destroy()
  }

  #ask(line: string, expected: string): Promise<void> {
    this.#socket.write(`${line}\r\n`)
    return this.#reply(expected)
  }

  async #reply(expected: string): Promise<void> {
    const reply = await new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#hear(Buffer.alloc(0))
    })
    if (!reply.startsWith(expected)) throw new Error(`expected ${expected}, the relay said ${reply.trim()}`)
  }

  /** A reply ends with a line whose code is followed by a space. */
  #hear(data: Buffer): void {
    this.#text += data.toString('latin1')
    const end = /^\d{3} .*\r\n/m.exec(this.#text)
    if (end === null || this.#waiting === undefined) return
    const length = end.index + end[0].length
    const reply = this.#text.slice(0, length)
    this.#text = this.#text.slice(length)
    const { resolve } = this.#waiting
    this.#waiting = undefined
    resolve(reply)
  }
}

/** A plain text message of about this size, CRLF lines, no line that begins with a dot. */
export function messageOf(bytes: number): Buffer {
  const head = 'From: <bench@sender.test>\r\nTo: <someone@receiver.test>\r\nSubject: bench\r\n\r\n'
  const line = `${'x'.repeat(70)}\r\n`
  return Buffer.from(head + line.repeat(Math.max(1, Math.ceil((bytes - head.length) / line.length))))
}
