// The life of one mailbox: connect, read what is unseen, wait for more, come back after an error. A report is marked only
// once it is recorded; ordinary mail is left as it was found, and is not fetched again (mailbox-progress.ts).

import type { MailboxSettings } from '../config/schema.ts'
import type { ReportDesk } from '../reports/desk.ts'
import { type Store, StoreError } from '../store/store.ts'
import { type Clock, type EpochMs, MINUTE, SECOND } from '../util/clock.ts'
import type { MailboxEvents } from './mailbox-events.ts'
import { MailboxProgress } from './mailbox-progress.ts'
import { MailboxSession } from './mailbox-session.ts'
import { troubleOf } from './mailbox-trouble.ts'

export interface MailboxReaderParts {
  readonly mailbox: MailboxSettings
  readonly maxSize: () => number
  readonly take: ReportDesk['take']
  readonly store: Store
  readonly clock: Clock
  readonly events: MailboxEvents
  readonly authorities: readonly string[]
}

export interface MailboxStatus {
  readonly name: string
  readonly state: 'connecting' | 'reading' | 'waiting' | 'failed' | 'stopped'
  /** Why it failed, with its cure. */
  readonly error?: string
  readonly lastLookAt?: EpochMs
  /** Since start: reports, and ordinary mails that were left alone. */
  readonly taken: number
  readonly left: number
}

/** What is not a report for certain is a person's to read: never marked, deleted or moved. */
const LEFT_ALONE: ReadonlySet<string> = new Set(['mail', 'unknown'])
const FIRST_RETRY_MS = 5 * SECOND
/** Servers lock accounts and ban addresses that keep coming with a wrong password. */
const CREDENTIALS_RETRY_MS = 15 * MINUTE
// Tries for a mail that the server refuses to give, or that we cannot take; more where the connection broke, which may be anybody's fault.
const MAX_REFUSED = 3
const MAX_BROKEN = 10
// RFC 2177: IDLE is to be renewed at least every 29 minutes; each look does so.
const LONGEST_IDLE_MS = 28 * MINUTE

export class MailboxReader {
  readonly #parts: MailboxReaderParts
  readonly #stopped = new AbortController()
  #status: MailboxStatus
  #session: MailboxSession | undefined
  #running: Promise<void> | undefined
  /** Something may have changed since the last look. */
  #isDirty = false
  #wake: () => void = () => undefined
  #retryMs = FIRST_RETRY_MS
  #lastError: string | undefined
  /** The mail that could not be taken, and how often. */
  #stuck = { uid: 0, times: 0 }

  constructor(parts: MailboxReaderParts) {
    this.#parts = parts
    this.#status = { name: parts.mailbox.name, state: 'connecting', taken: 0, left: 0 }
  }

  get status(): MailboxStatus {
    return this.#status
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** What is being recorded may end within `graceMs`; then the connection is cut. */
  async stop(graceMs: number): Promise<void> {
    const { clock } = this.#parts
    this.#stopped.abort()
    this.#wake()
    const ended = this.#running ?? Promise.resolve()
    await Promise.race([ended, clock.sleep(graceMs)])
    this.#session?.close()
    // A store that never answers is its own watchdog's business, not ours to wait for.
    await Promise.race([ended, clock.sleep(SECOND)])
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      try {
        await this.#visit()
      } catch (error) {
        if (!signal.aborted) await this.#clock.sleep(this.#failed(error), signal)
      }
    }
    this.#status = { ...this.#status, state: 'stopped' }
  }

  get #clock(): Clock {
    return this.#parts.clock
  }

  /** One connection, for as long as it lasts. */
  async #visit(): Promise<void> {
    const { mailbox, events, maxSize, authorities } = this.#parts
    const { signal } = this.#stopped
    const onChange = (): void => {
      this.#isDirty = true
      this.#wake()
    }
    const session = await MailboxSession.open({ mailbox, maxSize: maxSize(), authorities, onChange }, signal)
    this.#session = session
    try {
      events.connected({ mailbox: mailbox.name, host: mailbox.host, folder: mailbox.folder })
      const progress = new MailboxProgress(this.#parts.store, mailbox, session.uidValidity)
      for (const uid of progress.unmarked) await this.#mark(session, progress, uid)
      while (!signal.aborted) {
        await this.#look(session, progress)
        await this.#wait(session)
        if (!session.isOpen && !signal.aborted) throw session.lost ?? new Error('the connection was closed')
      }
    } finally {
      this.#session = undefined
      session.close()
    }
  }

  async #look(session: MailboxSession, progress: MailboxProgress): Promise<void> {
    this.#status = { ...this.#status, state: 'reading' }
    this.#isDirty = false
    for (const uid of await session.unseenAbove(progress.lastUid)) {
      if (this.#stopped.signal.aborted) return
      await this.#take(session, progress, uid)
    }
    this.#retryMs = FIRST_RETRY_MS
    this.#lastError = undefined
    const { error: _, ...status } = this.#status
    this.#status = { ...status, state: 'waiting', lastLookAt: this.#clock.now() }
  }

  async #take(session: MailboxSession, progress: MailboxProgress, uid: number): Promise<void> {
    const { mailbox, events, take } = this.#parts
    const origin = { kind: 'mailbox', mailbox: mailbox.name } as const
    const entry = await this.#orSkip(session, uid, async () => {
      const found = await session.fetch(uid)
      return found && take({ origin, to: '', ...found })
    })
    if (entry === undefined) return progress.taken(uid, { toMark: false })
    const { kind } = entry.report
    const isLeft = LEFT_ALONE.has(kind)
    await progress.taken(uid, { toMark: !isLeft })
    const { taken, left } = this.#status
    this.#status = { ...this.#status, ...(isLeft ? { left: left + 1 } : { taken: taken + 1 }) }
    events.taken({ mailbox: mailbox.name, uid, report: entry.id, kind, isLeft })
    if (!isLeft) await this.#mark(session, progress, uid)
  }

  /**
   * Undefined for a mail that is gone, and for one that the server will not give or at which an error of our own turns up:
   * others must not wait behind it for ever.
   */
  async #orSkip<T>(session: MailboxSession, uid: number, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      // No mail is to blame for the store.
      if (error instanceof StoreError) throw error
      this.#stuck = { uid, times: this.#stuck.uid === uid ? this.#stuck.times + 1 : 1 }
      const most = session.isOpen ? MAX_REFUSED : MAX_BROKEN
      if (this.#stuck.times < most || this.#stopped.signal.aborted) throw error
      const { mailbox, events } = this.#parts
      events.skipped({ mailbox: mailbox.name, uid, error: troubleOf(error, mailbox).text })
      return undefined
    }
  }

  async #mark(session: MailboxSession, progress: MailboxProgress, uid: number): Promise<void> {
    const { mailbox, events } = this.#parts
    if (await session.mark(uid)) progress.marked(uid)
    else if (session.isOpen) events.notMarked({ mailbox: mailbox.name, uid, done: mailbox.done })
  }

  /** Until the server says something, and for `poll` at most. */
  async #wait(session: MailboxSession): Promise<void> {
    if (this.#isDirty || this.#stopped.signal.aborted || !session.isOpen) return
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    if (session.hasIdle) session.idle()
    await this.#clock.sleep(Math.min(this.#parts.mailbox.poll, LONGEST_IDLE_MS), woken.signal)
    this.#wake = () => undefined
  }

  /** How long to wait. The same reason is told once. */
  #failed(error: unknown): number {
    const { mailbox, events } = this.#parts
    const { kind, text } = troubleOf(error, mailbox)
    const retryMs = kind === 'credentials' ? CREDENTIALS_RETRY_MS : Math.min(this.#retryMs, mailbox.poll)
    if (kind === 'other') this.#retryMs *= 2
    this.#status = { ...this.#status, state: 'failed', error: text }
    if (text !== this.#lastError) events.failed({ mailbox: mailbox.name, error: text, retryMs })
    this.#lastError = text
    return retryMs
  }
}
