import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RouteSettings } from '../../src/config/schema.ts'
import { createAddressPolicy } from '../../src/delivery/address-policy.ts'
import { createDirectory, type Directory } from '../../src/delivery/directory.ts'
import { createResolver } from '../../src/delivery/resolver.ts'
import { createRoutes } from '../../src/delivery/routes.ts'
import { type Domain, parseDomain } from '../../src/mail/address.ts'
import { HOUR, MINUTE, SECOND } from '../../src/util/clock.ts'
import { DnsServer, type Zone, type Zones } from '../support/dns-server.ts'
import { FakeClock } from '../support/fake-clock.ts'

const PUBLIC = '5.9.0.'
const OURS = '5.9.0.100'
let dns: DnsServer
let clock: FakeClock

beforeEach(async () => {
  dns = await DnsServer.start()
  clock = new FakeClock()
})
afterEach(() => dns[Symbol.asyncDispose]())

const domain = (text: string): Domain => parseDomain(text)!
const route = (settings: Partial<RouteSettings>): RouteSettings => ({
  domain: '*',
  to: 'smtp://relay',
  tls: 'opportunistic',
  verify: true,
  allowPrivate: false,
  ...settings,
})

function directory(
  options: { zones?: Zones; routes?: readonly RouteSettings[]; allowPrivate?: boolean; maxHosts?: number } = {},
): Directory {
  dns.zones = options.zones ?? {}
  return createDirectory({
    delivery: {
      port: 25,
      tls: 'opportunistic',
      connections: 10,
      maxHosts: options.maxHosts ?? 10,
      allowPrivate: options.allowPrivate ?? false,
    },
    routes: createRoutes(options.routes ?? []),
    resolver: createResolver({ servers: [dns.address], timeoutMs: 100 }),
    policy: createAddressPolicy({ interfaces: ['127.0.0.1', OURS], listening: [{ address: '0.0.0.0', port: 25 }] }),
    random: Math.random,
    clock,
  })
}

const find = (zones: Zones, name = 'example.com', options: Parameters<typeof directory>[0] = {}) =>
  directory({ ...options, zones }).find(domain(name))

describe('where mail goes', () => {
  test('MX hosts in their order, with their addresses', async () => {
    const found = await find({
      'example.com': {
        mx: [
          [20, 'B.example.com'],
          [10, 'a.example.com'],
        ],
      },
      'a.example.com': { a: [`${PUBLIC}1`], aaaa: ['2a01:4f8::1'] },
      'b.example.com': { a: [`${PUBLIC}2`] },
    })
    expect(found).toMatchObject({
      kind: 'destination',
      destination: {
        site: '(a|b).example.com',
        port: 25,
        hosts: [
          { name: 'a.example.com', preference: 10, addresses: ['2a01:4f8::1', `${PUBLIC}1`] },
          { name: 'b.example.com', preference: 20, addresses: [`${PUBLIC}2`] },
        ],
      },
    })
  })

  test('two domains with the same MX hosts are one site', async () => {
    const zones: Zones = {
      'one.example': {
        mx: [
          [1, 'a.mx.example'],
          [2, 'b.mx.example'],
        ],
      },
      'two.example': {
        mx: [
          [5, 'b.mx.example'],
          [5, 'a.mx.example'],
        ],
      },
      'a.mx.example': { a: [`${PUBLIC}1`] },
      'b.mx.example': { a: [`${PUBLIC}2`] },
    }
    const known = directory({ zones })
    const sites = await Promise.all(['one.example', 'two.example'].map((name) => known.find(domain(name))))
    expect(sites.map((found) => found.kind === 'destination' && found.destination.site)).toEqual([
      '(a|b).mx.example',
      '(a|b).mx.example',
    ])
    expect(dns.count('A a.mx.example')).toBe(1)
  })

  test('without MX the domain itself is the host', async () => {
    const found = await find({ 'example.com': { a: [`${PUBLIC}1`] } })
    expect(found).toMatchObject({
      destination: { site: 'example.com', hosts: [{ name: 'example.com', addresses: [`${PUBLIC}1`] }] },
    })
  })

  test('an MX that is a CNAME is tolerated', async () => {
    const found = await find({
      'example.com': { mx: [[10, 'mx.example.com']] },
      'mx.example.com': { cname: 'real.example.net' },
      'real.example.net': { a: [`${PUBLIC}1`] },
    })
    expect(found).toMatchObject({ destination: { hosts: [{ name: 'mx.example.com', addresses: [`${PUBLIC}1`] }] } })
  })

  test('of fifty MX hosts ten are looked at, the preferred ones', async () => {
    const zones: Record<string, Zone> = {
      'example.com': {
        mx: Array.from({ length: 50 }, (_, n) => [n, `mx${n}.example.com`] as const),
        trouble: 'truncated',
      },
    }
    for (let n = 0; n < 50; n++) zones[`mx${n}.example.com`] = { a: [`${PUBLIC}${n + 1}`] }
    const found = await find(zones)
    const names = found.kind === 'destination' ? found.destination.hosts.map(({ name }) => name) : []
    expect(names).toEqual(Array.from({ length: 10 }, (_, n) => `mx${n}.example.com`))
    // A question may be asked twice: an answer can come late.
    expect(new Set(dns.questions.filter((question) => question.startsWith('A '))).size).toBe(10)
  })

  test('an address literal is its own host', async () => {
    expect(await find({}, '[5.9.0.1]')).toMatchObject({
      destination: { site: '[5.9.0.1]', hosts: [{ name: '[5.9.0.1]', addresses: ['5.9.0.1'] }] },
    })
    expect(await find({}, '[IPv6:2a01:4f8::1]')).toMatchObject({
      destination: { hosts: [{ addresses: ['2a01:4f8::1'] }] },
    })
    expect(dns.questions).toEqual([])
  })

  test('hosts without a usable address are left out', async () => {
    const found = await find({
      'example.com': {
        mx: [
          [1, 'inside.example'],
          [2, 'gone.example'],
          [3, 'broken.example'],
          [4, 'good.example'],
        ],
      },
      'inside.example': { a: ['10.0.0.1'] },
      'broken.example': { trouble: 'servfail' },
      'good.example': { a: ['127.0.0.1', `${PUBLIC}1`] },
    })
    expect(found).toMatchObject({ destination: { hosts: [{ name: 'good.example', addresses: [`${PUBLIC}1`] }] } })
  })
})

describe('where it does not', () => {
  const outcomes: readonly (readonly [
    what: string,
    zones: Zones,
    expected: readonly [kind: string, cause: string, code: string],
  ])[] = [
    ['the domain does not exist', {}, ['failed', 'dns', '5.1.2']],
    ['neither MX nor address', { 'example.com': {} }, ['failed', 'dns', '5.1.2']],
    ['null MX', { 'example.com': { mx: [[0, '.']] } }, ['failed', 'dns', '5.1.10']],
    [
      'no MX target exists',
      {
        'example.com': {
          mx: [
            [1, 'a.example'],
            [2, 'b.example'],
          ],
        },
        'b.example': {},
      },
      ['failed', 'dns', '5.4.4'],
    ],
    ['an MX that is no name', { 'example.com': { mx: [[1, '192.0.2.1']] } }, ['failed', 'dns', '5.4.4']],
    ['SERVFAIL for MX', { 'example.com': { trouble: 'servfail' } }, ['deferred', 'dns', '4.4.3']],
    ['REFUSED for MX', { 'example.com': { trouble: 'refused' } }, ['deferred', 'dns', '4.4.3']],
    ['no answer for MX', { 'example.com': { trouble: 'silence' } }, ['deferred', 'dns', '4.4.3']],
    [
      'one target unknown, the other absent',
      {
        'example.com': {
          mx: [
            [1, 'a.example'],
            [2, 'b.example'],
          ],
        },
        'b.example': { trouble: 'servfail' },
      },
      ['deferred', 'dns', '4.4.3'],
    ],
    [
      'one target unknown, the other prohibited',
      {
        'example.com': {
          mx: [
            [1, 'a.example'],
            [2, 'b.example'],
          ],
        },
        'a.example': { a: ['10.0.0.1'] },
        'b.example': { trouble: 'silence' },
      },
      ['deferred', 'dns', '4.4.3'],
    ],
    [
      'MX at loopback',
      { 'example.com': { mx: [[1, 'a.example']] }, 'a.example': { a: ['127.0.0.53'], aaaa: ['::1'] } },
      ['failed', 'local', '5.4.4'],
    ],
    [
      'MX in a private network',
      { 'example.com': { mx: [[1, 'a.example']] }, 'a.example': { a: ['192.168.1.1'] } },
      ['failed', 'local', '5.4.4'],
    ],
    [
      'MX at a mapped address',
      { 'example.com': { mx: [[1, 'a.example']] }, 'a.example': { aaaa: ['::ffff:10.0.0.1'] } },
      ['failed', 'local', '5.4.4'],
    ],
    [
      'implicit MX at the metadata service',
      { 'example.com': { a: ['169.254.169.254'] } },
      ['failed', 'local', '5.4.4'],
    ],
    [
      'MX at this relay',
      { 'example.com': { mx: [[1, 'a.example']] }, 'a.example': { a: [OURS] } },
      ['failed', 'local', '5.4.6'],
    ],
    [
      'this relay preferred to the other host',
      {
        'example.com': {
          mx: [
            [1, 'us.example'],
            [5, 'b.example'],
          ],
        },
        'us.example': { a: [OURS] },
        'b.example': { a: [`${PUBLIC}1`] },
      },
      ['failed', 'local', '5.4.6'],
    ],
    [
      'this relay equal to the other host',
      {
        'example.com': {
          mx: [
            [5, 'us.example'],
            [5, 'b.example'],
          ],
        },
        'us.example': { a: [OURS] },
        'b.example': { a: [`${PUBLIC}1`] },
      },
      ['failed', 'local', '5.4.6'],
    ],
    [
      'this relay behind a host nobody knows',
      {
        'example.com': {
          mx: [
            [1, 'b.example'],
            [5, 'us.example'],
          ],
        },
        'us.example': { a: [OURS] },
        'b.example': { trouble: 'servfail' },
      },
      ['deferred', 'dns', '4.4.3'],
    ],
  ]

  test.each(outcomes)('%s', async (_, zones, [kind, cause, code]) => {
    expect(await find(zones)).toMatchObject({ kind: 'nowhere', outcome: { kind, cause: { kind: cause, code } } })
  })

  test('an exchange that is no host name is no part of the site', async () => {
    const usable: Zones = { 'a.example': { a: [`${PUBLIC}1`] } }
    const records: [number, string][] = [
      [1, 'a.example'],
      [2, 'b example'],
      [3, '192.0.2.1'],
    ]
    const found = await find({ 'example.com': { mx: records }, ...usable })
    expect(found).toMatchObject({ kind: 'destination', destination: { site: 'a.example' } })
  })

  test('a host preferred to this relay takes the mail', async () => {
    const zones: Zones = {
      'example.com': {
        mx: [
          [1, 'b.example'],
          [5, 'us.example'],
          [9, 'c.example'],
        ],
      },
      'us.example': { a: [OURS] },
      'b.example': { a: [`${PUBLIC}1`] },
      'c.example': { a: [`${PUBLIC}2`] },
    }
    expect(await find(zones)).toMatchObject({ destination: { hosts: [{ name: 'b.example' }] } })
  })

  test('prohibited literals are refused like any address', async () => {
    expect(await find({}, '[10.0.0.1]')).toMatchObject({ outcome: { kind: 'failed', cause: { code: '5.4.4' } } })
    expect(await find({}, '[IPv6:::1]')).toMatchObject({ outcome: { kind: 'failed' } })
  })

  test('allow_private opens them', async () => {
    const zones = { 'example.com': { mx: [[1, 'a.example']] as const }, 'a.example': { a: ['10.0.0.1'] } }
    expect(await find(zones, 'example.com', { allowPrivate: true })).toMatchObject({
      destination: { hosts: [{ addresses: ['10.0.0.1'] }] },
    })
  })
})

describe('static routes', () => {
  test('ask no MX, and carry their own TLS, AUTH and limits', async () => {
    const routes = [
      route({ domain: 'example.com', to: 'smtps://relay.example:465', user: 'u', password: 'p', connections: 3 }),
    ]
    const found = await find({ 'relay.example': { a: [`${PUBLIC}9`] } }, 'example.com', { routes })
    expect(found).toEqual({
      kind: 'destination',
      destination: {
        site: 'route:relay.example:465',
        port: 465,
        implicitTls: true,
        tls: 'required',
        vouched: 'config',
        verify: false,
        connections: 3,
        auth: { user: 'u', password: 'p' },
        hosts: [{ name: 'relay.example', preference: 0, addresses: [`${PUBLIC}9`] }],
      },
    })
    expect(dns.questions.some((question) => question.startsWith('MX'))).toBe(false)
  })

  test('required TLS is verified unless the route says otherwise', async () => {
    const verifyOf = async (settings: Partial<RouteSettings>) => {
      const found = await find({ 'relay.example': { a: [`${PUBLIC}9`] } }, 'example.com', {
        routes: [route({ to: 'smtp://relay.example', ...settings })],
      })
      return found.kind === 'destination' && [found.destination.tls, found.destination.verify]
    }
    expect(await verifyOf({ tls: 'required' })).toEqual(['required', true])
    expect(await verifyOf({ tls: 'required', verify: false })).toEqual(['required', false])
    expect(await verifyOf({ tls: 'none' })).toEqual(['none', false])
  })

  test('private next hops need the permission of their route', async () => {
    const to = 'smtp://127.0.0.1:1025'
    expect(await find({}, 'example.com', { routes: [route({ to, allowPrivate: true })] })).toMatchObject({
      destination: { site: 'route:127.0.0.1:1025', hosts: [{ addresses: ['127.0.0.1'] }] },
    })
    expect(await find({}, 'example.com', { routes: [route({ to })] })).toMatchObject({
      outcome: { kind: 'deferred', cause: { code: '4.3.5' } },
    })
  })

  test.each([
    ['does not exist', {}],
    ['cannot be resolved', { 'relay.example': { trouble: 'servfail' as const } }],
    ['is this relay', { 'relay.example': { a: [OURS] } }],
  ])('a next hop that %s is no fault of the recipient', async (_, zones: Zones) => {
    const found = await find(zones, 'example.com', { routes: [route({ to: 'smtp://relay.example' })] })
    expect(found).toMatchObject({
      kind: 'nowhere',
      outcome: { kind: 'deferred', cause: { kind: 'local', code: '4.3.5' } },
    })
  })
})

describe('memory', () => {
  const zones: Zones = { 'example.com': { mx: [[1, 'mx.example']] }, 'mx.example': { a: [`${PUBLIC}1`], ttl: 60 } }

  test('answers live as long as their shortest record', async () => {
    const known = directory({ zones })
    await known.find(domain('example.com'))
    expect(known.validMs(domain('example.com'))).toBe(60 * SECOND)
    await clock.advance(59 * SECOND)
    await known.find(domain('example.com'))
    expect(dns.count('MX example.com')).toBe(1)
    await clock.advance(SECOND)
    expect(known.known(domain('example.com'))).toBeUndefined()
    await known.find(domain('example.com'))
    expect(dns.count('MX example.com')).toBe(2)
    expect(dns.count('A mx.example')).toBe(2)
  })

  test.each([
    [0, 30 * SECOND],
    [86_400, HOUR],
  ])('a TTL of %i s is kept within bounds', async (ttl, expected) => {
    const known = directory({ zones: { 'example.com': { a: [`${PUBLIC}1`], ttl } } })
    await known.find(domain('example.com'))
    expect(known.validMs(domain('example.com'))).toBe(expected)
  })

  test('denials are kept 5 min, doubts 1 min', async () => {
    const known = directory({ zones: { 'broken.example': { trouble: 'servfail' } } })
    await known.find(domain('gone.example'))
    await known.find(domain('broken.example'))
    expect(known.validMs(domain('gone.example'))).toBe(5 * MINUTE)
    expect(known.validMs(domain('broken.example'))).toBe(MINUTE)
  })

  test('look-ups for the same domain at one time are shared', async () => {
    const known = directory({ zones })
    const all = await Promise.all(Array.from({ length: 50 }, () => known.find(domain('example.com'))))
    expect(new Set(all).size).toBe(1)
    expect(dns.count('MX example.com')).toBe(1)
  })

  test('null MX is told from memory only', async () => {
    const known = directory({ zones: { 'example.com': { mx: [[0, '.']] } } })
    expect(known.nullMx(domain('example.com'))).toBeUndefined()
    await known.find(domain('example.com'))
    expect(known.nullMx(domain('example.com'))).toMatchObject({ kind: 'dns', code: '5.1.10' })
    await known.find(domain('gone.example'))
    expect(known.nullMx(domain('gone.example'))).toBeUndefined()
  })

  test('a name server that is away for an hour fails no mail', async () => {
    const known = directory({ zones: { 'example.com': { trouble: 'servfail' } } })
    const kinds = new Set<string>()
    for (let minute = 0; minute <= 60; minute += 5) {
      const found = await known.find(domain('example.com'))
      kinds.add(found.kind === 'nowhere' ? found.outcome.kind : found.kind)
      await clock.advance(5 * MINUTE)
    }
    expect([...kinds]).toEqual(['deferred'])
    dns.zones = zones
    expect((await known.find(domain('example.com'))).kind).toBe('destination')
  })
})
