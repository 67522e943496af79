// What the reader of a mailbox tells the outside world, one function per event, and how that stands in the log. Passwords
// and mails are never passed.

import type { Logger } from '../observe/logger.ts'

export interface MailboxEvents {
  connected(event: { readonly mailbox: string; readonly host: string; readonly folder: string }): void
  /** Said when it begins and when the reason changes, not at every try. */
  failed(event: { readonly mailbox: string; readonly error: string; readonly retryMs: number }): void
  taken(event: {
    readonly mailbox: string
    readonly uid: number
    readonly report: string
    readonly kind: string
    /** Ordinary mail is left as it is. */
    readonly isLeft: boolean
  }): void
  /** The server would not give it, three times. */
  skipped(event: { readonly mailbox: string; readonly uid: number; readonly error: string }): void
  /** It counts, but the server would not mark, delete or move it. */
  notMarked(event: { readonly mailbox: string; readonly uid: number; readonly done: string }): void
}

export function logMailboxEvents(logger: Logger): MailboxEvents {
  return {
    connected: (event) => logger.info({ event: 'mailbox-connected', ...event }),
    failed: (event) => logger.error({ event: 'mailbox-failed', ...event }),
    taken: (event) => logger.debug({ event: 'mailbox-taken', ...event }),
    skipped: (event) => logger.error({ event: 'mailbox-skipped', ...event }),
    notMarked: (event) => logger.warn({ event: 'mailbox-not-marked', ...event }),
  }
}
