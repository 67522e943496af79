import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createResolver, type Resolver } from '../../src/delivery/resolver.ts'
import { DnsServer } from '../support/dns-server.ts'

let dns: DnsServer
let resolver: Resolver

beforeEach(async () => {
  dns = await DnsServer.start()
  resolver = createResolver({ servers: [dns.address], timeoutMs: 100 })
})
afterEach(() => dns[Symbol.asyncDispose]())

describe('MX', () => {
  test('records come with their preference', async () => {
    dns.zones = {
      'example.com': {
        mx: [
          [20, 'b.example.com'],
          [10, 'a.example.com'],
        ],
      },
    }
    const answer = await resolver.mx('example.com')
    expect(answer).toMatchObject({ kind: 'ok', ttlMs: 300_000 })
    expect(answer.kind === 'ok' && [...answer.items].sort((a, b) => a.preference - b.preference)).toEqual([
      { exchange: 'a.example.com', preference: 10 },
      { exchange: 'b.example.com', preference: 20 },
    ])
  })

  test('a null MX has an empty exchange', async () => {
    dns.zones = { 'example.com': { mx: [[0, '.']] } }
    expect(await resolver.mx('example.com')).toMatchObject({ kind: 'ok', items: [{ exchange: '', preference: 0 }] })
  })

  test('the MX of a CNAME target is found', async () => {
    dns.zones = { 'alias.example': { cname: 'example.com' }, 'example.com': { mx: [[1, 'mx.example.com']] } }
    expect(await resolver.mx('alias.example')).toMatchObject({ kind: 'ok', items: [{ exchange: 'mx.example.com' }] })
  })

  test('a truncated answer is asked for again over TCP', async () => {
    const mx = Array.from({ length: 50 }, (_, n) => [n, `a-rather-long-host-name-${n}.example.com`] as const)
    dns.zones = { 'example.com': { mx, trouble: 'truncated' } }
    const answer = await resolver.mx('example.com')
    expect(answer.kind === 'ok' && answer.items.length).toBe(50)
    expect(dns.overTcp).toBe(1)
  })
})

describe('what there is not, and what nobody knows', () => {
  test('a name that does not exist', async () => {
    expect(await resolver.mx('gone.example')).toEqual({ kind: 'nxdomain' })
    expect(await resolver.addresses('gone.example')).toEqual({ kind: 'nxdomain' })
  })

  test('a name without such records', async () => {
    dns.zones = { 'example.com': {} }
    expect(await resolver.mx('example.com')).toEqual({ kind: 'nodata' })
    expect(await resolver.addresses('example.com')).toEqual({ kind: 'nodata' })
  })

  test.each([
    ['servfail', 'the name server failed (SERVFAIL)', undefined],
    ['refused', 'the name server refused the query', true],
    ['silence', 'the name server did not answer in time', true],
    ['garbage', 'the name server', undefined],
  ] as const)('%s is a failure, not an answer; whose it is stands with it', async (trouble, detail, ours) => {
    dns.zones = { 'example.com': { trouble } }
    const answers = [await resolver.mx('example.com'), await resolver.addresses('example.com')]
    for (const answer of answers) {
      expect(answer).toMatchObject({ kind: 'failed', detail: expect.stringContaining(detail) })
      expect('ours' in answer ? answer.ours : undefined).toBe(ours)
    }
  })

  test('no name server at all', async () => {
    const address = dns.address
    await dns[Symbol.asyncDispose]()
    const lonely = createResolver({ servers: [address], timeoutMs: 100 })
    expect(await lonely.mx('example.com')).toMatchObject({ kind: 'failed', ours: true })
    dns = await DnsServer.start()
  })

  test('a name that DNS cannot hold does not exist', async () => {
    expect(await resolver.mx(`${'x'.repeat(64)}.example`)).toEqual({ kind: 'nxdomain' })
  })
})

describe('addresses', () => {
  test('IPv6 comes before IPv4; the shortest life counts', async () => {
    dns.zones = { 'mx.example.com': { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1'], ttl: 77 } }
    const answer = await resolver.addresses('mx.example.com')
    expect(answer).toMatchObject({ kind: 'ok', ttlMs: 77_000 })
    expect(answer.kind === 'ok' && answer.items[0]).toBe('2001:db8::1')
    expect(answer.kind === 'ok' && answer.items).toHaveLength(3)
  })

  test('one family is enough', async () => {
    dns.zones = { 'six.example': { aaaa: ['2001:db8::1'] }, 'four.example': { a: ['192.0.2.1'] } }
    expect(await resolver.addresses('six.example')).toMatchObject({ kind: 'ok', items: ['2001:db8::1'] })
    expect(await resolver.addresses('four.example')).toMatchObject({ kind: 'ok', items: ['192.0.2.1'] })
  })

  test.each(['A', 'AAAA'] as const)('a family nobody could tell of (%s) is not a missing one', async (troubled) => {
    dns.zones = { 'mx.example': { trouble: 'servfail', troubled } }
    expect((await resolver.addresses('mx.example')).kind).toBe('failed')
    dns.zones = { 'mx.example': { a: ['192.0.2.1'], aaaa: ['2001:db8::1'], trouble: 'servfail', troubled } }
    const items = troubled === 'A' ? ['2001:db8::1'] : ['192.0.2.1']
    expect(await resolver.addresses('mx.example')).toMatchObject({ kind: 'ok', items })
  })

  test('CNAMEs are followed', async () => {
    dns.zones = { 'mx.example': { cname: 'real.example' }, 'real.example': { a: ['192.0.2.1'] } }
    expect(await resolver.addresses('mx.example')).toMatchObject({ kind: 'ok', items: ['192.0.2.1'] })
  })
})
