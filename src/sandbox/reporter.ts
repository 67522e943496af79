// Sends the mails by which recipients of the pretend internet answer, over real SMTP, to whoever takes reports for the
// relay on trial. Each waits its delay, by the clock; a few connections, used again while there is more to send; what is
// put off (4xx, no connection) is tried again a few times.
// Invariant: bounded. What does not fit in line, or is put off too often, is counted as lost and forgotten.

import { type ClientSettings, SmtpClient } from '../delivery/client.ts'
import { causeText } from '../mail/outcome.ts'
import { replyText } from '../mail/reply.ts'
import { type Clock, MINUTE, SECOND } from '../util/clock.ts'
import type { ReportName } from './behaviours.ts'
import type { ReportMail } from './report-mail.ts'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** What became of the mails so far. */
export interface ReportCounts {
  /** In line or on the wire. */
  readonly waiting: number
  readonly sent: number
  /** 5xx. */
  readonly refused: number
  readonly lost: number
}

/** The end of one of them. */
export interface SentReport {
  readonly name: ReportName
  readonly recipient: string
  readonly outcome: 'sent' | 'refused' | 'lost'
  /** The last reply, or what happened instead. */
  readonly words: string
}

interface Waiting {
  readonly name: ReportName
  readonly mail: ReportMail
  tries: number
}

const MOST_WAITING = 10_000
const CONNECTIONS = 4
const WAITS: readonly number[] = [SECOND, 2 * SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE]
const TIMEOUTS: ClientSettings = {
  connectTimeout: 10 * SECOND,
  greetingTimeout: 30 * SECOND,
  commandTimeout: 30 * SECOND,
  dataTimeout: 30 * SECOND,
  blockTimeout: 30 * SECOND,
  dotTimeout: MINUTE,
}

export class Reporter {
  readonly #clock: Clock
  readonly #delayMs: number
  readonly #to: () => Endpoint | undefined
  readonly #listeners = new Set<(report: SentReport) => void>()
  readonly #stopped = new AbortController()
  /** Their time has come. */
  readonly #due: Waiting[] = []
  readonly #workers = new Set<Promise<void>>()
  readonly #counts = { waiting: 0, sent: 0, refused: 0, lost: 0 }

  constructor({ clock, delayMs, to }: { clock: Clock; delayMs: number; to: () => Endpoint | undefined }) {
    this.#clock = clock
    this.#delayMs = delayMs
    this.#to = to
  }

  get counts(): ReportCounts {
    return { ...this.#counts }
  }

  /** Calls `listener` for every mail that came to an end; gives back the function that ends it. */
  on(_event: 'report', listener: (report: SentReport) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  send(name: ReportName, mail: ReportMail): void {
    if (this.#stopped.signal.aborted) return
    this.#counts.waiting++
    const report = { name, mail, tries: 0 }
    if (this.#counts.waiting > MOST_WAITING) this.#end(report, 'lost', 'too many are waiting')
    else this.#later(report, this.#delayMs)
  }

  /** Cuts what is under way; what waits is forgotten. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await Promise.all(this.#workers)
  }

  #later(report: Waiting, delayMs: number): void {
    this.#clock.after(delayMs, () => {
      if (this.#stopped.signal.aborted) return
      this.#due.push(report)
      if (this.#workers.size >= CONNECTIONS) return
      const worker = this.#work()
      this.#workers.add(worker)
      void worker.finally(() => this.#workers.delete(worker))
    })
  }

  /** One connection: sends what is due until nothing is, or until it breaks. */
  async #work(): Promise<void> {
    let client: SmtpClient | undefined
    const cut = (): void => client?.destroy()
    this.#stopped.signal.addEventListener('abort', cut)
    while (!this.#stopped.signal.aborted) {
      const report = this.#due.shift()
      if (report === undefined) break
      if (client?.usable !== true) {
        const connected = await this.#connect()
        if (typeof connected === 'string') {
          this.#putOff(report, connected)
          continue
        }
        client = connected
      }
      await this.#give(client, report)
    }
    this.#stopped.signal.removeEventListener('abort', cut)
    await client?.quit()
  }

  async #connect(): Promise<SmtpClient | string> {
    const to = this.#to()
    if (to === undefined) return 'nobody takes reports yet'
    const result = await SmtpClient.connect({
      target: { host: to.address, ...to },
      ehlo: 'mx.sandbox.test',
      tls: 'opportunistic',
      verify: false,
      settings: TIMEOUTS,
      clock: this.#clock,
      signal: this.#stopped.signal,
    })
    return result.ok ? result.client : causeText(result.cause)
  }

  async #give(client: SmtpClient, report: Waiting): Promise<void> {
    const { sender, recipient, raw } = report.mail
    const isAscii = raw.every((byte) => byte < 0x80)
    const result = await client.send({
      envelope: { sender, recipient, sizeBytes: raw.length, body: isAscii ? '7bit' : '8bitmime', smtpUtf8: false },
      content: { prefix: '', body: raw },
    })
    if (result.ok) this.#end(report, 'sent', replyText(result.reply))
    else if (result.cause.kind === 'reply' && result.cause.reply.code >= 500)
      this.#end(report, 'refused', replyText(result.cause.reply))
    else this.#putOff(report, causeText(result.cause))
  }

  #putOff(report: Waiting, words: string): void {
    if (this.#stopped.signal.aborted) return
    const wait = WAITS[report.tries++]
    if (wait === undefined) this.#end(report, 'lost', words)
    else this.#later(report, wait)
  }

  #end({ name, mail }: Waiting, outcome: SentReport['outcome'], words: string): void {
    this.#counts.waiting--
    this.#counts[outcome]++
    for (const listener of this.#listeners) listener({ name, recipient: mail.recipient, outcome, words })
  }
}
