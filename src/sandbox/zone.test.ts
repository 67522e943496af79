import type { Question, RecordType } from 'dns-packet'
import { expect, test } from 'vitest'
import { HOST_BEHAVIOURS } from './behaviours.ts'
import { answerOf, familyOf, mxHostsOf, SPECIAL_DOMAINS, type Zone } from './zone.ts'

const zone: Zone = { address: '127.0.0.1', hosts: new Map([['tls-broken', '127.0.0.9']]) }

function ask(type: RecordType, name: string, of: Zone = zone): unknown {
  const answer = answerOf({ type, name } as Question, of)
  if (answer.kind !== 'records') return answer.kind
  return answer.records.map((record) => ('data' in record ? record.data : record))
}

const CASES: [type: RecordType, name: string, answer: unknown][] = [
  ['MX', 'example.test', [{ preference: 10, exchange: 'mx.example.test' }]],
  [
    'MX',
    'gmail.test',
    [
      { preference: 10, exchange: 'mx1.google.sandbox.test' },
      { preference: 20, exchange: 'mx2.google.sandbox.test' },
    ],
  ],
  [
    'MX',
    'Shop.GOOGLE.test',
    [
      { preference: 10, exchange: 'mx1.google.sandbox.test' },
      { preference: 20, exchange: 'mx2.google.sandbox.test' },
    ],
  ],
  ['MX', 'tls-broken.test', [{ preference: 10, exchange: 'mx.tls-broken.test' }]],
  ['MX', 'nullmx.test', [{ preference: 0, exchange: '.' }]],
  ['MX', 'shop.nullmx.test', [{ preference: 0, exchange: '.' }]],
  ['MX', 'nxdomain.test', 'nxdomain'],
  ['A', 'mx.nxdomain.test', 'nxdomain'],
  ['MX', 'servfail.test', 'servfail'],
  ['MX', 'timeout.test', 'silence'],
  ['MX', 'nomx.test', 'nodata'],
  ['A', 'nomx.test', ['127.0.0.1']],
  ['MX', 'nohost.test', 'nodata'],
  ['A', 'nohost.test', 'nodata'],
  ['MX', 'private.test', [{ preference: 10, exchange: 'mx.private.test' }]],
  ['A', 'mx.private.test', ['192.0.2.25']],
  ['A', 'mx.example.test', ['127.0.0.1']],
  ['A', 'mx.example.test.', ['127.0.0.1']],
  ['A', 'mx1.google.sandbox.test', ['127.0.0.1']],
  ['A', 'mx.tls-broken.test', ['127.0.0.9']],
  ['A', 'mx.greeting-554.test', ['127.0.0.1']], // no address of its own on this system
  ['AAAA', 'mx.example.test', 'nodata'],
  ['TXT', 'example.test', 'nodata'],
  ['TXT', '_dmarc.example.test', 'nxdomain'],
  ['TLSA', '_25._tcp.mx.example.test', 'nxdomain'],
  ['MX', 'test', [{ preference: 10, exchange: 'mx.test' }]],
  ['A', 'constructor.test', ['127.0.0.1']],
]

test.each(CASES)('%s %s', (type, name, answer) => {
  expect(ask(type, name)).toEqual(answer)
})

test('on an IPv6 loopback the hosts have AAAA and no A', () => {
  const v6 = { address: '::1', hosts: new Map<string, string>() }
  expect(ask('AAAA', 'mx.example.test', v6)).toEqual(['::1'])
  expect(ask('A', 'mx.example.test', v6)).toBe('nodata')
})

test('families', () => {
  const found = [
    'gmail.test',
    'a.outlook.test',
    'hotmail.com',
    'ymail.test',
    'exim.test',
    'example.test',
    'notgoogle.test',
  ].map(familyOf)
  expect(found).toEqual(['google', 'microsoft', 'microsoft', 'yahoo', 'exim', 'postfix', 'postfix'])
  expect(mxHostsOf('live.test')).toEqual(['mx1.microsoft.sandbox.test', 'mx2.microsoft.sandbox.test'])
})

test('no domain is special twice', () => {
  expect(HOST_BEHAVIOURS.map(({ name }) => name).filter((name) => name in SPECIAL_DOMAINS)).toEqual([])
})
