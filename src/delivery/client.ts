// The outbound SMTP client: one connection to one host, messages one after the other, one recipient each. It tells
// exactly what the server said and to which command, and whether the final dot had left when things went wrong. It
// resolves no names, chooses no host, retries nothing and logs nothing: its callers do.
// Invariant: connect() and send() always come to an end (every wait has an absolute deadline), and what a server does is
// a value, never an exception.

import type { SmtpReply } from '../mail/reply.ts'
import type { Extensions } from './client-extensions.ts'
import { type ConnectOptions, openSession, type Session } from './client-session.ts'
import { type Mail, Transaction } from './client-transaction.ts'
import type { ClientFailure } from './client-wire.ts'

export type { Envelope } from './client-envelope.ts'
export type { Extensions } from './client-extensions.ts'
export type { ClientSettings, ConnectOptions, Target } from './client-session.ts'
export type { BodyChunks, Content, Mail } from './client-transaction.ts'
export type { ClientFailure } from './client-wire.ts'

export type ConnectResult =
  | { readonly ok: true; readonly client: SmtpClient }
  | { readonly ok: false; readonly cause: ClientFailure }

/** `reusable`: the connection may take another message. */
export type SendResult =
  | { readonly ok: true; readonly reply: SmtpReply; readonly reusable: boolean }
  | { readonly ok: false; readonly cause: ClientFailure; readonly reusable: boolean }

export class SmtpClient {
  readonly #session: Session
  readonly #transaction: Transaction

  private constructor(session: Session, options: ConnectOptions) {
    this.#session = session
    this.#transaction = new Transaction(session, options.settings)
  }

  /** Up to the point where MAIL may be said: TCP, greeting, EHLO, TLS, AUTH. */
  static async connect(options: ConnectOptions): Promise<ConnectResult> {
    const session = await openSession(options)
    if ('kind' in session) return { ok: false, cause: session }
    return { ok: true, client: new SmtpClient(session, options) }
  }

  get extensions(): Extensions {
    return this.#session.extensions
  }

  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; absent in plaintext. */
  get tls(): string | undefined {
    return this.#session.tls
  }

  /** By what the server's certificate was verified; absent where it is anybody's. */
  get tlsVerified(): 'dane' | 'pki' | undefined {
    return this.#session.tlsVerified
  }

  get localAddress(): string | undefined {
    return this.#session.localAddress
  }

  /** What the server calls itself. */
  get peerName(): string {
    return this.#session.peerName
  }

  /** Whether the next message may be given to it: open, nothing unsolicited said, no message under way. */
  get usable(): boolean {
    return this.#session.wire.open && !this.#transaction.busy
  }

  /**
   * One message to one recipient. Not to be called again before it is done. Rejects only when `content` cannot be read
   * (the connection is gone then and nothing was delivered).
   */
  async send(mail: Mail): Promise<SendResult> {
    const result = await this.#transaction.run(mail)
    return 'kind' in result
      ? { ok: false, cause: result, reusable: this.#session.wire.open }
      : { ok: true, reply: result, reusable: this.#session.wire.open }
  }

  /** Says QUIT if there is anybody to hear it; done when the connection is closed, a few seconds at most. */
  quit(): Promise<void> {
    const { wire } = this.#session
    wire.part('QUIT\r\n')
    return new Promise((resolve) => wire.onClose(resolve))
  }

  /**
   * Cuts the connection; a message under way ends as if the connection had been lost. One that is being closed in good
   * order already is left to that, for a few seconds at most.
   */
  destroy(): void {
    this.#session.wire.fail({ kind: 'connect', detail: 'the connection was cut by this side' })
  }

  /** Calls `callback` once when the connection is closed, whoever closed it: idle ones end by themselves too. */
  onClose(callback: () => void): void {
    this.#session.wire.onClose(callback)
  }
}
