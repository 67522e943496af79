// One IMAP connection with one folder open: the door to the IMAP library. TLS is never optional, nothing is marked by
// reading, no answer of the server can fill our memory, and nobody else's deleted mail is expunged.

import { rootCertificates } from 'node:tls'
import { ImapFlow } from 'imapflow'
import type { MailboxSettings } from '../config/schema.ts'
import { MINUTE, SECOND } from '../util/clock.ts'
import { VERSION } from '../version.ts'
import { MailboxError } from './mailbox-trouble.ts'

export interface FetchedMail {
  readonly raw: Buffer
  /** Of the whole mail. */
  readonly sizeBytes: number
}

export interface SessionOptions {
  readonly mailbox: MailboxSettings
  /** What of a mail is fetched. */
  readonly maxSize: number
  /** Certificates (PEM) trusted besides those of the system. */
  readonly authorities: readonly string[]
  /** There may be new mail, or the connection is gone: call it any number of times. */
  readonly onChange: () => void
}

// Room for the answer to a search in a folder of two million mails.
const MAX_LINE_BYTES = 16 * 1024 * 1024

export class MailboxSession {
  readonly #mailbox: MailboxSettings
  readonly #maxSize: number
  readonly #client: ImapFlow
  #lost: Error | undefined

  private constructor({ mailbox, maxSize, authorities, onChange }: SessionOptions) {
    this.#mailbox = mailbox
    this.#maxSize = maxSize
    this.#client = new ImapFlow({
      host: mailbox.host,
      port: mailbox.port,
      secure: mailbox.tls === 'implicit',
      // true: the login fails where it is not offered; false: not tried.
      doSTARTTLS: mailbox.tls === 'starttls',
      tls: {
        minVersion: 'TLSv1.2',
        rejectUnauthorized: true,
        ...(authorities.length === 0 ? {} : { ca: [...rootCertificates, ...authorities] }),
      },
      auth: { user: mailbox.user, pass: mailbox.password },
      clientInfo: { name: 'Studs', version: VERSION, vendor: false, 'support-url': false },
      logger: false,
      disableAutoIdle: true,
      disableAutoEnable: true,
      disableCompression: true,
      connectionTimeout: 30 * SECOND,
      greetingTimeout: 30 * SECOND,
      // While it idles, a NOOP; for a command, the end of the connection.
      socketTimeout: 2 * MINUTE,
      maxLineLength: MAX_LINE_BYTES,
      maxLiteralSize: maxSize + 1024,
      maxResponseSize: maxSize + MAX_LINE_BYTES,
    })
    this.#client.on('exists', onChange)
    this.#client.on('error', (error: Error) => {
      this.#lost ??= error
      onChange()
    })
    this.#client.on('close', () => {
      this.#lost ??= new MailboxError(`${mailbox.host}:${mailbox.port}: the server closed the connection`)
      onChange()
    })
  }

  /** Connects, logs in, opens the folder. Rejects with whatever troubleOf understands; nothing is left open then. */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<MailboxSession> {
    const session = new MailboxSession(options)
    const abort = (): void => session.close()
    signal.addEventListener('abort', abort, { once: true })
    try {
      await session.#client.connect()
      await session.#select()
      return session
    } catch (error) {
      session.close()
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async #select(): Promise<void> {
    const { name, user, folder, done, moveTo } = this.#mailbox
    if (done === 'move' && moveTo !== undefined && !(await this.#exists(moveTo))) {
      throw await this.#missing(moveTo, 'move_to')
    }
    const opened = await this.#client.mailboxOpen(folder).catch(async (error: Error & { mailboxMissing?: boolean }) => {
      throw error.mailboxMissing === true ? await this.#missing(folder, 'folder') : error
    })
    if (opened.readOnly !== true) return
    const cure = `give ${user} the right to change it`
    throw new MailboxError(`[[mailbox]] "${name}": the folder "${folder}" can only be read; ${cure}`)
  }

  async #exists(folder: string): Promise<boolean> {
    try {
      return (await this.#client.status(folder, { messages: true })) !== false
    } catch (error) {
      if ((error as { code?: string }).code === 'NotFound') return false
      throw error
    }
  }

  async #missing(folder: string, option: string): Promise<MailboxError> {
    const folders = (await this.#client.list()).map(({ path }) => `"${path}"`)
    const known = `${folders.slice(0, 10).join(', ')}${folders.length > 10 ? ' …' : ''}`
    const cure = `create it or correct ${option}; there are ${known}`
    return new MailboxError(`[[mailbox]] "${this.#mailbox.name}": there is no folder "${folder}"; ${cure}`)
  }

  /** RFC 3501 §2.3.1.1: 32 bits. */
  get uidValidity(): number {
    const { mailbox } = this.#client
    if (mailbox === false) throw this.#lost ?? new MailboxError('no folder is open')
    return Number(mailbox.uidValidity)
  }

  get hasIdle(): boolean {
    return this.#client.capabilities.has('IDLE')
  }

  get isOpen(): boolean {
    return this.#client.usable
  }

  /** Why the connection is gone. */
  get lost(): Error | undefined {
    return this.#lost
  }

  /** UIDs of unseen mails above `lastUid`, oldest first. */
  async unseenAbove(lastUid: number): Promise<number[]> {
    // New mail is known to a server that does not push it only once it was asked for something.
    if (!this.hasIdle) await this.#client.noop()
    const query = { seen: false, deleted: false, uid: `${lastUid + 1}:*` }
    const found = await this.#client.search(query, { uid: true })
    if (!Array.isArray(found)) {
      throw this.#lost ?? new MailboxError(`${this.#mailbox.host}: the server refused to search the folder`)
    }
    // "n:*" always has the newest mail in it, also where that lies below n (RFC 3501 §6.4.8).
    return found.filter((uid) => uid > lastUid).sort((one, other) => one - other)
  }

  /** BODY.PEEK: reading leaves it unseen. Undefined when it is gone. */
  async fetch(uid: number): Promise<FetchedMail | undefined> {
    const query = { uid: true, size: true, source: { start: 0, maxLength: this.#maxSize } }
    const found = await this.#client.fetchOne(String(uid), query, { uid: true })
    if (found === undefined) throw this.#lost ?? new MailboxError('the connection is gone')
    if (found === false || found.source === undefined) return undefined
    return { raw: found.source, sizeBytes: Math.max(found.size ?? 0, found.source.length) }
  }

  /** Does with it what `done` says; whether the server did it. A mail that is gone already is fine. */
  async mark(uid: number): Promise<boolean> {
    const { done, moveTo } = this.#mailbox
    const range = String(uid)
    const can = (extension: string): boolean => this.#client.capabilities.has(extension)
    if (done === 'move' && moveTo !== undefined) {
      // RFC 6851, or copied and marked as deleted; what goes on from there expunges.
      if (can('MOVE')) return Boolean(await this.#client.messageMove(range, moveTo, { uid: true }))
      const copied = await this.#client.messageCopy(range, moveTo, { uid: true })
      return Boolean(copied) && this.#remove(range, can('UIDPLUS'))
    }
    if (done === 'delete') return this.#remove(range, can('UIDPLUS'))
    return this.#client.messageFlagsAdd(range, ['\\Seen'], { uid: true })
  }

  /** Without UID EXPUNGE (RFC 4315) an expunge would take everything that somebody else has marked as deleted. */
  async #remove(range: string, canExpungeOne: boolean): Promise<boolean> {
    if (canExpungeOne) return (await this.#client.messageDelete(range, { uid: true })) === true
    return this.#client.messageFlagsAdd(range, ['\\Deleted', '\\Seen'], { uid: true })
  }

  /** Lets the server say when there is something new, until the next command. Errors come as a lost connection. */
  idle(): void {
    this.#client.idle().catch((error: Error) => {
      this.#lost ??= error
    })
  }

  close(): void {
    this.#client.close()
  }
}
