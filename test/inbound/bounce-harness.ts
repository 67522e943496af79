// The bounce listeners on port 0 with a desk at their edge that keeps what it is given. The desk reads return paths with the
// real code and real keys; everything else is real too: sockets, TLS, certificate files in a temporary directory.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dayOf, makeReturnPath, type ReturnPathKey, readReturnPath } from '../../src/bounce/return-path.ts'
import type { Settings } from '../../src/config/schema.ts'
import { type BounceListener, createBounceListener } from '../../src/inbound/bounce-listener.ts'
import { type Certificates, openCertificates } from '../../src/inbound/certificates.ts'
import { parseAddress } from '../../src/mail/address.ts'
import type { Addressee, IncomingReport, ReportDesk } from '../../src/reports/desk.ts'
import type { ReportEntry } from '../../src/reports/report-entry.ts'
import { type Clock, systemClock } from '../../src/util/clock.ts'
import { idMaker } from '../../src/util/id.ts'
import { type Harness, HOSTNAME, portOf, type RecordedEvent, recordEvents, settingsOf } from './harness.ts'

export const DOMAIN = 'bounce.sender.test'
const KEY: ReturnPathKey = { id: 3, secret: Buffer.alloc(32, 7) }
const FOREIGN_KEY: ReturnPathKey = { id: 3, secret: Buffer.alloc(32, 8) }
const GONE_KEY: ReturnPathKey = { id: 4, secret: Buffer.alloc(32, 7) }
const TODAY = dayOf(systemClock.now())
const makeId = idMaker(systemClock, 1)
const ID = makeId()
const FULL_ID = makeId()

const returnPath = (more: Partial<Parameters<typeof makeReturnPath>[0]> = {}): string =>
  makeReturnPath({ key: KEY, id: ID, n: 2, expiresDay: TODAY + 5, domain: DOMAIN, ...more })

const flipped = (address: string, at: number): string => {
  const other = address[at] === 'a' ? 'b' : 'a'
  return address.slice(0, at) + other + address.slice(at + 1)
}

/** A signed address of recipient n of one message. */
export const tokenOf = (n: number): string => returnPath({ n })

/** What a dialog may say in braces. */
export const ADDRESSES: Readonly<Record<string, string>> = {
  token: returnPath(),
  'token-of-another': returnPath({ n: 3 }),
  'token-in-capitals': returnPath().toUpperCase(),
  'unsubscribe-token': returnPath({ purpose: 'unsubscribe' }),
  'token-with-enough': returnPath({ id: FULL_ID }),
  'expired-token': returnPath({ expiresDay: TODAY - 1 }),
  'forged-token': flipped(returnPath(), 41),
  'altered-token': flipped(returnPath(), 15),
  'truncated-token': returnPath().replace(/.@/, '@'),
  'lengthened-token': returnPath().replace('@', '0@'),
  'foreign-key-token': returnPath({ key: FOREIGN_KEY }),
  'gone-key-token': returnPath({ key: GONE_KEY }),
  'token-of-wrong-purpose': returnPath().replace('b-', 'u-'),
  'token-elsewhere': returnPath({ domain: 'elsewhere.test' }),
}

/** Keeps what it is given; answers addressee() as the real one does for one domain. */
export class KeepingDesk implements Pick<ReportDesk, 'addressee' | 'take'> {
  readonly reports: IncomingReport[] = []
  readonly discarded = 0
  asked = 0
  /** Set to make take() reject: always, or for some. */
  fail: Error | ((report: IncomingReport) => Error | undefined) | undefined
  failAddressee: Error | undefined
  /** Awaited by every take(). */
  gate: Promise<void> = Promise.resolve()
  /** Reports that wait at the gate. */
  waiting = 0
  readonly #nextId = idMaker(systemClock, 1)

  get messages(): readonly { readonly wire: string }[] {
    return this.reports.map(({ raw }) => ({ wire: raw.toString('latin1') }))
  }

  addressee(address: string): Addressee {
    this.asked++
    if (this.failAddressee !== undefined) throw this.failAddressee
    const parsed = parseAddress(address)
    if (parsed?.domain !== DOMAIN) return { kind: 'foreign' }
    if (/^(postmaster|abuse)$/i.test(parsed.local)) return { kind: 'box', box: 'postmaster' }
    for (const purpose of ['bounce', 'unsubscribe'] as const) {
      const path = readReturnPath(parsed.local, [KEY], TODAY, purpose)
      if (path.kind !== 'ok') continue
      return path.id === FULL_ID ? { kind: 'too-many' } : { kind: purpose, id: path.id, n: path.n }
    }
    return { kind: 'unknown' }
  }

  async take(report: IncomingReport): Promise<ReportEntry> {
    this.waiting++
    await this.gate
    this.waiting--
    const failure = typeof this.fail === 'function' ? this.fail(report) : this.fail
    if (failure !== undefined) throw failure
    this.reports.push(report)
    const nothing = { recipients: [], subject: '', from: '', references: [], tokens: [] }
    const { origin, to, sizeBytes, raw } = report
    return {
      id: this.#nextId(),
      at: systemClock.now(),
      origin,
      to,
      sizeBytes,
      isCut: raw.length < sizeBytes,
      report: { kind: 'mail', family: 'none', ...nothing },
      outcome: 'noted',
    }
  }
}

export interface BounceHarness extends AsyncDisposable {
  readonly listener: BounceListener
  readonly desk: KeepingDesk
  readonly certificates: Certificates
  readonly directory: string
  readonly events: RecordedEvent[]
  readonly event: Harness['event']
  port(listener?: string): number
  settings(config: Record<string, unknown>): Settings
}

const LISTENERS = [
  { name: 'bounces', port: 0, tls: 'starttls' },
  { name: 'plain', port: 0, tls: 'none' },
]
const DOMAINS = [{ name: 'sender.test', tenant: 'default', return_path: DOMAIN }]

export async function startBounces(
  options: { readonly config?: Record<string, unknown>; readonly clock?: Clock } = {},
): Promise<BounceHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'studs-bounces-'))
  const { clock = systemClock } = options
  const settings = (config: Record<string, unknown>) =>
    settingsOf({
      node: { hostname: HOSTNAME },
      bounce_listener: LISTENERS,
      domain: DOMAINS,
      tls: { directory },
      ...config,
    })
  const current = settings(options.config ?? {})
  const recorder = recordEvents()
  const desk = new KeepingDesk()
  const certificates = await openCertificates({ settings: current.tls, hostname: HOSTNAME, clock, events: recorder })
  const listener = createBounceListener({ settings: current, desk, certificates, clock, events: recorder })
  const clean = async (): Promise<void> => {
    certificates.close()
    await rm(directory, { recursive: true })
  }
  const listening = await listener.start().catch(async (error) => {
    await clean()
    throw error
  })
  return {
    listener,
    desk,
    certificates,
    directory,
    events: recorder.recorded,
    event: recorder.event,
    port: (name = 'bounces') => portOf(listening, name),
    settings,
    [Symbol.asyncDispose]: async () => {
      await listener.stop(0)
      await clean()
    },
  }
}
