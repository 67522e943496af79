// DANE from the name server to the mailbox (RFC 7672): who is authenticated by TLSA records, and that nothing an attacker on
// the way can do to DNS or TLS turns it off.

import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { causeStatus, type Outcome } from '../../src/mail/outcome.ts'
import { attemptTo } from '../support/attempt.ts'
import { selfSigned } from '../support/scripted-server.ts'
import { ee, goodMx, gotMail, PLAIN, saidInClear, TlsWorld, tlsScript } from './tls-fixture.ts'

const own = selfSigned('whatever.example')
const stranger = selfSigned('mx.example.com')
const send = (by: { deliver(a: ReturnType<typeof attemptTo>): Promise<Outcome> }, to = 'jane@example.com') =>
  by.deliver(attemptTo(to))

function expectDeferred(outcome: Outcome): string {
  if (outcome.kind !== 'deferred') throw new Error(`not deferred: ${JSON.stringify(outcome)}`)
  expect(outcome.cause.kind).toBe('tls')
  expect(causeStatus(outcome.cause, false)).toBe('4.7.5')
  return outcome.cause.kind === 'tls' ? `${outcome.cause.failure}: ${outcome.cause.detail}` : ''
}

describe('a host with TLSA records', () => {
  test.each([0, 1])('is known by them, whatever its certificate says (%d workers)', async (workers) => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(own))
    world.publishSigned([ee(own.cert)])
    const outcome = await send(world.delivery({ settings: { workers } }))
    expect(outcome).toMatchObject({
      kind: 'delivered',
      way: { tls: expect.stringMatching(/^TLSv1.3/), tlsVerified: 'dane' },
    })
    expect(mx.peer.serverName).toBe('mx.example.com')
  })

  test('with another certificate gets nothing, also where an authority vouches for it', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(goodMx))
    world.publishSigned([ee(own.cert)])
    const outcome = await send(world.delivery())
    expect(expectDeferred(outcome)).toMatch(/^validation-failure: the certificate is none that the TLSA records name/)
    expect(outcome).toMatchObject({ way: { mx: 'mx.example.com', mxAddress: '127.0.0.1' } })
    expect(mx.peer.commands.map((line) => line.split(' ')[0])).toEqual(['EHLO', 'STARTTLS'])
  })

  test('and no STARTTLS, as behind somebody who strips it, gets nothing', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(PLAIN)
    world.publishSigned([ee(own.cert)])
    expect(expectDeferred(await send(world.delivery()))).toMatch(/^starttls-not-supported/)
    expect(saidInClear(mx)).toBe(false)
  })

  test('another host takes the mail where the first one fails', async () => {
    await using world = await TlsWorld.start()
    const bad = await world.mx(tlsScript(stranger))
    const good = await world.mx(tlsScript(own), '127.0.0.2')
    world.publishSigned([ee(own.cert)], {
      'example.com': {
        mx: [
          [10, 'mx.example.com'],
          [20, 'b.example.com'],
        ],
        secure: true,
      },
      'b.example.com': { a: ['127.0.0.2'] },
      [`_${world.port}._tcp.b.example.com`]: { tlsa: [ee(own.cert)] },
    })
    expect(await send(world.delivery())).toMatchObject({
      kind: 'delivered',
      way: { mx: 'b.example.com', tlsVerified: 'dane' },
    })
    expect(gotMail(bad)).toBe(false)
    expect(gotMail(good)).toBe(true)
  })

  test('that are all of a kind SMTP does not use: TLS all the same, whatever the certificate', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(stranger))
    world.publishSigned([
      [1, 1, 1, 'ab'.repeat(32)],
      [3, 1, 1, 'abcd'],
      [3, 7, 1, 'ab'.repeat(32)],
    ])
    const outcome = await send(world.delivery())
    expect(outcome).toMatchObject({ kind: 'delivered', way: { tls: expect.stringMatching(/^TLSv1/) } })
    expect(outcome).not.toHaveProperty('way.tlsVerified')
    expect(gotMail(mx)).toBe(true)
    await mx[Symbol.asyncDispose]()
    const plain = await world.mx(PLAIN)
    expectDeferred(await send(world.delivery()))
    expect(saidInClear(plain)).toBe(false)
  })

  test('found at the end of a validated alias, and named by it in SNI', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(own))
    world.publishSigned([], {
      'mx.example.com': { cname: 'real.example.net' },
      'real.example.net': { a: ['127.0.0.1'], secure: true },
      [`_${world.port}._tcp.real.example.net`]: { tlsa: [ee(own.cert)], secure: true },
    })
    expect(await send(world.delivery())).toMatchObject({ kind: 'delivered', way: { tlsVerified: 'dane' } })
    expect(mx.peer.serverName).toBe('real.example.net')
  })

  test('found at the alias itself, where what it points to is not vouched for', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(stranger))
    world.publishSigned([ee(own.cert)], {
      'mx.example.com': { cname: 'real.example.net' },
      'real.example.net': { a: ['127.0.0.1'] },
    })
    expectDeferred(await send(world.delivery()))
  })

  test('a domain without MX is its own host', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(stranger))
    world.publishSigned([], {
      'bare.example': { a: ['127.0.0.1'], secure: true },
      [`_${world.port}._tcp.bare.example`]: { tlsa: [ee(own.cert)] },
    })
    expectDeferred(await send(world.delivery(), 'jane@bare.example'))
  })
})

describe('an attacker in DNS', () => {
  test.each(['servfail', 'silence', 'refused', 'garbage'] as const)(
    'TLSA records that cannot be had (%s): the host is left alone',
    async (trouble) => {
      await using world = await TlsWorld.start()
      const mx = await world.mx(tlsScript(own))
      world.publishSigned([], { [`_${world.port}._tcp.mx.example.com`]: { trouble } })
      expect(expectDeferred(await send(world.delivery({ settings: { dnsTimeout: 50 } })))).toMatch(
        /^dnssec-invalid: TLSA of/,
      )
      expect(mx.peers).toHaveLength(0)
    },
  )

  test('an address that is bogus for us only: the host is left alone', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(own))
    world.publishSigned([ee(own.cert)], {
      'mx.example.com': { a: ['127.0.0.1'], aaaa: ['::1'], trouble: 'servfail', troubled: 'A' },
    })
    expectDeferred(await send(world.delivery()))
    expect(mx.peers).toHaveLength(0)
  })

  test('MX that is bogus: deferred, nobody is asked', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(own))
    world.publishSigned([ee(own.cert)], { 'example.com': { trouble: 'servfail', secure: true } })
    expect(await send(world.delivery())).toMatchObject({ kind: 'deferred', cause: { kind: 'dns', code: '4.4.3' } })
    expect(mx.peers).toHaveLength(0)
  })

  test('answers that do not fit into a packet come over TCP', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(own))
    world.publishSigned([], { [`_${world.port}._tcp.mx.example.com`]: { tlsa: [ee(own.cert)], trouble: 'truncated' } })
    expect(await send(world.delivery())).toMatchObject({ kind: 'delivered', way: { tlsVerified: 'dane' } })
    expect(world.dns.overTcp).toBe(1)
  })
})

describe('where DNSSEC vouches for nothing', () => {
  test.each([
    ['MX', { 'example.com': { mx: [[10, 'mx.example.com']] as const } }],
    ['the address', { 'mx.example.com': { a: ['127.0.0.1'], secure: false } }],
  ])('TLSA records do not count without %s', async (_, zones) => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(stranger))
    world.publishSigned([ee(own.cert)], zones)
    const outcome = await send(world.delivery())
    expect(outcome).toMatchObject({ kind: 'delivered', way: { tls: expect.stringMatching(/^TLSv1/) } })
    expect(world.dns.questions.filter((question) => question.startsWith('TLSA'))).toEqual([])
  })

  test('a validated denial is an answer: TLS is used where offered', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    world.publishSigned([])
    expect(await send(world.delivery())).toMatchObject({ kind: 'delivered' })
  })

  test('a name server that does not validate is told of once, and not asked for TLSA records', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    world.publishSigned([ee(own.cert)], { '.': { secure: false } })
    const lines: string[] = []
    const by = world.delivery({ logger: pino({}, { write: (line: string) => void lines.push(line) }) })
    for (const to of ['a@example.com', 'b@example.com', 'c@mx.example.com'])
      expect(await send(by, to)).toMatchObject({ kind: 'delivered' })
    expect(lines.filter((line) => line.includes('dane-off'))).toHaveLength(1)
    expect(world.dns.count('SOA .')).toBe(1)
  })

  test('one that does not answer the question is not taken for one that does not validate', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(PLAIN)
    world.publishSigned([ee(own.cert)], { '.': { trouble: 'silence' } })
    expectDeferred(await send(world.delivery({ settings: { dnsTimeout: 50 } })))
    expect(saidInClear(mx)).toBe(false)
  })

  test.each([
    ['switched off', { dane: 'off' as const }],
    ['a name server is far away', { dane: 'auto' as const, far: ['192.0.2.53'] }],
  ])(
    'none is asked where it is %s',
    async (_, { dane, far = [] }: { dane: 'off' | 'auto'; far?: readonly string[] }) => {
      await using world = await TlsWorld.start()
      await world.mx(PLAIN)
      world.publishSigned([ee(own.cert)])
      const resolvers = [world.dns.address, ...far]
      expect(await send(world.delivery({ settings: { dane, resolvers } }))).toMatchObject({ kind: 'delivered' })
      expect(world.dns.count('SOA .')).toBe(0)
    },
  )
})

describe('connections', () => {
  test('opened for one domain are not used for another that demands more', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(PLAIN)
    world.publishSigned([ee(own.cert)], { 'loose.example': { mx: [[10, 'mx.example.com']] } })
    const by = world.delivery()
    expect(await send(by, 'a@loose.example')).toMatchObject({ kind: 'delivered', way: { site: 'mx.example.com' } })
    expectDeferred(await send(by))
    expect(mx.peers[0]!.contents).toHaveLength(1)
  })
})
