// A relay without SMTP: real store, queue, journal and suppression list in a temporary directory, the real API on a real
// unix socket, a clock that stands still. Mail is accepted and attempts end as the test says.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/schema.ts'
import { createApi } from '../../src/http/api.ts'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import { createOperations, type RunningRelay } from '../../src/http/relay-operations.ts'
import { listenOnSocket } from '../../src/http/socket.ts'
import { parseAddress } from '../../src/mail/address.ts'
import type { Outcome, Way } from '../../src/mail/outcome.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { type Core, createCore } from '../../src/queue/core.ts'
import type { Flight } from '../../src/queue/flight.ts'
import { returnPathKeys } from '../../src/queue/return-path-keys.ts'
import { createCoreDesk } from '../../src/reports/core-desk.ts'
import type { ReportDesk } from '../../src/reports/desk.ts'
import { createParserThread } from '../../src/reports/parser-thread.ts'
import { createReportBook, type ReportBook } from '../../src/reports/report-book.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { HOUR } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'

export const START = Date.UTC(2026, 10, 21, 23, 20, 11, 120)

export interface Mail {
  readonly to: readonly string[]
  readonly subject?: string
  readonly sender?: string
  readonly messageId?: string
}

export interface Fixture {
  readonly directory: string
  readonly configFile: string
  readonly settings: Settings
  readonly clock: FakeClock
  readonly store: Store
  readonly core: Core
  readonly desk: ReportDesk
  readonly book: ReportBook
  readonly operations: Operations
  readonly errors: unknown[]
  accept(mail: Mail): Promise<{ id: string; flights: readonly Flight[] }>
  settle(flight: Flight | undefined, outcome: Outcome): Promise<void>
  close(): Promise<void>
}

const CONFIG = `
[data]
map_size = "64MiB"
min_free = "0"
[queue]
jitter = 0
[[tenant]]
name = "default"
any_sender = true
[[tenant]]
name = "shop"
any_sender = true
`

export async function openFixture(options: { relay?: (clock: FakeClock) => RunningRelay } = {}): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), 'studs-http-'))
  const configFile = join(directory, 'studs.toml')
  await writeFile(configFile, CONFIG)
  const { settings } = loadSettings({ file: configFile, env: {} })
  const clock = new FakeClock(START)
  const store = openStore({ directory: settings.data.directory, mapSize: settings.data.mapSize, clock })
  const core = createCore({ store, settings, hostname: 'relay.example', clock, logger: silentLogger() })
  let claimed: Flight[] = []
  core.queue.listen({ claimed: (flights) => (claimed = [...claimed, ...flights]), due: () => undefined })
  const book = createReportBook({ store })
  const parser = createParserThread({ logger: silentLogger() })
  const keys = await returnPathKeys(store)
  const desk = createCoreDesk({ core, store, parser, keys, settings: () => settings, clock })
  const relay = options.relay?.(clock)
  const operations = createOperations({
    core,
    desk,
    store,
    settings: () => settings,
    clock,
    version: '1.2.3',
    ...(relay ? { relay } : {}),
  })
  const errors: unknown[] = []
  return {
    directory,
    configFile,
    settings,
    clock,
    store,
    core,
    desk,
    book,
    operations,
    errors,
    accept: async (mail) => {
      claimed = []
      const { id } = await core.queue.accept(await bodyOf(core), submitted(mail, clock))
      return { id, flights: claimed }
    },
    settle: async (flight, outcome) => {
      if (flight === undefined) throw new Error('no such flight')
      await core.queue.settle(flight, outcome)
    },
    close: async () => {
      await parser.close()
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
}

async function bodyOf(core: Core): Promise<ReturnType<Core['queue']['openBody']>> {
  const body = core.queue.openBody()
  await body.write(Buffer.from('Subject: x\r\n\r\nHello\r\n'))
  return body
}

function submitted(
  { to, subject, sender = 'news@shop.example', messageId = '<a1@app.example>' }: Mail,
  clock: FakeClock,
): Parameters<Core['queue']['accept']>[1] {
  return {
    tenant: 'default',
    credential: 'app1',
    sender: sender === '' ? '' : parseAddress(sender)!.text,
    expiresAt: clock.now() + 72 * HOUR,
    sizeBytes: 12_700,
    prefix: 'DKIM-Signature: secret-to-nobody\r\n',
    body: '7bit',
    smtpUtf8: false,
    headers: { messageId, from: 'News <news@shop.example>', ...(subject === undefined ? {} : { subject }) },
    tags: ['welcome'],
    metadata: { userId: '43' },
    client: { address: '10.0.0.5', helo: 'app1.internal', listener: 'submission', tls: 'TLSv1.3' },
    to: to.map((text) => {
      const { text: address, domain } = parseAddress(text)!
      return { address, domain }
    }),
  }
}

export const WAY: Way = {
  site: 'mx.example.net',
  source: 'default',
  mx: 'mx1.example.net',
  mxAddress: '192.0.2.5',
  localAddress: '203.0.113.10',
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  durationMs: 214,
}

export function refusal(code: number, ...lines: string[]): Outcome {
  const enhanced = /^[45]\.\d+\.\d+/.exec(lines[0] ?? '')?.[0]
  const reply = { code, lines, ...(enhanced === undefined ? {} : { enhanced }) }
  return { kind: code < 500 ? 'deferred' : 'failed', cause: { kind: 'reply', command: 'RCPT', reply }, way: WAY }
}

export const DELIVERED: Outcome = {
  kind: 'delivered',
  reply: { code: 250, enhanced: '2.0.0', lines: ['2.0.0 OK queued as 4F2A'] },
  way: WAY,
}

/** A relay that says of itself what the test wants. */
export function pretendRelay(more: Partial<RunningRelay> = {}): (clock: FakeClock) => RunningRelay {
  return (clock) => ({
    startedAt: clock.now() - 2 * HOUR,
    delivery: {
      resolve: () => Promise.reject(new Error('there is no DNS here')),
      sourceOf: () => undefined,
      paths: async () => [{ source: 'default', site: 'mx.example.net', connections: 3, idle: 1, active: 2, queued: 7 }],
    },
    standing: () => undefined,
    listeners: () => [{ name: 'submission', address: '127.0.0.1', port: 2587, tls: 'starttls' }],
    mailboxes: () => [],
    inbox: () => undefined,
    isDraining: () => false,
    reload: async () => ['queue.retry: 5m instead of 10m'],
    ...more,
  })
}

export interface Served extends Fixture {
  readonly client: Operations
  /** Any request, as curl would make it. */
  fetch(
    path: string,
    init?: { method?: string; body?: string; headers?: Record<string, string> },
  ): Promise<{ status: number; type: string; body: string }>
}

export async function serveFixture(relay: Partial<RunningRelay> = {}): Promise<Served> {
  const fixture = await openFixture({ relay: pretendRelay(relay) })
  const { core, clock, operations, errors } = fixture
  const app = createApi({
    operations,
    records: { journal: core.journal, clock },
    onError: (error) => errors.push(error),
  })
  const socket = await listenOnSocket(app, fixture.settings.api.socket)
  return {
    ...fixture,
    client: createClient({ kind: 'socket', path: socket.path }),
    fetch: (path, init) => rawFetch(socket.path, path, init),
    close: async () => {
      await socket.close()
      await fixture.close()
    },
  }
}

export async function rawFetch(
  socketPath: string,
  path: string,
  init: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        socketPath,
        path,
        method: init.method ?? 'GET',
        headers: {
          ...(init.body === undefined ? {} : { 'content-length': Buffer.byteLength(init.body) }),
          ...init.headers,
        },
        agent: false,
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => (body += chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, type: String(response.headers['content-type'] ?? ''), body }),
        )
      },
    )
    sent.once('error', reject)
    sent.end(init.body)
  })
}
