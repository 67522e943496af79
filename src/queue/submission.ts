// What submission hands to the queue. The queue answers with durable acceptance or an exception (StoreError).

import type { Domain, EmailAddress } from '../mail/address.ts'
import type { DsnRcpt, Message } from '../mail/message.ts'
import type { Suppression } from '../suppression/suppression.ts'

export interface SubmittedRecipient {
  readonly address: EmailAddress
  readonly domain: Domain
  readonly dsn?: DsnRcpt
  /** The suppression found at RCPT, if any: the recipient is accepted, recorded and not relayed. */
  readonly suppressed?: Suppression
}

/** A body on its way in: a large one is written as it comes, a small one with its message. */
export interface BodyWriter {
  readonly id: string
  /** Takes the next bytes (the buffer is owned by the writer from now on); resolves when more may come. */
  write(bytes: Buffer): Promise<void>
  /** Forgets the body; what was stored of it is removed. */
  discard(): Promise<void>
}

/** Everything known at the final dot; the queue adds id, recipients, chunks and times. */
export type Submitted = Omit<Message, 'id' | 'recipients' | 'chunks' | 'receivedAt'> & {
  readonly to: readonly SubmittedRecipient[]
  /** X-Studs-Send-At: not before this time. */
  readonly sendAt?: number
}

export interface Accepted {
  readonly id: string
  /** The same idempotency key was used within 24 h: nothing was stored, this is the id of then. */
  readonly duplicate: boolean
}

export interface Acceptor {
  openBody(): BodyWriter
  /** Durable when it resolves: only then may 250 be said. Rejects with StoreError. */
  accept(body: BodyWriter, submitted: Submitted): Promise<Accepted>
  /** Whether a tenant may queue `count` more recipients (tenant.max_queued). */
  mayQueue(tenant: string, count: number): boolean
}
