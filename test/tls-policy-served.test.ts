// The MTA-STS policy of our own return path: what the relay serves behind a TLS proxy, and that a sender who obeys policies obeys
// it. The sender is this relay's own delivery.

import { once } from 'node:events'
import { request as requestPlain } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { check } from '../src/config/check.ts'
import { checkReturnPath } from '../src/identity/check-return-path.ts'
import { createLookup } from '../src/identity/dns.ts'
import { recordsOf } from '../src/identity/record.ts'
import { authority, PLAIN, saidInClear, TlsWorld, tlsScript } from './delivery/tls-fixture.ts'
import { settingsOf } from './inbound/harness.ts'
import { attemptTo } from './support/attempt.ts'
import { DnsServer } from './support/dns-server.ts'
import { startTestRelay, stopRelays, type TestRelay } from './support/relay.ts'

afterEach(stopRelays)

const certificate = authority.issue(['mta-sts.bounce.sender.test'])
const relayCertificate = authority.issue(['relay.test'])
const PATH = '/.well-known/mta-sts.txt'
const toml = (mode: string) => `
[[domain]]
name = "sender.test"
return_path = "bounce.sender.test"
mta_sts = "${mode}"
[[domain]]
name = "other.test"
return_path = "bounce.other.test"
[unsubscribe]
port = 0
`

function portOf({ relay }: TestRelay): number {
  return relay.reportListeners.find(({ name }) => name === 'unsubscribe')!.port
}

async function get(port: number, headers: Record<string, string>, path = PATH) {
  const asking = requestPlain({ host: '127.0.0.1', port, path, headers, agent: false })
  asking.end()
  const [response] = await once(asking, 'response')
  return { status: response.statusCode, type: response.headers['content-type'], body: await text(response) }
}

/** As nginx or Caddy in front of it: ends TLS, passes the name on. */
async function tlsProxy(port: number): Promise<number> {
  const server = createServer(certificate, (incoming, outgoing) => {
    const { method, url: path, headers } = incoming
    const passed = requestPlain({ host: '127.0.0.1', port, method, path, headers, agent: false })
    incoming.pipe(passed)
    passed.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

describe('who asks', () => {
  test('for the policy host of a return path with a policy gets it; for anything else nothing', async () => {
    const port = portOf(await startTestRelay({ toml: toml('enforce') }))
    const policy = 'version: STSv1\r\nmode: enforce\r\nmx: relay.test\r\nmax_age: 604800\r\n'
    for (const host of ['mta-sts.bounce.sender.test', 'MTA-STS.bounce.sender.test:443', 'mta-sts.bounce.sender.test.'])
      expect(await get(port, { host })).toEqual({ status: 200, type: 'text/plain; charset=utf-8', body: policy })
    const passed = { host: '127.0.0.1:2580', 'x-forwarded-host': 'mta-sts.bounce.sender.test' }
    expect(await get(port, passed)).toMatchObject({ status: 200, body: policy })
    for (const host of [
      'bounce.sender.test',
      'mta-sts.sender.test',
      'mta-sts.bounce.other.test',
      'mta-sts.undefined',
      '',
    ])
      expect(await get(port, { host })).toMatchObject({ status: 404 })
    expect(await get(port, { host: 'mta-sts.bounce.sender.test' }, '/.well-known/other.txt')).toMatchObject({
      status: 404,
    })
  })
})

describe('a sender who obeys it', () => {
  async function world(mode: string) {
    const { relay } = await startTestRelay({ toml: toml(mode) }).then((made) => ({ relay: made }))
    const record = recordsOf(senderOf(mode)).find(({ topic }) => topic === 'mta-sts')!
    const made = await TlsWorld.start()
    made.dns.zones = {
      'bounce.sender.test': { mx: [[10, 'relay.test']] },
      'relay.test': { a: ['127.0.0.1'] },
      'mta-sts.bounce.sender.test': { a: ['127.0.0.1'] },
      [record.name]: { txt: [record.value] },
    }
    return { made, policyHost: { port: await tlsProxy(portOf(relay)) } }
  }

  test('comes with TLS that is verified', async () => {
    const { made, policyHost } = await world('enforce')
    await using world_ = made
    await world_.mx(tlsScript(relayCertificate))
    const outcome = await world_.delivery({ policyHost }).deliver(attemptTo('b-1@bounce.sender.test'))
    expect(outcome).toMatchObject({ kind: 'delivered', way: { tlsVerified: 'mta-sts' } })
  })

  test.each([
    ['enforce', 'deferred'],
    ['testing', 'delivered'],
    ['none', 'delivered'],
  ])('and where TLS is stripped, %s: %s', async (mode, kind) => {
    const { made, policyHost } = await world(mode)
    await using world_ = made
    const mx = await world_.mx(PLAIN)
    const outcome = await world_.delivery({ policyHost }).deliver(attemptTo('b-1@bounce.sender.test'))
    expect([outcome.kind, saidInClear(mx)]).toEqual([kind, kind === 'delivered'])
  })
})

test('another mode is another id: others look again', () => {
  const id = (mode: string) => recordsOf(senderOf(mode)).find(({ topic }) => topic === 'mta-sts')!.value
  expect(new Set(['testing', 'enforce', 'none'].map(id)).size).toBe(3)
})

test.each<[string, string, string]>([
  [
    'of the policy that is served',
    recordsOf(senderOf('enforce')).find(({ topic }) => topic === 'mta-sts')!.value,
    'ok',
  ],
  ['of another one', recordsOf(senderOf('testing')).find(({ topic }) => topic === 'mta-sts')!.value, 'different'],
  ['that is none', 'v=STSv1; id=a-b', 'different'],
])('studs dns check: the id %s', async (_, published, state) => {
  await using dns = await DnsServer.start({
    '_mta-sts.bounce.sender.test': { txt: [published] },
    'mta-sts.bounce.sender.test': { a: ['192.0.2.1'] },
    'bounce.sender.test': { mx: [[10, 'relay.test']] },
    'relay.test': { a: ['192.0.2.1'] },
  })
  const lookup = createLookup({ servers: [dns.address], timeoutMs: 1000 })
  const sender = senderOf('enforce')
  const found = await checkReturnPath({ sender, lookup, listeners: [], machineAddresses: [] })
  expect(found.filter(({ topic }) => topic === 'mta-sts')).toMatchObject([{ state }])
})

test.each<[string, object, string, string]>([
  ['without a return path', { domain: [{ name: 'a.test', mta_sts: 'testing' }] }, 'domain.0.mta_sts', 'error'],
  [
    'without a port',
    { domain: [{ name: 'a.test', return_path: 'b.a.test', mta_sts: 'testing' }] },
    'domain.0.mta_sts',
    'warning',
  ],
  [
    'two for one return path',
    {
      unsubscribe: { port: 2580 },
      domain: [
        { name: 'a.test', return_path: 'b.a.test', mta_sts: 'testing' },
        { name: 'x.a.test', return_path: 'b.a.test', mta_sts: 'enforce' },
      ],
    },
    'domain.1.mta_sts',
    'error',
  ],
])('the configuration is told of: %s', (_, given, path, severity) => {
  const found = check(settingsOf(given as Record<string, unknown>)).filter((each) => each.path === path)
  expect(found).toMatchObject([{ severity }])
})

function senderOf(mode: string): Parameters<typeof recordsOf>[0] {
  return {
    domain: 'sender.test',
    subdomains: false,
    returnPath: 'bounce.sender.test',
    mtaSts: mode as 'testing',
    keys: [],
    sources: [],
    mxHost: 'relay.test',
    mxAddresses: [],
  }
}
