// MTA-STS from the TXT record to the mailbox (RFC 8461), with a real policy host: what is obeyed, what is remembered, and that
// nothing an attacker on the way can do ends in plaintext.

import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { Delivery } from '../../src/delivery/delivery.ts'
import { forgetfulMemory, type StsPolicy } from '../../src/delivery/mta-sts.ts'
import { causeStatus, type Outcome } from '../../src/mail/outcome.ts'
import { DAY, HOUR, MINUTE } from '../../src/util/clock.ts'
import { attemptTo } from '../support/attempt.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type Page, policyText } from '../support/policy-host.ts'
import { selfSigned } from '../support/scripted-server.ts'
import {
  authority,
  ee,
  expiredMx,
  goodMx,
  gotMail,
  PLAIN,
  saidInClear,
  TlsWorld,
  tlsScript,
  wrongMx,
} from './tls-fixture.ts'

const send = (by: Delivery, to = 'jane@example.com') => by.deliver(attemptTo(to))
const enforce: Page = { text: policyText('enforce', ['mx.example.com']) }

function expectDeferred(outcome: Outcome): string {
  if (outcome.kind !== 'deferred') throw new Error(`not deferred: ${JSON.stringify(outcome)}`)
  expect(outcome.cause.kind).toBe('tls')
  expect(causeStatus(outcome.cause, false)).toBe('4.7.5')
  return outcome.cause.kind === 'tls' ? `${outcome.cause.failure}: ${outcome.cause.detail}` : ''
}

describe('enforce', () => {
  test.each([0, 1])('a host that the policy names, with a valid certificate (%d workers)', async (workers) => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy()
    const by = world.delivery({ policyHost, settings: { workers } })
    for (let n = 0; n < 3; n++)
      expect(await send(by)).toMatchObject({
        kind: 'delivered',
        way: { tls: expect.stringMatching(/^TLSv1\.3/), tlsVerified: 'mta-sts' },
      })
    expect(policyHost.requests).toEqual(['mta-sts.example.com /.well-known/mta-sts.txt'])
  })

  test.each([
    ['another name', tlsScript(wrongMx), 'certificate-host-mismatch'],
    ['an expired certificate', tlsScript(expiredMx), 'certificate-expired'],
    ['a certificate of its own making', tlsScript(selfSigned('mx.example.com')), 'certificate-not-trusted'],
    ['no STARTTLS', PLAIN, 'starttls-not-supported'],
    ['a refusal of STARTTLS', tlsScript(goodMx, { STARTTLS: '454 4.7.0 not now' }), 'starttls-not-supported'],
    ['something else than TLS', tlsScript(goodMx, { STARTTLS: (peer) => peer.say('220 go\r\nno TLS') }), undefined],
  ] as const)('a host with %s gets nothing', async (_, script, failure) => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(script)
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy()
    const outcome = await send(world.delivery({ policyHost }))
    if (failure !== undefined) expect(expectDeferred(outcome)).toMatch(new RegExp(`^${failure}`))
    expect(outcome.kind).toBe('deferred')
    expect(saidInClear(mx)).toBe(false)
    expect(gotMail(mx)).toBe(false)
  })

  test('a host that the policy does not name is passed over', async () => {
    await using world = await TlsWorld.start()
    const rogue = await world.mx(tlsScript(authority.issue(['evil.example.net'])))
    const good = await world.mx(tlsScript(goodMx), '127.0.0.2')
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy('1', {
      'example.com': {
        mx: [
          [1, 'evil.example.net'],
          [10, 'mx.example.com'],
        ],
      },
      'evil.example.net': { a: ['127.0.0.1'] },
      'mx.example.com': { a: ['127.0.0.2'] },
    })
    expect(await send(world.delivery({ policyHost }))).toMatchObject({
      kind: 'delivered',
      way: { mx: 'mx.example.com' },
    })
    expect(rogue.peers).toHaveLength(0)
    expect(gotMail(good)).toBe(true)
  })

  test('no host that the policy names: deferred, nobody is connected to', async () => {
    await using world = await TlsWorld.start()
    const rogue = await world.mx(tlsScript(goodMx))
    const policyHost = await world.policyHost({ text: policyText('enforce', ['*.elsewhere.example']) })
    world.publishPolicy()
    expect(expectDeferred(await send(world.delivery({ policyHost })))).toMatch(
      /^validation-failure: mx\.example\.com is not among/,
    )
    expect(rogue.peers).toHaveLength(0)
  })

  test('is a matter of the recipient domain: the same host serves another domain as before', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(PLAIN)
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy('1', { 'loose.example': { mx: [[1, 'mx.example.com']] } })
    const by = world.delivery({ policyHost })
    expect(await send(by, 'jane@loose.example')).toMatchObject({ kind: 'delivered' })
    expectDeferred(await send(by))
    expect(mx.peers[0]!.contents).toHaveLength(1)
  })

  test('TLSA records count for more than the policy', async () => {
    await using world = await TlsWorld.start()
    const own = selfSigned('mx.example.com')
    const mx = await world.mx(tlsScript(own))
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy('1', {
      '.': { secure: true },
      'example.com': { mx: [[10, 'mx.example.com']], secure: true },
      [`_${world.port}._tcp.mx.example.com`]: { tlsa: [ee(own.cert)] },
    })
    expect(await send(world.delivery({ policyHost }))).toMatchObject({
      kind: 'delivered',
      way: { tlsVerified: 'dane' },
    })
    // And a certificate that authorities vouch for does not make up for a wrong one.
    world.dns.zones = {
      ...world.dns.zones,
      [`_${world.port}._tcp.mx.example.com`]: { tlsa: [ee(wrongMx.cert)] },
    }
    await mx[Symbol.asyncDispose]()
    const certified = await world.mx(tlsScript(goodMx))
    expectDeferred(await send(world.delivery({ policyHost })))
    expect(gotMail(certified)).toBe(false)
  })
})

test('a host whose TLSA records cannot be had is left alone, although the policy names it', async () => {
  await using world = await TlsWorld.start()
  const mx = await world.mx(tlsScript(goodMx))
  const policyHost = await world.policyHost(enforce)
  world.publishPolicy('1', {
    '.': { secure: true },
    'example.com': { mx: [[10, 'mx.example.com']], secure: true },
    [`_${world.port}._tcp.mx.example.com`]: { trouble: 'servfail' },
  })
  expect(expectDeferred(await send(world.delivery({ policyHost })))).toMatch(/^dnssec-invalid/)
  expect(mx.peers).toHaveLength(0)
})

describe('other modes', () => {
  test.each(['testing', 'none'])('%s: nothing is demanded', async (mode) => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    const policyHost = await world.policyHost({ text: policyText(mode, ['elsewhere.example']) })
    world.publishPolicy()
    expect(await send(world.delivery({ policyHost }))).toMatchObject({ kind: 'delivered' })
    expect(policyHost.requests).toHaveLength(1)
  })
})

describe('a policy host', () => {
  const refusals: readonly [string, Page][] = [
    ['redirects', { status: 302, headers: { location: 'https://127.0.0.1/' }, text: '' }],
    ['has no policy', { status: 404, text: 'no' }],
    ['gives more than 64 KiB', { text: `${policyText('enforce', ['mx.example.com'])}${'x: y\r\n'.repeat(12_000)}` }],
    ['gives HTML', { type: 'text/html', text: policyText('enforce', ['mx.example.com']) }],
    ['gives another version', { text: 'version: STSv2\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 86400\r\n' }],
    ['gives no hosts', { text: 'version: STSv1\r\nmode: enforce\r\nmax_age: 86400\r\n' }],
    ['wants to be remembered for ever', { text: policyText('enforce', ['mx.example.com'], 99_999_999) }],
  ]
  test.each(refusals)('that %s gave no policy', async (_, page) => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    const policyHost = await world.policyHost(page)
    world.publishPolicy()
    const memory = forgetfulMemory()
    expect(await send(world.delivery({ policyHost, policies: memory }))).toMatchObject({ kind: 'delivered' })
    expect(policyHost.requests).toHaveLength(1)
    expect(memory.load('example.com')).toBeUndefined()
  })

  test.each([
    ['another name', authority.issue(['mta-sts.other.example'])],
    ['a partial wildcard', authority.issue(['mta*.example.com'])],
    ['an expired certificate', authority.issue(['mta-sts.example.com'], { expired: true })],
    ['a certificate of its own making', selfSigned('mta-sts.example.com')],
  ])('with %s gave no policy', async (_, certificate) => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    const policyHost = await world.policyHost(enforce, certificate)
    world.publishPolicy()
    expect(await send(world.delivery({ policyHost }))).toMatchObject({ kind: 'delivered' })
    expect(policyHost.requests).toEqual([])
  })

  test('at a private address is not knocked at', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(goodMx), '127.0.0.2')
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy('1', { 'mx.example.com': { a: ['127.0.0.2'] } })
    const by = world.delivery({ policyHost, settings: { allowPrivate: false }, allowed: ['127.0.0.2/32'] })
    const outcome = await send(by)
    expect(outcome).toMatchObject({ kind: 'delivered', way: { tlsVerified: 'pki' } })
    expect(gotMail(mx)).toBe(true)
    expect(policyHost.requests).toEqual([])
  })

  test('that says nothing does not keep delivery from closing', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    const policyHost = await world.policyHost(enforce)
    policyHost.page = 'silence'
    world.publishPolicy()
    const by = world.delivery({ policyHost })
    const asked = once(policyHost, 'asked')
    const outcome = send(by)
    await asked
    await by.close(0)
    expect(await outcome).toMatchObject({ kind: 'returned' })
  })

  test('is not asked where there is no record, several, or one that is none', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    const policyHost = await world.policyHost(enforce)
    for (const txt of [[], ['v=STSv1; id=1', 'v=STSv1; id=2'], ['v=STSv1'], ['hello']]) {
      world.publishPolicy('1', { '_mta-sts.example.com': { txt } })
      expect(await send(world.delivery({ policyHost }))).toMatchObject({ kind: 'delivered' })
    }
    expect(policyHost.requests).toEqual([])
  })

  test('is not asked where the operator says so', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy()
    expect(await send(world.delivery({ policyHost, settings: { mtaSts: false } }))).toMatchObject({ kind: 'delivered' })
    const tlsPolicy = [{ domain: 'example.com', dane: true, mtaSts: false }]
    expect(await send(world.delivery({ policyHost, tlsPolicy }))).toMatchObject({ kind: 'delivered' })
    expect(policyHost.requests).toEqual([])
  })
})

describe('what is known of a policy', () => {
  const kept = (more: Partial<StsPolicy> = {}): StsPolicy => ({
    id: '1',
    mode: 'enforce',
    mx: ['mx.example.com'],
    maxAgeMs: 7 * DAY,
    fetchedAt: Date.now(),
    expiresAt: Date.now() + 7 * DAY,
    ...more,
  })
  function remembering(policy: StsPolicy) {
    const memory = forgetfulMemory()
    memory.save('example.com', policy)
    return memory
  }

  const attacks: readonly [string, (world: TlsWorld) => Promise<{ port: number }>][] = [
    [
      'the record is gone',
      async (world) => {
        world.publish()
        return { port: 1 }
      },
    ],
    [
      'the record cannot be had',
      async (world) => {
        world.publishPolicy('2', { '_mta-sts.example.com': { trouble: 'servfail' } })
        return { port: 1 }
      },
    ],
    [
      'there is a new one, and the policy host is down',
      async (world) => {
        const host = await world.policyHost(enforce)
        world.publishPolicy('2')
        const { port } = host
        await host[Symbol.asyncDispose]()
        return { port }
      },
    ],
    [
      'there is a new one, and the policy host has the wrong certificate',
      async (world) => {
        world.publishPolicy('2')
        return world.policyHost({ text: policyText('none', []) }, authority.issue(['mta-sts.other.example']))
      },
    ],
    [
      'there is a new one that is not valid',
      async (world) => {
        world.publishPolicy('2')
        return world.policyHost({ text: 'version: STSv1\r\nmode: off\r\n' })
      },
    ],
  ]
  test.each(attacks)('holds when %s', async (_, attack) => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(PLAIN)
    const policyHost = await attack(world)
    const outcome = await send(world.delivery({ policyHost, policies: remembering(kept()) }))
    expect(expectDeferred(outcome)).toMatch(/^starttls-not-supported/)
    expect(saidInClear(mx)).toBe(false)
  })

  test('ends when it is over', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    world.publish()
    const policies = remembering(kept({ expiresAt: Date.now() - 1 }))
    expect(await send(world.delivery({ policies }))).toMatchObject({ kind: 'delivered' })
  })

  test('gives way to a new one of the same domain', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    const policyHost = await world.policyHost({ text: policyText('none', []) })
    world.publishPolicy('2')
    const policies = remembering(kept())
    expect(await send(world.delivery({ policyHost, policies }))).toMatchObject({ kind: 'delivered' })
    expect(policies.load('example.com')).toMatchObject({ id: '2', mode: 'none' })
  })

  test('is not fetched again while the record stays the same and it is young', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy('1')
    expect(await send(world.delivery({ policyHost, policies: remembering(kept()) }))).toMatchObject({
      kind: 'delivered',
    })
    expect(policyHost.requests).toEqual([])
  })

  test('is fetched anew once a day, beside the mail, so that it does not run out', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy('1')
    const saved = Promise.withResolvers<StsPolicy>()
    const memory = remembering(kept({ fetchedAt: Date.now() - DAY - MINUTE, expiresAt: Date.now() + HOUR }))
    const policies = { ...memory, save: (_: string, policy: StsPolicy) => saved.resolve(policy) }
    expect(await send(world.delivery({ policyHost, policies }))).toMatchObject({ kind: 'delivered' })
    expect((await saved.promise).expiresAt).toBeGreaterThan(Date.now() + 23 * HOUR)
  })

  test('survives a look later: DNS is asked again after an hour only', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    const policyHost = await world.policyHost(enforce)
    world.publishPolicy('1', { 'example.com': { mx: [[10, 'mx.example.com']], ttl: 3600 } })
    const clock = new FakeClock(Date.now())
    const by = world.delivery({ policyHost, clock })
    const domain = attemptTo('jane@example.com').domain
    await by.locate(domain)
    await clock.advance(59 * MINUTE)
    await by.locate(domain)
    expect(world.dns.count('TXT _mta-sts.example.com')).toBe(1)
    await clock.advance(10 * MINUTE)
    await by.locate(domain)
    expect(world.dns.count('TXT _mta-sts.example.com')).toBe(2)
    expect(policyHost.requests).toHaveLength(1)
  })
})
