// TLS as the receiver demands it, through a whole relay: what the records say, and what is counted for reports.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { loadSettings } from '../../src/config/load.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { TlsTally } from '../../src/tls-report/tally.ts'
import { DAY, systemClock } from '../../src/util/clock.ts'
import { authority, ee, PLAIN, saidInClear, TlsWorld, tlsScript } from '../delivery/tls-fixture.ts'
import { startTestRelay, stopRelays } from '../support/relay.ts'
import { selfSigned } from '../support/scripted-server.ts'

afterEach(stopRelays)
const own = selfSigned('whatever.example')

async function relayIn(world: TlsWorld) {
  const ca = join(mkdtempSync(join(tmpdir(), 'studs-ca-')), 'ca.pem')
  writeFileSync(ca, authority.cert)
  const resolver = `resolvers = ["${world.dns.address}"]\nport = ${world.port}\nallow_private = true\nca_file = "${ca}"`
  const toml =
    '[tls_report]\nenabled = true\nfrom = "tls@sender.test"\n[[tls_policy]]\ndomain = "strict.example"\ntls = "verify"'
  return startTestRelay({ internet: true, delivery: resolver, toml })
}

test('authenticated by DANE, demanded by the operator, and refused to whoever strips it', async () => {
  await using world = await TlsWorld.start()
  await world.mx(tlsScript(own))
  const plain = await world.mx(PLAIN, '127.0.0.2')
  world.publishSigned([ee(own.cert)], {
    'stripped.example': { mx: [[1, 'mx.stripped.example']], secure: true },
    'mx.stripped.example': { a: ['127.0.0.2'] },
    [`_${world.port}._tcp.mx.stripped.example`]: { tlsa: [ee(own.cert)] },
    'strict.example': { mx: [[1, 'mx.strict.example']] },
    'mx.strict.example': { a: ['127.0.0.1'] },
  })
  const relay = await relayIn(world)
  await relay.send(['a@example.com', 'b@stripped.example', 'c@strict.example'])
  expect(await relay.record('delivered', { recipient: 'a@example.com' })).toMatchObject({
    way: { tls: expect.stringMatching(/^TLSv1\.3 /), tlsVerified: 'dane' },
  })
  expect(await relay.record('deferred', { recipient: 'b@stripped.example' })).toMatchObject({
    cause: { kind: 'tls', failure: 'starttls-not-supported' },
    status: '4.7.5',
    verdict: { category: 'bad-configuration', action: 'retry' },
  })
  expect(await relay.record('deferred', { recipient: 'c@strict.example' })).toMatchObject({
    cause: { kind: 'tls', failure: 'certificate-not-trusted' },
    status: '4.7.5',
  })
  expect(saidInClear(plain)).toBe(false)
  expect(relay.records.filter(({ kind }) => kind === 'suppression-added')).toEqual([])

  await relay.stop()
  const { directory } = loadSettings({ file: join(relay.directory, 'studs.toml'), env: {} }).settings.data
  const store = openStore({ directory, mapSize: 2 ** 30, clock: systemClock })
  const tally = new TlsTally({ store, clock: systemClock })
  const tomorrow = new Date(Date.now() + DAY).toISOString().slice(0, 10)
  const counts = tally.daysBefore(tomorrow).flatMap((day) => [...tally.ofDay(day)].flat())
  // RFC 8460 §1.1: the policy domain of DANE is the TLSA base domain, the host; the report goes to the recipient's.
  expect(counts.map(({ domain, policy, ok, failed }) => [domain, policy.type, policy.domain, ok, failed])).toEqual([
    ['example.com', 'tlsa', 'mx.example.com', 1, 0],
    ['strict.example', 'no-policy-found', undefined, 0, 1],
    ['stripped.example', 'tlsa', 'mx.stripped.example', 0, 1],
  ])
  await store.close()
})

test('a message that may go without: TLS-Required: No', async () => {
  await using world = await TlsWorld.start()
  const plain = await world.mx(PLAIN)
  world.publishSigned([ee(own.cert)])
  const relay = await relayIn(world)
  await relay.send('a@example.com', { headers: { 'TLS-Required': 'No' } })
  await relay.record('delivered', { recipient: 'a@example.com' })
  expect(saidInClear(plain)).toBe(true)
})
