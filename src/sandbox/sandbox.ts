// A whole pretend internet in one process: a name server for which every domain exists, MX hosts whose recipients decide
// what happens, and an inbox of what was delivered. For trials, demos and the CI of those who send; no mail leaves it.

import { createSecureContext } from 'node:tls'
import type { Settings } from '../config/schema.ts'
import { makeSelfSigned } from '../inbound/self-signed.ts'
import { type Clock, DAY } from '../util/clock.ts'
import type { Surroundings } from './conversation.ts'
import { type NameServer, startNameServer } from './dns.ts'
import { FirstSeen } from './first-seen.ts'
import { type Inbox, InboxRing } from './inbox.ts'
import { type MailHosts, startMailHosts } from './mx.ts'

export interface SandboxAddress {
  readonly address: string
  readonly smtpPort: number
  readonly dnsPort: number
  /** Host behaviours that this system has no loopback address for; their domains behave like all others. */
  readonly missing: readonly string[]
}

export interface Sandbox {
  readonly inbox: Inbox
  /** Rejects when a port is taken; nothing listens then. */
  start(): Promise<SandboxAddress>
  /** Ends all connections at once. Harmless when nothing was started. */
  stop(): Promise<void>
}

export function createSandbox({ settings, clock }: { settings: Settings['sandbox']; clock: Clock }): Sandbox {
  const inbox = new InboxRing({ clock, size: settings.inboxSize })
  let running: { readonly mail: MailHosts; readonly dns: NameServer } | undefined
  return {
    inbox,
    async start() {
      const mail = await startMailHosts({
        address: settings.address,
        port: settings.smtpPort,
        around: surroundings(inbox, clock),
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
      await Promise.all([stopping?.mail.stop(), stopping?.dns.stop()])
    },
  }
}

function surroundings(inbox: InboxRing, clock: Clock): Surroundings {
  const now = clock.now()
  const { cert, key } = makeSelfSigned(['mx.sandbox.test', '*.sandbox.test'], { from: now - DAY, to: now + 365 * DAY })
  let queueId = 0
  return {
    clock,
    secureContext: createSecureContext({ cert, key }),
    firstSeen: new FirstSeen(clock),
    deliver: (message) => inbox.add(message),
    nextQueueId: () => (++queueId).toString(16).toUpperCase().padStart(10, '4'),
  }
}
