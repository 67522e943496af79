// One listener: smtp-server's server with sessions of ours. Counts connections from accept to close, drops what never gets
// as far as a session, and knows what is under way. What a session does with its mail is the session's.

import type { Socket } from 'node:net'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { SMTPServerDataStream, SMTPServerOptions, SMTPServerSession } from 'smtp-server'
import { SMTPServer } from 'smtp-server'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import type { ConnectionLimits, OpenConnections } from './limits.ts'
import type { SessionOrigin, SessionPlace } from './listener-parts.ts'
import type { ListenerSession } from './listener-session.ts'
import type { MessageData } from './message-data.ts'
import { Outbox } from './outbox.ts'
import { REPLY, type Reply } from './replies.ts'
import { replyFor } from './reply-for.ts'

export interface ServerParts extends SessionPlace {
  readonly listener: { readonly name: string; readonly tls: 'implicit' | 'starttls' | 'none' }
  readonly hostname: string
  readonly limits: () => ConnectionLimits
  /** Sessions that go on, over all listeners. */
  readonly openSessions: OpenConnections
  /** Sockets from accept to close: handshakes and half-closed ones too. */
  readonly openSockets: OpenConnections
  /** Key, certificate and least version; undefined for a listener without TLS. */
  readonly tls: TlsOptions | undefined
}

type Callback<T = never> = (error?: Error | null, result?: T) => void

// Up to this multiple of a limit on sockets a client is told 421; beyond, it is dropped without a TLS handshake.
const DROP_AT = 2

export abstract class ListenerServer<Session extends ListenerSession> extends SMTPServer {
  readonly #parts: ServerParts
  /** Sessions whose socket has not closed yet; `connections` forgets them when they begin to close. */
  #opened = 0
  readonly #outbox = new Outbox()
  readonly #open = new Set<Session>()
  readonly #transfers = new Set<Promise<void>>()
  readonly #releases = new WeakMap<Socket, () => void>()
  readonly #sessions = new WeakMap<SMTPServerSession, Session>()

  constructor(parts: ServerParts, options: SMTPServerOptions = {}) {
    super({
      ...options,
      ...parts.tls,
      name: parts.hostname,
      banner: 'Studs',
      secure: parts.listener.tls === 'implicit',
      hideSTARTTLS: parts.listener.tls !== 'starttls',
      disabledCommands: disabledCommands(parts.listener),
      // Who may do what is decided by the session, with better replies than a count of commands.
      authOptional: true,
      hideENHANCEDSTATUSCODES: false,
      disableReverseLookup: true,
      logger: false,
      // For a TLS handshake; sessions have their own.
      socketTimeout: parts.handshakeTimeout(),
    })
    this.#parts = parts
    this.on('error', (error: Error) => parts.events.connectionFailed({ listener: parts.listener.name, error }))
  }

  protected abstract createSession(from: SessionOrigin): Session

  get sessions(): Iterable<Session> {
    return this.connections as Set<Session>
  }

  /** Ends what has not ended by itself, handshakes first: their raw socket must not go before the TLS socket on it. */
  destroySockets(): void {
    for (const socket of this._pendingSockets.values()) socket.destroy()
    for (const session of this.#open) session.destroy()
  }

  /** Called for every accepted socket; false drops it. */
  override _acceptSocket(socket: Socket, handshake: boolean): (() => void) | false {
    const { openSockets, limits, clock, events, listener, handshakeTimeout } = this.#parts
    const address = clientAddress(socket)
    const release = openSockets.open(address)
    this.#releases.set(socket, release)
    socket.once('close', release)
    if (openSockets.exceeded(address, limits(), DROP_AT) !== undefined) {
      events.connectionRefused({ session: '', listener: listener.name, address })
      socket.on('error', () => {
        // Whatever the client does to a socket that is being dropped is of no interest.
      })
      socket.destroy()
      return false
    }
    if (handshake) {
      // smtp-server's own handshake timeout starts anew with every byte; this one does not.
      const deadline = clock.after(handshakeTimeout(), () => this._pendingSockets.get(socket)?.destroy())
      socket.once('close', () => deadline.cancel())
    }
    return super._acceptSocket(socket, handshake)
  }

  /** No listener of ours stands behind a PROXY: the original draws a random id (see connect) and waits a turn for nothing. */
  override _handleProxy(_socket: Socket, callback: (error: Error | null) => void): void {
    callback(null)
  }

  override _upgrade(socket: Socket, callback: (error: Error | null, tlsSocket?: TLSSocket) => void): void {
    // A TLS socket on top of one that was destroyed between accept and here would crash the process.
    if (socket.destroyed) callback(new Error('closed before the TLS handshake'))
    else super._upgrade(socket, callback)
  }

  override connect(socket: Socket, options: SMTPConnectionOptions | null = null): void {
    // Closed while it waited: its close event is past and nothing would ever end the session.
    if (socket.destroyed) return
    const release = this.#parts.openSessions.open(clientAddress(socket))
    const session: Session = this.createSession({
      server: this,
      socket,
      // smtp-server would draw 80 random bits: this only has to tell sessions apart in the log.
      options: { ...options, id: `${this.#parts.clock.now().toString(36)}-${(++this.#opened).toString(36)}` },
      outbox: this.#outbox,
      refusal: this.#refusal(socket),
      onClosing: release,
      onClosed: () => {
        this.#open.delete(session)
        // STARTTLS takes all listeners off the raw socket, so its own close event is not enough.
        this.#releases.get(socket)?.()
      },
    })
    this.#open.add(session)
    this.#sessions.set(session.session, session)
    this.connections.add(session)
    session.on('error', (error: Error) => {
      const { listener, events } = this.#parts
      events.connectionFailed({ listener: listener.name, session: session.id, address: session.remoteAddress, error })
    })
    session.init()
  }

  #refusal(socket: Socket): Reply | undefined {
    const { openSessions, limits, isStopping } = this.#parts
    if (isStopping()) return REPLY.shuttingDown
    const exceeded = openSessions.exceeded(clientAddress(socket), limits())
    if (exceeded === undefined) return undefined
    return exceeded === 'address' ? REPLY.tooManyFromAddress : REPLY.tooManyConnections
  }

  // The originals answer in a later turn of the event loop; there is nothing to wait for.
  override onConnect(_session: SMTPServerSession, callback: Callback): void {
    callback()
  }

  override onSecure(_socket: Socket, _session: SMTPServerSession, callback: Callback): void {
    callback()
  }

  override onData(stream: SMTPServerDataStream, session: SMTPServerSession, callback: Callback<string>): void {
    const fail = (error: unknown): Reply => this.failed(session, error)
    const transfer = this.sessionOf(session)
      .receive(stream as unknown as MessageData)
      .catch(fail)
      .then((reply = REPLY.ourFault) => {
        this.#transfers.delete(transfer)
        if (reply.code < 400) callback(null, reply.text)
        else callback(Object.assign(new Error(reply.text), { responseCode: reply.code }))
      })
    this.#transfers.add(transfer)
  }

  /** Resolves when every message under way has been accepted or discarded. */
  async settled(): Promise<void> {
    await Promise.all(this.#transfers)
  }

  protected failed(session: SMTPServerSession, error: unknown): Reply {
    const { listener, events } = this.#parts
    events.acceptFailed({ session: session.id, listener: listener.name, address: session.remoteAddress, error })
    return replyFor(error)
  }

  protected sessionOf(session: SMTPServerSession): Session {
    const found = this.#sessions.get(session)
    if (found === undefined) throw new Error('a session that was not made here')
    return found
  }
}

function disabledCommands({ tls }: ServerParts['listener']): string[] {
  // smtp-server's jokes, and the commands by which a proxy may speak for another client.
  const never = ['WIZ', 'SHELL', 'KILL', 'XCLIENT', 'XFORWARD', 'LHLO']
  return tls === 'none' ? [...never, 'STARTTLS'] : never
}

const clientAddress = (socket: Socket): string => (socket.remoteAddress ?? '').replace(/^::ffff:/i, '')
