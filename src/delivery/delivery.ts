// The contract of delivery: takes an attempt, gives back an outcome, knows nothing of the queue. Everything that crosses
// it can be structured-cloned, so that it runs in this thread or in workers alike.

import type { Settings } from '../config/schema.ts'
import type { Rate } from '../config/units.ts'
import type { Domain, EmailAddress } from '../mail/address.ts'
import type { BodyType, DsnMail, DsnRcpt, TlsWish } from '../mail/message.ts'
import type { Cause, Outcome } from '../mail/outcome.ts'
import type { Effective, Shaping, Sourced } from '../shaping/shaping.ts'
import type { BodyLocation } from '../store/body-reader.ts'
import type { Host } from './destination.ts'
import type { PublishedTls } from './published-tls.ts'

/** One try for one recipient. */
export interface Attempt {
  readonly message: string
  readonly n: number
  readonly attempt: number
  readonly tenant: string
  /** MAIL FROM on the wire: the signed return path or the app's own; '' for the null sender. */
  readonly sender: string
  readonly recipient: EmailAddress
  /** The recipient's domain: what MX is asked for. */
  readonly domain: Domain
  readonly pool: string
  /** Chosen when it was admitted; absent, or no member of the pool any more: delivery chooses. */
  readonly source?: string
  readonly sizeBytes: number
  readonly body: BodyType
  readonly smtpUtf8: boolean
  readonly dsnMail?: DsnMail
  readonly dsnRcpt?: DsnRcpt
  /** What the message asks for by REQUIRETLS or `TLS-Required: No`. */
  readonly tlsWish?: TlsWish
  /** Sent before the body: headers that acceptance added. */
  readonly prefix: string
  /** The whole body when it fits one chunk. */
  readonly content?: Uint8Array
  /** Where a larger one is. Without either, chunks are asked for one by one with ChunkReader. */
  readonly file?: BodyLocation
  readonly chunks: number
}

/** Reads body chunk `index` of a message; undefined when it is gone. */
export type ChunkReader = (message: string, index: number) => Promise<Uint8Array | undefined>

/** A rate that messages to a place count against; limits of one name are one limit. */
export interface RateLimit {
  readonly name: string
  readonly rate: Rate
}

/** Connections that sites share, as far as it decides how many attempts are worth handing over at one time. */
export interface SharedSlots {
  readonly name: string
  readonly slots: number
}

export interface PoolShare {
  readonly pool: string
  readonly slots: number
}

export interface Site {
  readonly kind: 'site'
  readonly site: string
  /** Where attempts stand in line together: the site, or the domain alone where it has limits of its own. */
  readonly line: string
  readonly provider?: string
  /** Attempts it can take at one time over all sources. */
  readonly slots: number
  /** That carry mail now, of all pools: what is under way from others takes no place here. Absent: whichever. */
  readonly sources?: readonly string[]
  /** Of these, what the sources of a pool can take: the tenant's, where none is named. Absent: all share everything. */
  shareOf?(tenant: string, pool?: string): PoolShare
  /** With other sites, over all sources. */
  readonly shared?: SharedSlots
  /** With other sites, for this source by itself. */
  sharedFrom?(source: string): SharedSlots | undefined
  /** Waits between attempts. */
  readonly retry?: readonly number[]
  /** Rates of what leaves from this source: of the path, the provider, the source; the widest first. */
  limits?(source: string): readonly RateLimit[]
  readonly validMs: number
}

/** Where mail for a domain goes. */
export type Location =
  | Site
  /** DNS or policy speaks against the domain; the outcome that every attempt would have. */
  | {
      readonly kind: 'nowhere'
      readonly outcome: Extract<Outcome, { kind: 'deferred' | 'failed' }>
      readonly validMs: number
    }

/** All that is known of how mail for a domain would go. */
export type Resolution = { readonly domain: Domain; readonly routed: boolean } & (
  | { readonly kind: 'nowhere'; readonly outcome: Extract<Outcome, { kind: 'deferred' | 'failed' }> }
  | {
      readonly kind: 'site'
      readonly site: string
      readonly provider?: string
      readonly hosts: readonly Host[]
      readonly port: number
      /** One for each source that mail may leave from. */
      readonly paths: readonly ResolvedPath[]
    }
)

export interface ResolvedPath {
  readonly source: string
  readonly pools: readonly string[]
  readonly effective: Effective
  /** Over all its paths. */
  readonly sourceRate?: Sourced<Rate>
  /** Set by the route, whatever the shaping says. */
  readonly route?: { readonly connections?: number; readonly tls: string }
  /** What the domain publishes, by host; absent where it demands nothing. */
  readonly published?: readonly PublishedTls[]
  /** What a [[tls_policy]] says of the domain, whatever the shaping says. */
  readonly tlsPolicy?: string
}

export interface Delivery {
  locate(domain: Domain): Promise<Location>
  /** As locate, with every value and where it comes from, for people. */
  resolve(domain: Domain): Promise<Resolution>
  /**
   * Which source of those that may send a message leaves from; undefined when its pool has none (or all of them rest).
   * Always the same one, for as long as it may.
   */
  sourceOf(pool: string, message: string, may?: (source: string) => boolean): string | undefined
  /** The sources of a pool that carry mail now: not suspended, and with an address that this machine has. */
  sourcesOf(pool: string): readonly string[]
  /** These carry no mail: an operator says so. */
  rest(sources: ReadonlySet<string>): void
  /** Never rejects: what goes wrong is an outcome, an error of our own is `deferred` with cause `local` 4.3.0. */
  deliver(attempt: Attempt): Promise<Outcome>
  /** Whether the address of a recipient domain is known to refuse all mail (null MX), from cache only; no I/O. */
  knownNullMx(domain: Domain): Cause | undefined
  /** What binds where, for `studs top` and `queue summary`. */
  paths(): Promise<readonly PathStatus[]>
  /** Takes over changed settings for the attempts to come; a changed number of workers waits for the next start. */
  reconfigure(settings: Settings, shaping?: Shaping): void
  /** Lets attempts under way end within `graceMs`; gives the others back as `returned`. */
  close(graceMs: number): Promise<void>
}

export interface PathStatus {
  readonly source: string
  readonly site: string
  /** The path is this domain's alone. */
  readonly domain?: string
  readonly connections: number
  readonly idle: number
  readonly active: number
  readonly queued: number
}
