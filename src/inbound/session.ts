// One SMTP session of submission: smtp-server's connection with our commands, limits and replies. From smtp-server come
// the command parser, dot-unstuffing and end of data, STARTTLS, the SASL exchanges and closing; what a client may do is
// decided here and in the parts below. Relied on beyond its documented options (smtp-library.test.ts fails when an
// upgrade changes them): the methods overridden here are called under these names; `_resetSession` runs after EHLO,
// HELO, RSET, STARTTLS and DATA; a command that gets no callback stops the parser; `send(421)` closes; `send` with
// context `false` adds no enhanced code; handler_DATA asks session.envelope.rcptTo only for its length.

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { SMTPServerAuthentication, SMTPServerDataStream, SMTPServerSession } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import type { TenantSettings } from '../config/schema.ts'
import type { Message } from '../mail/message.ts'
import type { Envelope } from './envelope.ts'
import type { Peer } from './events.ts'
import { features, helloName } from './hello.ts'
import { isReply, parseMail, parseRcpt } from './path.ts'
import { Patience } from './patience.ts'
import { REPLY, type Reply } from './replies.ts'
import { openEnvelope, takeRecipient } from './rules.ts'
import type { SessionOrigin, SessionParts, SubmissionLimits } from './session-parts.ts'
import type { Tenancy } from './tenancy.ts'
import { Transfer } from './transfer.ts'

const ENHANCED_TEXT = /^[245]\.\d{1,3}\.\d{1,3} /

const HELLO: ReadonlySet<unknown> = new Set(['EHLO', 'HELO', 'LHLO'])

/** smtp-server leaves the enhanced code out of every reply to these; RFC 2034 §3 only of the positive ones. */
const contextOf = (code: number, context: string | false | undefined): string | false | undefined =>
  code >= 400 && HELLO.has(context) ? undefined : context

export class SubmissionSession extends SMTPConnection {
  readonly #parts: SessionParts
  readonly #limits: SubmissionLimits
  readonly #openedAt: number
  /** Set at init when a limit refuses the connection. */
  readonly #refusal: Reply | undefined
  readonly #onClosing: () => void
  readonly #onClosed: () => void
  /** The socket timed now: during a STARTTLS handshake the TLS socket on top of the raw one. */
  #timedSocket: Socket | undefined
  #upgradingSince: number | undefined
  readonly #patience: Patience
  #envelope: Envelope | undefined
  #transfer: Transfer | undefined
  /** The trusted tenant of this address, looked up once per state of the settings. */
  #trusted: { readonly tenancy: Tenancy; readonly tenant: TenantSettings | undefined } | undefined

  constructor(parts: SessionParts, from: SessionOrigin) {
    super(from.server, from.socket, from.options)
    this.#parts = parts
    this.#limits = parts.limits()
    this.#patience = new Patience(this.#limits)
    this.#openedAt = parts.clock.monotonic()
    this.#refusal = from.refusal
    this.#onClosing = from.onClosing
    this.#onClosed = from.onClosed
  }

  /** In DATA, up to and including our answer to the dot. */
  get isTransferring(): boolean {
    return this.#transfer !== undefined
  }

  /** smtp-server waits 100 ms here for clients that talk too soon; submission clients are known, so we do not. */
  override init(): void {
    this._setListeners(() => {
      if (this.#refusal === undefined) {
        this.connectionReady()
        this.#parts.events.connectionOpened(this.#peer())
      } else {
        this.#parts.events.connectionRefused({ ...this.#peer(), reply: this.#refusal })
        this.#say(this.#refusal)
      }
    })
  }

  /** Ends the session with a 421. */
  end(reply: Reply): void {
    if (this._closing || this._closed) return
    this.#say(reply)
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
    const { authTimeout, transactionTimeout, minDataRate } = this.#limits
    this.#upgradingSince = this._upgrading ? (this.#upgradingSince ?? now) : undefined
    if (this.#upgradingSince !== undefined && now - this.#upgradingSince > authTimeout) return REPLY.authTooLate
    if (!this.session.user && now - this.#openedAt > authTimeout && this.#mustAuthenticate()) return REPLY.authTooLate
    if (this.#transfer !== undefined) {
      // After the dot it is we who take the time.
      if (!this.#transfer.isReceiving) return undefined
      if (this.#transfer.isTooSlow(now, minDataRate)) return REPLY.dataTooSlow
    }
    const startedAt = this.#envelope?.startedAt
    return startedAt !== undefined && now - startedAt > transactionTimeout ? REPLY.transactionTooLong : undefined
  }

  #mustAuthenticate(): boolean {
    return this.#parts.listener.auth === 'required' || this.#trustedTenant() === undefined
  }

  override _armTimeout(socket: Socket = this._socket): void {
    this.#timedSocket = socket
    socket.setTimeout(this.#limits.idleTimeout, () => this._onTimeout())
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
    if (this.#parts.isStopping()) return REPLY.shuttingDown
    // A line of an AUTH exchange is no command.
    return this._nextHandler === false ? this.#patience.endsBefore(command) : undefined
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const hasOwnCode = typeof data === 'string' && ENHANCED_TEXT.test(data)
    super.send(code, data, hasOwnCode ? false : contextOf(code, context))
    if (code < 400) return
    this.#patience.countError()
    if (code === 421 && this.#refusal === undefined) {
      this.#parts.events.sessionEnded({ ...this.#peer(), reply: { code, text: String(data) } })
    }
  }

  #say(reply: Reply): void {
    this.send(reply.code, reply.text, false)
  }

  override _resetSession(): void {
    super._resetSession()
    this.#envelope = undefined
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    if (this.#takeName(command)) {
      const offer = features({
        listener: this.#parts.listener,
        maxSize: this.#limits.maxSize,
        isSecure: this.secure,
        isAuthenticated: this.#user() !== undefined,
      })
      this.send(250, [this.name, ...offer], false)
    }
    callback()
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    if (this.#takeName(command)) this.send(250, this.name, false)
    callback()
  }

  #takeName(command: Buffer): boolean {
    const name = helloName(command)
    if (name === undefined) {
      this.#say(REPLY.heloSyntax)
      return false
    }
    this.hostNameAppearsAs = name
    this._resetSession()
    return true
  }

  // RFC 5321 §3.5.3: a server that does not expand lists says 502.
  handler_EXPN(_command: Buffer, callback: () => void): void {
    this.#say(REPLY.notImplemented)
    callback()
  }

  override handler_AUTH(command: Buffer, callback: () => void): void {
    const refusal = this.#refusalOfAuth()
    if (refusal === undefined) {
      super.handler_AUTH(command, callback)
    } else {
      this.#say(refusal)
      callback()
    }
  }

  #refusalOfAuth(): Reply | undefined {
    if (this.#parts.listener.auth === 'none') return REPLY.authNotHere
    if (!this.secure) return REPLY.authNeedsTls
    // RFC 4954 §4: not during a transaction.
    return this.#envelope === undefined ? undefined : REPLY.authInTransaction
  }

  /** Undefined when the session is now authenticated. */
  async authenticate(auth: SMTPServerAuthentication): Promise<Reply | undefined> {
    const { authenticator, events, tenancy } = this.#parts
    const user = auth.username ?? ''
    // RFC 4616: acting as somebody else is not possible here.
    if (auth.authzid !== undefined && auth.authzid !== '' && auth.authzid !== user) {
      events.authFailed({ ...this.#peer(), user, reason: 'other identity' })
      return REPLY.authRefused
    }
    const attempt = { user, password: auth.password ?? '', address: this.remoteAddress }
    const result = await authenticator.verify(tenancy(), attempt)
    if (result.kind === 'granted') {
      events.authSucceeded({ ...this.#peer(), tenant: result.credential.tenant, credential: user })
      return undefined
    }
    events.authFailed({ ...this.#peer(), user, reason: result.reason })
    return result.kind === 'throttled' ? REPLY.authThrottled : REPLY.authRefused
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    const reply = this.#mail(command)
    if (reply.code >= 400) this.#parts.events.refused({ ...this.#peer(), command: 'MAIL', reply })
    this.#say(reply)
    callback()
  }

  #mail(command: Buffer): Reply {
    if (this.#envelope !== undefined) return REPLY.nestedMail
    const end = this.#patience.endsBeforeMail()
    if (end !== undefined) return end
    const mail = parseMail(command)
    if (isReply(mail)) return mail
    const opened = openEnvelope(
      {
        tenancy: this.#parts.tenancy(),
        policy: this.#parts.policy,
        acceptor: this.#parts.acceptor,
        maxSize: this.#limits.maxSize,
        user: this.#user(),
        auth: this.#parts.listener.auth,
        trusted: this.#trustedTenant(),
        startedAt: this.#parts.clock.monotonic(),
      },
      mail,
    )
    if (isReply(opened)) return opened
    this.#envelope = opened
    // smtp-server asks whether a transaction is open to decide which socket errors to report.
    this.session.envelope.mailFrom = { address: opened.sender, args: false }
    return REPLY.mailOk
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    const reply = this.#rcpt(command)
    if (reply.code >= 400) {
      const subject = command.toString().slice(5, 300)
      this.#parts.events.refused({ ...this.#peer(), command: 'RCPT', reply, subject })
    }
    this.#say(reply)
    callback()
  }

  #rcpt(command: Buffer): Reply {
    const envelope = this.#envelope
    if (envelope === undefined) return REPLY.needMail
    const rcpt = parseRcpt(command, envelope.smtpUtf8)
    if (isReply(rcpt)) return rcpt
    const { policy, acceptor } = this.#parts
    const { maxRecipients } = this.#limits
    const { rcptTo } = this.session.envelope
    // A repeated recipient is no new one, but saying it for ever is no mail transaction.
    if (rcptTo.length >= 2 * maxRecipients) return REPLY.tooManyRecipients
    const refusal = takeRecipient({ envelope, policy, acceptor, maxRecipients }, rcpt)
    if (refusal !== undefined) return refusal
    rcptTo.push({ address: rcpt.recipient.text, args: false })
    return REPLY.rcptOk
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    if (this.#envelope !== undefined && this.#envelope.recipients.size > 0) {
      super.handler_DATA(command, callback)
    } else {
      this.#say(this.#envelope === undefined ? REPLY.needMail : REPLY.needRcpt)
      callback()
    }
  }

  /** Takes one message; resolves with the answer to the dot, or undefined when the client went away before it. */
  async receive(stream: SMTPServerDataStream): Promise<Reply | undefined> {
    const envelope = this.#envelope
    if (envelope === undefined) return REPLY.needMail
    const { acceptor, signer, clock, hostname, events, tenancy } = this.#parts
    this.#transfer = new Transfer({
      stream,
      acceptor,
      clock,
      head: {
        envelope,
        tenancy: tenancy(),
        signer,
        clock,
        hostname,
        client: this.#client(),
        isEsmtp: this.openingCommand === 'EHLO',
        maxReceived: this.#limits.maxReceived,
      },
      maxSize: this.#limits.maxSize,
      onError: (error) => events.acceptFailed({ ...this.#peer(), error }),
    })
    const reply = await this.#transfer.run().finally(() => {
      this.#transfer = undefined
    })
    if (reply === undefined) return undefined
    if (reply.code >= 400) events.refused({ ...this.#peer(), command: 'dot', reply })
    else this.#patience.countMessage()
    return reply
  }

  #trustedTenant(): TenantSettings | undefined {
    const tenancy = this.#parts.tenancy()
    if (this.#trusted?.tenancy !== tenancy) {
      this.#trusted = { tenancy, tenant: tenancy.trusted(this.remoteAddress) }
    }
    return this.#trusted.tenant
  }

  #user(): string | undefined {
    const { user } = this.session as SMTPServerSession
    return typeof user === 'string' ? user : undefined
  }

  #client(): Message['client'] {
    const helo = this.hostNameAppearsAs === false ? '' : this.hostNameAppearsAs
    const tls =
      this._socket instanceof TLSSocket ? `${this._socket.getProtocol()} ${this._socket.getCipher().name}` : undefined
    return {
      address: this.remoteAddress,
      listener: this.#parts.listener.name,
      ...(helo === '' ? {} : { helo }),
      ...(tls === undefined ? {} : { tls }),
    }
  }

  #peer(): Peer {
    const credential = this.#user()
    const tenant = this.#envelope?.tenant.name
    return {
      session: this.id,
      listener: this.#parts.listener.name,
      address: this.remoteAddress,
      ...(tenant === undefined ? {} : { tenant }),
      ...(credential === undefined ? {} : { credential }),
    }
  }
}
