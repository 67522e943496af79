// The envelope of one message as the MAIL and RCPT commands say it, with the parameters that the server understands, and
// what keeps it from being said at all. Pure.
// Invariant: 8-bit content, UTF-8 addresses and oversized messages never go to a server that did not offer to take them.

import { needsSmtpUtf8 } from '../mail/address.ts'
import type { BodyType, DsnMail, DsnRcpt } from '../mail/message.ts'
import type { Extensions } from './client-extensions.ts'
import type { ClientFailure } from './client-wire.ts'

export interface Envelope {
  /** MAIL FROM; '' is the null sender. */
  readonly sender: string
  readonly recipient: string
  /** Bytes of the content before dot-stuffing. */
  readonly sizeBytes: number
  readonly body: BodyType
  readonly smtpUtf8: boolean
  /** Must not go where the server does not promise to demand verified TLS in turn (RFC 8689). */
  readonly requireTls?: boolean
  readonly dsnMail?: DsnMail
  readonly dsnRcpt?: DsnRcpt
}

/** REQUIRETLS support required (RFC 8689 §5). */
export const NO_REQUIRETLS = '5.7.30'

/** Why a server with these extensions cannot be given the message; undefined where it can. */
export function whyImpossible(envelope: Envelope, extensions: Extensions): ClientFailure | undefined {
  if (extensions.size !== undefined && envelope.sizeBytes > extensions.size) {
    const detail = `the message has ${envelope.sizeBytes} bytes, the server takes ${extensions.size}`
    return { kind: 'local', code: '5.3.4', detail }
  }
  if (needsUtf8(envelope) && !extensions.smtpUtf8) {
    return { kind: 'local', code: '5.6.7', detail: 'the server does not take UTF-8 addresses or headers (SMTPUTF8)' }
  }
  if (envelope.body === '8bitmime' && !extensions.eightBitMime) {
    return { kind: 'local', code: '5.6.3', detail: 'the server does not take 8-bit content (8BITMIME)' }
  }
  if (envelope.requireTls && !extensions.requireTls) {
    const detail = 'the server does not promise to demand verified TLS of the next one (REQUIRETLS)'
    return { kind: 'local', code: NO_REQUIRETLS, detail }
  }
  return undefined
}

export function mailCommand(envelope: Envelope, extensions: Extensions): string {
  const { sender, sizeBytes, body, dsnMail } = envelope
  let command = `MAIL FROM:<${sender}>`
  if (extensions.takesSize) command += ` SIZE=${sizeBytes}` // RFC 1870
  if (body === '8bitmime') command += ' BODY=8BITMIME' // RFC 6152
  if (needsUtf8(envelope)) command += ' SMTPUTF8' // RFC 6531
  if (envelope.requireTls) command += ' REQUIRETLS' // RFC 8689
  if (extensions.dsn && dsnMail?.ret !== undefined) command += ` RET=${dsnMail.ret}` // RFC 3461
  if (extensions.dsn && dsnMail?.envid !== undefined) command += ` ENVID=${dsnMail.envid}`
  return command
}

export function rcptCommand({ recipient, dsnRcpt }: Envelope, extensions: Extensions): string {
  let command = `RCPT TO:<${recipient}>`
  if (extensions.dsn && dsnRcpt?.notify?.length) command += ` NOTIFY=${dsnRcpt.notify.join(',')}`
  if (extensions.dsn && dsnRcpt?.orcpt !== undefined) command += ` ORCPT=${dsnRcpt.orcpt}`
  return command
}

function needsUtf8({ sender, recipient, smtpUtf8 }: Envelope): boolean {
  return smtpUtf8 || needsSmtpUtf8(sender) || needsSmtpUtf8(recipient)
}
