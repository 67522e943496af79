// TLS on an outbound connection: what is demanded of the server, and how the result is named in records.

import { isIP, type Socket } from 'node:net'
import { connect, DEFAULT_CIPHERS, TLSSocket } from 'node:tls'

export interface TlsDemand {
  /** Name or address that the certificate is checked against. */
  readonly host: string
  readonly required: boolean
  /** With required: chain and name are checked. */
  readonly verify: boolean
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string
}

/** Begins a handshake on a connected socket; the result says `secureConnect` or `error`. */
export function secure(plain: Socket, { host, required, verify, ca }: TlsDemand): TLSSocket {
  return connect({
    socket: plain,
    host,
    ...(isIP(host) === 0 && { servername: host }), // RFC 6066 §3: no addresses in SNI
    ...(ca !== undefined && { ca }),
    rejectUnauthorized: required && verify,
    // RFC 7435: where plaintext would be the alternative, weak TLS is better than none.
    ...(required ? { minVersion: 'TLSv1.2' } : { minVersion: 'TLSv1', ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` }),
  })
}

/** Why a handshake failed, in few words. Names in the server's certificate may be in them, so they are made safe. */
export function handshakeProblem(error: Error & { readonly reason?: string }): string {
  const words = error.reason ?? error.message.split(/[;\n]/, 1)[0] ?? ''
  return words.replace(/[^\x20-\x7e]/g, '?').slice(0, 300)
}

/** `TLSv1.3 TLS_AES_256_GCM_SHA384`; undefined in plaintext. */
export function tlsName(socket: Socket): string | undefined {
  return socket instanceof TLSSocket ? `${socket.getProtocol()} ${socket.getCipher().name}` : undefined
}
