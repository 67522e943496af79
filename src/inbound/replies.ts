// Everything our listeners say in their own words, in one table: code, enhanced code (RFC 3463) and a sentence that tells
// the person behind the client what to do. Texts that smtp-server says itself are the exception (see listener-session.ts).

import type { EpochMs } from '../util/clock.ts'

export interface Reply {
  readonly code: number
  /** Begins with the enhanced code. */
  readonly text: string
}

const reply = (code: number, text: string): Reply => ({ code, text })

export const REPLY = {
  // The session
  tooManyFromAddress: reply(421, '4.7.0 too many connections from your address'),
  tooManyConnections: reply(421, '4.3.2 too many connections, try again later'),
  shuttingDown: reply(421, '4.3.2 shutting down, try again later'),
  tooManyErrors: reply(421, '4.7.0 too many errors'),
  tooManyJunkCommands: reply(421, '4.7.0 too many commands without a message'),
  tooManyMessages: reply(421, '4.3.2 enough messages for one connection, please reconnect'),
  tlsTooLate: reply(421, '4.4.2 the TLS handshake took too long'),
  authTooLate: reply(421, '4.4.2 no authentication in time'),
  transactionTooLong: reply(421, '4.4.2 the transaction took too long'),
  dataTooSlow: reply(421, '4.4.2 message data arrives too slowly'),
  heloSyntax: reply(501, '5.5.4 expected one host name or address literal'),
  notImplemented: reply(502, '5.5.1 command not implemented'),
  // AUTH
  authInTransaction: reply(503, '5.5.1 AUTH is not allowed during a mail transaction'),
  authNeedsTls: reply(538, '5.7.11 encryption is required for AUTH: use STARTTLS first'),
  authNotHere: reply(503, '5.5.1 AUTH is not offered here'),
  authRefused: reply(535, '5.7.8 authentication failed'),
  authThrottled: reply(454, '4.7.0 too many failed authentications, try again later'),
  // MAIL
  // RFC 8689 §4.1: the demand itself must not have come in the clear.
  requireTlsNeedsTls: reply(530, '5.7.10 REQUIRETLS needs TLS'),
  authRequired: reply(530, '5.7.0 authentication required'),
  notTrusted: reply(550, '5.7.1 your address is in none of the trusted networks of this listener'),
  nestedMail: reply(503, '5.5.1 a mail transaction is already open'),
  mailSyntax: reply(501, '5.5.4 expected MAIL FROM:<address>'),
  senderSyntax: reply(501, '5.1.7 not a valid sender address'),
  tooBig: reply(552, '5.3.4 the message is larger than this server accepts'),
  quota: reply(452, '4.3.1 too many recipients of this tenant are waiting, try again later'),
  paused: reply(452, '4.3.1 no room for more mail at the moment, try again later'),
  needsSmtpUtf8: reply(553, '5.6.7 the address needs SMTPUTF8, which MAIL did not ask for'),
  // RCPT
  needMail: reply(503, '5.5.1 MAIL first'),
  rcptSyntax: reply(501, '5.5.4 expected RCPT TO:<address>'),
  recipientSyntax: reply(501, '5.1.3 not a valid recipient address'),
  tooManyRecipients: reply(452, '4.5.3 too many recipients for one message'),
  nullMx: reply(550, '5.1.10 the recipient domain accepts no mail (null MX)'),
  // DATA and the dot
  needRcpt: reply(503, '5.5.1 no valid recipient'),
  nul: reply(554, '5.6.0 the message contains a NUL byte'),
  headTooBig: reply(552, '5.3.4 the header section is too large'),
  loop: reply(554, '5.4.6 too many Received headers: this message is in a loop'),
  allSuppressed: reply(550, '5.7.1 every recipient is suppressed'),
  noRoom: reply(452, '4.3.1 no room for the message at the moment, try again later'),
  ourFault: reply(451, '4.3.0 temporary local problem, try again later'),
  // Reports that come back
  unknownAddress: reply(550, '5.1.1 no such address: it was never valid, or its time is over'),
  relayDenied: reply(550, '5.7.1 relaying denied: only reports about mail sent from here are taken'),
  enoughReports: reply(550, '5.7.1 there are enough reports about this recipient'),
  reportRate: reply(450, '4.7.1 too many reports from your address, try again later'),
  tooManyBadRecipients: reply(421, '4.7.0 too many refused recipients'),
  bareLineEnd: reply(521, '5.5.2 bare CR or LF in the message: lines must end in CRLF'),
  // Fine
  bye: reply(221, '2.0.0 Bye'),
  mailOk: reply(250, '2.1.0 sender ok'),
  rcptOk: reply(250, '2.1.5 recipient ok'),
} as const satisfies Record<string, Reply>

/** A parameter of MAIL or RCPT that is malformed (501) or unknown here (555); RFC 5321 §4.1.1.11. */
export const badParameter = (sentence: string): Reply => reply(501, `5.5.4 ${sentence}`)
export const unknownParameter = (keyword: string): Reply => reply(555, `5.5.4 parameter ${keyword} is not supported`)

export const senderNotAllowed = (tenant: string, domain: string): Reply =>
  reply(550, `5.7.1 sender domain ${domain} is not allowed for tenant ${tenant}`)

export const fromNotAllowed = (tenant: string, domain: string): Reply =>
  reply(550, `5.7.1 From: domain ${domain} is not allowed for tenant ${tenant}`)

export const badHeader = (header: string, sentence: string): Reply => reply(554, `5.6.0 ${header}: ${sentence}`)

export const poolNotAllowed = (header: string, pool: string): Reply =>
  reply(550, `5.7.1 ${header}: there is no pool "${pool}" for this tenant`)

export const recipientSuppressed = (reason: string, since: EpochMs): Reply =>
  reply(550, `5.7.1 recipient is suppressed: ${reason} since ${new Date(since).toISOString().slice(0, 10)}`)

export const queuedAs = (id: string): Reply => reply(250, `2.0.0 queued as ${id}`)

export const takenAs = (ids: readonly string[]): Reply => reply(250, `2.0.0 taken as ${ids.join(' ')}`)
