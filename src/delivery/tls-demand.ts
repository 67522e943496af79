// What is demanded of TLS with one host, as plain data: it crosses to worker threads. The vocabulary of everything that
// decides about TLS (tls-policies.ts, dane.ts, mta-sts.ts) and of what carries it out (client-tls.ts).

import type { TlsFailure } from '../mail/outcome.ts'

export type MinVersion = 'TLSv1.2' | 'TLSv1.3'

/** One TLSA record (RFC 6698 §2.1). */
export interface Tlsa {
  readonly usage: number
  readonly selector: number
  readonly matching: number
  /** In hexadecimal digits, lower case. */
  readonly data: string
}

/** How a server is authenticated by DANE (RFC 7672). */
export interface DaneDemand {
  /** Only usable ones, at least one. */
  readonly records: readonly Tlsa[]
  /** Where the records were found: said in SNI (RFC 7672 §8.1). */
  readonly base: string
  /** Names that a certificate under DANE-TA(2) may have (RFC 7672 §3.2.2). */
  readonly names: readonly string[]
}

/** What the recipient's domain demands of one of its hosts; absent where it demands nothing. */
export type HostTls =
  | { readonly by: 'dane'; readonly dane: DaneDemand }
  /** Records that nobody can use: TLS all the same, with whatever certificate (RFC 7672 §2.2). */
  | { readonly by: 'dane-unusable' }
  /** Chain and name are checked. */
  | { readonly by: 'mta-sts' }
  /** The host must not get the mail now: its TLSA records cannot be had, or the policy does not name it. */
  | { readonly by: 'refused'; readonly detail: string; readonly failure: TlsFailure }

/** What deliver.ts asks of the client for one host. */
export type HostDemand =
  | {
      readonly mode: 'opportunistic' | 'required' | 'none'
      /** With required: chain and name are checked, unless `dane` says how else. */
      readonly verify: boolean
      readonly minVersion?: MinVersion
      readonly dane?: DaneDemand
      /** Who demands it; what a verified certificate counts for in records. */
      readonly by: 'config' | 'dane' | 'mta-sts'
    }
  | Extract<HostTls, { readonly by: 'refused' }>

export type Refused = Extract<HostTls, { readonly by: 'refused' }>

export type Open = Exclude<HostDemand, Refused>
