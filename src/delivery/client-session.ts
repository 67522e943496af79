// From nothing to the point where MAIL may be said: TCP, greeting, EHLO or HELO, STARTTLS, AUTH. Every failure names the
// command it answered, so that the caller can try the next host (greeting), or this one without TLS (kind `tls`).
// Invariant: nothing learned in plaintext is used once TLS is on, and no password crosses the network in the clear.

import type { SmtpReply } from '../mail/reply.ts'
import type { Clock } from '../util/clock.ts'
import { type Extensions, extensionsOf } from './client-extensions.ts'
import type { Authorities } from './client-tls.ts'
import { type ClientFailure, type Fault, failureOf, isOk, Wire } from './client-wire.ts'
import type { DaneDemand, MinVersion } from './tls-demand.ts'

/** RFC 5321 §4.5.3.2, all in milliseconds; Settings['delivery'] has them under the same names. */
export interface ClientSettings {
  readonly connectTimeout: number
  readonly greetingTimeout: number
  /** EHLO, HELO, STARTTLS with its handshake, AUTH, MAIL, RCPT, RSET: each. */
  readonly commandTimeout: number
  readonly dataTimeout: number
  /** Without progress while content is sent. */
  readonly blockTimeout: number
  readonly dotTimeout: number
}

export interface Target {
  /** Name of the MX or next hop: for SNI, the certificate's check and records. May be an address. */
  readonly host: string
  /** The IP address that is connected to. */
  readonly address: string
  readonly port: number
  /** TLS from the first byte. */
  readonly implicitTls?: boolean
}

export interface ConnectOptions {
  readonly target: Target
  readonly localAddress?: string
  /** Name said in EHLO. */
  readonly ehlo: string
  /**
   * opportunistic: where offered, unchecked. required: never in plaintext. none: never TLS, also for a host whose TLS
   * is known to be broken.
   */
  readonly tls: 'opportunistic' | 'required' | 'none'
  /** With required: chain and name are checked. */
  readonly verify: boolean
  /** With required: instead of chain and name, what the certificate is held against. */
  readonly dane?: DaneDemand
  /** With required; default TLSv1.2. */
  readonly minVersion?: MinVersion
  readonly auth?: { readonly user: string; readonly password: string }
  readonly settings: ClientSettings
  readonly clock: Clock
  /** Gives connecting up; has no hold on the connection once there is one. */
  readonly signal?: AbortSignal
  /** PEM certificates to trust instead of the well-known ones. */
  readonly ca?: string
  /** The well-known ones and others. */
  readonly authorities?: Authorities
}

export interface Session {
  readonly wire: Wire
  readonly extensions: Extensions
  readonly tls?: string
  readonly tlsVerified?: 'dane' | 'pki'
  readonly localAddress?: string
  /** What the server calls itself. */
  readonly peerName: string
}

interface Hello {
  readonly extensions: Extensions
  readonly peerName: string
}

const GOODBYE = 'QUIT\r\n'
const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/i

export async function openSession(options: ConnectOptions): Promise<Session | ClientFailure> {
  const { target, localAddress, clock, signal } = options
  const wire = new Wire({
    address: target.address,
    port: target.port,
    clock,
    ...(localAddress !== undefined && { localAddress }),
  })
  const giveUp = (): void => {
    wire.fail({ kind: 'timeout', detail: 'connecting was given up' })
  }
  signal?.addEventListener('abort', giveUp)
  if (signal?.aborted) giveUp()
  const hello = await converse(wire, options)
  signal?.removeEventListener('abort', giveUp)
  if ('kind' in hello) {
    wire.part(GOODBYE)
    return hello
  }
  // Remembered here, because a socket that is gone no longer knows.
  const { tls, tlsVerified, localAddress: from } = wire
  return {
    wire,
    ...hello,
    ...(tls !== undefined && { tls }),
    ...(tlsVerified !== undefined && { tlsVerified }),
    ...(from !== undefined && { localAddress: from }),
  }
}

async function converse(wire: Wire, options: ConnectOptions): Promise<Hello | ClientFailure> {
  const { target, settings } = options
  const noConnection = await wire.connected(settings.connectTimeout)
  if (noConnection !== undefined) return noConnection
  if (target.implicitTls) {
    const noTls = await handshake(wire, options)
    if (noTls !== undefined) return noTls
  }
  const banner = await wire.reply(settings.greetingTimeout)
  if ('kind' in banner || banner.code !== 220) return failureOf(banner, 'banner')
  let hello = await sayHello(wire, options, banner)
  if ('kind' in hello) return hello
  if (!target.implicitTls && options.tls !== 'none') {
    const step = await startTls(wire, options, hello)
    if (typeof step === 'object') return step
    // RFC 3207 §4.2: what was learned before is void, ask again.
    if (step === 'secured') hello = await sayHello(wire, options, banner)
    if ('kind' in hello) return hello
  }
  return (await authenticate(wire, options, hello)) ?? hello
}

/** EHLO; HELO where EHLO is refused for good (RFC 5321 §3.2). */
async function sayHello(
  wire: Wire,
  { ehlo, settings }: ConnectOptions,
  banner: SmtpReply,
): Promise<Hello | ClientFailure> {
  const answer = await wire.ask(`EHLO ${ehlo}\r\n`, settings.commandTimeout)
  if ('code' in answer && isOk(answer))
    return { extensions: extensionsOf(answer), peerName: firstWord(answer) || firstWord(banner) }
  if ('kind' in answer || answer.code < 500) return failureOf(answer, 'EHLO')
  const second = await wire.ask(`HELO ${ehlo}\r\n`, settings.commandTimeout)
  if ('code' in second && isOk(second))
    return { extensions: extensionsOf(undefined), peerName: firstWord(second) || firstWord(banner) }
  // A server that hangs up after its 5xx meant it: its words say more than the lost connection.
  return 'kind' in second ? failureOf(answer, 'EHLO') : failureOf(second, 'HELO')
}

async function startTls(
  wire: Wire,
  options: ConnectOptions,
  hello: Hello,
): Promise<'secured' | 'plain' | ClientFailure> {
  const required = options.tls === 'required'
  if (!hello.extensions.startTls) {
    return required ? noTls('the server offers no STARTTLS') : 'plain'
  }
  const answer = await wire.ask('STARTTLS\r\n', options.settings.commandTimeout)
  if ('kind' in answer) return failureOf(answer, 'STARTTLS')
  if (answer.code === 220) return (await handshake(wire, options)) ?? 'secured'
  if (answer.code < 400 || answer.code === 421) return failureOf(answer, 'STARTTLS')
  if (!required) return 'plain'
  const words = `${answer.code} ${answer.lines.join(' ')}`
  return noTls(`STARTTLS was refused: ${words}`)
}

function noTls(detail: string): ClientFailure {
  return { kind: 'tls', detail, command: 'STARTTLS', failure: 'starttls-not-supported' }
}

async function handshake(wire: Wire, options: ConnectOptions): Promise<ClientFailure | undefined> {
  const { target, tls, verify, dane, minVersion, ca, authorities, settings } = options
  const fault = await wire.startTls(
    {
      host: target.host,
      required: tls === 'required',
      verify,
      ...(dane !== undefined && { dane }),
      ...(minVersion !== undefined && { minVersion }),
      ...(ca !== undefined && { ca }),
      ...(authorities !== undefined && { authorities }),
    },
    settings.commandTimeout,
  )
  return fault === undefined ? undefined : { ...fault, command: 'STARTTLS' }
}

async function authenticate(wire: Wire, options: ConnectOptions, hello: Hello): Promise<ClientFailure | undefined> {
  const { auth, target, settings } = options
  if (auth === undefined) return undefined
  if (wire.tls === undefined && !LOOPBACK.test(target.address)) {
    return { kind: 'protocol', detail: 'a password is not sent without TLS', command: 'AUTH' }
  }
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const timeout = settings.commandTimeout
  let answer: SmtpReply | Fault
  if (hello.extensions.auth.includes('PLAIN')) {
    answer = await wire.ask(`AUTH PLAIN ${base64(`\0${auth.user}\0${auth.password}`)}\r\n`, timeout)
  } else if (hello.extensions.auth.includes('LOGIN')) {
    answer = await wire.ask('AUTH LOGIN\r\n', timeout)
    for (const secret of [auth.user, auth.password]) {
      if ('kind' in answer || answer.code !== 334) return failureOf(answer, 'AUTH')
      answer = await wire.ask(`${base64(secret)}\r\n`, timeout)
    }
  } else {
    return { kind: 'protocol', detail: 'the server offers neither AUTH PLAIN nor AUTH LOGIN', command: 'AUTH' }
  }
  return isOk(answer) ? undefined : failureOf(answer, 'AUTH')
}

function firstWord(reply: SmtpReply): string {
  return /^\S{1,255}/.exec(reply.lines[0] ?? '')?.[0] ?? ''
}
