// One SMTP session of submission: the session that every listener has (listener-session.ts) with AUTH and the commands of
// a transaction. The SASL exchanges are smtp-server's; what a client may do is decided here and in the parts below.

import type { SMTPServerAuthentication, SMTPServerSession } from 'smtp-server'
import type { TenantSettings } from '../config/schema.ts'
import type { Envelope } from './envelope.ts'
import type { Peer } from './events.ts'
import { features } from './hello.ts'
import type { SessionOrigin } from './listener-parts.ts'
import { ListenerSession } from './listener-session.ts'
import type { MessageData } from './message-data.ts'
import { isReply, parseMail, parseRcpt } from './path.ts'
import { REPLY, type Reply } from './replies.ts'
import { openEnvelope, takeRecipient } from './rules.ts'
import type { SessionParts, SubmissionLimits } from './session-parts.ts'
import type { Tenancy } from './tenancy.ts'
import { Transfer } from './transfer.ts'

export class SubmissionSession extends ListenerSession {
  readonly #parts: SessionParts
  readonly #limits: SubmissionLimits
  #envelope: Envelope | undefined
  /** The trusted tenant of this address, looked up once per state of the settings. */
  #trusted: { readonly tenancy: Tenancy; readonly tenant: TenantSettings | undefined } | undefined

  constructor(parts: SessionParts, from: SessionOrigin) {
    const limits = parts.limits()
    super(parts, limits, from)
    this.#parts = parts
    this.#limits = limits
  }

  protected override overstays(openForMs: number): Reply | undefined {
    if (this.session.user || openForMs <= this.#limits.authTimeout) return undefined
    return this.#mustAuthenticate() ? REPLY.authTooLate : undefined
  }

  protected override transactionStartedAt(): number | undefined {
    return this.#envelope?.startedAt
  }

  #mustAuthenticate(): boolean {
    return this.#parts.listener.auth === 'required' || this.#trustedTenant() === undefined
  }

  override _resetSession(): void {
    super._resetSession()
    this.#envelope = undefined
  }

  protected override offer(): readonly string[] {
    return features({
      listener: this.#parts.listener,
      maxSize: this.#limits.maxSize,
      isSecure: this.secure,
      isAuthenticated: this.#user() !== undefined,
    })
  }

  override handler_AUTH(command: Buffer, callback: () => void): void {
    const refusal = this.#refusalOfAuth()
    if (refusal === undefined) {
      super.handler_AUTH(command, callback)
    } else {
      this.say(refusal)
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
      events.authFailed({ ...this.peer(), user, reason: 'other identity' })
      return REPLY.authRefused
    }
    const attempt = { user, password: auth.password ?? '', address: this.remoteAddress }
    const result = await authenticator.verify(tenancy(), attempt)
    if (result.kind === 'granted') {
      events.authSucceeded({ ...this.peer(), tenant: result.credential.tenant, credential: user })
      return undefined
    }
    events.authFailed({ ...this.peer(), user, reason: result.reason })
    return result.kind === 'throttled' ? REPLY.authThrottled : REPLY.authRefused
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    const reply = this.#mail(command)
    if (reply.code >= 400) this.#parts.events.refused({ ...this.peer(), command: 'MAIL', reply })
    this.say(reply)
    callback()
  }

  #mail(command: Buffer): Reply {
    if (this.#envelope !== undefined) return REPLY.nestedMail
    const end = this.patience.endsBeforeMail()
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
        isSecure: this.secure,
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
      this.#parts.events.refused({ ...this.peer(), command: 'RCPT', reply, subject })
    }
    this.say(reply)
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
      this.say(this.#envelope === undefined ? REPLY.needMail : REPLY.needRcpt)
      callback()
    }
  }

  /** Takes one message; resolves with the answer to the dot, or undefined when the client went away before it. */
  async receive(data: MessageData): Promise<Reply | undefined> {
    const envelope = this.#envelope
    if (envelope === undefined) return REPLY.needMail
    const { acceptor, signer, clock, hostname, events, tenancy } = this.#parts
    const transfer = new Transfer({
      data,
      acceptor,
      clock,
      head: {
        envelope,
        tenancy: tenancy(),
        signer,
        clock,
        hostname,
        client: { address: this.remoteAddress, listener: this.#parts.listener.name, ...this.client() },
        isEsmtp: this.openingCommand === 'EHLO',
        maxReceived: this.#limits.maxReceived,
        unsubscribe: this.#parts.unsubscribe(),
      },
      maxSize: this.#limits.maxSize,
      onError: (error) => events.acceptFailed({ ...this.peer(), error }),
    })
    this.transfer = transfer
    const reply = await transfer.run().finally(() => {
      this.transfer = undefined
    })
    if (reply === undefined) return undefined
    if (reply.code >= 400) events.refused({ ...this.peer(), command: 'dot', reply })
    else this.patience.countMessage()
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

  protected override peer(): Peer {
    const credential = this.#user()
    const tenant = this.#envelope?.tenant.name
    return {
      ...super.peer(),
      ...(tenant === undefined ? {} : { tenant }),
      ...(credential === undefined ? {} : { credential }),
    }
  }
}
