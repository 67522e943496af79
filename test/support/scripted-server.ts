// A raw SMTP server for one test: obedient except where its script says otherwise, and it can be as rude as a socket
// allows. Waits only on events. Keeps every byte that came in.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, TLSSocket } from 'node:tls'
import { systemClock } from '../../src/util/clock.ts'

/** What is answered: the connection itself, a verb, the first bytes of content, the final dot, any other line. */
export type Moment =
  | 'banner'
  | 'EHLO'
  | 'HELO'
  | 'STARTTLS'
  | 'AUTH'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'content'
  | 'dot'
  | 'RSET'
  | 'QUIT'
  | 'other'
/** Text is sent with CRLF at its end. */
export type Answer = string | ((peer: Peer) => void | Promise<void>)
export type Script = Partial<Record<Moment, Answer>>

export interface Certificate {
  readonly key: string
  readonly cert: string
  readonly maxVersion?: 'TLSv1.2'
}

const OBEDIENT: Script = {
  banner: '220 mx.test ESMTP',
  EHLO: '250-mx.test\r\n250-PIPELINING\r\n250-SIZE 10000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN',
  HELO: '250 mx.test',
  MAIL: '250 2.1.0 sender ok',
  RCPT: '250 2.1.5 recipient ok',
  DATA: '354 go ahead',
  dot: '250 2.0.0 taken',
  RSET: '250 2.0.0 reset',
  QUIT: (peer) => peer.close('221 2.0.0 bye\r\n'),
  other: '500 what?',
}

/** One connection, seen from the server. */
export class Peer {
  readonly #script: Script
  #socket: Socket
  #input = ''
  #content: string | undefined
  #turn = Promise.resolve()
  readonly commands: string[] = []
  /** Content of each message as it came, final dot included. */
  readonly contents: string[] = []
  /** Everything that came since the last handshake. */
  received = ''
  /** Done when the client has closed the connection. */
  readonly gone: Promise<void>
  #leave = (): void => {}
  #hearsNothing = false
  #holds = false

  constructor(socket: Socket, script: Script) {
    this.#socket = socket
    this.#script = { ...OBEDIENT, ...script }
    this.gone = new Promise((resolve) => {
      this.#leave = resolve
    })
    this.#listen()
    this.#answer('banner')
  }

  get secured(): boolean {
    return this.#socket instanceof TLSSocket
  }

  /** The name asked for by SNI. */
  get serverName(): string | false | null {
    return (
      this.#socket instanceof TLSSocket &&
      (this.#socket as TLSSocket & { servername: string | false | null }).servername
    )
  }

  get socket(): Socket {
    return this.#socket
  }

  /** Sends text as it is (Latin-1), in one write. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.writable) this.#socket.write(text, 'latin1', () => resolve())
      else resolve()
    })
  }

  say(text: string): Promise<void> {
    return this.write(`${text}\r\n`)
  }

  /** One byte at a time, until all is said or the connection gone; without an end it goes on with dots. */
  async drip(text: string, everyMs: number): Promise<void> {
    for (let index = 0; this.#socket.writable; index++) {
      await this.write(text[index] ?? '.')
      await systemClock.sleep(everyMs)
    }
  }

  close(lastWords = ''): void {
    this.#socket.end(lastWords)
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  /** Stops reading: what the client sends piles up on its side. */
  stopReading(): void {
    this.#hearsNothing = true
    this.#socket.pause()
  }

  /** Does not close when the client does. */
  holdOn(): void {
    this.#holds = true
  }

  /** Agrees to STARTTLS with `answer` and begins the handshake. */
  async secure(certificate: Certificate, answer = '220 go\r\n'): Promise<void> {
    const plain = this.#socket
    plain.removeAllListeners('data')
    const written = this.write(answer)
    this.#socket = serverSide(plain, certificate)
    this.#input = ''
    this.received = ''
    this.#listen()
    await written
  }

  #listen(): void {
    this.#socket.on('error', () => {}) // resets are part of the game
    this.#socket.on('end', () => {
      if (!this.#holds) this.#socket.end()
    })
    this.#socket.on('close', () => this.#leave())
    this.#socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1')
      this.#input += bytes.toString('latin1')
      if (!this.#hearsNothing) this.#hear()
    })
  }

  #hear(): void {
    for (;;) {
      if (this.#content !== undefined) {
        if (!this.#hearContent()) return
        continue
      }
      const end = this.#input.indexOf('\r\n')
      if (end === -1) return
      const line = this.#input.slice(0, end)
      this.#input = this.#input.slice(end + 2)
      this.commands.push(line)
      this.#answer(/^\S*/.exec(line)?.[0].toUpperCase() as Moment)
      // RFC 5321: content follows 354 only.
      if (line === 'DATA' && /^354/.test(String(this.#script.DATA))) this.#content = ''
    }
  }

  #hearContent(): boolean {
    if (this.#input === '') return false
    if (this.#content === '' && this.#script.content !== undefined) this.#answer('content')
    this.#content += this.#input
    this.#input = ''
    const content = this.#content ?? ''
    const end = content.startsWith('.\r\n') ? 3 : content.indexOf('\r\n.\r\n') + 5
    if (end === 4) return false
    this.contents.push(content.slice(0, end))
    this.#input = content.slice(end)
    this.#content = undefined
    this.#answer('dot')
    return true
  }

  #answer(moment: Moment): void {
    const answer = this.#script[moment] ?? this.#script.other ?? ''
    this.#turn = this.#turn.then(() => (typeof answer === 'string' ? this.say(answer) : answer(this)))
  }
}

export class ScriptedServer implements AsyncDisposable {
  readonly #server: Server
  readonly peers: Peer[] = []

  private constructor(script: Script, implicitTls?: Certificate) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.peers.push(new Peer(implicitTls === undefined ? socket : serverSide(socket, implicitTls), script))
    })
  }

  static async start(
    script: Script = {},
    implicitTls?: Certificate,
    at: { readonly address?: string; readonly port?: number } = {},
  ): Promise<ScriptedServer> {
    const server = new ScriptedServer(script, implicitTls)
    const { address = '127.0.0.1', port = 0 } = at
    await new Promise<void>((resolve) => server.#server.listen(port, address, resolve))
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The only connection there has been. */
  get peer(): Peer {
    if (this.peers.length !== 1) throw new Error(`${this.peers.length} connections`)
    return this.peers[0]!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function serverSide(plain: Socket, certificate: Certificate): TLSSocket {
  return new TLSSocket(plain, { isServer: true, secureContext: createSecureContext({ ...certificate }) })
}

/** A key and a self-signed certificate for `names`, made now. */
export function selfSigned(...names: readonly string[]): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'studs-certificate-'))
  try {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    const about = [
      '-subj',
      `/CN=${names[0]}`,
      '-addext',
      `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`,
    ]
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', ['req', '-x509', ...kind, ...about, '-keyout', key, '-out', cert], { stdio: 'pipe' })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(directory, { recursive: true })
  }
}
