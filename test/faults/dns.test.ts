// What DNS can say that is wrong, told by real name servers (Knot DNS behind Unbound) to a whole relay: no connection to where
// nobody's mail can live, no bounce for what may mend itself, mail where one good host is left.

import { networkInterfaces } from 'node:os'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { StoredRecord } from '../../src/journal/record.ts'
import { HOUR, SECOND, systemClock } from '../../src/util/clock.ts'
import { DnsServer, type Zone } from '../support/dns-server.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'
import { hasSignedDns, SignedDns } from '../support/signed-dns.ts'

afterEach(stopRelays)

const leftOut = hasSignedDns ? '' : ' (left out: knot or unbound is not installed)'
/** An address that this machine has besides loopback, as long as it has one. */
const [OWN = '127.0.0.1'] = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .filter(({ family, internal }) => family === 'IPv4' && !internal)
  .map(({ address }) => address)

const mx = (domain: string, ...addresses: string[]): string[] => [
  `${domain}. 300 MX 10 mx.${domain}.`,
  ...addresses.map((address) => `mx.${domain}. 300 ${address.includes(':') ? 'AAAA' : 'A'} ${address}`),
]
/** Hosts of a domain in the order of their preference. */
const hosts = (domain: string, count: number, address: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => [
    `${domain}. 300 MX ${n + 1} a-rather-long-name-of-mail-exchanger-number-${n}.${domain}.`,
    `a-rather-long-name-of-mail-exchanger-number-${n}.${domain}. 300 A ${address(n)}`,
  ]).flat()

const PROHIBITED = {
  'loopback.example': ['127.0.0.1', '::1'],
  'private.example': ['10.1.2.3', '172.16.0.1', '192.168.1.1'],
  'multicast.example': ['224.0.0.1', 'ff02::1'],
  'metadata.example': ['169.254.169.254'],
  'disguised.example': ['::ffff:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'broadcast.example': ['255.255.255.255'],
  'nowhere.example': ['0.0.0.0'],
  'own.example': [OWN],
}
const CHAIN = 20
const RECORDS = [
  ...Object.entries(PROHIBITED).flatMap(([domain, addresses]) => mx(domain, ...addresses)),
  'implicit.example. 300 A 127.0.0.1',
  // Only the third answers.
  ...hosts('fifty.example', 50, (n) => (n === 2 ? '127.0.0.1' : `127.0.1.${n + 1}`)),
  ...hosts('dead.example', 50, (n) => `127.0.2.${n + 1}`),
  // An answer of more than a datagram.
  ...hosts('long.example', 40, () => '127.0.0.1'),
  'loop.example. 300 CNAME pool.example.',
  'pool.example. 300 CNAME loop.example.',
  'self.example. 300 CNAME self.example.',
  'behind-loop.example. 300 MX 10 loop.example.',
  ...Array.from({ length: CHAIN }, (_, n) => `c${n}.chain.example. 300 CNAME c${n + 1}.chain.example.`),
  `c${CHAIN}.chain.example. 300 A 127.0.0.1`,
  ...mx('bogus.example', '127.0.0.1'),
  ...mx('good.example', '127.0.0.1'),
]

const last = (relay: TestRelay, recipient: string): StoredRecord | undefined =>
  relay.records.findLast((record) => record.recipient === recipient && record.kind !== 'accepted')

describe.skipIf(!hasSignedDns)(`real name servers${leftOut}`, () => {
  let dns: SignedDns
  let receiver: ScriptedMx
  const start = (allowPrivate: boolean) =>
    startTestRelay({
      internet: true,
      delivery: `resolvers = ["${dns.address}"]\nport = ${receiver.port}\nallow_private = ${allowPrivate}\nmta_sts = false`,
    })

  beforeAll(async () => {
    receiver = await ScriptedMx.start()
    dns = await SignedDns.start({ records: RECORDS, bogus: ['bogus.example'] })
  })
  afterAll(async () => {
    await receiver?.[Symbol.asyncDispose]()
    await dns?.[Symbol.asyncDispose]()
  })

  test('hosts where nobody can live are not connected to, and the sender is told', async () => {
    const relay = await start(false)
    const domains = [...Object.keys(PROHIBITED), 'implicit.example']
    await relay.send(domains.map((domain) => `jane@${domain}`))
    const before = receiver.connections
    for (const domain of domains) {
      const failed = await relay.record('failed', { recipient: `jane@${domain}` })
      expect([domain, failed.cause]).toEqual([
        domain,
        expect.objectContaining({ kind: 'local', code: expect.stringMatching(/^5\.4\.[46]$/) }),
      ])
      // The domain's mistake says nothing about the recipient.
      expect(relay.records.filter(({ kind }) => kind === 'suppression-added')).toEqual([])
    }
    expect(receiver.connections).toBe(before)
  })

  test('fifty hosts: the preferred ones are tried; with none alive it is deferred', async () => {
    const relay = await start(true)
    await relay.send(['jane@fifty.example', 'jane@dead.example'])
    expect(await relay.record('delivered', { recipient: 'jane@fifty.example' })).toMatchObject({
      way: { mx: expect.stringMatching(/-number-2\.fifty\.example$/) },
    })
    expect(await relay.record('deferred', { recipient: 'jane@dead.example' })).toMatchObject({
      cause: { kind: 'connect' },
    })
  })

  test('an answer that does not fit into a datagram', async () => {
    const relay = await start(true)
    await relay.send('jane@long.example')
    expect(await relay.record('delivered')).toMatchObject({ way: { mx: expect.stringMatching(/-number-0\.long/) } })
  })

  test.each([
    ['an alias of an alias of itself', 'loop.example'],
    ['an alias of itself', 'self.example'],
    ['an MX that is such an alias', 'behind-loop.example'],
    ['a chain of twenty aliases', 'c0.chain.example'],
    ['bogus signatures', 'bogus.example'],
  ])('%s: deferred, no bounce, and others are not held up', async (_, domain) => {
    const relay = await start(true)
    await relay.send([`jane@${domain}`, 'jane@good.example'])
    await relay.record('delivered', { recipient: 'jane@good.example' })
    await relay.record('deferred', { recipient: `jane@${domain}` })
    expect(last(relay, `jane@${domain}`)).toMatchObject({ kind: 'deferred', cause: { kind: 'dns', code: '4.4.3' } })
  })

  test('a domain that does not exist fails at once', async () => {
    const relay = await start(true)
    await relay.send('jane@gone.example')
    expect(await relay.record('failed')).toMatchObject({ cause: { kind: 'dns', code: '5.1.2' } })
  })
})

test.each<[string, NonNullable<Zone['trouble']>]>([
  ['SERVFAIL', 'servfail'],
  ['REFUSED', 'refused'],
  ['no answer', 'silence'],
])('%s for an hour: deferred again and again, no bounce, and delivered afterwards', async (_, trouble) => {
  await using receiver = await ScriptedMx.start()
  await using dns = await DnsServer.start()
  const zones = { 'example.com': { mx: [[10, 'mx.example.com']] as const }, 'mx.example.com': { a: ['127.0.0.1'] } }
  dns.zones = { 'example.com': { trouble } }
  const clock = new FakeClock()
  const relay = await startTestRelay({
    internet: true,
    clock,
    delivery: `resolvers = ["${dns.address}"]\nport = ${receiver.port}\nallow_private = true\nmta_sts = false\ndane = "off"\ndns_timeout = "20ms"`,
    queue: 'retry = ["5m"]\nlifetime = "4h"',
  })
  await relay.send('jane@example.com')
  const start = clock.now()
  // The name server's silence takes real time.
  const step = async (): Promise<void> => {
    await clock.advance(10 * SECOND)
    await systemClock.sleep(10)
  }
  for (let at = 0; at < HOUR; at += 10 * SECOND) await step()
  dns.zones = zones
  while (receiver.mails.length === 0 && clock.now() < start + 4 * HOUR) await step()
  await relay.record('delivered')
  const kinds = relay.records.map(({ kind }) => kind).filter((kind) => kind !== 'alert')
  expect(kinds.filter((kind) => kind === 'deferred').length).toBeGreaterThanOrEqual(10)
  expect(new Set(kinds)).toEqual(new Set(['accepted', 'deferred', 'delivered']))
  for (const { kind, cause } of relay.records)
    if (kind === 'deferred') expect(cause).toMatchObject({ kind: 'dns', code: '4.4.3' })
  // Nothing but the mail itself went out: no report to its sender.
  expect(receiver.mails.map(({ recipient }) => recipient)).toEqual(['jane@example.com'])
})
