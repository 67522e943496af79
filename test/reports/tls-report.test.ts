// The daily TLS reports (RFC 8460): counted in a real store, asked for in DNS, composed and sent. The edges are the test's:
// what DNS says, who is posted to, and the queue that keeps what it is given.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AppliedPolicy, TlsResult } from '../../src/delivery/tls-result.ts'
import { type Domain, parseDomain } from '../../src/mail/address.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { type ReporterParts, type TextLookUp, TlsReporter } from '../../src/tls-report/reporter.ts'
import { TlsTally } from '../../src/tls-report/tally.ts'
import { DAY, HOUR, MINUTE, systemClock } from '../../src/util/clock.ts'
import { KeepingAcceptor, unsigned } from '../inbound/harness.ts'
import { FakeClock } from '../support/fake-clock.ts'

const START = Date.UTC(2026, 0, 31, 12)
let store: Store
let directory: string
let clock: FakeClock
let acceptor: KeepingAcceptor
const posted: { readonly url: string; readonly report: unknown }[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'studs-tls-report-'))
  store = openStore({ directory, mapSize: 2 ** 30, clock: systemClock })
  clock = new FakeClock(START)
  acceptor = new KeepingAcceptor()
  posted.length = 0
})
afterEach(() => store.close())

const none: AppliedPolicy = { type: 'no-policy-found', strings: [], mx: [] }
const sts: AppliedPolicy = { type: 'sts', strings: ['version: STSv1', 'mode: enforce'], mx: ['*.example.com'] }
const result = (more: Partial<TlsResult> = {}): TlsResult => ({
  domain: parseDomain('example.com') as Domain,
  policy: sts,
  mx: 'mx.example.com',
  mxAddress: '192.0.2.1',
  ...more,
})

const asked: TextLookUp = async (name) =>
  name === '_smtp._tls.example.com'
    ? { kind: 'ok', items: ['v=TLSRPTv1; rua=mailto:tls@example.com,https://reports.example.com/tls'] }
    : { kind: 'none' }

function reporter(tally: TlsTally, more: Partial<ReporterParts> = {}): TlsReporter {
  return new TlsReporter({
    settings: () => ({ enabled: true, from: 'tls@relay.test', organization: 'Relay Inc.' }),
    hostname: () => 'relay.test',
    lifetimeMs: () => DAY,
    tally,
    txt: asked,
    post: async (url, { body }) => {
      posted.push({ url: url.href, report: JSON.parse(gunzipSync(body).toString()) })
      return true
    },
    acceptor,
    signer: unsigned,
    clock,
    random: () => 0,
    logger: silentLogger(),
    ...more,
  })
}

async function counted(): Promise<TlsTally> {
  const tally = new TlsTally({ store, clock })
  for (let n = 0; n < 5; n++) tally.count(result())
  tally.count(result({ failure: 'certificate-expired' }))
  await tally.flush()
  tally.count(result({ failure: 'certificate-expired' }))
  tally.count(result({ failure: 'starttls-not-supported', mx: 'b.example.com' }))
  tally.count(result({ policy: none }))
  tally.count(result({ policy: { type: 'tlsa', domain: 'mx.example.com', strings: ['3 1 1 00'], mx: [] } }))
  tally.count(result({ domain: parseDomain('quiet.example') as Domain }))
  await tally.flush()
  return tally
}

const REPORT = {
  'organization-name': 'Relay Inc.',
  'date-range': { 'start-datetime': '2026-01-31T00:00:00Z', 'end-datetime': '2026-01-31T23:59:59Z' },
  'contact-info': 'tls@relay.test',
  'report-id': expect.stringMatching(/^[0-9a-v]{13}$/),
  policies: expect.arrayContaining([
    {
      policy: {
        'policy-type': 'sts',
        'policy-string': ['version: STSv1', 'mode: enforce'],
        'policy-domain': 'example.com',
        'mx-host': ['*.example.com'],
      },
      summary: { 'total-successful-session-count': 5, 'total-failure-session-count': 3 },
      'failure-details': [
        {
          'result-type': 'certificate-expired',
          'receiving-mx-hostname': 'mx.example.com',
          'receiving-ip': '192.0.2.1',
          'failed-session-count': 2,
        },
        {
          'result-type': 'starttls-not-supported',
          'receiving-mx-hostname': 'b.example.com',
          'receiving-ip': '192.0.2.1',
          'failed-session-count': 1,
        },
      ],
    },
    {
      policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'example.com' },
      summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 0 },
    },
    {
      // RFC 8460 §1.1: of DANE, the TLSA base domain.
      policy: { 'policy-type': 'tlsa', 'policy-string': ['3 1 1 00'], 'policy-domain': 'mx.example.com' },
      summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 0 },
    },
  ]),
}

test('a day is told to those who ask for it, and then forgotten', async () => {
  const tally = await counted()
  await reporter(tally).reportDaysBefore('2026-02-01')
  expect(posted).toEqual([{ url: 'https://reports.example.com/tls', report: REPORT }])
  const [mail] = acceptor.messages
  expect(acceptor.messages).toHaveLength(1)
  expect(mail!.submitted).toMatchObject({
    sender: 'tls@relay.test',
    to: [{ address: 'tls@example.com' }],
    tlsWish: 'optional',
    expiresAt: START + DAY,
  })
  expect(mail!.wire).toContain('TLS-Report-Domain: example.com\r\nTLS-Report-Submitter: relay.test\r\n')
  expect(mail!.wire).toContain(`filename="relay.test!example.com!1769817600!1769903999!${mail!.id}.json.gz"`)
  expect(mail!.wire.length).toBe(mail!.submitted.sizeBytes)
  const encoded = /base64\r\nContent-Disposition: [^;]+;\r\n [^\r]+\r\n\r\n([\s\S]+?)\r\n\r\n--/.exec(mail!.wire)![1]!
  expect(JSON.parse(gunzipSync(Buffer.from(encoded, 'base64')).toString())).toEqual(REPORT)
  expect(store.count('tls-tally')).toBe(0)
  expect(acceptor.open).toBe(0)
})

test('the counts outlive a restart', async () => {
  await counted()
  await store.close()
  store = openStore({ directory, mapSize: 2 ** 30, clock: systemClock })
  await reporter(new TlsTally({ store, clock })).reportDaysBefore('2026-02-01')
  expect(posted).toEqual([{ url: 'https://reports.example.com/tls', report: REPORT }])
})

test('a day that is not over is not told', async () => {
  await reporter(await counted()).reportDaysBefore('2026-01-31')
  expect(posted).toEqual([])
  expect(store.count('tls-tally')).toBe(4)
})

test.each([
  ['DNS does not answer', { txt: async () => ({ kind: 'failed' }) } as Partial<ReporterParts>],
  [
    'nobody takes it',
    {
      txt: async () => ({ kind: 'ok', items: ['v=TLSRPTv1; rua=https://reports.example.com/tls'] }),
      post: async () => false,
    } as Partial<ReporterParts>,
  ],
])('where %s it is tried again the next day, for three days', async (_, more) => {
  const tally = await counted()
  await reporter(tally, more).reportDaysBefore('2026-02-03')
  expect(store.count('tls-tally')).toBe(4)
  await reporter(tally, more).reportDaysBefore('2026-02-04')
  expect(store.count('tls-tally')).toBe(0)
})

test('a report that was switched off is not sent', async () => {
  await reporter(await counted(), { settings: () => ({ enabled: false }) }).reportDaysBefore('2026-02-01')
  expect(posted).toEqual([])
  expect(store.count('tls-tally')).toBe(0)
})

test('by itself: after midnight, not at once, and what was counted last is written when it stops', async () => {
  const tally = new TlsTally({ store, clock })
  const running = reporter(tally)
  running.start()
  tally.count(result())
  await clock.advance(11 * HOUR + 59 * MINUTE)
  expect(posted).toEqual([])
  await clock.advance(HOUR)
  await settle()
  expect(posted).toHaveLength(1)
  tally.count(result())
  await running.stop()
  expect(store.count('tls-tally')).toBe(1)
})

/** Lets the store finish its commits: the reporter goes on in between. */
async function settle(): Promise<void> {
  for (let n = 0; n < 50 && posted.length === 0; n++) {
    await store.write([])
    await clock.advance(MINUTE)
  }
}
