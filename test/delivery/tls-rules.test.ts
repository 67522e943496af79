// What operators and messages demand of TLS: [[tls_policy]] by recipient domain, REQUIRETLS and `TLS-Required: No` (RFC 8689).

import { describe, expect, test } from 'vitest'
import type { TlsResult } from '../../src/delivery/tls-result.ts'
import { attemptTo } from '../support/attempt.ts'
import { policyText } from '../support/policy-host.ts'
import { type Peer, selfSigned } from '../support/scripted-server.ts'
import { ee, goodMx, gotMail, PLAIN, saidInClear, TlsWorld, tlsScript, wrongMx } from './tls-fixture.ts'

const rule = (domain: string, more: object = {}) => ({ domain, dane: true, mtaSts: true, ...more })

describe('[[tls_policy]]', () => {
  test.each([
    ['opportunistic', PLAIN, 'delivered', undefined],
    ['opportunistic', tlsScript(wrongMx), 'delivered', undefined],
    ['opportunistic', tlsScript(goodMx), 'delivered', 'pki'],
    ['required', PLAIN, 'deferred', undefined],
    ['required', tlsScript(wrongMx), 'delivered', undefined],
    ['verify', PLAIN, 'deferred', undefined],
    ['verify', tlsScript(wrongMx), 'deferred', undefined],
    ['verify', tlsScript(goodMx), 'delivered', 'pki'],
  ] as const)('%s', async (tls, script, kind, tlsVerified) => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(script)
    world.publish()
    const by = world.delivery({ tlsPolicy: [rule('example.com', { tls })] })
    const outcome = await by.deliver(attemptTo('jane@example.com'))
    expect(outcome.kind).toBe(kind)
    if (outcome.kind === 'delivered') expect(outcome.way.tlsVerified).toBe(tlsVerified)
    expect(gotMail(mx)).toBe(kind === 'delivered')
  })

  test('none: plaintext, whatever the domain publishes', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(goodMx))
    world.publishSigned([ee(wrongMx.cert)])
    const by = world.delivery({ tlsPolicy: [rule('example.com', { tls: 'none' })] })
    expect(await by.deliver(attemptTo('jane@example.com'))).toMatchObject({ kind: 'delivered' })
    expect(saidInClear(mx)).toBe(true)
  })

  test('dane = false: the records of this domain alone are left aside', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    world.publishSigned([ee(wrongMx.cert)], { 'two.example': { mx: [[1, 'mx.example.com']], secure: true } })
    const by = world.delivery({ tlsPolicy: [rule('example.com', { dane: false })] })
    expect(await by.deliver(attemptTo('jane@example.com'))).toMatchObject({ kind: 'delivered' })
    expect(await by.deliver(attemptTo('jane@two.example'))).toMatchObject({ kind: 'deferred', cause: { kind: 'tls' } })
  })

  test('the most specific domain decides', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    const mx = [[1, 'mx.example.com']] as const
    world.publish({ 'a.b.example': { mx }, 'c.b.example': { mx }, 'other.example': { mx } })
    const by = world.delivery({
      tlsPolicy: [
        rule('*', { tls: 'required' }),
        rule('*.b.example', { tls: 'opportunistic' }),
        rule('a.b.example', { tls: 'verify' }),
      ],
    })
    const kinds = ['a.b.example', 'c.b.example', 'other.example'].map(
      async (domain) => (await by.deliver(attemptTo(`jane@${domain}`))).kind,
    )
    expect(await Promise.all(kinds)).toEqual(['deferred', 'delivered', 'deferred'])
  })

  test('what the domain publishes is demanded besides', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(PLAIN)
    world.publishSigned([ee(wrongMx.cert)])
    const by = world.delivery({ tlsPolicy: [rule('example.com', { tls: 'opportunistic' })] })
    expect(await by.deliver(attemptTo('jane@example.com'))).toMatchObject({ kind: 'deferred', cause: { kind: 'tls' } })
    expect(saidInClear(mx)).toBe(false)
  })

  test('min_version is kept where TLS is demanded', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript({ ...goodMx, maxVersion: 'TLSv1.2' }))
    world.publish()
    const strict = world.delivery({ tlsPolicy: [rule('example.com', { tls: 'required', minVersion: 'TLSv1.3' })] })
    expect(await strict.deliver(attemptTo('jane@example.com'))).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'tls' },
    })
    const usual = world.delivery({ tlsPolicy: [rule('example.com', { tls: 'required' })] })
    expect(await usual.deliver(attemptTo('jane@example.com'))).toMatchObject({
      kind: 'delivered',
      way: { tls: expect.stringMatching(/^TLSv1\.2 /) },
    })
  })
})

const offering = {
  EHLO: (peer: Peer) => peer.say(peer.secured ? '250-mx\r\n250 REQUIRETLS' : '250-mx\r\n250 STARTTLS'),
}
const required = () => attemptTo('jane@example.com', { tlsWish: 'required' })
const tried = { text: policyText('testing', ['mx.example.com']) }

describe('REQUIRETLS', () => {
  test('goes to a host that DNSSEC vouches for, is verified, and offers it', async () => {
    await using world = await TlsWorld.start()
    const own = selfSigned('x.example')
    const mx = await world.mx(tlsScript(own, offering))
    world.publishSigned([ee(own.cert)])
    expect(await world.delivery().deliver(required())).toMatchObject({
      kind: 'delivered',
      way: { tlsVerified: 'dane' },
    })
    expect(mx.peer.commands.find((line) => line.startsWith('MAIL'))).toMatch(/ REQUIRETLS$/)
  })

  test('goes to a host that a policy names, also one that is only being tried', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx, offering))
    const policyHost = await world.policyHost(tried)
    world.publishPolicy()
    expect(await world.delivery({ policyHost }).deliver(required())).toMatchObject({ kind: 'delivered' })
  })

  test('a host without it: failed with 5.7.30, after all hosts were asked', async () => {
    await using world = await TlsWorld.start()
    const hosts = [await world.mx(tlsScript(goodMx)), await world.mx(tlsScript(goodMx), '127.0.0.2')]
    world.publishSigned([], { 'mx.example.com': { a: ['127.0.0.1', '127.0.0.2'] } })
    expect(await world.delivery().deliver(required())).toMatchObject({
      kind: 'failed',
      cause: { kind: 'local', code: '5.7.30' },
    })
    expect(hosts.map((mx) => mx.peers.length)).toEqual([1, 1])
    expect(hosts.some(gotMail)).toBe(false)
  })

  test('hosts that anybody may have named: failed with 5.7.30, nobody is connected to', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(goodMx, offering))
    world.publish()
    expect(await world.delivery().deliver(required())).toMatchObject({ kind: 'failed', cause: { code: '5.7.30' } })
    expect(mx.peers).toHaveLength(0)
  })

  test('a wrong certificate or no STARTTLS: deferred', async () => {
    for (const script of [tlsScript(wrongMx, offering), PLAIN]) {
      await using world = await TlsWorld.start()
      const mx = await world.mx(script)
      world.publishSigned([])
      expect(await world.delivery().deliver(required())).toMatchObject({ kind: 'deferred', cause: { kind: 'tls' } })
      expect(gotMail(mx)).toBe(false)
    }
  })

  test('a policy that exists and cannot be had: deferred, not failed', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx, offering))
    const policyHost = await world.policyHost({ status: 503, text: '' })
    world.publishPolicy()
    expect(await world.delivery({ policyHost }).deliver(required())).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'tls', failure: 'sts-policy-fetch-error' },
    })
  })

  test('a connection opened without it is not used for it', async () => {
    await using world = await TlsWorld.start()
    const mx = await world.mx(tlsScript(wrongMx, offering))
    world.publishSigned([])
    const by = world.delivery()
    expect(await by.deliver(attemptTo('jane@example.com'))).toMatchObject({ kind: 'delivered' })
    expect(await by.deliver(required())).toMatchObject({ kind: 'deferred' })
    expect(mx.peers.map((peer) => peer.contents.length)).toEqual([1, 0])
  })
})

describe('TLS-Required: No', () => {
  const optional = () => attemptTo('jane@example.com', { tlsWish: 'optional' })

  test('gets through where what the domain publishes is broken', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(wrongMx))
    world.publishSigned([ee(goodMx.cert)])
    const by = world.delivery()
    expect(await by.deliver(optional())).toMatchObject({ kind: 'delivered' })
    expect(await by.deliver(attemptTo('jane@example.com'))).toMatchObject({ kind: 'deferred' })
  })

  test('does not waive what the operator demands', async () => {
    await using world = await TlsWorld.start()
    await world.mx(PLAIN)
    world.publish()
    const by = world.delivery({ tlsPolicy: [rule('example.com', { tls: 'required' })] })
    expect(await by.deliver(optional())).toMatchObject({ kind: 'deferred', cause: { kind: 'tls' } })
  })
})

describe('what is told of TLS', () => {
  test.each([0, 1])('each connection once, with the policy it was judged by (%d workers)', async (workers) => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(wrongMx))
    const policyHost = await world.policyHost({ text: policyText('testing', ['mx.example.com']) })
    world.publishPolicy('1', { 'loose.example': { mx: [[1, 'mx.example.com']] } })
    const told: TlsResult[] = []
    const by = world.delivery({ policyHost, settings: { workers }, onTls: (result) => told.push(result) })
    for (const to of ['a@loose.example', 'b@loose.example', 'a@example.com']) await by.deliver(attemptTo(to))
    await by.close(1000)
    expect(told).toMatchObject([
      { domain: 'loose.example', policy: { type: 'no-policy-found' }, mx: 'mx.example.com', mxAddress: '127.0.0.1' },
      { domain: 'example.com', policy: { type: 'sts', mx: ['mx.example.com'] }, failure: 'validation-failure' },
    ])
    expect(told[0]).not.toHaveProperty('failure')
  })
})
