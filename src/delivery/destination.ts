// Where mail for a domain goes, as plain data: what mx.ts finds out and deliver.ts follows. It crosses to worker threads.

import type { Cause, Outcome } from '../mail/outcome.ts'

/** A host that may take the mail. */
export interface Host {
  /** Host name (or address literal); what TLS verifies and records show. */
  readonly name: string
  /** MX preference: lower ones first, equal ones in random order (RFC 5321 §5.1). */
  readonly preference: number
  /** IPv6 first. Every one has passed the address policy. */
  readonly addresses: readonly string[]
}

export interface Destination {
  readonly site: string
  readonly hosts: readonly Host[]
  readonly port: number
  readonly implicitTls: boolean
  readonly tls: 'opportunistic' | 'required' | 'none'
  /** Whether the certificate must carry the host's name. */
  readonly verify: boolean
  readonly auth?: { readonly user: string; readonly password: string }
  /** Connections per source. */
  readonly connections: number
}

export type Found =
  | { readonly kind: 'destination'; readonly destination: Destination }
  /** No attempt would get anywhere; the outcome that each would have. */
  | { readonly kind: 'nowhere'; readonly outcome: Extract<Outcome, { kind: 'deferred' | 'failed' }> }

export function nowhere(kind: 'deferred' | 'failed', cause: Cause): Found {
  return { kind: 'nowhere', outcome: { kind, cause } }
}

/** Connections are shared only by attempts that would open them alike: same next hop, same TLS, same user. */
export function connectionKind(destination: Destination): string {
  const { port, implicitTls, tls, verify, auth } = destination
  return `${port} ${implicitTls} ${tls} ${verify} ${auth?.user ?? ''}`
}

/** What is remembered of a host (no TLS, no answer) is remembered of one port of it: another may be another server. */
export function endpoint(address: string, { port }: Pick<Destination, 'port'>): string {
  return `${address} ${port}`
}
