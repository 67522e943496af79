// Where mail for a domain goes, as plain data: what mx.ts finds out and deliver.ts follows. It crosses to worker threads.

import type { TlsWish } from '../mail/message.ts'
import type { Cause, Outcome, TlsFailure } from '../mail/outcome.ts'
import type { HostTls, MinVersion } from './tls-demand.ts'

export interface TlsTrouble {
  readonly detail: string
  readonly failure: TlsFailure
}

/** A host that may take the mail. */
export interface Host {
  /** Host name (or address literal); what TLS verifies and records show. */
  readonly name: string
  /** MX preference: lower ones first, equal ones in random order (RFC 5321 §5.1). */
  readonly preference: number
  /** IPv6 first. Every one has passed the address policy. */
  readonly addresses: readonly string[]
  /** What the recipient's domain demands beyond the destination's own `tls`. */
  readonly tls?: HostTls
  /** Whether the domain's MTA-STS policy names the host; absent where there is none. */
  readonly isInPolicy?: boolean
}

export interface Destination {
  readonly site: string
  readonly hosts: readonly Host[]
  readonly port: number
  readonly implicitTls: boolean
  readonly tls: 'opportunistic' | 'required' | 'none'
  /** Whether the certificate must carry the host's name. */
  readonly verify: boolean
  readonly minVersion?: MinVersion
  /** Names what the recipient's domain demands of the hosts; absent where it demands nothing. */
  readonly security?: string
  /** Who vouches for the names of the hosts; absent where anybody may have put them into DNS. */
  readonly vouched?: 'dnssec' | 'mta-sts' | 'config'
  /** Why the domain's own demands on TLS could not be found out, if they could not. */
  readonly securityTrouble?: TlsTrouble
  /** The MTA-STS policy of the recipient's domain, also one that is only being tried. */
  readonly sts?: { readonly mode: 'enforce' | 'testing'; readonly mx: readonly string[]; readonly maxAgeS: number }
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

/** Connections are shared only by attempts that would open them alike: same next hop, same demands on TLS, same user. */
export function connectionKind(destination: Destination, wish?: TlsWish): string {
  const { port, implicitTls, tls, verify, minVersion, security, auth } = destination
  return [port, implicitTls, tls, verify, minVersion, security, wish, auth?.user].map((part) => part ?? '').join(' ')
}

/** What is remembered of a host (no TLS, no answer) is remembered of one port of it: another may be another server. */
export function endpoint(address: string, { port }: Pick<Destination, 'port'>): string {
  return `${address} ${port}`
}
