// What went wrong with a mailbox, in one sentence with its cure: from the errors of the IMAP library and of sockets. Pure.

import type { MailboxSettings } from '../config/schema.ts'
import { StoreError } from '../store/store.ts'

/** `credentials`: trying again soon would lock the account or get us banned; somebody must change something. */
export interface Trouble {
  readonly kind: 'credentials' | 'other'
  readonly text: string
}

/** Something we found ourselves, already in words for people. */
export class MailboxError extends Error {
  override readonly name = 'MailboxError'
  readonly code = 'mailbox'
}

/** The properties that the library and Node put on errors. */
interface ImapError extends Error {
  readonly code?: string
  readonly authenticationFailed?: boolean
  readonly serverResponseCode?: string
  readonly responseStatus?: string
  readonly responseText?: string
  /** The server's words, for a failed login. */
  readonly response?: unknown
  /** Of a server that said BYE. */
  readonly reason?: string
}

// RFC 5530 §3: the server is at fault, or busy; the password may be right.
const NOT_THE_PASSWORD = new Set(['UNAVAILABLE', 'INUSE', 'LIMIT', 'SERVERBUG', 'CONTACTADMIN'])
const CERTIFICATE = /^(?:ERR_TLS_CERT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/

type Place = Pick<MailboxSettings, 'name' | 'host' | 'port' | 'tls'>

const silent = ({ host, port }: Place): string =>
  `${host}:${port} does not answer; correct host and port, or let connections out to it (firewall)`
const unknown = ({ name, host }: Place): string =>
  `the name ${host} is not known to DNS; correct host of [[mailbox]] "${name}"`
const closed = ({ host, port, tls }: Place): string =>
  `${host}:${port}: nobody listens there; IMAP is on port ${USUAL_PORT[tls]} with tls = "${tls}"; correct host, port or tls`

const USUAL_PORT: Readonly<Record<MailboxSettings['tls'], number>> = { implicit: 993, starttls: 143, none: 143 }

/** Before the server has said anything. */
const CONNECTION: Readonly<Record<string, (place: Place) => string>> = {
  ECONNREFUSED: closed,
  ENOTFOUND: unknown,
  EAI_AGAIN: ({ host }) =>
    `the name ${host} cannot be looked up at the moment; if that lasts, mend the resolver of this machine`,
  ETIMEDOUT: silent,
  CONNECT_TIMEOUT: silent,
  EHOSTUNREACH: silent,
  ENETUNREACH: silent,
}

export function troubleOf(error: unknown, { name, host, port, user, tls }: MailboxSettings): Trouble {
  const place = `${host}:${port}`
  if (!(error instanceof Error)) return { kind: 'other', text: `${place}: ${String(error)}` }
  if (error instanceof MailboxError || error instanceof StoreError) return { kind: 'other', text: error.message }
  const failure = error as ImapError
  const { code = '', message } = failure
  if (isRefusal(failure)) {
    const words = typeof failure.response === 'string' ? failure.response : message
    const cure = `correct user and password of [[mailbox]] "${name}" (some providers want an app password) and reload`
    return { kind: 'credentials', text: `${place} refuses the login of ${user}: "${words}"; ${cure}` }
  }
  if (CERTIFICATE.test(code)) {
    const cure = 'write the host name that is in the certificate, or add its authority to NODE_EXTRA_CA_CERTS'
    return { kind: 'other', text: `${place}: the certificate is not trusted (${message}); ${cure}` }
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'GREETING_TIMEOUT') {
    const other = tls === 'implicit' ? 'starttls' : 'implicit'
    const met = code === 'GREETING_TIMEOUT' ? 'no IMAP greeting' : 'no TLS from the first byte'
    const cure = `if this port speaks the other kind of TLS, set tls = "${other}"`
    return { kind: 'other', text: `${place}: ${met}; ${cure}` }
  }
  const cause = CONNECTION[code]
  if (cause !== undefined) return { kind: 'other', text: cause({ name, host, port, tls }) }
  const words = failure.responseText ?? failure.reason
  return { kind: 'other', text: `${place}: ${message}${words === undefined ? '' : ` ("${words}")`}` }
}

/** The library calls every end of a login a refused one, a lost connection too. */
function isRefusal({ authenticationFailed, serverResponseCode = '', responseStatus }: ImapError): boolean {
  return authenticationFailed === true && responseStatus === 'NO' && !NOT_THE_PASSWORD.has(serverResponseCode)
}
