// EHLO and HELO: the name a client gives itself, and what we offer it.

import type { ListenerSettings } from '../config/schema.ts'

// RFC 5321 §4.5.3.1.2.
const MAX_NAME = 255

/** The argument of EHLO or HELO; undefined unless there is exactly one word of printable ASCII. */
export function helloName(command: Buffer): string | undefined {
  const [, name, rest] = command.toString('latin1').trim().split(/\s+/)
  if (name === undefined || rest !== undefined || name.length > MAX_NAME) return undefined
  return /^[\x21-\x7e]+$/.test(name) ? name : undefined
}

interface Offer {
  readonly listener: ListenerSettings
  readonly maxSize: number
  readonly isSecure: boolean
  readonly isAuthenticated: boolean
}

/** RFC 5321 §4.1.1.1: the keywords behind the greeting line. AUTH and REQUIRETLS are offered under TLS only. */
export function features({ listener, maxSize, isSecure, isAuthenticated }: Offer): string[] {
  return [
    'PIPELINING',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'DSN',
    // RFC 8689 §2: under TLS only, or it would be a promise that nothing keeps.
    ...(isSecure ? ['REQUIRETLS'] : []),
    `SIZE ${maxSize}`,
    ...(listener.tls === 'starttls' && !isSecure ? ['STARTTLS'] : []),
    ...(listener.auth !== 'none' && isSecure && !isAuthenticated ? ['AUTH PLAIN LOGIN'] : []),
  ]
}
