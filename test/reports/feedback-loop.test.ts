// Complaints without a token of ours: only the signature of a configured feedback loop makes them count, checked with
// real keys in a real zone.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Domain } from '../../src/mail/address.ts'
import { createSignersOf } from '../../src/reports/signers.ts'
import { generateKey } from '../../src/sign/key.ts'
import { createSigner } from '../../src/sign/signer.ts'
import { systemClock } from '../../src/util/clock.ts'
import { DnsServer } from '../support/dns-server.ts'
import { RETURN_PATHS, startTestRelay, stopRelays } from '../support/relay.ts'
import { complaint } from '../support/report-mails.ts'

let directory: string
let dns: DnsServer
let sign: (raw: string) => Promise<string>

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'studs-fbl-'))
  const key = await generateKey({ algorithm: 'ed25519-sha256' })
  const keyFile = join(directory, 'key.pem')
  await writeFile(keyFile, key.privatePem, { mode: 0o600 })
  dns = await DnsServer.start({ 's._domainkey.fbl.provider.test': { txt: [key.dnsRecord] } })
  const domain = { name: 'fbl.provider.test', subdomains: false, dkim: [{ selector: 's', keyFile }] }
  const signer = createSigner({ domains: [domain], clock: systemClock })
  sign = async (raw) => {
    const end = raw.indexOf('\r\n\r\n') + 2
    const session = signer.start('fbl.provider.test' as Domain)!
    session.body(Buffer.from(raw.slice(end + 2), 'latin1'))
    return (await session.finish(raw.slice(0, end))) + raw
  }
})
afterEach(async () => {
  await stopRelays()
  await dns[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

test('a valid signature names its domain; a changed mail, another zone and silence name nobody', async () => {
  const signersOf = createSignersOf(() => [dns.address])
  const raw = await sign(complaint({ original: 'Message-ID: <1@x.test>' }))
  expect(await signersOf(Buffer.from(raw, 'latin1'))).toEqual(['fbl.provider.test'])
  expect(await signersOf(Buffer.from(raw.replace('<1@x.test>', '<2@x.test>'), 'latin1'))).toEqual([])
  expect(await signersOf(Buffer.from(raw.replace('d=fbl.', 'd=abl.'), 'latin1'))).toEqual([])
  expect(await signersOf(Buffer.from('no mail at all'))).toEqual([])
  dns.zones = { 's._domainkey.fbl.provider.test': { trouble: 'servfail' } }
  expect(await signersOf(Buffer.from(raw, 'latin1'))).toEqual([])
})

test.each([
  ['with the signature of a configured loop', ['fbl.provider.test'], true, 'complained'],
  ['with that of a loop nobody configured', ['other.test'], true, 'review'],
  ['without a signature', ['fbl.provider.test'], false, 'review'],
])('a complaint that names the mail by its Message-ID, %s: %s', async (_, domains, isSigned, outcome) => {
  const toml = `${RETURN_PATHS}\n[bounce]\nfeedback_domains = ${JSON.stringify(domains)}`
  const relay = await startTestRelay({ toml, delivery: `resolvers = ["${dns.address}"]` })
  const message = await relay.send('ok@a.test')
  await relay.record('delivered', { message })
  const mail = relay.relay.sandbox!.inbox.list().at(-1)!.raw.toString('latin1')
  const original = `${mail.match(/^Message-ID: .*$/im)![0]}\r\nTo: ok@a.test`
  const plain = complaint({ original })
  const raw = isSigned ? await sign(plain) : plain
  expect(await relay.report('fbl@bounce.sender.test', raw)).toMatch(/^250 /)
  const entries = relay.relay.desk.list({ limit: 10 }).entries
  expect(entries.map((entry) => entry.outcome)).toEqual([outcome])
  const list = relay.relay.suppressions.list({ limit: 10 }).entries.map(({ reason }) => reason)
  expect(list).toEqual(outcome === 'complained' ? ['complaint'] : [])
})
