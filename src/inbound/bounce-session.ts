// One SMTP session with somebody who brings a report back: any sender, no AUTH, and only recipients that the desk knows.
// 250 to the dot is said when every report of the mail is durable. Nothing is ever answered by mail.

import type { Settings } from '../config/schema.ts'
import type { Addressee, IncomingReport, ReportDesk } from '../reports/desk.ts'
import type { Origin } from '../reports/report-entry.ts'
import { SECOND } from '../util/clock.ts'
import { type Arrival, BounceTransfer, MAX_REPORT_BYTES } from './bounce-transfer.ts'
import type { BounceEvents } from './events.ts'
import type { SessionLimits, SessionOrigin, SessionPlace } from './listener-parts.ts'
import { ListenerSession } from './listener-session.ts'
import type { MessageData } from './message-data.ts'
import { isReply, parseMail, parseRcpt } from './path.ts'
import { REPLY, type Reply, takenAs } from './replies.ts'
import { replyFor } from './reply-for.ts'
import type { SourceRate } from './source-rate.ts'

export interface BounceSessionParts extends SessionPlace {
  readonly listener: Settings['bounceListener'][number]
  readonly events: BounceEvents
  readonly desk: Pick<ReportDesk, 'addressee' | 'take'>
  readonly rate: SourceRate
  /** As of the last reconfigure. */
  readonly settings: () => Settings
  readonly isPaused: () => boolean
}

interface Transaction {
  readonly sender: string
  readonly smtpUtf8: boolean
  /** Monotonic. */
  readonly startedAt: number
  /** Addresses by what they stand for: two spellings of one return path are one report. */
  readonly recipients: Map<string, string>
}

// A report is about one recipient, so it has one, two at most.
const MAX_RECIPIENTS = 20
const MAX_ERRORS = 20
const MAX_JUNK_COMMANDS = 50
const MAX_MESSAGES = 1000
const MIN_BYTES_PER_SECOND = 500
/** A client that never finishes its TLS handshake has this long. */
export const HANDSHAKE_MS = 30 * SECOND

// RFC 5321 §4.5.1: the one recipient that needs no domain.
const BARE_POSTMASTER = /^(rcpt to:[ \t]*<postmaster)>/i

const REFUSALS = {
  unknown: REPLY.unknownAddress,
  foreign: REPLY.relayDenied,
  'too-many': REPLY.enoughReports,
} as const satisfies Partial<Record<Addressee['kind'], Reply>>

export class BounceSession extends ListenerSession {
  readonly #parts: BounceSessionParts
  readonly #settings: Settings['bounce']
  #transaction: Transaction | undefined
  #badRecipients = 0

  constructor(parts: BounceSessionParts, from: SessionOrigin) {
    const { bounce } = parts.settings()
    super(parts, limitsOf(bounce), from)
    this.#parts = parts
    this.#settings = bounce
  }

  protected override transactionStartedAt(): number | undefined {
    return this.#transaction?.startedAt
  }

  protected override offer(): readonly string[] {
    const canUpgrade = this.#parts.listener.tls === 'starttls' && !this.secure
    const offered = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', `SIZE ${MAX_REPORT_BYTES}`]
    return canUpgrade ? [...offered, 'STARTTLS'] : offered
  }

  override _resetSession(): void {
    super._resetSession()
    this.#transaction = undefined
  }

  override handler_AUTH(_command: Buffer, callback: () => void): void {
    this.say(REPLY.authNotHere)
    callback()
  }

  override handler_MAIL(command: Buffer, callback: () => void): void {
    const reply = this.#mail(command)
    if (reply.code >= 400) this.#parts.events.refused({ ...this.peer(), command: 'MAIL', reply })
    this.say(reply)
    callback()
  }

  #mail(command: Buffer): Reply {
    if (this.#transaction !== undefined) return REPLY.nestedMail
    const end = this.patience.endsBeforeMail()
    if (end !== undefined) return end
    const mail = parseMail(command, 'anySender')
    if (isReply(mail)) return mail
    if (this.#parts.isPaused()) return REPLY.paused
    if (mail.sizeBytes > MAX_REPORT_BYTES) return REPLY.tooBig
    const { senderText: sender, smtpUtf8 } = mail
    this.#transaction = { sender, smtpUtf8, startedAt: this.#parts.clock.monotonic(), recipients: new Map() }
    // smtp-server asks whether a transaction is open to decide which socket errors to report.
    this.session.envelope.mailFrom = { address: sender, args: false }
    return REPLY.mailOk
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    const reply = this.#rcpt(command)
    if (reply.code >= 400) {
      const subject = command.toString().slice(5, 300)
      this.#parts.events.refused({ ...this.peer(), command: 'RCPT', reply, subject })
    }
    this.say(reply)
    callback()
  }

  #rcpt(command: Buffer): Reply {
    const transaction = this.#transaction
    if (transaction === undefined) return REPLY.needMail
    const rcpt = parseRcpt(this.#withDomain(command), transaction.smtpUtf8)
    if (isReply(rcpt)) return this.#bad(rcpt)
    const { text, domain } = rcpt.recipient
    const addressee = this.#addressee(text)
    if (isReply(addressee)) return addressee
    if (addressee.kind !== 'bounce' && addressee.kind !== 'unsubscribe' && addressee.kind !== 'box')
      return this.#bad(REFUSALS[addressee.kind])
    const key =
      addressee.kind === 'box'
        ? `box ${addressee.box} ${domain} ${text.toLowerCase()}`
        : `${addressee.kind} ${addressee.id} ${addressee.n}`
    return transaction.recipients.has(key) ? REPLY.rcptOk : this.#take(transaction, key, text)
  }

  #take({ recipients }: Transaction, key: string, address: string): Reply {
    if (recipients.size >= MAX_RECIPIENTS) return REPLY.tooManyRecipients
    if (!this.#parts.rate.take(this.remoteAddress, this.#settings.ratePerIp)) return REPLY.reportRate
    recipients.set(key, address)
    this.session.envelope.rcptTo.push({ address, args: false })
    return REPLY.rcptOk
  }

  #bad(reply: Reply): Reply {
    this.#badRecipients++
    return this.#badRecipients > this.#settings.maxBadRecipients ? REPLY.tooManyBadRecipients : reply
  }

  #addressee(address: string): Addressee | Reply {
    try {
      return this.#parts.desk.addressee(address)
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** Postmaster is the same at all our domains. */
  #withDomain(command: Buffer): Buffer {
    const text = command.toString('latin1')
    if (!BARE_POSTMASTER.test(text)) return command
    const domain = this.#parts.settings().domain.find(({ returnPath }) => returnPath !== undefined)?.returnPath
    return domain === undefined ? command : Buffer.from(text.replace(BARE_POSTMASTER, `$1@${domain}>`), 'latin1')
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    if (this.#transaction !== undefined && this.#transaction.recipients.size > 0) {
      super.handler_DATA(command, callback)
    } else {
      this.say(this.#transaction === undefined ? REPLY.needMail : REPLY.needRcpt)
      callback()
    }
  }

  override async receive(data: MessageData): Promise<Reply | undefined> {
    const transaction = this.#transaction
    if (transaction === undefined) return REPLY.needMail
    const { clock } = this.#parts
    // Now, while the connection certainly stands.
    const origin = this.#origin(transaction)
    const transfer = new BounceTransfer({ data, clock, keepBytes: this.#settings.maxSize })
    this.transfer = transfer
    try {
      return await this.#conclude(await transfer.read(), origin, transaction.recipients.values())
    } finally {
      this.transfer = undefined
    }
  }

  #origin({ sender }: Transaction): Origin {
    const { name: listener } = this.#parts.listener
    return { kind: 'listener', listener, address: this.remoteAddress, sender, ...this.client() }
  }

  async #conclude(arrival: Arrival, origin: Origin, to: Iterable<string>): Promise<Reply | undefined> {
    switch (arrival.kind) {
      case 'gone':
        return undefined
      case 'broken':
        this.#parts.events.refused({ ...this.peer(), command: 'DATA', reply: arrival.reply })
        this.end(arrival.reply)
        return undefined
      case 'refused':
        this.#parts.events.refused({ ...this.peer(), command: 'dot', reply: arrival.reply })
        return arrival.reply
      case 'complete':
        return this.#handIn([...to].map((to) => ({ origin, to, raw: arrival.raw, sizeBytes: arrival.sizeBytes })))
    }
  }

  /** One report for each recipient. When one of them fails the client comes again with all of them. */
  async #handIn(incoming: readonly IncomingReport[]): Promise<Reply> {
    const { desk, events } = this.#parts
    const results = await Promise.allSettled(incoming.map(async (report) => desk.take(report)))
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [this.#failed(result.reason)] : []))
    if (failures.length > 0) return failures.find((reply) => reply !== REPLY.noRoom) ?? REPLY.noRoom
    const reports = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.id] : []))
    this.patience.countMessage()
    events.reportTaken({ ...this.peer(), reports, sizeBytes: incoming[0]?.sizeBytes ?? 0 })
    return takenAs(reports)
  }

  #failed(error: unknown): Reply {
    this.#parts.events.acceptFailed({ ...this.peer(), error })
    return replyFor(error)
  }
}

function limitsOf({ idleTimeout, transactionTimeout, maxBadRecipients }: Settings['bounce']): SessionLimits {
  return {
    idleTimeout,
    transactionTimeout,
    minDataRate: MIN_BYTES_PER_SECOND,
    // Refused recipients have their own limit, which must be reached before this one.
    maxErrors: MAX_ERRORS + maxBadRecipients,
    maxJunkCommands: MAX_JUNK_COMMANDS,
    maxMessagesPerConnection: MAX_MESSAGES,
  }
}
