// What is told for the daily report when the MTA-STS policy of a domain cannot be had (RFC 8460 §4.3.2.2), beside what came of the
// connection itself; and what a policy host that is slow costs.

import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { forgetfulMemory, type StsPolicy } from '../src/delivery/mta-sts.ts'
import type { TlsResult } from '../src/delivery/tls-result.ts'
import { DAY, SECOND } from '../src/util/clock.ts'
import { authority, ee, goodMx, TlsWorld, tlsScript, wrongMx } from './delivery/tls-fixture.ts'
import { attemptTo } from './support/attempt.ts'
import { FakeClock } from './support/fake-clock.ts'
import { type PolicyHost, policyText } from './support/policy-host.ts'
import type { Certificate } from './support/scripted-server.ts'

const GOOD = { text: policyText('enforce', ['mx.example.com']) }
const expired = () => authority.issue(['mta-sts.example.com'], { expired: true })
const CONNECTION = { domain: 'example.com', mx: 'mx.example.com', mxAddress: '127.0.0.1' }
const UNSEEN = { type: 'sts', strings: [], mx: [] }

async function toldOf(world: TlsWorld, given: Parameters<TlsWorld['delivery']>[0]): Promise<readonly TlsResult[]> {
  const told: TlsResult[] = []
  const by = world.delivery({ ...given, onTls: (result) => told.push(result) })
  const outcome = await by.deliver(attemptTo('jane@example.com'))
  expect(outcome).toMatchObject({ kind: 'delivered', way: { tls: expect.anything() } })
  return told
}

describe('a policy that cannot be had', () => {
  test.each<[string, PolicyHost['page'], Certificate | undefined, TlsResult['failure'], RegExp]>([
    ['is not there', { status: 404, text: 'no' }, undefined, 'sts-policy-fetch-error', /answered 404$/],
    [
      'is elsewhere',
      { status: 301, headers: { location: 'https://mta-sts.example.com/' }, text: '' },
      undefined,
      'sts-policy-fetch-error',
      /answered 301$/,
    ],
    ['is too long', { text: 'x: y\r\n'.repeat(12_000) }, undefined, 'sts-policy-fetch-error', /more than 64 KiB$/],
    ['is no policy', { text: 'hello' }, undefined, 'sts-policy-invalid', /not valid/],
    ['is of an unknown version', { text: 'version: STSv2\r\n' }, undefined, 'sts-policy-invalid', /not valid/],
    ['is behind an expired certificate', GOOD, expired(), 'sts-webpki-invalid', /expired/],
    ['is behind another name', GOOD, authority.issue(['www.example.com']), 'sts-webpki-invalid', /altnames|not for/],
  ])('because it %s', async (_, page, certificate, failure, reason) => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    const policyHost = await world.policyHost(page, certificate)
    world.publishPolicy()
    const told = await toldOf(world, { policyHost })
    expect(told).toMatchObject([
      { ...CONNECTION, policy: { type: 'no-policy-found' } },
      { ...CONNECTION, policy: UNSEEN, failure, reason: expect.stringMatching(reason) },
    ])
    expect(told[0]).not.toHaveProperty('failure')
  })

  test('because its host is down', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    const policyHost = await world.policyHost(GOOD)
    const { port } = policyHost
    await policyHost[Symbol.asyncDispose]()
    world.publishPolicy()
    expect(await toldOf(world, { policyHost: { port } })).toMatchObject([
      { policy: { type: 'no-policy-found' } },
      { policy: UNSEEN, failure: 'sts-policy-fetch-error', reason: expect.stringMatching(/ECONNREFUSED/) },
    ])
  })

  test.each(['silence', 'drip'] as const)('because its host is slow (%s): half a minute, no more', async (page) => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    const policyHost = await world.policyHost(page)
    world.publishPolicy()
    const clock = new FakeClock(Date.now())
    const asked = once(policyHost, 'asked')
    const telling = toldOf(world, { policyHost, clock })
    await asked
    await clock.advance(31 * SECOND)
    expect(await telling).toMatchObject([
      { policy: { type: 'no-policy-found' } },
      { policy: UNSEEN, failure: 'sts-policy-fetch-error' },
    ])
  })
})

test('one that holds is told with the failure to renew it', async () => {
  await using world = await TlsWorld.start()
  await world.mx(tlsScript(goodMx))
  const policyHost = await world.policyHost({ status: 500, text: '' })
  world.publishPolicy('2')
  const policies = forgetfulMemory()
  const kept: StsPolicy = {
    id: '1',
    mode: 'enforce',
    mx: ['mx.example.com'],
    maxAgeMs: 7 * DAY,
    fetchedAt: Date.now(),
    expiresAt: Date.now() + 7 * DAY,
  }
  policies.save('example.com', kept)
  const told = await toldOf(world, { policyHost, policies })
  const policy = { type: 'sts', strings: expect.arrayContaining(['mode: enforce']), mx: ['mx.example.com'] }
  expect(told).toMatchObject([
    { ...CONNECTION, policy },
    { ...CONNECTION, policy, failure: 'sts-policy-fetch-error', reason: 'mta-sts.example.com answered 500' },
  ])
  expect(told[0]).not.toHaveProperty('failure')
})

test('a domain without any is told once', async () => {
  await using world = await TlsWorld.start()
  await world.mx(tlsScript(goodMx))
  world.publish()
  expect(await toldOf(world, {})).toMatchObject([{ policy: { type: 'no-policy-found' } }])
})

describe('DANE', () => {
  test('records that cannot be had: no session, and why', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    world.publishSigned([])
    world.dns.zones = {
      ...world.dns.zones,
      [`_${world.port}._tcp.mx.example.com`]: { trouble: 'servfail' },
    }
    const told: TlsResult[] = []
    const by = world.delivery({ onTls: (result) => told.push(result) })
    expect(await by.deliver(attemptTo('jane@example.com'))).toMatchObject({ kind: 'deferred' })
    expect(told).toMatchObject([
      { policy: { type: 'tlsa', strings: [] }, failure: 'dnssec-invalid', mx: 'mx.example.com' },
    ])
  })

  test.each<[string, Parameters<TlsWorld['publishSigned']>[0], TlsResult['failure'] | undefined]>([
    ['that fit', [ee(goodMx.cert)], undefined],
    ['that do not', [ee(wrongMx.cert)], 'validation-failure'],
  ])('records %s: the policy is the records', async (_, records, failure) => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    world.publishSigned(records)
    const told: TlsResult[] = []
    const by = world.delivery({ onTls: (result) => told.push(result) })
    await by.deliver(attemptTo('jane@example.com'))
    expect(told).toMatchObject([{ policy: { type: 'tlsa', strings: [records[0]!.join(' ')] }, mx: 'mx.example.com' }])
    expect(told[0]?.failure).toBe(failure)
  })

  test('records that mail does not use: TLS all the same, and told', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    world.publishSigned([[1, 1, 1, '00'.repeat(32)]])
    expect(await toldOf(world, {})).toMatchObject([
      { ...CONNECTION, policy: { type: 'no-policy-found' } },
      { ...CONNECTION, policy: { type: 'tlsa', strings: [] }, failure: 'tlsa-invalid' },
    ])
  })
})
