// The socket below the SMTP client: bytes out, replies in. It knows how many replies are owed and whether the final dot
// has left, and nothing of what commands mean.
// Invariants: a reply that nobody asked for ends the connection; the first fault is the one that is told; after it
// nothing is sent; every wait has a deadline.

import { connect, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Cause } from '../mail/outcome.ts'
import { replyText, type SmtpCommand, type SmtpReply } from '../mail/reply.ts'
import { type Clock, SECOND } from '../util/clock.ts'
import { Deadline } from './client-deadline.ts'
import {
  handshakeFailure,
  handshakeProblem,
  mismatchOf,
  secure,
  type TlsDemand,
  tlsName,
  verifiedBy,
} from './client-tls.ts'
import { ReplyReader } from './reply-reader.ts'

/** Why there is no connection or no delivery. A `reply` is the refusal, verbatim, with the command it answered. */
export type ClientFailure = Exclude<Cause, { kind: 'dns' | 'expired' }>
/** What ends a connection. */
export type Fault = Extract<Cause, { kind: 'connect' | 'tls' | 'timeout' | 'protocol' }>

// How long a server may take to let go of a connection after QUIT.
const PARTING_TIME = 5 * SECOND
/** Errors of the socket that this machine or its network is to blame for, whoever the host is. */
const OUR_ERRORS: ReadonlySet<string> = new Set([
  'EACCES',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EPERM',
])

export function isOk(answer: SmtpReply | Fault): boolean {
  return 'code' in answer && answer.code < 300
}

/** The failure that an answer other than the one hoped for stands for. */
export function failureOf(answer: SmtpReply | Fault, command: SmtpCommand): ClientFailure {
  if ('kind' in answer) return { ...answer, command }
  if (answer.code >= 400) return { kind: 'reply', reply: answer, command }
  return { kind: 'protocol', detail: `${command} was answered ${replyText(answer)}`, command }
}

export class Wire {
  readonly #reader = new ReplyReader()
  readonly #deadline: Deadline
  readonly #clock: Clock
  #socket: Socket
  /** Came in and were owed, but nobody has taken them yet. */
  #replies: SmtpReply[] = []
  #owed = 1 // the greeting
  #fault: Fault | undefined
  #wake: (() => void) | undefined
  #handshaking = false
  #tlsVerified: 'dane' | 'pki' | undefined
  /** Content is on its way: the server may refuse it before it has all of it. */
  #inContent = false
  #dot: 'unsent' | 'written' | 'flushed' = 'unsent'
  #closed = false
  #closers: (() => void)[] = []

  /** Begins to connect; `connected` tells when it is done. */
  constructor(to: { address: string; port: number; localAddress?: string; clock: Clock }) {
    const { address, port, localAddress, clock } = to
    this.#clock = clock
    this.#deadline = new Deadline(clock, (detail) => this.#expire(detail))
    this.#socket = connect({
      host: address,
      port,
      noDelay: true,
      ...(localAddress !== undefined && { localAddress }),
    })
    this.#listen()
  }

  get open(): boolean {
    return this.#fault === undefined
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  get tls(): string | undefined {
    return tlsName(this.#socket)
  }

  /** By what the server's certificate was verified; undefined in plaintext and where it is anybody's. */
  get tlsVerified(): 'dane' | 'pki' | undefined {
    return this.#tlsVerified
  }

  /** No wait outlasts this monotonic time; Infinity for none. */
  set until(monotonic: number) {
    this.#deadline.ceiling = monotonic
  }

  /** Resolves with the fault if there is no connection within `timeout` ms. */
  async connected(timeout: number): Promise<Fault | undefined> {
    this.#socket.once('connect', () => this.#wakeUp())
    if (this.open) await this.#wait(timeout)
    return this.#fault
  }

  /** Puts TLS between the network and this wire. Resolves with the fault if that fails. */
  async startTls(demand: TlsDemand, timeout: number): Promise<Fault | undefined> {
    if (this.#fault !== undefined) return this.#fault
    // Nothing said in plaintext may be read as if it had come through TLS (RFC 3207 §4.2; CVE-2011-0411 and its kin).
    if (this.#reader.pending || this.#replies.length > 0) {
      return this.fail({ kind: 'protocol', detail: 'after agreeing to STARTTLS the server went on in plaintext' })
    }
    this.#handshaking = true
    this.#unlisten()
    const socket = secure(this.#socket, demand)
    this.#socket = socket
    this.#listen()
    socket.once('secureConnect', () => this.#wakeUp())
    await this.#wait(timeout)
    this.#handshaking = false
    if (this.#fault !== undefined) return this.#fault
    const mismatch = mismatchOf(socket, demand, this.#clock.now())
    if (mismatch !== undefined) return this.fail({ kind: 'tls', ...mismatch })
    this.#tlsVerified = verifiedBy(socket, demand)
    return undefined
  }

  /** Sends commands for which `replies` replies are owed. */
  say(commands: string, replies = 1): void {
    if (this.#fault !== undefined) return
    this.#owed += replies
    this.#socket.write(commands, 'utf8')
  }

  /** The next reply; what came before a fault is given out before the fault. */
  async reply(timeout: number): Promise<SmtpReply | Fault> {
    if (this.#replies.length === 0 && this.#fault === undefined) await this.#wait(timeout)
    return this.#nextReply()
  }

  /** Sends a command and waits for its reply. */
  ask(command: string, timeout: number): Promise<SmtpReply | Fault> {
    this.say(command)
    return this.reply(timeout)
  }

  /** From here to `finish` the server may refuse without being asked. */
  beginContent(): void {
    this.#inContent = true
    this.#dot = 'unsent'
  }

  /** Sends content (Latin-1 or bytes); resolves when it has left, or with the early refusal or fault that stopped it. */
  async flush(content: string | Uint8Array, timeout: number): Promise<SmtpReply | Fault | undefined> {
    if (this.#replies.length > 0 || this.#fault !== undefined) return this.#nextReply()
    let flushed = false
    const told = (error?: Error | null): void => {
      if (error) return // told by the socket's own event
      flushed = true
      this.#wakeUp()
    }
    if (typeof content === 'string') this.#socket.write(content, 'latin1', told)
    else this.#socket.write(content, told)
    await this.#wait(timeout)
    return flushed && this.#replies.length === 0 ? this.#fault : this.#nextReply()
  }

  /** Sends the last of the content with the final dot, and waits for the reply: 2xx, 4xx or 5xx. */
  async finish(
    content: string,
    limits: { blockTimeout: number; dotTimeout: number },
  ): Promise<SmtpReply | ClientFailure> {
    if (this.#replies.length === 0 && this.#fault === undefined) {
      this.#owed++
      this.#dot = 'written'
      this.#socket.write(content, 'latin1', (error) => {
        if (error) return // told by the socket's own event
        this.#dot = 'flushed'
        if (this.#owed > 0) this.#deadline.set(limits.dotTimeout)
      })
    }
    const answer = await this.reply(limits.blockTimeout)
    this.#inContent = false
    // TLS tells one turn late that it has written: a quick reply may be ahead of that.
    if ('code' in answer && this.#dot === 'written') await new Promise(setImmediate)
    return this.#atDot(answer)
  }

  /** What an answer means at the dot (RFC 1047): from when the dot may have arrived, only a valid reply is a refusal. */
  #atDot(answer: SmtpReply | Fault): SmtpReply | ClientFailure {
    const left = this.#dot === 'flushed'
    if ('kind' in answer) {
      // A TLS connection may be lost before it could tell that the dot had left; a timeout proves that it had not.
      const doubtful = this.#dot === 'written' && answer.kind !== 'timeout' && this.#socket instanceof TLSSocket
      return left || doubtful ? { kind: 'ambiguous', detail: answer.detail } : { ...answer, command: 'DATA' }
    }
    if (answer.code < 300 && left) return answer
    if (answer.code < 400) {
      const detail = `${left ? 'the final dot was answered' : 'before the final dot the server said'} ${replyText(answer)}`
      this.fail({ kind: 'protocol', detail })
      return left ? { kind: 'ambiguous', detail } : { kind: 'protocol', detail, command: 'DATA' }
    }
    if (!left) this.fail({ kind: 'protocol', detail: 'the message was refused before its end' })
    return answer
  }

  /** Ends the connection at once. The first fault stays. */
  fail(fault: Fault): Fault {
    if (this.#fault !== undefined) return this.#fault
    this.#fault = fault
    this.#socket.destroy()
    this.#wakeUp()
    return fault
  }

  /** Says last words and closes; the server gets a few seconds to do the same. */
  part(words: string): void {
    if (this.#fault !== undefined) return
    this.#fault = { kind: 'connect', detail: 'this side has closed the connection' }
    this.#deadline.set(PARTING_TIME)
    this.#socket.end(words, 'latin1')
    this.#wakeUp()
  }

  /** Calls `callback` once the connection is closed, whoever closed it. */
  onClose(callback: () => void): void {
    if (this.#closed) callback()
    else this.#closers.push(callback)
  }

  readonly #onData = (bytes: Buffer): void => this.#read(bytes)
  readonly #onEnd = (): void => this.#lost('the server closed the connection')
  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (OUR_ERRORS.has(error.code ?? '')) this.fail({ kind: 'connect', detail: error.message, ours: true })
    else if (this.#handshaking) {
      const detail = `TLS handshake: ${handshakeProblem(error)}`
      this.fail({ kind: 'tls', detail, failure: handshakeFailure(error) })
    } else this.#lost(error.message)
  }
  readonly #onClosed = (): void => this.#close()

  #listen(): void {
    this.#socket.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClosed)
  }

  /** TLS takes the socket over; only its errors are still heard, so that they cannot go astray. */
  #unlisten(): void {
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClosed)
  }

  #read(bytes: Buffer): void {
    if (this.#fault !== undefined) return
    this.#reader.feed(bytes)
    for (let reply = this.#reader.next(); reply !== undefined; reply = this.#reader.next()) {
      if (!this.#isOwed(reply)) {
        this.fail({ kind: 'protocol', detail: `without being asked the server said ${replyText(reply)}` })
        return
      }
      this.#replies.push(reply)
    }
    if (this.#reader.fault !== undefined) this.fail({ kind: 'protocol', detail: this.#reader.fault })
    else if (this.#replies.length > 0) this.#wakeUp()
  }

  #isOwed(reply: SmtpReply): boolean {
    if (this.#owed > 0) {
      this.#owed--
      if (this.#owed === 0) this.#deadline.clear()
      return true
    }
    const refusal = this.#inContent && reply.code >= 400
    this.#inContent = false
    return refusal
  }

  #nextReply(): SmtpReply | Fault {
    // A wait ends with a reply or a fault. Were it not so, the connection must not be used on.
    return this.#replies.shift() ?? this.fail({ kind: 'protocol', detail: 'neither a reply nor a fault' })
  }

  async #wait(timeout: number): Promise<void> {
    this.#deadline.set(timeout)
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #lost(what: string): void {
    if (this.#handshaking) this.fail({ kind: 'tls', detail: `TLS handshake: ${what}` })
    else this.fail({ kind: 'connect', detail: this.#reader.pending ? `${what} in the middle of a reply` : what })
  }

  #expire(detail: string): void {
    if (this.#fault !== undefined)
      this.#socket.destroy() // parting took too long
    else if (this.#handshaking) this.fail({ kind: 'tls', detail: `TLS handshake: ${detail}` })
    else this.fail({ kind: 'timeout', detail })
  }

  #close(): void {
    this.#lost('the connection was closed')
    this.#closed = true
    this.#deadline.cancel()
    for (const closer of this.#closers.splice(0)) closer()
  }
}
