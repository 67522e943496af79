// An MX that records every copy it is sent, also those it gives no answer for, and does with each what the test says.
// The local part of the recipient is the id of the mail; what came stays countable, whatever happened to the relay.

import { EventEmitter, once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** take = 250 · late = 250 after a while · silent, reset = no answer although it was taken · defer = 451, not taken. */
export type Answer =
  | 'take'
  | 'silent'
  | 'reset'
  | 'defer'
  | { readonly late: number }
  | { readonly until: Promise<void> }

export interface Copy {
  readonly id: string
  /** The life of the relay (counted by the test) in which it came. */
  readonly life: number
  /** As it came on the wire, dot-stuffing and the final dot included; only when `keepWire` is set. */
  readonly wire: Buffer
}

const END = Buffer.from('\r\n.\r\n')

/** Emits `copy` for every mail that it took. */
export class RecordingMx extends EventEmitter implements AsyncDisposable {
  answer: (id: string) => Answer = () => 'take'
  life = 0
  keepWire = false
  readonly copies = new Map<string, Copy[]>()
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor() {
    super()
    this.#server = createServer({ noDelay: true }, (socket) => new Conversation(this, this.#added(socket)))
  }

  static async start(): Promise<RecordingMx> {
    const mx = new RecordingMx()
    mx.#server.listen(0, '127.0.0.1')
    await once(mx.#server, 'listening')
    return mx
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  take(id: string, wire: Buffer): void {
    const copies = this.copies.get(id) ?? []
    copies.push({ id, life: this.life, wire: this.keepWire ? wire : wire.subarray(0, 0) })
    this.copies.set(id, copies)
    this.emit('copy')
  }

  /** Resolves when each of `ids` has come at least once; with those that have not when `limitMs` is over. */
  async arrived(ids: Iterable<string>, limitMs: number): Promise<string[]> {
    const missing = new Set(ids)
    const limit = AbortSignal.timeout(limitMs)
    for (;;) {
      for (const id of missing) if (this.copies.has(id)) missing.delete(id)
      if (missing.size === 0 || limit.aborted) return [...missing]
      await once(this, 'copy', { signal: limit }).catch(() => undefined)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #added(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    return socket
  }
}

class Conversation {
  readonly #mx: RecordingMx
  readonly #socket: Socket
  #pending = Buffer.alloc(0)
  /** Pieces of the mail that is coming, while one is. */
  #content: Buffer[] | undefined
  #id = ''
  #isDeaf = false

  constructor(mx: RecordingMx, socket: Socket) {
    this.#mx = mx
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#hear(bytes))
    this.#say('220 mx.test ESMTP')
  }

  #hear(bytes: Buffer): void {
    if (this.#isDeaf) return
    this.#pending = Buffer.concat([this.#pending, bytes])
    while (this.#content === undefined) {
      const end = this.#pending.indexOf('\r\n')
      if (end === -1) return
      const line = this.#pending.toString('latin1', 0, end)
      this.#pending = this.#pending.subarray(end + 2)
      this.#obey(line)
    }
    this.#hearContent(this.#pending)
    this.#pending = Buffer.alloc(0)
  }

  #obey(line: string): void {
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'RCPT') this.#id = /<([^@>]+)@/.exec(line)?.[1] ?? ''
    if (verb === 'DATA') this.#content = []
    if (verb === 'EHLO') this.#say('250-mx.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8')
    else if (verb === 'QUIT') this.#socket.end('221 bye\r\n')
    else this.#say(verb === 'DATA' ? '354 go on' : '250 ok')
  }

  #hearContent(bytes: Buffer): void {
    const pieces = this.#content ?? []
    pieces.push(bytes)
    // The end may be spread over pieces: only the last few bytes need looking at, nothing is pipelined behind the dot.
    const tail = Buffer.concat(pieces.slice(-6)).subarray(-END.length)
    if (!tail.equals(END)) return
    this.#content = undefined
    void this.#conclude(this.#id, Buffer.concat(pieces))
  }

  async #conclude(id: string, wire: Buffer): Promise<void> {
    const answer = this.#mx.answer(id)
    if (answer !== 'defer') this.#mx.take(id, wire)
    if (answer === 'defer') this.#say('451 4.3.0 later')
    else if (answer === 'silent') this.#isDeaf = true
    else if (answer === 'reset') this.#socket.resetAndDestroy()
    else if (answer === 'take') this.#say('250 2.0.0 taken')
    else {
      await ('late' in answer ? new Promise((resolve) => setTimeout(resolve, answer.late)) : answer.until)
      this.#say('250 2.0.0 taken')
    }
  }

  #say(text: string): void {
    if (this.#socket.writable) this.#socket.write(`${text}\r\n`)
  }
}
