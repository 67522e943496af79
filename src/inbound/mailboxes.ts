// All mailboxes that are read for reports: one reader each, started, changed and stopped with the settings.

import type { Settings } from '../config/schema.ts'
import type { ReportDesk } from '../reports/desk.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'
import type { MailboxEvents } from './mailbox-events.ts'
import { MailboxReader, type MailboxStatus } from './mailbox-reader.ts'

export type { MailboxStatus } from './mailbox-reader.ts'

export interface MailboxesParts {
  readonly settings: () => Pick<Settings, 'mailbox' | 'bounce'>
  readonly take: ReportDesk['take']
  /** Where it is noted how far each folder has been read. */
  readonly store: Store
  readonly clock: Clock
  readonly events: MailboxEvents
  /** Certificates (PEM) trusted besides those of the system. */
  readonly authorities?: readonly string[]
}

export interface Mailboxes {
  /** Returns at once: a server that cannot be reached keeps nobody from starting. */
  start(): void
  /** Begins what is new, ends what is gone or changed; the others go on undisturbed. Resolves when it is so. */
  reconfigure(): Promise<void>
  /** What is being recorded may end within `graceMs`. */
  stop(graceMs: number): Promise<void>
  /** In the order of the settings. */
  status(): readonly MailboxStatus[]
}

export function createMailboxes(parts: MailboxesParts): Mailboxes {
  return new MailboxReaders(parts)
}

class MailboxReaders implements Mailboxes {
  readonly #parts: MailboxesParts
  /** By their settings, in whose order they stand. */
  #readers = new Map<string, MailboxReader>()
  /** Changes, one after the other. */
  #change: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(parts: MailboxesParts) {
    this.#parts = parts
  }

  start(): void {
    this.#readers = this.#wanted()
    for (const reader of this.#readers.values()) reader.start()
  }

  reconfigure(): Promise<void> {
    this.#change = this.#change.then(async () => {
      if (this.#isStopped) return
      const old = this.#readers
      this.#readers = this.#wanted()
      const gone = [...old.values()].filter((reader) => ![...this.#readers.values()].includes(reader))
      // Ended first: two readers of one folder would take a report twice.
      await Promise.all(gone.map((reader) => reader.stop(0)))
      if (!this.#isStopped) for (const reader of this.#readers.values()) reader.start()
    })
    return this.#change
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true
    await Promise.all([this.#change, ...[...this.#readers.values()].map((reader) => reader.stop(graceMs))])
  }

  status(): readonly MailboxStatus[] {
    return [...this.#readers.values()].map(({ status }) => status)
  }

  /** One reader for each mailbox of the settings: the one there is, where nothing changed. */
  #wanted(): Map<string, MailboxReader> {
    const { settings, authorities = [] } = this.#parts
    return new Map(
      settings().mailbox.map((mailbox) => {
        const identity = JSON.stringify(mailbox)
        const maxSize = (): number => settings().bounce.maxSize
        const reader =
          this.#readers.get(identity) ?? new MailboxReader({ ...this.#parts, mailbox, maxSize, authorities })
        return [identity, reader]
      }),
    )
  }
}
