// TLS on an outbound connection: what is demanded of the server, whether it is met, and how the result is named in records.

import { isIP, type Socket } from 'node:net'
import {
  connect,
  createSecureContext,
  DEFAULT_CIPHERS,
  rootCertificates,
  type SecureContext,
  type SecureContextOptions,
  TLSSocket,
} from 'node:tls'
import type { TlsFailure } from '../mail/outcome.ts'
import type { EpochMs } from '../util/clock.ts'
import { daneMismatch, type Mismatch } from './dane-verify.ts'
import type { DaneDemand, MinVersion } from './tls-demand.ts'

export interface TlsDemand {
  /** Name or address that the certificate is checked against. */
  readonly host: string
  readonly required: boolean
  /** With required: chain and name are checked. */
  readonly verify: boolean
  /** With required: instead of chain and name, what the certificate is held against. */
  readonly dane?: DaneDemand
  readonly minVersion?: MinVersion
  /** PEM certificates to trust instead of the well-known ones. */
  readonly ca?: string
  readonly authorities?: Authorities
}

/** Begins a handshake on a connected socket; the result says `secureConnect` or `error`. */
export function secure(
  plain: Socket,
  { host, required, verify, dane, minVersion, ca, authorities }: TlsDemand,
): TLSSocket {
  // RFC 7435: where plaintext would be the alternative, weak TLS is better than none.
  const limits: SecureContextOptions = required
    ? { minVersion: minVersion ?? 'TLSv1.2' }
    : { minVersion: 'TLSv1', ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` }
  const name = dane?.base ?? host // RFC 7672 §8.1
  return connect({
    socket: plain,
    host: name,
    ...(isIP(name) === 0 && { servername: name }), // RFC 6066 §3: no addresses in SNI
    ...(authorities === undefined ? limits : { secureContext: authorities.context(limits) }),
    ...(ca !== undefined && { ca }),
    rejectUnauthorized: required && verify && dane === undefined,
  })
}

/** The well-known authorities and the operator's; contexts are kept, because reading them all takes milliseconds. */
export class Authorities {
  readonly #certificates: readonly string[]
  readonly #contexts = new Map<string, SecureContext>()

  constructor(pem: string) {
    this.#certificates = [...rootCertificates, pem]
  }

  get certificates(): readonly string[] {
    return this.#certificates
  }

  context(limits: SecureContextOptions): SecureContext {
    const key = `${limits.minVersion} ${limits.ciphers ?? ''}`
    const made = this.#contexts.get(key) ?? createSecureContext({ ...limits, ca: [...this.#certificates] })
    this.#contexts.set(key, made)
    return made
  }
}

/** After the handshake: what is wrong with the server although TLS itself took no offence. */
export function mismatchOf(socket: TLSSocket, { dane }: TlsDemand, now: EpochMs): Mismatch | undefined {
  return dane === undefined ? undefined : daneMismatch(socket.getPeerCertificate(true), dane, now)
}

/** By what the certificate was verified. */
export function verifiedBy(socket: TLSSocket, { dane }: TlsDemand): 'dane' | 'pki' | undefined {
  if (dane !== undefined) return 'dane'
  // What TLS 1.0 vouches for is worth nothing.
  const isModern = socket.getProtocol() === 'TLSv1.2' || socket.getProtocol() === 'TLSv1.3'
  return socket.authorized && isModern ? 'pki' : undefined
}

/** Why a handshake failed, in few words. Names in the server's certificate may be in them, so they are made safe. */
export function handshakeProblem(error: Error & { readonly reason?: string }): string {
  const words = error.reason ?? error.message.split(/[;\n]/, 1)[0] ?? ''
  return words.replace(/[^\x20-\x7e]/g, '?').slice(0, 300)
}

const FAILURES: Readonly<Record<string, TlsFailure>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-host-mismatch',
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-not-trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate-not-trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate-not-trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate-not-trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate-not-trusted',
  CERT_UNTRUSTED: 'certificate-not-trusted',
}

export function handshakeFailure(error: NodeJS.ErrnoException): TlsFailure {
  return FAILURES[error.code ?? ''] ?? 'validation-failure'
}

/** `TLSv1.3 TLS_AES_256_GCM_SHA384`; undefined in plaintext. */
export function tlsName(socket: Socket): string | undefined {
  return socket instanceof TLSSocket ? `${socket.getProtocol()} ${socket.getCipher().name}` : undefined
}
