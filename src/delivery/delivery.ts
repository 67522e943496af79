// The contract of delivery: takes an attempt, gives back an outcome, knows nothing of the queue. Everything that crosses
// it can be structured-cloned, so that it runs in this thread or in workers alike.

import type { Settings } from '../config/schema.ts'
import type { Domain, EmailAddress } from '../mail/address.ts'
import type { BodyType, DsnMail, DsnRcpt, TlsWish } from '../mail/message.ts'
import type { Cause, Outcome } from '../mail/outcome.ts'
import type { BodyLocation } from '../store/body-reader.ts'

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

/** Where mail for a domain goes. `slots`: attempts the site can take at one time over all sources. */
export type Location =
  | { readonly kind: 'site'; readonly site: string; readonly slots: number; readonly validMs: number }
  /** DNS or policy speaks against the domain; the outcome that every attempt would have. */
  | {
      readonly kind: 'nowhere'
      readonly outcome: Extract<Outcome, { kind: 'deferred' | 'failed' }>
      readonly validMs: number
    }

export interface Delivery {
  locate(domain: Domain): Promise<Location>
  /** Never rejects: what goes wrong is an outcome, an error of our own is `deferred` with cause `local` 4.3.0. */
  deliver(attempt: Attempt): Promise<Outcome>
  /** Whether the address of a recipient domain is known to refuse all mail (null MX), from cache only; no I/O. */
  knownNullMx(domain: Domain): Cause | undefined
  /** What binds where, for `studs top` and `queue summary`. */
  paths(): Promise<readonly PathStatus[]>
  /** Takes over changed settings for the attempts to come; a changed number of workers waits for the next start. */
  reconfigure(settings: Settings): void
  /** Lets attempts under way end within `graceMs`; gives the others back as `returned`. */
  close(graceMs: number): Promise<void>
}

export interface PathStatus {
  readonly source: string
  readonly site: string
  readonly connections: number
  readonly idle: number
  readonly active: number
  readonly queued: number
}
