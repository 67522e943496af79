// One listener of submission: smtp-server's server with our sessions. Counts connections from accept to close and drops
// what never gets as far as a session.

import type { Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import type {
  SMTPServerAuthentication,
  SMTPServerAuthenticationResponse,
  SMTPServerDataStream,
  SMTPServerSession,
} from 'smtp-server'
import { SMTPServer } from 'smtp-server'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import type { ListenerSettings } from '../config/schema.ts'
import type { OpenConnections } from './limits.ts'
import { REPLY, type Reply } from './replies.ts'
import { type SessionParts, SubmissionSession } from './session.ts'

export interface ServerParts extends SessionParts {
  readonly openConnections: OpenConnections
  /** Key, certificate and least version; undefined for a listener without TLS. */
  readonly tls: TlsOptions | undefined
}

type Callback<T = never> = (error?: Error | null, result?: T) => void

// Up to this multiple of a limit a client is told 421; what comes beyond is dropped without a TLS handshake.
const DROP_AT = 2

export class SubmissionServer extends SMTPServer {
  readonly #parts: ServerParts
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new WeakMap<SMTPServerSession, SubmissionSession>()

  constructor(parts: ServerParts) {
    super({
      ...parts.tls,
      name: parts.hostname,
      banner: 'Studs',
      secure: parts.listener.tls === 'implicit',
      hideSTARTTLS: parts.listener.tls !== 'starttls',
      disabledCommands: disabledCommands(parts.listener),
      authMethods: ['PLAIN', 'LOGIN'],
      // Who may send is decided at MAIL (rules.ts), with better replies than a count of commands.
      authOptional: true,
      hideENHANCEDSTATUSCODES: false,
      disableReverseLookup: true,
      logger: false,
      // For a TLS handshake; sessions have their own.
      socketTimeout: parts.limits().authTimeout,
    })
    this.#parts = parts
    // Before smtp-server's own listener, so that every accepted socket is counted.
    this.server.prependListener('connection', (socket) => this.#accepted(socket))
    this.on('error', (error: Error) => parts.events.connectionFailed({ listener: parts.listener.name, error }))
  }

  get sessions(): Iterable<SubmissionSession> {
    return this.connections as Set<SubmissionSession>
  }

  destroySockets(): void {
    for (const socket of this.#sockets) (this._pendingSockets.get(socket) ?? socket).destroy()
  }

  #accepted(socket: Socket): void {
    const { openConnections, limits, clock, events, listener } = this.#parts
    const address = clientAddress(socket)
    const release = openConnections.open(address)
    this.#sockets.add(socket)
    // smtp-server's handshake timeout starts anew with every byte; this one does not.
    const handshake = clock.after(limits().authTimeout, () => this._pendingSockets.get(socket)?.destroy())
    socket.once('close', () => {
      release()
      handshake.cancel()
      this.#sockets.delete(socket)
    })
    if (openConnections.exceeded(address, limits(), DROP_AT) === undefined) return
    events.connectionRefused({ session: '', listener: listener.name, address })
    socket.destroy()
  }

  override connect(socket: Socket, options: SMTPConnectionOptions | null = null): void {
    // Closed while it waited: its close event is past and nothing would ever end the session.
    if (socket.destroyed) return
    const session = new SubmissionSession(this.#parts, {
      server: this,
      socket,
      options,
      refusal: this.#refusal(socket),
    })
    this.#sessions.set(session.session, session)
    this.connections.add(session)
    session.on('error', (error: Error) => {
      const { listener, events } = this.#parts
      events.connectionFailed({ listener: listener.name, session: session.id, address: session.remoteAddress, error })
    })
    session.init()
  }

  #refusal(socket: Socket): Reply | undefined {
    const { openConnections, limits, isStopping } = this.#parts
    if (isStopping()) return REPLY.shuttingDown
    const exceeded = openConnections.exceeded(clientAddress(socket), limits())
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

  override onAuth(
    auth: SMTPServerAuthentication,
    session: SMTPServerSession,
    callback: (error: Error | null | undefined, response?: SMTPServerAuthenticationResponse) => void,
  ): void {
    void this.#sessionOf(session)
      .authenticate(auth)
      .then(
        (refusal) => callback(null, refusal === undefined ? { user: auth.username } : answer(refusal)),
        (error: unknown) => {
          this.#parts.events.acceptFailed({
            session: session.id,
            listener: this.#parts.listener.name,
            address: session.remoteAddress,
            error,
          })
          callback(null, answer(REPLY.ourFault))
        },
      )
  }

  override onData(stream: SMTPServerDataStream, session: SMTPServerSession, callback: Callback<string>): void {
    void this.#sessionOf(session)
      .receive(stream)
      .then((reply = REPLY.ourFault) => {
        if (reply.code < 400) callback(null, reply.text)
        else callback(Object.assign(new Error(reply.text), { responseCode: reply.code }))
      })
  }

  #sessionOf(session: SMTPServerSession): SubmissionSession {
    const found = this.#sessions.get(session)
    if (found === undefined) throw new Error('a session that was not made here')
    return found
  }
}

function disabledCommands({ tls }: ListenerSettings): string[] {
  // smtp-server's jokes, and the commands by which a proxy may speak for another client.
  const never = ['WIZ', 'SHELL', 'KILL', 'XCLIENT', 'XFORWARD', 'LHLO']
  return tls === 'none' ? [...never, 'STARTTLS'] : never
}

const answer = ({ code, text }: Reply) => ({ responseCode: code, message: text })

const clientAddress = (socket: Socket): string => (socket.remoteAddress ?? '').replace(/^::ffff:/i, '')
