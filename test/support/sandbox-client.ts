// A bare SMTP client for the tests of the sandbox: says lines, gives back whole replies, also where the peer misbehaves.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

export class SandboxClient {
  socket: Socket | TLSSocket
  #input = ''
  #ended: Error | 'closed' | undefined
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    this.#listen(socket)
  }

  static async to(port: number, address = '127.0.0.1'): Promise<SandboxClient> {
    const socket = connect(port, address)
    await once(socket, 'connect')
    return new SandboxClient(socket)
  }

  #listen(socket: Socket): void {
    this.socket = socket
    socket.on('data', (chunk) => this.#changed(() => (this.#input += chunk.toString('utf8'))))
    socket.on('error', (error) => this.#changed(() => (this.#ended ??= error)))
    socket.on('close', () => this.#changed(() => (this.#ended ??= 'closed')))
  }

  #changed(change: () => void): void {
    change()
    this.#wake()
  }

  /** The next whole reply, lines joined by LF; or `closed`, `reset`, or the code of the error that ended the connection. */
  async reply(): Promise<string> {
    for (;;) {
      const whole = /^(?:\d{3}-.*\r\n)*(?:\d{3}(?: .*)?|(?!\d{3}).*)\r\n/.exec(this.#input)
      if (whole !== null) {
        this.#input = this.#input.slice(whole[0].length)
        return whole[0].trimEnd().replaceAll('\r\n', '\n')
      }
      if (this.#ended === 'closed') return 'closed'
      if (this.#ended !== undefined) return 'code' in this.#ended ? String(this.#ended.code) : this.#ended.message
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async say(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`)
    return this.reply()
  }

  /** Says several commands, expecting each to succeed, and gives back the last reply. */
  async sayAll(...lines: string[]): Promise<string> {
    let reply = ''
    for (const line of lines) {
      reply = await this.say(line)
      if (!/^[23]/.test(reply)) throw new Error(`${line} → ${reply}`)
    }
    return reply
  }

  /** `injected` goes out in plaintext behind the command, before the handshake. */
  async startTls(injected = ''): Promise<void> {
    await this.sayAll(`STARTTLS${injected}`)
    this.socket.removeAllListeners('data')
    const secure = connectTls({ socket: this.socket, rejectUnauthorized: false })
    this.#listen(secure)
    await once(secure, 'secureConnect')
  }

  close(): void {
    this.socket.destroy()
  }
}
