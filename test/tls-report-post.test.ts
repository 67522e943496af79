// TLS reports by HTTPS (RFC 8460 §3, §5.4), from what delivery tells to a real HTTPS server named in DNS: what arrives there, and
// who is not posted to.

import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Domain } from '../src/mail/address.ts'
import { silentLogger } from '../src/observe/logger.ts'
import { createTlsReports, type TlsReports } from '../src/relay/tls-reports.ts'
import { openStore } from '../src/store/lmdb.ts'
import type { Store } from '../src/store/store.ts'
import { DAY, HOUR, MINUTE, systemClock } from '../src/util/clock.ts'
import { KeepingAcceptor, unsigned } from './inbound/harness.ts'
import { Authority } from './support/authority.ts'
import { settingsWith } from './support/delivery-settings.ts'
import { DnsServer } from './support/dns-server.ts'
import { FakeClock } from './support/fake-clock.ts'
import { type Certificate, selfSigned } from './support/scripted-server.ts'

interface Posted {
  readonly line: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Emits `posted` with each request; answers with a status, or never. */
class Collector extends EventEmitter implements AsyncDisposable {
  readonly posted: Posted[] = []
  status: number | 'silence' = 201
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(certificate: Certificate) {
    super()
    this.#server = createServer(certificate, async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      if (this.status !== 'silence') {
        response.writeHead(
          this.status,
          this.status === 302 ? { location: `https://${request.headers.host}/other` } : {},
        )
        response.end('thank you')
      }
      this.posted.push({
        line: `${request.method} ${request.url}`,
        headers: request.headers,
        body: Buffer.concat(chunks),
      })
      this.emit('posted')
    })
    this.#server.on('tlsClientError', () => this.emit('refused'))
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(certificate: Certificate): Promise<Collector> {
    const collector = new Collector(certificate)
    collector.#server.listen(0, '127.0.0.1')
    await once(collector.#server, 'listening')
    return collector
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const authority = Authority.make()
const certificate = authority.issue(['reports.example.com'])
/** Steps of 2 ms: what takes longer on loopback does not come. */
const PATIENCE = 400
const NOON = Date.UTC(2026, 0, 31, 12)
let directory = ''
let store: Store
let clock: ReporterClock
let reports: TlsReports | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'studs-tls-post-'))
  store = openStore({ directory, mapSize: 2 ** 30, clock: systemClock })
  clock = new ReporterClock(NOON)
})
afterEach(async () => {
  await reports?.stop()
  reports = undefined
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

function begin(dns: DnsServer, { allowPrivate = true } = {}): void {
  const settings = settingsWith({
    tlsReport: { enabled: true, from: 'tls@sender.test', organization: 'Sender Inc.' },
    delivery: { resolvers: [dns.address], dnsTimeout: 300, allowPrivate, ca: authority.cert },
  })
  reports = createTlsReports({
    settings: () => settings,
    hostname: 'relay.test',
    store,
    clock,
    logger: silentLogger(),
  })
  reports.start({ acceptor: new KeepingAcceptor(), signer: unsigned })
  reports.count({
    domain: 'example.com' as Domain,
    policy: { type: 'sts', strings: [], mx: [] },
    failure: 'sts-webpki-invalid',
    reason: 'mta-sts.example.com: certificate has expired',
    mx: 'mx.example.com',
    mxAddress: '192.0.2.1',
  })
}

const wish = (collector: Collector) =>
  `v=TLSRPTv1; rua=https://reports.example.com:${collector.port}/tls?of=example.com`
const zones = (collector: Collector) => ({
  '_smtp._tls.example.com': { txt: [wish(collector)] },
  'reports.example.com': { a: ['127.0.0.1'] },
})

/** Knows whether the reporter has nothing to do: then it sleeps until the next minute. */
class ReporterClock extends FakeClock {
  isIdle = false

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.isIdle = true
    await super.sleep(ms, signal)
    this.isIdle = false
  }
}

/** Virtual time goes on while the reporter sleeps, and when what it waits for does not come. */
async function until(isSo: () => boolean): Promise<void> {
  for (let patience = 0, days = 0; !isSo() && days < 10; ) {
    if (clock.isIdle || patience > PATIENCE) {
      patience = 0
      days += 1 / 288
      await clock.advance(5 * MINUTE)
    } else {
      patience++
      await systemClock.sleep(2)
    }
  }
  if (!isSo()) throw new Error('it never happened')
}
const days = () => new Set(store.keys('tls-tally', {}).map((key) => key.toString('utf8', 0, 10))).size

test('what arrives', async () => {
  await using collector = await Collector.start(certificate)
  await using dns = await DnsServer.start(zones(collector))
  begin(dns)
  await until(() => collector.posted.length > 0)
  const [posted] = collector.posted
  expect(posted!.line).toBe('POST /tls?of=example.com')
  expect(posted!.headers).toMatchObject({
    host: `reports.example.com:${collector.port}`,
    'content-type': 'application/tlsrpt+gzip',
    'content-length': String(posted!.body.length),
  })
  expect(JSON.parse(gunzipSync(posted!.body).toString())).toEqual({
    'organization-name': 'Sender Inc.',
    'date-range': { 'start-datetime': '2026-01-31T00:00:00Z', 'end-datetime': '2026-01-31T23:59:59Z' },
    'contact-info': 'tls@sender.test',
    'report-id': expect.stringMatching(/^[0-9a-v]{13}$/),
    policies: [
      {
        policy: { 'policy-type': 'sts', 'policy-domain': 'example.com' },
        summary: { 'total-successful-session-count': 0, 'total-failure-session-count': 1 },
        'failure-details': [
          {
            'result-type': 'sts-webpki-invalid',
            'receiving-mx-hostname': 'mx.example.com',
            'receiving-ip': '192.0.2.1',
            'failed-session-count': 1,
            'failure-reason-code': 'mta-sts.example.com: certificate has expired',
          },
        ],
      },
    ],
  })
  // Taken: it is forgotten, and not told twice.
  await until(() => store.count('tls-tally') === 0)
  expect(collector.posted).toHaveLength(1)
})

test.each([302, 400, 500, 503] as const)(
  '%i is no receipt: posted again the next day, redirects not followed',
  async (status) => {
    await using collector = await Collector.start(certificate)
    await using dns = await DnsServer.start(zones(collector))
    collector.status = status
    begin(dns)
    await until(() => collector.posted.length === 1)
    const first = clock.now()
    expect(days()).toBe(1)
    collector.status = 204
    await until(() => collector.posted.length === 2)
    expect(clock.now() - first).toBeGreaterThan(DAY - 5 * HOUR)
    expect(collector.posted.map(({ line }) => line)).toEqual(Array(2).fill('POST /tls?of=example.com'))
    await until(() => store.count('tls-tally') === 0)
  },
)

test('who takes it and never answers is given up after a minute', async () => {
  await using collector = await Collector.start(certificate)
  await using dns = await DnsServer.start(zones(collector))
  collector.status = 'silence'
  begin(dns)
  await until(() => collector.posted.length === 1)
  collector.status = 200
  await until(() => collector.posted.length === 2)
  await until(() => store.count('tls-tally') === 0)
})

test.each<[string, Certificate]>([
  ['for another name', authority.issue(['other.example.com'])],
  ['of its own making', selfSigned('reports.example.com')],
])('a certificate %s: nothing is posted', async (_, wrong) => {
  await using collector = await Collector.start(wrong)
  await using dns = await DnsServer.start(zones(collector))
  begin(dns)
  await until(() => store.count('tls-tally') === 1)
  // Given up after three days.
  await until(() => store.count('tls-tally') === 0)
  expect(clock.now()).toBeGreaterThan(NOON + 3 * DAY)
  expect(collector.posted).toEqual([])
  expect(dns.count('A reports.example.com')).toBeGreaterThanOrEqual(3)
})

test('a private address is not knocked at', async () => {
  await using collector = await Collector.start(certificate)
  await using dns = await DnsServer.start(zones(collector))
  begin(dns, { allowPrivate: false })
  await until(() => store.count('tls-tally') === 1)
  await until(() => store.count('tls-tally') === 0)
  expect(collector.posted).toEqual([])
  expect(dns.count('A reports.example.com')).toBeGreaterThanOrEqual(3)
})
