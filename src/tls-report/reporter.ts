// Once a day, after midnight UTC and spread over some hours, tells every domain that asks for it how TLS with its hosts went
// the day before (RFC 8460): as a mail through our own queue, signed like any other, or by HTTPS. A day that was missed
// while Studs was down is told late; one older than MAX_AGE_DAYS is forgotten.

import { type Domain, parseAddress } from '../mail/address.ts'
import type { Logger } from '../observe/logger.ts'
import type { Acceptor } from '../queue/submission.ts'
import type { Signer } from '../sign/signer.ts'
import { type Clock, DAY, HOUR, MINUTE } from '../util/clock.ts'
import { Ongoing } from '../util/ongoing.ts'
import { composeMail, composeReport } from './compose.ts'
import { type ReportTarget, reportTargets } from './record.ts'
import { type DayCount, dayOf, type TlsTally } from './tally.ts'

/** The answer of DNS, as far as it matters here. */
export type TextLookUp = (
  name: string,
) => Promise<{ readonly kind: 'ok'; readonly items: readonly string[] } | { readonly kind: 'none' | 'failed' }>

/** Posts bytes; true when they were taken. Never rejects; gives up at once when `signal` aborts. */
export type Post = (
  url: URL,
  content: { readonly body: Buffer; readonly type: string },
  signal: AbortSignal,
) => Promise<boolean>

export interface ReporterSettings {
  readonly enabled: boolean
  readonly from?: string | undefined
  readonly organization?: string | undefined
}

export interface ReporterParts {
  readonly settings: () => ReporterSettings
  readonly hostname: () => string
  /** Life of the mails. */
  readonly lifetimeMs: () => number
  readonly tally: TlsTally
  readonly txt: TextLookUp
  readonly post: Post
  readonly acceptor: Acceptor
  readonly signer: Signer
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly logger: Logger
}

const FLUSH_MS = MINUTE
/** Receivers would else hear from everybody at midnight (RFC 8460 §4.1 leaves the time to us). */
const EARLIEST_MS = 15 * MINUTE
const SPREAD_MS = 4 * HOUR
const MAX_AGE_DAYS = 3

export class TlsReporter {
  readonly #parts: ReporterParts
  readonly #timer = new Ongoing()

  constructor(parts: ReporterParts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer.begin((signal) => this.#run(signal))
  }

  /** What was counted is durable when it resolves. */
  stop(): Promise<void> {
    return this.#timer.end()
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#parts
    let dueAt = clock.now() + EARLIEST_MS
    while (!signal.aborted) {
      await clock.sleep(FLUSH_MS, signal)
      if (signal.aborted) break
      await this.#guarded('counted', () => this.#parts.tally.flush())
      if (clock.now() < dueAt) continue
      await this.#guarded('sent', () => this.reportDaysBefore(dayOf(clock.now())))
      dueAt = (Math.floor(clock.now() / DAY) + 1) * DAY + EARLIEST_MS + random() * SPREAD_MS
    }
    await this.#guarded('counted', () => this.#parts.tally.flush())
  }

  async #guarded(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (err) {
      this.#parts.logger.warn(
        { event: 'tls-report-failed', err },
        `TLS reports could not be ${what}; it is tried again`,
      )
    }
  }

  /** Sends what is there of earlier days, and forgets what was sent or nobody asked for. */
  async reportDaysBefore(today: string): Promise<void> {
    const { tally } = this.#parts
    const oldest = dayOf(Date.parse(today) - MAX_AGE_DAYS * DAY)
    for (const day of tally.daysBefore(today)) {
      for (const counts of tally.ofDay(day)) {
        if (this.#timer.signal.aborted) return
        const isDone = await this.#report(counts)
        if (isDone || day < oldest) await tally.forget(counts)
      }
    }
  }

  /** False when it should be tried again. */
  async #report(counts: readonly DayCount[]): Promise<boolean> {
    const [first, ...others] = counts
    const { enabled, from } = this.#parts.settings()
    if (first === undefined || !enabled || from === undefined) return true
    const answer = await this.#parts.txt(`_smtp._tls.${first.domain}`)
    if (answer.kind !== 'ok') return answer.kind === 'none'
    const targets = reportTargets(answer.items)
    if (targets.length === 0) return true
    const told = await Promise.all(targets.map((target) => this.#send([first, ...others], target, from)))
    return told.some((isTold) => isTold)
  }

  async #send(counts: readonly [DayCount, ...DayCount[]], target: ReportTarget, from: string): Promise<boolean> {
    const { acceptor, settings, hostname, logger } = this.#parts
    const [{ domain, day }] = counts
    const body = acceptor.openBody()
    const organization = settings().organization ?? hostname()
    const report = composeReport(counts, { organization, contact: from, id: body.id })
    const about = { event: 'tls-report', domain, day, id: body.id }
    if (target.kind === 'https') {
      await body.discard()
      const isTaken = await this.#parts.post(
        target.url,
        { body: report, type: 'application/tlsrpt+gzip' },
        this.#timer.signal,
      )
      logger.info({ ...about, to: target.url.host, isTaken }, 'a TLS report was posted')
      return isTaken
    }
    await this.#mail({ body, report, from, to: target.to, domain, day })
    logger.info({ ...about, to: target.to.text }, 'a TLS report goes out')
    return true
  }

  async #mail(given: {
    readonly body: ReturnType<Acceptor['openBody']>
    readonly report: Buffer
    readonly from: string
    readonly to: Extract<ReportTarget, { kind: 'mail' }>['to']
    readonly domain: string
    readonly day: string
  }): Promise<void> {
    const { acceptor, signer, clock, lifetimeMs, hostname } = this.#parts
    const sender = parseAddress(given.from)
    if (sender === undefined) throw new TypeError(`tls_report.from is no address: ${given.from}`)
    const { id } = given.body
    const now = clock.now()
    const messageId = `<${id}@${hostname()}>`
    const date = new Date(now).toUTCString().replace('GMT', '+0000')
    const mail = composeMail({ ...given, to: given.to.text, submitter: sender.domain, id, date, messageId })
    const content = Buffer.from(`${mail.head}\r\n${mail.body}`, 'latin1')
    const signature = await signed(signer, sender.domain, mail)
    await given.body.write(content)
    await acceptor.accept(given.body, {
      tenant: 'default',
      sender: sender.text,
      senderDomain: sender.domain,
      to: [{ address: given.to.text, domain: given.to.domain }],
      expiresAt: now + lifetimeMs(),
      prefix: signature,
      sizeBytes: signature.length + content.length,
      body: '7bit',
      smtpUtf8: false,
      // RFC 8460 §3: a report that TLS is broken must not itself wait for it to be mended.
      tlsWish: 'optional',
      headers: { messageId, from: sender.text, subject: `Report Domain: ${given.domain}` },
      client: { address: 'local', listener: 'tls-report' },
    })
  }
}

async function signed(
  signer: Signer,
  domain: Domain,
  mail: { readonly head: string; readonly body: string },
): Promise<string> {
  const session = signer.start(domain)
  if (session === undefined) return ''
  session.body(Buffer.from(mail.body, 'latin1'))
  return session.finish(mail.head)
}
