// Submission on port 0 with an acceptor at its edge that keeps what it is given: the seam of this part. Everything else
// is real: sockets, TLS, certificate files in a temporary directory.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Settings, schema } from '../../src/config/schema.ts'
import { type Certificates, openCertificates } from '../../src/inbound/certificates.ts'
import type { BounceEvents, CertificateEvents, SubmissionEvents } from '../../src/inbound/events.ts'
import { createSubmission, type Listening, type Submission } from '../../src/inbound/submission.ts'
import type { Domain, EmailAddress } from '../../src/mail/address.ts'
import type { Cause } from '../../src/mail/outcome.ts'
import type { Acceptor, BodyWriter, Submitted } from '../../src/queue/submission.ts'
import type { Signer } from '../../src/sign/signer.ts'
import type { Suppression } from '../../src/suppression/suppression.ts'
import { type Clock, systemClock } from '../../src/util/clock.ts'
import { idMaker } from '../../src/util/id.ts'

export const HOSTNAME = 'relay.test'

/** Everything submission said, by name of the event. */
export interface RecordedEvent {
  readonly name: string
  readonly [detail: string]: unknown
}

export interface KeptMessage {
  readonly id: string
  readonly submitted: Submitted
  /** prefix and body as they would go out. */
  readonly wire: string
  readonly body: string
  readonly chunks: readonly number[]
}

export class KeepingAcceptor implements Acceptor {
  readonly messages: KeptMessage[] = []
  discarded = 0
  /** Set to make accept or write reject. */
  failAccept: Error | undefined
  failWrite: Error | undefined
  maxQueued = Number.POSITIVE_INFINITY
  /** Awaited by every write and accept. */
  gate: Promise<void> = Promise.resolve()
  /** Writes that wait at the gate. */
  waiting = 0
  readonly #bodies = new Map<string, Buffer[]>()
  readonly #nextId = idMaker(systemClock, 1)

  openBody(): BodyWriter {
    const id = this.#nextId()
    const chunks: Buffer[] = []
    this.#bodies.set(id, chunks)
    return {
      id,
      write: async (bytes) => {
        this.waiting++
        await this.gate
        this.waiting--
        if (this.failWrite !== undefined) throw this.failWrite
        chunks.push(Buffer.from(bytes))
      },
      discard: async () => {
        this.discarded++
        this.#bodies.delete(id)
      },
    }
  }

  async accept(writer: BodyWriter, submitted: Submitted): Promise<{ id: string; duplicate: boolean }> {
    await this.gate
    if (this.failAccept !== undefined) throw this.failAccept
    const chunks = this.#bodies.get(writer.id) ?? []
    this.#bodies.delete(writer.id)
    const body = Buffer.concat(chunks).toString('latin1')
    const sizes = chunks.map(({ length }) => length)
    this.messages.push({ id: writer.id, submitted, body, wire: submitted.prefix + body, chunks: sizes })
    return { id: writer.id, duplicate: false }
  }

  mayQueue(_tenant: string, count: number): boolean {
    return count <= this.maxQueued
  }

  /** Bodies that were opened and neither accepted nor discarded. */
  get open(): number {
    return this.#bodies.size
  }
}

export const unsigned: Signer = { start: () => undefined }

type Input = Parameters<typeof schema.parse>[0]

export interface HarnessOptions {
  /** Config as it stands in a file, snake_case; the default has listeners plain, required, implicit and trusted. */
  readonly config?: Record<string, unknown>
  readonly clock?: Clock
  readonly signer?: Signer
  readonly suppressed?: Readonly<Record<string, Suppression>>
  readonly nullMx?: readonly string[]
}

export interface Harness extends AsyncDisposable {
  readonly submission: Submission
  readonly acceptor: KeepingAcceptor
  readonly certificates: Certificates
  readonly directory: string
  readonly events: RecordedEvent[]
  port(listener: string): number
  /** Resolves with the first event of that name, past or future, that satisfies `matches`. */
  event(name: string, matches?: (event: RecordedEvent) => boolean): Promise<RecordedEvent>
  settings(config: Record<string, unknown>): Settings
}

const LISTENERS = [
  { name: 'submission', port: 0, tls: 'starttls', auth: 'required' },
  { name: 'submissions', port: 0, tls: 'implicit', auth: 'required' },
  { name: 'trusted', port: 0, tls: 'starttls', auth: 'optional' },
  { name: 'plain', port: 0, tls: 'none', auth: 'none' },
]

export function settingsOf(config: Record<string, unknown>): Settings {
  return camelKeys(schema.parse(config as Input)) as Settings
}

export async function startSubmission(options: HarnessOptions = {}): Promise<Harness> {
  const directory = await mkdtemp(join(tmpdir(), 'studs-inbound-'))
  const { clock = systemClock, signer = unsigned, suppressed = {}, nullMx = [] } = options
  const settings = (config: Record<string, unknown>) =>
    settingsOf({
      node: { hostname: HOSTNAME },
      listener: LISTENERS,
      ...config,
      tls: { directory, ...(config.tls as object | undefined) },
    })
  const recorder = recordEvents()
  const acceptor = new KeepingAcceptor()
  const current = settings(options.config ?? {})
  const certificates = await openCertificates({ settings: current.tls, hostname: HOSTNAME, clock, events: recorder })
  const submission = createSubmission({
    settings: current,
    acceptor,
    signer,
    certificates,
    clock,
    events: recorder,
    isSuppressed: (_tenant: string, address: EmailAddress) => suppressed[address],
    knownNullMx: (domain: Domain): Cause | undefined =>
      nullMx.includes(domain) ? { kind: 'dns', code: '5.1.10', detail: 'null MX' } : undefined,
  })
  const listening = await submission.start()
  return {
    submission,
    acceptor,
    certificates,
    directory,
    events: recorder.recorded,
    port: (name) => portOf(listening, name),
    event: recorder.event,
    settings,
    [Symbol.asyncDispose]: async () => {
      certificates.close()
      await submission.stop(0)
      await rm(directory, { recursive: true })
    },
  }
}

export function portOf(listening: readonly Listening[], name: string): number {
  const found = listening.find((listener) => listener.name === name)
  if (found === undefined) throw new Error(`no listener ${name}`)
  return found.port
}

export type Recorder = SubmissionEvents &
  BounceEvents &
  CertificateEvents &
  Pick<Harness, 'event'> & { recorded: RecordedEvent[] }

export function recordEvents(): Recorder {
  const recorded: RecordedEvent[] = []
  const waiting = new Set<() => void>()
  const record = (name: string) => (event?: object) => {
    recorded.push({ name, ...event })
    for (const look of waiting) look()
  }
  const event: Harness['event'] = (name, matches = () => true) =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = recorded.find((candidate) => candidate.name === name && matches(candidate))
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  return {
    recorded,
    event,
    listening: record('listening'),
    connectionOpened: record('connectionOpened'),
    connectionRefused: record('connectionRefused'),
    sessionEnded: record('sessionEnded'),
    connectionFailed: record('connectionFailed'),
    authSucceeded: record('authSucceeded'),
    authFailed: record('authFailed'),
    refused: record('refused'),
    acceptFailed: record('acceptFailed'),
    submissionPaused: record('submissionPaused'),
    submissionResumed: record('submissionResumed'),
    reportTaken: record('reportTaken'),
    bouncesPaused: record('bouncesPaused'),
    bouncesResumed: record('bouncesResumed'),
    certificateMade: record('certificateMade'),
    certificateLoaded: record('certificateLoaded'),
    certificateRefused: record('certificateRefused'),
  }
}

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys)
  if (typeof value !== 'object' || value === null) return value
  const camel = (key: string): string => key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [camel(key), camelKeys(item)]))
}
