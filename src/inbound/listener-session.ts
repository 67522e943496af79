// What every SMTP session of ours does, whatever comes in over it: greeting or refusal, limits of patience and time, EHLO
// and HELO, QUIT. From smtp-server come the command parser, dot-unstuffing and end of data, STARTTLS and closing; how bytes
// get there and back is ours (docs/decisions/0010).
// Relied on beyond its documented options (smtp-library.test.ts fails when an upgrade changes them): the methods
// overridden here are called under these names; `_resetSession` runs after EHLO, HELO, RSET, STARTTLS and DATA; a command
// that gets no callback stops the parser; `send(421)` closes; `send` with context `false` adds no enhanced code;
// handler_DATA asks session.envelope.rcptTo only for its length.

import type { Socket } from 'node:net'
import { type CipherNameAndProtocol, TLSSocket } from 'node:tls'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import type { Peer } from './events.ts'
import { helloName } from './hello.ts'
import type { Incoming, SessionLimits, SessionOrigin, SessionPlace } from './listener-parts.ts'
import type { MessageData } from './message-data.ts'
import type { Outbox } from './outbox.ts'
import { Parser } from './parser.ts'
import { Patience } from './patience.ts'
import { REPLY, type Reply } from './replies.ts'

/** Commands that are answered here and not by smtp-server: nothing that it does before a command is for them. */
const OWN_COMMANDS: Readonly<Record<string, 'handler_MAIL' | 'handler_RCPT'>> = {
  'MAIL ': 'handler_MAIL',
  'RCPT ': 'handler_RCPT',
}

const ENHANCED_TEXT = /^[245]\.\d{1,3}\.\d{1,3} /

const HELLO: ReadonlySet<unknown> = new Set(['EHLO', 'HELO', 'LHLO'])

/** smtp-server leaves the enhanced code out of every reply to these; RFC 2034 §3 only of the positive ones. */
const contextOf = (code: number, context: string | false | undefined): string | false | undefined =>
  code >= 400 && HELLO.has(context) ? undefined : context

export abstract class ListenerSession extends SMTPConnection {
  protected readonly patience: Patience
  protected transfer: Incoming | undefined
  readonly #place: SessionPlace
  readonly #timing: SessionLimits
  readonly #openedAt: number
  /** Set at init when a limit refuses the connection. */
  readonly #refusal: Reply | undefined
  readonly #outbox: Outbox
  readonly #onClosing: () => void
  readonly #onClosed: () => void
  /** The socket timed now: during a STARTTLS handshake the TLS socket on top of the raw one. */
  #timedSocket: Socket | undefined
  #upgradingSince: number | undefined

  constructor(place: SessionPlace, limits: SessionLimits, from: SessionOrigin) {
    super(from.server, from.socket, from.options)
    this.#place = place
    this.#timing = limits
    this.patience = new Patience(limits)
    this.#openedAt = place.clock.monotonic()
    this.#outbox = from.outbox
    this.#refusal = from.refusal
    this.#onClosing = from.onClosing
    this.#onClosed = from.onClosed
  }

  /** Takes one message; resolves with the answer to the dot, or undefined when the client went away before it. */
  abstract receive(data: MessageData): Promise<Reply | undefined>

  /** Keywords of EHLO (RFC 5321 §4.1.1.1). */
  protected abstract offer(): readonly string[]

  /** When MAIL was accepted; undefined outside a transaction. */
  protected abstract transactionStartedAt(): number | undefined

  /** Why the session ends although no transaction is late. */
  protected overstays(_openForMs: number): Reply | undefined {
    return undefined
  }

  protected peer(): Peer {
    return { session: this.id, listener: this.#place.listener.name, address: this.remoteAddress }
  }

  /** In DATA, up to and including our answer to the dot. */
  get isTransferring(): boolean {
    return this.transfer !== undefined
  }

  /** smtp-server waits 100 ms here for clients that talk too soon; every mail would pay for it, so we do not. */
  override init(): void {
    this._setListeners(() => {
      if (this.#refusal === undefined) {
        this.connectionReady()
        this.#place.events.connectionOpened(this.peer())
      } else {
        this.#place.events.connectionRefused({ ...this.peer(), reply: this.#refusal })
        this.say(this.#refusal)
      }
    })
  }

  override _createParser(): Parser {
    const parser = new Parser({ maxCommandLength: this._server.options.maxCommandLength })
    parser.oncommand = (command, callback) => this._onCommand(command, callback)
    parser.on('error', (error) => this.send(421, `Error: ${error.message}`))
    return parser
  }

  /** Says a last reply and closes. */
  end(reply: Reply): void {
    if (this._closing || this._closed) return
    this.say(reply)
    if (reply.code !== 421) this.close()
  }

  /** Closes at once. */
  destroy(): void {
    const socket = this.#timedSocket ?? this._socket
    socket.destroy()
  }

  override close(): void {
    // During a TLS handshake nothing can be said. The raw socket must not be closed underneath it: Node may crash.
    if (this._upgrading) this.destroy()
    else super.close()
    this.#onClosing()
  }

  override _onCloseEvent(hadError?: boolean): void {
    super._onCloseEvent(hadError)
    this.#onClosing()
    this.#onClosed()
  }

  /** Called every second or so: ends the session when it takes longer than it may. */
  checkDeadlines(now: number): void {
    if (this._closing || this._closed) return
    const reply = this.#overdue(now)
    if (reply !== undefined) this.end(reply)
  }

  #overdue(now: number): Reply | undefined {
    const { transactionTimeout, minDataRate } = this.#timing
    this.#upgradingSince = this._upgrading ? (this.#upgradingSince ?? now) : undefined
    const upgradingMs = now - (this.#upgradingSince ?? now)
    if (upgradingMs > this.#place.handshakeTimeout()) return REPLY.tlsTooLate
    const overstays = this.overstays(now - this.#openedAt)
    if (overstays !== undefined) return overstays
    if (this.transfer !== undefined) {
      // After the dot it is we who take the time.
      if (!this.transfer.isReceiving) return undefined
      if (this.transfer.isTooSlow(now, minDataRate)) return REPLY.dataTooSlow
    }
    const startedAt = this.transactionStartedAt()
    return startedAt !== undefined && now - startedAt > transactionTimeout ? REPLY.transactionTooLong : undefined
  }

  override _armTimeout(socket: Socket = this._socket): void {
    this.#timedSocket = socket
    socket.setTimeout(this.#timing.idleTimeout, () => this._onTimeout())
  }

  override _onCommand(command: Buffer, callback: () => void = () => undefined): void {
    // What came before a TLS handshake is dropped by smtp-server without an answer.
    const head = command.toString('latin1', 0, 5).toUpperCase()
    const refusal = this._upgrading ? undefined : this.#refusalBefore(head)
    if (refusal !== undefined) {
      // Without the callback the parser stops; nothing pipelined behind it is read.
      this.end(refusal)
      return
    }
    // Counted as errors like all the others, by our own limit.
    this._unrecognizedCommands = 0
    const own = this.#isReadyForMail() ? OWN_COMMANDS[head] : undefined
    if (own === undefined) super._onCommand(command, callback)
    else this.#answer(own, command, callback)
  }

  #refusalBefore(head: string): Reply | undefined {
    if (this.#place.isStopping()) return REPLY.shuttingDown
    // A line of an AUTH exchange is no command.
    return this._nextHandler === false ? this.patience.endsBefore(head.trimEnd()) : undefined
  }

  /** What smtp-server looks at before it lets a command of a transaction through. */
  #isReadyForMail(): boolean {
    return this._ready && !this._upgrading && this._nextHandler === false && Boolean(this.hostNameAppearsAs)
  }

  #answer(handler: 'handler_MAIL' | 'handler_RCPT', command: Buffer, callback: () => void): void {
    let isAnswered = false
    try {
      this[handler](command, () => {
        isAnswered = true
        this._whenWritable(callback)
      })
    } catch (error) {
      // A bug of ours must not end the process from within the socket's event.
      this.emit('error', error)
      if (isAnswered) return
      this.say(REPLY.ourFault)
      callback()
    }
  }

  override handler_QUIT(_command: Buffer, _callback: () => void): void {
    this.say(REPLY.bye)
    this.#hangUp()
  }

  /** Nothing that is worth reading comes after QUIT, so nothing is waited for: not for the client to close, if it was told. */
  #hangUp(): void {
    const socket = this._socket
    socket.uncork()
    if (socket instanceof TLSSocket || socket.writableLength > 0) this.close()
    else socket.destroy()
  }

  override upgrade(...args: Parameters<SMTPConnection['upgrade']>): void {
    // What was said before TLS goes out before it.
    this._socket.uncork()
    super.upgrade(...args)
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const hasOwnCode = typeof data === 'string' && ENHANCED_TEXT.test(data)
    if (!this._upgrading) this.#outbox.hold(this._socket)
    // What is fine is said in our own words alone; in a refusal there may be some of the client's.
    if (hasOwnCode && code < 400 && !this._upgrading && this._socket.writable) this._socket.write(`${code} ${data}\r\n`)
    else super.send(code, data, hasOwnCode ? false : contextOf(code, context))
    if (code < 400) return
    this.patience.countError()
    if (code === 421 && this.#refusal === undefined) {
      this.#place.events.sessionEnded({ ...this.peer(), reply: { code, text: String(data) } })
    }
  }

  protected say(reply: Reply): void {
    this.send(reply.code, reply.text, false)
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    if (this.#takeName(command)) this.send(250, [this.name, ...this.offer()], false)
    callback()
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    if (this.#takeName(command)) this.send(250, this.name, false)
    callback()
  }

  #takeName(command: Buffer): boolean {
    const name = helloName(command)
    if (name === undefined) {
      this.say(REPLY.heloSyntax)
      return false
    }
    this.hostNameAppearsAs = name
    this._resetSession()
    return true
  }

  // RFC 5321 §3.5.3: a server that does not expand lists says 502.
  handler_EXPN(_command: Buffer, callback: () => void): void {
    this.say(REPLY.notImplemented)
    callback()
  }

  /** What is known of the client for the record: its HELO name, and how it is encrypted. */
  protected client(): { readonly helo?: string; readonly tls?: string } {
    const helo = this.hostNameAppearsAs === false ? '' : this.hostNameAppearsAs
    const socket = this._socket
    // Null when the socket has closed meanwhile, whatever the types say.
    const cipher: CipherNameAndProtocol | null = socket instanceof TLSSocket ? socket.getCipher() : null
    const tls = socket instanceof TLSSocket && cipher !== null ? `${socket.getProtocol()} ${cipher.name}` : undefined
    return { ...(helo === '' ? {} : { helo }), ...(tls === undefined ? {} : { tls }) }
  }
}
