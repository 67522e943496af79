// `studs resolve` shows of TLS what an attempt will demand: also what the recipient's domain publishes (DANE, MTA-STS), found as
// delivery finds it, or in force from before.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config/load.ts'
import type { StsPolicy } from '../../src/delivery/mta-sts.ts'
import { destinationOperations } from '../../src/http/destination-operations.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { storedPolicies } from '../../src/relay/tls-policies.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { DAY, systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import { authority, ee, goodMx, TlsWorld, tlsScript } from '../delivery/tls-fixture.ts'
import { policyText } from '../support/policy-host.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

afterEach(stopRelays)

/** All signed: one domain with TLSA records, others with some, useless or broken ones, or none. */
const zonesOf = (port: number) => ({
  'two.example': { mx: [[10, 'mx.example.com'] as const, [20, 'bare.two.example'] as const], secure: true },
  'bare.two.example': { a: ['127.0.0.1'] },
  'odd.example': { mx: [[10, 'mx.odd.example'] as const], secure: true },
  'mx.odd.example': { a: ['127.0.0.1'] },
  [`_${port}._tcp.mx.odd.example`]: { tlsa: [[1, 1, 1, 'ab'.repeat(32)] as const] },
  'broken.example': { mx: [[10, 'mx.broken.example'] as const], secure: true },
  'mx.broken.example': { a: ['127.0.0.1'] },
  [`_${port}._tcp.mx.broken.example`]: { trouble: 'servfail' as const },
  'nothing.example': { mx: [[10, 'bare.two.example'] as const], secure: true },
  // In force from before, whatever becomes of its record.
  'kept.example': { mx: [[10, 'bare.two.example'] as const, [20, 'other.two.example'] as const] },
  'other.two.example': { a: ['127.0.0.1'] },
})

/** Of a relay that has been running before: it knows the policy of kept.example. */
async function relayIn(world: TlsWorld, toml = ''): Promise<TestRelay> {
  const ca = join(mkdtempSync(join(tmpdir(), 'studs-ca-')), 'ca.pem')
  writeFileSync(ca, authority.cert)
  const relay = await startTestRelay({
    internet: true,
    delivery: `resolvers = ["${world.dns.address}"]\nport = ${world.port}\nallow_private = true\nca_file = "${ca}"`,
    toml,
  })
  await relay.stop()
  const { data } = loadSettings({ file: join(relay.directory, 'studs.toml'), env: {} }).settings
  const store = openStore({ ...data, clock: systemClock })
  const now = Date.now()
  const policy: StsPolicy = {
    id: '1',
    mode: 'enforce',
    mx: ['bare.two.example'],
    maxAgeMs: DAY,
    fetchedAt: now,
    expiresAt: now + DAY,
  }
  storedPolicies({ store, clock: systemClock, logger: silentLogger() }).save('kept.example', policy)
  await store.close()
  return relay
}

/** The rows of TLS, as `name | value | from`. */
async function tlsRows(relay: TestRelay, domain: string): Promise<readonly string[]> {
  const configFile = join(relay.directory, 'studs.toml')
  const { out } = await runCli(['resolve', domain], { clock: systemClock, configFile, width: 200 })
  return out.split('\n').flatMap((line) => (/^tls\b/.test(line) ? [line.trim().replace(/ {2,}/g, ' | ')] : []))
}

const BY_DANE = 'dane | dane: the TLSA records of the host'
const USUAL = 'opportunistic | default of [delivery]'
const EXPECTED = [
  ['example.com', [`tls | ${BY_DANE}`]],
  ['two.example', [`tls of mx.example.com | ${BY_DANE}`, `tls of bare.two.example | ${USUAL}`]],
  ['odd.example', ['tls | required | dane: TLSA records that mail does not use']],
  ['broken.example', [expect.stringMatching(/^tls \| refused \| TLSA of _\d+\._tcp\.mx\.broken\.example: /)]],
  ['nothing.example', [`tls | ${USUAL}`]],
  [
    'kept.example',
    [
      'tls of bare.two.example | verify | mta-sts enforce: the policy of the domain',
      expect.stringMatching(/^tls of other\.two\.example \| refused \| other\.two\.example is not among the MX hosts/),
    ],
  ],
] as const

describe('studs resolve', () => {
  test('of a running relay, and of a stopped one', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    world.publishSigned([ee(goodMx.cert)], zonesOf(world.port))
    const stopped = await relayIn(world)
    for (const [domain, rows] of EXPECTED) expect(await tlsRows(stopped, domain)).toEqual(rows)
    const relay = await startTestRelay({ directory: stopped.directory })
    for (const [domain, rows] of EXPECTED) expect(await tlsRows(relay, domain)).toEqual(rows)
  })

  test('what the operator says besides', async () => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    world.publishSigned([ee(goodMx.cert)], zonesOf(world.port))
    const toml = `[[tls_policy]]\ndomain = "example.com"\ndane = false\n
[[tls_policy]]\ndomain = "odd.example"\ntls = "verify"\n
[[tls_policy]]\ndomain = "kept.example"\ntls = "none"\n
[[tls_policy]]\ndomain = "two.example"\ntls = "verify"\n`
    const relay = await startTestRelay({ directory: (await relayIn(world, toml)).directory })
    expect(await tlsRows(relay, 'example.com')).toEqual(['tls | opportunistic | the [[tls_policy]]'])
    expect(await tlsRows(relay, 'odd.example')).toEqual(['tls | verify | the [[tls_policy]]'])
    expect(await tlsRows(relay, 'kept.example')).toEqual(['tls | none | the [[tls_policy]]'])
    expect(await tlsRows(relay, 'two.example')).toEqual([
      `tls of mx.example.com | ${BY_DANE}`,
      'tls of bare.two.example | verify | the [[tls_policy]]',
    ])
  })
})

describe('a policy that is fetched for it', () => {
  test.each([
    ['enforce', [{ name: 'tls', value: 'verify', from: { kind: 'mta_sts' } }]],
    ['testing', [{ name: 'tls', value: 'opportunistic', from: expect.anything() }]],
  ] as const)('%s', async (mode, expected) => {
    await using world = await TlsWorld.start()
    await world.mx(tlsScript(goodMx))
    const policyHost = await world.policyHost({ text: policyText(mode, ['mx.example.com']) })
    world.publishPolicy()
    const { resolve } = destinationOperations({
      delivery: world.delivery({ policyHost }),
      shaping: () => ({ rulesFor: () => [] }),
    })
    const resolution = await resolve('example.com')
    if (resolution.kind !== 'site') throw new Error('not a site')
    expect(resolution.paths[0]?.values.filter(({ name }) => name === 'tls')).toEqual(expected)
    expect(policyHost.requests).toHaveLength(1)
  })
})
