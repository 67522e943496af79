// What the pretend internet of a relay in sandbox mode took: its inbox, for people and scripts that try the relay out.

import { z } from 'zod'
import type { EpochMs } from '../util/clock.ts'
import { checked } from './input.ts'
import { OperationError } from './problem.ts'
import { toWire, type Wire } from './wire.ts'

/** A message as the sandbox keeps it. */
export interface KeptMail {
  /** Sequence number of the delivery, from 1. */
  readonly id: number
  readonly receivedAt: EpochMs
  readonly helo: string
  readonly tls?: string
  readonly sender: string
  readonly recipients: readonly string[]
  readonly sizeBytes: number
  /** The beginning. */
  readonly raw: Buffer
  readonly truncated: boolean
}

export const inboxQuery = z.strictObject({
  to: z.string().min(1).max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
})

type Listed = Wire<Omit<KeptMail, 'raw'>>
export interface InboxMail extends Listed {
  /** Bytes that are no UTF-8 are replaced. */
  readonly raw: string
}

export interface InboxOperations {
  /** Newest first. Only in sandbox mode. */
  inbox(query: z.input<typeof inboxQuery>): Promise<readonly Listed[]>
  /** Undefined when it is not kept (any more). */
  inboxMail(id: number): Promise<InboxMail | undefined>
}

/** `mails`: oldest first; absent, or undefined: there is no sandbox. */
export function inboxOperations(mails?: () => readonly KeptMail[] | undefined): InboxOperations {
  const kept = (): readonly KeptMail[] => {
    const all = mails?.()
    if (all !== undefined) return all
    throw new OperationError(
      'unavailable',
      'There is no sandbox: the relay is stopped, or delivery.mode is not "sandbox".',
    )
  }
  return {
    inbox: async (query) => {
      const { to, limit } = checked(inboxQuery, query)
      const wanted = to?.toLowerCase()
      return kept()
        .filter(({ recipients }) => wanted === undefined || recipients.some((each) => each.toLowerCase() === wanted))
        .toReversed()
        .slice(0, limit)
        .map(({ raw: _, ...listed }) => toWire(listed))
    },
    inboxMail: async (id) => {
      const mail = kept().find((each) => each.id === id)
      if (mail === undefined) return undefined
      const { raw, ...listed } = mail
      return { ...toWire(listed), raw: raw.toString('utf8') }
    },
  }
}
