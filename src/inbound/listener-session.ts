// What every SMTP session of ours does, whatever comes in over it: greeting or refusal, limits of patience and time, EHLO
// and HELO, closing. From smtp-server come the command parser, dot-unstuffing and end of data, STARTTLS and closing.
// Relied on beyond its documented options (smtp-library.test.ts fails when an upgrade changes them): the methods
// overridden here are called under these names; `_resetSession` runs after EHLO, HELO, RSET, STARTTLS and DATA; a command
// that gets no callback stops the parser; `send(421)` closes; `send` with context `false` adds no enhanced code;
// handler_DATA asks session.envelope.rcptTo only for its length.

import type { Socket } from 'node:net'
import { type CipherNameAndProtocol, TLSSocket } from 'node:tls'
import type { SMTPServer, SMTPServerDataStream } from 'smtp-server'
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import type { Clock } from '../util/clock.ts'
import type { ListenerEvents, Peer } from './events.ts'
import { helloName } from './hello.ts'
import { Patience, type PatienceLimits } from './patience.ts'
import { REPLY, type Reply } from './replies.ts'

export interface SessionPlace {
  readonly listener: { readonly name: string }
  readonly clock: Clock
  readonly events: ListenerEvents
  readonly isStopping: () => boolean
  readonly handshakeTimeout: () => number
}

export interface SessionLimits extends PatienceLimits {
  readonly idleTimeout: number
  /** From MAIL to the final dot. */
  readonly transactionTimeout: number
  /** Bytes per second in DATA. */
  readonly minDataRate: number
}

export interface SessionOrigin {
  readonly server: SMTPServer
  readonly socket: Socket
  readonly options: SMTPConnectionOptions | null
  /** Said instead of a greeting. */
  readonly refusal: Reply | undefined
  /** Called when nothing more will be said; more than once perhaps. */
  readonly onClosing: () => void
  /** Called when the socket has closed. */
  readonly onClosed: () => void
}

/** DATA under way, as the deadlines see it. */
export interface Incoming {
  /** The final dot has not come yet. */
  readonly isReceiving: boolean
  isTooSlow(now: number, minBytesPerSecond: number): boolean
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
    this.#refusal = from.refusal
    this.#onClosing = from.onClosing
    this.#onClosed = from.onClosed
  }

  /** Takes one message; resolves with the answer to the dot, or undefined when the client went away before it. */
  abstract receive(stream: SMTPServerDataStream): Promise<Reply | undefined>

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

  override _onCommand(command: Buffer, callback?: () => void): void {
    // What came before a TLS handshake is dropped by smtp-server without an answer.
    const refusal = this._upgrading ? undefined : this.#refusalBefore(command)
    if (refusal === undefined) {
      // Counted as errors like all the others, by our own limit.
      this._unrecognizedCommands = 0
      super._onCommand(command, callback)
    } else {
      // Without the callback the parser stops; nothing pipelined behind it is read.
      this.end(refusal)
    }
  }

  #refusalBefore(command: Buffer): Reply | undefined {
    if (this.#place.isStopping()) return REPLY.shuttingDown
    // A line of an AUTH exchange is no command.
    return this._nextHandler === false ? this.patience.endsBefore(command) : undefined
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const hasOwnCode = typeof data === 'string' && ENHANCED_TEXT.test(data)
    super.send(code, data, hasOwnCode ? false : contextOf(code, context))
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
