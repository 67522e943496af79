// An MX on loopback that does what a test tells it: every command may be given another reply, silence, or a cut line.
// Keeps what it was sent and counts connections. Its own code only, so that it can misbehave in every way.

import { EventEmitter, once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** What is done instead of the usual reply: text without CRLF, closing, or saying nothing from now on. */
export type Act = string | 'hang up' | 'silence' | undefined
/** `from`: the address of the client. */
export type Script = (said: { readonly command: string; readonly connection: number; readonly from: string }) => Act

export interface Received {
  readonly sender: string
  readonly recipient: string
  /** As it came, dot-stuffing undone. */
  readonly content: string
  readonly connection: number
}

const USUAL: Record<string, string> = {
  banner: '220 mx.example ESMTP',
  EHLO: '250-mx.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8',
  HELO: '250 mx.example',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: '354 Go ahead',
  dot: '250 2.0.0 Queued',
  RSET: '250 2.0.0 Ok',
  QUIT: '221 2.0.0 Bye',
}

/** Emits `received` with every mail, `connection` and `closed` with every connection. */
export class ScriptedMx extends EventEmitter implements AsyncDisposable {
  script: Script
  readonly mails: Received[] = []
  /** Verbs in the order of arrival, over all connections. */
  readonly commands: string[] = []
  connections = 0
  /** Connections open now, and the most there were at one time. */
  open = 0
  mostOpen = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(script: Script) {
    super()
    this.script = script
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
  }

  static async start(options: { address?: string; port?: number; script?: Script } = {}): Promise<ScriptedMx> {
    const mx = new ScriptedMx(options.script ?? (() => undefined))
    mx.#server.listen(options.port ?? 0, options.address ?? '127.0.0.1')
    await once(mx.#server, 'listening')
    return mx
  }

  /** One on each address, all on the same port. */
  static async startAll(addresses: readonly string[]): Promise<ScriptedMx[]> {
    const all: ScriptedMx[] = []
    for (const address of addresses) all.push(await ScriptedMx.start({ address, port: all[0]?.port ?? 0 }))
    return all
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Resolves when `count` mails have come. */
  async received(count: number): Promise<void> {
    while (this.mails.length < count) await once(this, 'received')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    const connection = ++this.connections
    const from = socket.remoteAddress ?? ''
    this.#sockets.add(socket)
    this.mostOpen = Math.max(this.mostOpen, ++this.open)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.open--
      this.emit('closed', connection)
    })
    this.emit('connection', connection)
    let sender = ''
    let recipient = ''
    let inContent = false
    let pending = ''
    let isRefused = false
    let phase: 'talking' | 'handshake' | 'silent' = 'talking'
    const react = (command: string): string => {
      this.commands.push(command)
      const act = this.script({
        command: command === 'MAIL' ? `MAIL ${sender}` : command === 'RCPT' ? `RCPT ${recipient}` : command,
        connection,
        from,
      })
      if (act === 'silence') {
        phase = 'silent'
        return act
      }
      if (act === 'hang up') {
        socket.end()
        return act
      }
      const reply =
        act ?? (command === 'DATA' && isRefused ? '503 5.5.1 No recipient' : USUAL[command]) ?? '502 5.5.1 Unknown'
      socket.write(`${reply}\r\n`)
      return reply
    }
    react('banner')
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      // A TLS client speaks first; what it gets is no TLS.
      if (phase === 'handshake') return void socket.end('this is no TLS\r\n')
      pending += text
      while (phase === 'talking') {
        if (inContent) {
          const end = pending.startsWith('.\r\n') ? 0 : pending.indexOf('\r\n.\r\n') + 2
          if (end === 1) return
          const content = pending.slice(0, end).replace(/^\.\./gm, '.')
          pending = pending.slice(end + 3)
          inContent = false
          if (react('dot').startsWith('2')) {
            this.mails.push({ sender, recipient, content, connection })
            this.emit('received')
          }
          continue
        }
        const end = pending.indexOf('\r\n')
        if (end === -1) return
        const line = pending.slice(0, end)
        pending = pending.slice(end + 2)
        const verb = (line.split(' ')[0] ?? '').toUpperCase()
        const path = /<(.*?)>/.exec(line)?.[1] ?? ''
        if (verb === 'MAIL') sender = path
        if (verb === 'RCPT') recipient = path
        const reply = react(verb)
        if (verb === 'MAIL') isRefused = false
        if (verb === 'RCPT') isRefused = !reply.startsWith('2')
        inContent = reply.startsWith('354')
        if (verb === 'STARTTLS' && reply.startsWith('220')) phase = 'handshake'
        if (verb === 'QUIT') socket.end()
      }
    })
  }
}
