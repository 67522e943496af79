// A receiver whose TLS is wrong for hours, through a whole relay: deferred 4.7.5 again and again, never in plaintext, no bounce,
// nobody suppressed; and delivered once it is right again.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { causeStatus } from '../../src/mail/outcome.ts'
import { HOUR, MINUTE, systemClock } from '../../src/util/clock.ts'
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
} from '../delivery/tls-fixture.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays } from '../support/relay.ts'
import { type Certificate, type Script, selfSigned } from '../support/scripted-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'studs-ca-'))
const ca = join(folder, 'ca.pem')
writeFileSync(ca, authority.cert)
afterEach(stopRelays)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const own = selfSigned('whatever.example')
const VERIFY = '[[tls_policy]]\ndomain = "example.com"\ntls = "verify"'
/** By records for one certificate, or by the operator's word. */
const DANE = (world: TlsWorld): void => world.publishSigned([ee(own.cert)])
const PLAIN_DNS = (world: TlsWorld): void => world.publish()

/** `wrong`: undefined = no STARTTLS. */
const changing = (isMended: () => boolean, wrong: Certificate | undefined, right: Certificate): Script => ({
  EHLO: (peer) =>
    peer.say(peer.secured || (wrong === undefined && !isMended()) ? String(PLAIN.EHLO) : '250-mx\r\n250 STARTTLS'),
  STARTTLS: (peer) => peer.secure(isMended() ? right : (wrong ?? right)),
})

test.each<[string, string, (world: TlsWorld) => void, Certificate | undefined, Certificate, string]>([
  ['a certificate that no TLSA record names', '', DANE, goodMx, own, 'validation-failure'],
  ['TLSA records, and no STARTTLS', '', DANE, undefined, own, 'starttls-not-supported'],
  [
    'a certificate for another name, where it is verified',
    VERIFY,
    PLAIN_DNS,
    wrongMx,
    goodMx,
    'certificate-host-mismatch',
  ],
  ['an expired certificate, where it is verified', VERIFY, PLAIN_DNS, expiredMx, goodMx, 'certificate-expired'],
])('%s', async (_, toml, publish, wrong, right, failure) => {
  await using world = await TlsWorld.start()
  let isMended = false
  const mx = await world.mx({ ...tlsScript(right), ...changing(() => isMended, wrong, right) })
  publish(world)
  const clock = new FakeClock()
  const relay = await startTestRelay({
    internet: true,
    clock,
    toml,
    delivery: `resolvers = ["${world.dns.address}"]\nport = ${world.port}\nallow_private = true\nca_file = "${ca}"\nmta_sts = false`,
    queue: 'retry = ["30m"]',
  })
  await relay.send('jane@example.com')
  const deferred = () => relay.records.filter(({ kind }) => kind === 'deferred')
  // Connections take real time.
  const step = async (): Promise<void> => {
    await clock.advance(MINUTE)
    await systemClock.sleep(5)
  }
  const began = clock.now()
  while (clock.now() < began + 4 * HOUR || deferred().length < 8) await step()
  expect([gotMail(mx), saidInClear(mx)]).toEqual([false, false])
  for (const { cause, verdict } of deferred()) {
    expect(cause).toMatchObject({ kind: 'tls', failure })
    expect([causeStatus(cause!, false), verdict?.action]).toEqual(['4.7.5', 'retry'])
  }
  isMended = true
  const mendedAt = clock.now()
  while (!gotMail(mx) && clock.now() < mendedAt + 2 * HOUR) await step()
  expect((await relay.record('delivered')).way?.tls).toMatch(/^TLSv1/)
  expect(clock.now()).toBeLessThan(mendedAt + 40 * MINUTE)
  expect(saidInClear(mx)).toBe(false)
  const kinds = new Set(relay.records.map(({ kind }) => kind).filter((kind) => kind !== 'alert'))
  expect(kinds).toEqual(new Set(['accepted', 'deferred', 'delivered']))
})
