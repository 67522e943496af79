// A whole pretend internet in one process: a name server for which every domain exists, MX hosts whose recipients decide
// what happens, and an inbox of what was delivered. For trials, demos and the CI of those who send; no mail leaves it.

import { createSecureContext } from 'node:tls'
import type { Settings } from '../config/schema.ts'
import { makeSelfSigned } from '../inbound/self-signed.ts'
import { type Clock, DAY, type EpochMs } from '../util/clock.ts'
import { planFor } from './behaviours.ts'
import type { Surroundings } from './conversation.ts'
import { type NameServer, startNameServer } from './dns.ts'
import { FirstSeen } from './first-seen.ts'
import { type Delivered, type Inbox, InboxRing } from './inbox.ts'
import { type MailHosts, startMailHosts } from './mx.ts'
import { reportMail } from './report-mail.ts'
import { type Endpoint, type ReportCounts, Reporter, type SentReport } from './reporter.ts'

export interface SandboxAddress {
  readonly address: string
  readonly smtpPort: number
  readonly dnsPort: number
  /** Host behaviours that this system has no loopback address for; their domains behave like all others. */
  readonly missing: readonly string[]
}

/** The mails by which recipients answer. */
export interface SandboxReports {
  readonly counts: ReportCounts
  on(event: 'report', listener: (report: SentReport) => void): () => void
}

export interface Sandbox {
  readonly inbox: Inbox
  readonly reports: SandboxReports
  /** Rejects when a port is taken; nothing listens then. */
  start(): Promise<SandboxAddress>
  /** Ends all connections at once. Harmless when nothing was started. */
  stop(): Promise<void>
}

export interface SandboxOptions {
  readonly settings: Settings['sandbox']
  readonly clock: Clock
  /**
   * Where recipients that answer by mail send it, whatever its domain: the bounce listener of the relay on trial. Asked
   * each time; undefined = nobody listens yet, it is tried again. Without it nobody answers.
   */
  readonly reportTo?: () => Endpoint | undefined
}

export function createSandbox({ settings, clock, reportTo }: SandboxOptions): Sandbox {
  const inbox = new InboxRing({ clock, size: settings.inboxSize })
  const reporter = new Reporter({ clock, delayMs: settings.reportDelay, to: reportTo ?? (() => undefined) })
  let running: { readonly mail: MailHosts; readonly dns: NameServer } | undefined
  return {
    inbox,
    reports: reporter,
    async start() {
      const mail = await startMailHosts({
        address: settings.address,
        port: settings.smtpPort,
        around: surroundings({ inbox, reporter: reportTo === undefined ? undefined : reporter, clock }),
      })
      try {
        const zone = { address: settings.address, hosts: mail.hosts }
        const dns = await startNameServer({ address: settings.address, port: settings.dnsPort, zone })
        running = { mail, dns }
        return { address: settings.address, smtpPort: mail.port, dnsPort: dns.port, missing: mail.missing }
      } catch (error) {
        await mail.stop()
        throw error
      }
    },
    async stop() {
      const stopping = running
      running = undefined
      await Promise.all([stopping?.mail.stop(), stopping?.dns.stop(), reporter.stop()])
    },
  }
}

interface Shared {
  readonly inbox: InboxRing
  readonly reporter: Reporter | undefined
  readonly clock: Clock
}

function surroundings({ inbox, reporter, clock }: Shared): Surroundings {
  const now = clock.now()
  const { cert, key } = makeSelfSigned(['mx.sandbox.test', '*.sandbox.test'], { from: now - DAY, to: now + 365 * DAY })
  let queueId = 0
  const nextQueueId = (): string => (++queueId).toString(16).toUpperCase().padStart(10, '4')
  return {
    clock,
    secureContext: createSecureContext({ cert, key }),
    firstSeen: new FirstSeen(clock),
    deliver: (message) => {
      inbox.add(message)
      if (reporter === undefined) return
      for (const recipient of message.recipients)
        answer({ reporter, message, recipient, id: nextQueueId, at: clock.now() })
    },
    nextQueueId,
  }
}

interface Ground {
  readonly reporter: Reporter
  readonly message: Delivered
  readonly recipient: string
  readonly id: () => string
  readonly at: EpochMs
}

/** What this recipient sends back, if its name says that it does. */
function answer({ reporter, message, recipient, id, at }: Ground): void {
  const { behaviour, enhanced } = planFor(recipient.slice(0, recipient.lastIndexOf('@')))
  if (behaviour.report === undefined) return
  const { sender, raw } = message
  const asked = enhanced === undefined ? {} : { enhanced }
  const mail = reportMail(behaviour.report, { sender, recipient, raw, at, id: id(), ...asked })
  if (mail !== undefined) reporter.send(behaviour.report, mail)
}
