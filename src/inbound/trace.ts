// The header lines that acceptance writes: Received (RFC 5321 §4.4), and Message-ID and Date where the app gave none
// (RFC 6409 §8 lets a submission server add both).

import { type EpochMs, SECOND } from '../util/clock.ts'

export interface Hop {
  readonly id: string
  readonly hostname: string
  readonly helo: string
  readonly address: string
  readonly protocol: string
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; absent on a plaintext connection. */
  readonly tls?: string
  readonly at: EpochMs
}

export function receivedHeader({ id, hostname, helo, address, protocol, tls, at }: Hop): string {
  const literal = address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
  const secured = tls === undefined ? '' : `\r\n\t(using ${tls})`
  return `Received: from ${traceName(helo)} (${literal})${secured}\r\n\tby ${hostname} with ${protocol} id ${id};\r\n\t${mailDate(at)}\r\n`
}

export const messageIdHeader = (messageId: string): string => `Message-ID: ${messageId}\r\n`
export const dateHeader = (at: EpochMs): string => `Date: ${mailDate(at)}\r\n`

/** RFC 3848 and RFC 6531 §4.3: the `with` keyword. */
export function withProtocol(session: { esmtp: boolean; tls: boolean; auth: boolean; utf8: boolean }): string {
  if (!session.esmtp) return 'SMTP'
  return `${session.utf8 ? 'UTF8SMTP' : 'ESMTP'}${session.tls ? 'S' : ''}${session.auth ? 'A' : ''}`
}

// The name a client gives is anybody's text; what is no host name would break the header's grammar.
const traceName = (helo: string): string => (/^[A-Za-z0-9._:[\]-]{1,255}$/.test(helo) ? helo : 'unknown')

let lastSecond = -1
let lastDate = ''

/** RFC 5322 §3.3. Every message has one or two, and they change once a second. */
function mailDate(at: EpochMs): string {
  const second = Math.floor(at / SECOND)
  if (second !== lastSecond) {
    lastSecond = second
    lastDate = new Date(at).toUTCString().replace('GMT', '+0000')
  }
  return lastDate
}
