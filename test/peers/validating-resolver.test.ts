// DANE with other people's DNSSEC: a zone signed by Knot DNS, validated by Unbound, read by Studs, and mail over real TLS.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuthenticResolver, nameServers } from '../../src/delivery/authentic-resolver.ts'
import { parseDomain } from '../../src/mail/address.ts'
import { systemClock } from '../../src/util/clock.ts'
import { gotMail, PLAIN, saidInClear, TlsWorld, tlsScript } from '../delivery/tls-fixture.ts'
import { attemptTo } from '../support/attempt.ts'
import { tlsaData } from '../support/authority.ts'
import { type ScriptedServer, selfSigned } from '../support/scripted-server.ts'
import { hasSignedDns, SignedDns } from '../support/signed-dns.ts'

const own = selfSigned('whatever.example')

describe.skipIf(!hasSignedDns)('a signed zone behind a validating resolver', () => {
  let world: TlsWorld
  let dns: SignedDns
  let good: ScriptedServer
  let plain: ScriptedServer
  const by = () => world.delivery({ settings: { resolvers: [dns.address], dnsTimeout: 5000 } })
  const send = (to: string) => by().deliver(attemptTo(to))

  beforeAll(async () => {
    world = await TlsWorld.start()
    good = await world.mx(tlsScript(own))
    plain = await world.mx(PLAIN, '127.0.0.2')
    const key = tlsaData(own.cert, 1, 1)
    const zone = (domain: string, address: string, tlsa = key) => [
      `${domain}. 300 MX 10 mx.${domain}.`,
      `mx.${domain}. 300 A ${address}`,
      `_${world.port}._tcp.mx.${domain}. 300 TLSA 3 1 1 ${tlsa}`,
    ]
    const many = Array.from(
      { length: 60 },
      (_, n) => `_${world.port}._tcp.mx.many.example. 300 TLSA 3 1 2 ${String(n).padStart(128, '0')}`,
    )
    dns = await SignedDns.start({
      records: [
        ...zone('good.example', '127.0.0.1'),
        ...zone('wrong.example', '127.0.0.1', '00'.repeat(32)),
        ...zone('stripped.example', '127.0.0.2'),
        ...zone('bogus.example', '127.0.0.1'),
        ...zone('unsigned.example', '127.0.0.2'),
        'none.example. 300 MX 10 mx.none.example.',
        'mx.none.example. 300 A 127.0.0.2',
        'half.example. 300 MX 10 mx.bogus.example.',
        'alias.example. 300 MX 10 www.alias.example.',
        'www.alias.example. 300 CNAME mx.good.example.',
        'many.example. 300 MX 10 mx.many.example.',
        'mx.many.example. 300 A 127.0.0.1',
        ...many,
        `_${world.port}._tcp.mx.many.example. 300 TLSA 3 1 2 ${tlsaData(own.cert, 1, 2)}`,
      ],
      bogus: ['bogus.example'],
      unsigned: ['unsigned.example'],
    })
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
    await dns?.[Symbol.asyncDispose]()
  })

  test.each([
    ['good.example', [{ host: 'mx.good.example', tls: 'dane', by: 'dane' }]],
    ['unsigned.example', undefined],
    ['none.example', undefined],
    ['alias.example', [{ host: 'www.alias.example', tls: 'dane', by: 'dane' }]],
  ])('what is shown to be demanded of %s', async (domain, published) => {
    const resolution = await by().resolve(parseDomain(domain)!)
    expect(resolution.kind === 'site' && resolution.paths.map((path) => path.published)).toEqual([published])
  })

  test('what it vouches for, and what not', async () => {
    const resolver = createAuthenticResolver({
      servers: nameServers([dns.address]),
      timeoutMs: 5000,
      clock: systemClock,
    })
    expect(await resolver.ask('SOA', '.')).toMatchObject({ kind: 'ok', secure: true })
    expect(await resolver.ask('MX', 'good.example')).toMatchObject({ kind: 'ok', secure: true })
    expect(await resolver.ask('TLSA', '_1._tcp.mx.good.example')).toMatchObject({
      kind: 'ok',
      secure: true,
      records: [],
    })
    expect(await resolver.ask('A', 'www.alias.example')).toMatchObject({ secure: true, canonical: 'mx.good.example' })
    expect(await resolver.ask('MX', 'unsigned.example')).toMatchObject({ kind: 'ok', secure: false })
    expect(await resolver.ask('MX', 'bogus.example')).toMatchObject({ kind: 'failed' })
  })

  test('the right certificate gets the mail', async () => {
    expect(await send('jane@good.example')).toMatchObject({ kind: 'delivered', way: { tlsVerified: 'dane' } })
    expect(gotMail(good)).toBe(true)
  })

  test('so does one found behind an alias', async () => {
    expect(await send('jane@alias.example')).toMatchObject({ kind: 'delivered', way: { tlsVerified: 'dane' } })
  })

  test('records that only fit into TCP', async () => {
    expect(await send('jane@many.example')).toMatchObject({ kind: 'delivered', way: { tlsVerified: 'dane' } })
  })

  test.each([
    ['another certificate', 'wrong.example', 'validation-failure'],
    ['STARTTLS stripped', 'stripped.example', 'starttls-not-supported'],
    ['a host whose DNSSEC is bogus', 'half.example', undefined],
    ['a domain whose DNSSEC is bogus', 'bogus.example', undefined],
  ])('%s gets nothing', async (_, domain, failure) => {
    const outcome = await send(`jane@${domain}`)
    expect(outcome).toMatchObject({ kind: 'deferred', ...(failure && { cause: { kind: 'tls', failure } }) })
    expect(saidInClear(good) || saidInClear(plain)).toBe(false)
  })

  test.each(['none.example', 'unsigned.example'])('%s demands nothing', async (domain) => {
    expect(await send(`jane@${domain}`)).toMatchObject({ kind: 'delivered', way: { mxAddress: '127.0.0.2' } })
  })
})
