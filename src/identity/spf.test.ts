import { describe, expect, test } from 'vitest'
import type { Answer, Lookup } from './lookup.ts'
import { isNearlySpf, isSpf, spfFor, spfTerms, withAddresses } from './spf.ts'
import { spfCost } from './spf-count.ts'
import { spfVerdict } from './spf-verdict.ts'

test('is made of addresses', () => {
  expect(spfFor(['203.0.113.10', '2001:db8::10'], '-all')).toBe('v=spf1 ip4:203.0.113.10 ip6:2001:db8::10 -all')
})

test.each([
  ['v=spf1', true, false],
  ['v=spf1 -all', true, false],
  ['V=SPF1 -all', true, false],
  [' v=spf1 -all', false, true],
  ['"v=spf1 -all"', false, true],
  ['v=spf10 -all', false, true],
  ['v=spf2.0/pra -all', false, true],
  ['v = spf1 -all', false, true],
  ['google-site-verification=x', false, false],
])('%j is an SPF record: %s, meant to be one: %s', (text, is, nearly) => {
  expect(isSpf(text)).toBe(is)
  expect(isNearlySpf(text)).toBe(nearly)
})

test('is taken into terms', () => {
  const record =
    'v=spf1 a mx/24 +a:h.example.com/24//64 ip4:192.0.2.0/24 -ip6:2001:db8::/32 ?include:x.example exists:%{i}.y redirect=z.example ~all'
  expect(spfTerms(record).map(({ qualifier, name, target }) => `${qualifier} ${name} ${target}`)).toEqual([
    ' a ',
    ' mx ',
    '+ a h.example.com',
    ' ip4 192.0.2.0',
    '- ip6 2001:db8::',
    '? include x.example',
    ' exists %{i}.y',
    ' redirect z.example',
    '~ all ',
  ])
})

test.each([
  ['v=spf1 include:x.example ~all', 'v=spf1 include:x.example ip4:203.0.113.10 ~all'],
  ['v=spf1 redirect=x.example', 'v=spf1 ip4:203.0.113.10 redirect=x.example'],
  ['v=spf1', 'v=spf1 ip4:203.0.113.10'],
])('%s is completed', (record, expected) => {
  expect(withAddresses(record, ['203.0.113.10'])).toBe(expected)
})

/** `TXT name` → records. Whatever is not there does not exist; `!` cannot be asked. */
function zone(records: Record<string, readonly string[] | '!'>): Lookup {
  const answer = (type: string, name: string): Answer<string> => {
    const items = records[`${type} ${name}`]
    if (items === '!') return { kind: 'failed', detail: 'SERVFAIL', isTimeout: false }
    return items === undefined ? { kind: 'nxdomain' } : { kind: 'ok', items }
  }
  return {
    txt: async (name) => answer('TXT', name),
    a: async (name) => answer('A', name),
    aaaa: async (name) => answer('AAAA', name),
    cname: async (name) => answer('CNAME', name),
    ptr: async (address) => answer('PTR', address),
    mx: async (name) => {
      const found = answer('MX', name)
      return found.kind === 'ok'
        ? { kind: 'ok', items: found.items.map((exchange) => ({ exchange, preference: 10 })) }
        : found
    },
  }
}

describe('what a record costs', () => {
  const inner = {
    'TXT i.example': ['v=spf1 a:h.example mx:h.example -all'],
    'A h.example': ['192.0.2.1'],
    'MX h.example': ['h.example'],
  }
  test.each<[record: string, records: Record<string, readonly string[] | '!'>, lookups: number, voids: number]>([
    ['v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all', {}, 0, 0],
    ['v=spf1 a mx -all', {}, 2, 2],
    ['v=spf1 ptr -all', {}, 1, 0],
    ['v=spf1 include:i.example -all', inner, 3, 0],
    ['v=spf1 include:i.example include:i.example -all', inner, 6, 0],
    ['v=spf1 redirect=i.example', inner, 3, 0],
    ['v=spf1 redirect=i.example -all', inner, 0, 0],
    ['v=spf1 exists:%{i}._spf.example -all', {}, 1, 0],
    ['v=spf1 include:gone.example a:gone.example -all', {}, 2, 2],
    ['v=spf1 include:i.example -all', { 'TXT i.example': ['not SPF'] }, 1, 0],
  ])('%s', async (record, records, lookups, voids) => {
    const cost = await spfCost(record, { domain: 'example.com', lookup: zone(records) })
    expect([cost.lookups, cost.voidLookups, cost.failed]).toEqual([lookups, voids, []])
  })

  test('a record that includes itself ends', async () => {
    const lookup = zone({ 'TXT example.com': ['v=spf1 include:example.com include:example.com -all'] })
    const { lookups } = await spfCost('v=spf1 include:example.com -all', { domain: 'example.com', lookup })
    expect(lookups).toBeGreaterThan(10)
    expect(lookups).toBeLessThan(50)
  })

  test('what cannot be asked is named', async () => {
    const cost = await spfCost('v=spf1 include:x.example -all', {
      domain: 'example.com',
      lookup: zone({ 'TXT x.example': '!' }),
    })
    expect(cost).toMatchObject({ lookups: 1, voidLookups: 0, failed: ['x.example'] })
  })
})

describe('what receivers make of it', () => {
  const ask = async (
    record: string | '!',
    more: Record<string, readonly string[] | '!'> = {},
    address = '203.0.113.10',
  ) => {
    const lookup = zone({ 'TXT example.com': record === '!' ? '!' : [record], ...more })
    return (await spfVerdict({ address, domain: 'example.com', helo: 'relay.example.com', lookup })).result
  }
  const chain = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`TXT i${at}.example`, ['v=spf1 ?all']]))
  const eleven = `v=spf1 ${Array.from({ length: 11 }, (_, at) => `include:i${at}.example`).join(' ')} ip4:203.0.113.10 -all`
  test.each<[what: string, result: Promise<string>, expected: string]>([
    ['an address that is named', ask('v=spf1 ip4:203.0.113.10 -all'), 'pass'],
    ['one of a network', ask('v=spf1 ip4:203.0.113.0/24 -all'), 'pass'],
    ['IPv6', ask('v=spf1 ip6:2001:db8::/32 -all', {}, '2001:db8::10'), 'pass'],
    ['by a host', ask('v=spf1 a:h.example -all', { 'A h.example': ['203.0.113.10'] }), 'pass'],
    ['by its MX', ask('v=spf1 mx -all', { 'MX example.com': ['h.example'], 'A h.example': ['203.0.113.10'] }), 'pass'],
    [
      'by an include',
      ask('v=spf1 include:i.example -all', { 'TXT i.example': ['v=spf1 ip4:203.0.113.10 -all'] }),
      'pass',
    ],
    ['another address', ask('v=spf1 ip4:203.0.113.11 -all'), 'fail'],
    ['another address, softly', ask('v=spf1 ip4:203.0.113.11 ~all'), 'softfail'],
    ['nobody says', ask('v=spf1'), 'neutral'],
    ['eleven look-ups before it', ask(eleven, chain), 'permerror'],
    ['a word that is none', ask('v=spf1 ipv4:203.0.113.10 -all'), 'permerror'],
    ['an include that is none', ask('v=spf1 include:gone.example -all'), 'permerror'],
    ['an include that cannot be asked', ask('v=spf1 include:x.example -all', { 'TXT x.example': '!' }), 'temperror'],
    ['no record', ask('something else'), 'none'],
  ])('%s', async (_, result, expected) => {
    expect(await result).toBe(expected)
  })
})
