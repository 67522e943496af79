// Name servers that fail: nothing is taken for missing that only could not be asked, and every check ends.

import { expect, test } from 'vitest'
import { checkDomain } from '../../src/identity/check-domain.ts'
import { createLookup } from '../../src/identity/dns.ts'
import type { Sender } from '../../src/identity/sender.ts'
import { generateKey } from '../../src/sign/key.ts'
import { DnsServer, type Zone, type Zones } from '../support/dns-server.ts'

const { dnsRecord } = await generateKey({ algorithm: 'rsa-sha256' })

const sender: Sender = {
  domain: 'example.com',
  subdomains: false,
  returnPath: 'bounce.example.com',
  keys: [{ selector: 's1', file: 's1.pem', state: 'sign', key: { algorithm: 'rsa', bits: 2048, record: dnsRecord } }],
  sources: [{ name: 'default', ehlo: 'relay.example.com', addresses: ['203.0.113.10'], local: [] }],
  mxHost: 'relay.example.com',
  mxAddresses: ['203.0.113.10'],
}

const SPF = 'v=spf1 ip4:203.0.113.10 -all'
const GOOD: Zones = {
  'example.com': { txt: [SPF] },
  'bounce.example.com': { txt: [SPF], mx: [[10, 'relay.example.com']] },
  'relay.example.com': { txt: [SPF], a: ['203.0.113.10'] },
  's1._domainkey.example.com': { txt: [dnsRecord] },
  '_dmarc.example.com': { txt: ['v=DMARC1; p=reject; rua=mailto:dmarc@example.com'] },
}

/** `error topic subject state: message` of all that is not well. */
async function troubles(change: Record<string, Partial<Zone>>): Promise<string[]> {
  await using server = await DnsServer.start({ ...GOOD })
  for (const [name, zone] of Object.entries(change)) server.zones[name] = { ...server.zones[name], ...zone }
  const diagnoses = await checkDomain({
    sender,
    lookup: createLookup({ servers: [server.address], timeoutMs: 150 }),
    listeners: [{ name: 'bounces', address: '0.0.0.0', port: 25, tls: 'starttls' }],
    machineAddresses: [],
  })
  return diagnoses
    .filter(({ state, severity }) => state !== 'ok' && severity !== 'note')
    .map(({ severity, topic, subject, state, message }) => `${severity} ${topic} ${subject} ${state}: ${message}`)
}

test('all is well', async () => {
  expect(await troubles({})).toEqual([])
})

test.each<[trouble: NonNullable<Zone['trouble']>, said: string]>([
  ['servfail', 'the name server failed (SERVFAIL)'],
  ['refused', 'the name server refused the query'],
  ['silence', 'the name server did not answer in time'],
  ['garbage', 'the name server gave a malformed answer'],
])('%s', async (trouble, said) => {
  const answers = await troubles(Object.fromEntries(Object.keys(GOOD).map((name) => [name, { trouble }])))
  // The optional records are not there; but a resolver that met garbage gives up on the server for a while.
  expect(answers.filter((each) => !/ (?:mta-sts|tls-rpt) /.test(each))).toEqual([
    `error spf bounce.example.com unknown: ${said}`,
    `warning spf example.com unknown: ${said}`,
    `warning spf relay.example.com unknown: ${said}`,
    `error dkim s1._domainkey.example.com unknown: ${said}`,
    `error dmarc _dmarc.example.com unknown: ${said}`,
    `error return-path bounce.example.com unknown: ${said}`,
  ])
})

test('a truncated answer is asked for again by TCP', async () => {
  const zones = Object.fromEntries(Object.keys(GOOD).map((name) => [name, { trouble: 'truncated' as const }]))
  expect(await troubles(zones)).toEqual([])
})

test('one name of SPF that cannot be asked', async () => {
  const record = 'v=spf1 include:other.example ip4:203.0.113.10 -all'
  expect(await troubles({ 'bounce.example.com': { txt: [record] }, 'other.example': { trouble: 'servfail' } })).toEqual(
    [
      expect.stringMatching(/^error spf bounce\.example\.com unknown: a name in the record could not be asked/),
      'warning spf bounce.example.com unknown: what the record includes could not all be asked: other.example',
    ],
  )
})

test('eleven includes are too many, ten are not', async () => {
  const others = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`i${at}.example`, { txt: ['v=spf1 ?all'] }]))
  const spf = (count: number): string =>
    `v=spf1 ip4:203.0.113.10 ${Array.from({ length: count }, (_, at) => `include:i${at}.example`).join(' ')} -all`
  expect(await troubles({ ...others, 'bounce.example.com': { txt: [spf(11)] } })).toEqual([
    'error spf bounce.example.com different: the record takes 11 look-ups; receivers stop after 10 (RFC 7208 §4.6.4)',
  ])
  expect(await troubles({ ...others, 'bounce.example.com': { txt: [spf(10)] } })).toEqual([])
})

test('everybody may send', async () => {
  expect(await troubles({ 'bounce.example.com': { txt: ['v=spf1 +all'] } })).toEqual([
    'warning spf bounce.example.com different: "+all" lets everybody send as this domain',
  ])
})

test('the policy of a parent, and strict alignment', async () => {
  const strict = 'v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:dmarc@example.com'
  // SPF of the return path is not aligned, but DKIM is: no more than a note.
  expect(await troubles({ '_dmarc.example.com': { txt: [strict] } })).toEqual([])
  expect(await troubles({ '_dmarc.example.com': { txt: ['v=DMARC1; p=all'] } })).toEqual([
    'warning dmarc _dmarc.example.com different: the record has no policy of "none", "quarantine" or "reject"',
  ])
})

test('an MX that is an alias', async () => {
  const zones: Record<string, Partial<Zone>> = {
    'bounce.example.com': { mx: [[10, 'alias.example.com']] },
    'alias.example.com': { cname: 'relay.example.com' },
  }
  expect(await troubles(zones)).toEqual([
    'warning return-path bounce.example.com different: alias.example.com is an alias; an MX must name a host itself (RFC 2181 §10.3)',
  ])
})
