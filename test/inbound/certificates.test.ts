// The certificate of the listeners: made, trusted, replaced under open sessions, and kept when the new one is bad.

import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { openCertificates } from '../../src/inbound/certificates.ts'
import { makeSelfSigned } from '../../src/inbound/self-signed.ts'
import { DAY, SECOND, systemClock } from '../../src/util/clock.ts'
import { LineClient } from '../support/dialog.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type Harness, startSubmission } from './harness.ts'

const validity = { from: Date.now() - DAY, to: Date.now() + DAY }
const silent = { certificateMade: () => {}, certificateLoaded: () => {}, certificateRefused: () => {} }

/** A handshake that trusts only `ca`, and the certificate it saw. */
function seen(port: number, ca: string): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca, servername: 'relay.test' }, () => {
      resolve(socket.getPeerCertificate())
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

const certificateOf = (harness: Harness) => readFile(join(harness.directory, 'relay.crt'), 'utf8')

async function replace(harness: Harness, pair: { cert?: string; key?: string }): Promise<void> {
  if (pair.key !== undefined) await writeFile(join(harness.directory, 'relay.key'), pair.key)
  if (pair.cert !== undefined) await writeFile(join(harness.directory, 'relay.crt'), pair.cert)
}

test('made at first start, readable by the owner only, good for a client that trusts it', async () => {
  await using harness = await startSubmission()
  const { mode } = await stat(join(harness.directory, 'relay.key'))
  expect((mode & 0o777).toString(8)).toBe('600')
  const certificate = await seen(harness.port('submissions'), await certificateOf(harness))
  expect(certificate.subject.CN).toBe('relay.test')
  expect(harness.events.map(({ name }) => name).slice(0, 2)).toEqual(['certificateMade', 'certificateLoaded'])
})

test('kept at the next start', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'studs-certificates-'))
  const settings = { directory: join(directory, 'certs'), certificate: 'relay.crt', key: 'relay.key' }
  const open = () => openCertificates({ settings, hostname: 'relay.test', clock: systemClock, events: silent })
  const first = await open()
  const second = await open()
  expect(second.current).toEqual(first.current)
  first.close()
  second.close()
  await rm(directory, { recursive: true })
})

test.each([
  ['only a certificate', { cert: makeSelfSigned(['a'], validity).cert }],
  ['only a key', { key: makeSelfSigned(['a'], validity).key }],
  [
    'a pair that does not fit',
    { cert: makeSelfSigned(['a'], validity).cert, key: makeSelfSigned(['b'], validity).key },
  ],
  ['something else', { cert: 'hello', key: 'world' }],
])('%s: no start, and a sentence that names the files', async (_name, pair: { cert?: string; key?: string }) => {
  const directory = await mkdtemp(join(tmpdir(), 'studs-certificates-'))
  await mkdir(directory, { recursive: true })
  if (pair.cert !== undefined) await writeFile(join(directory, 'relay.crt'), pair.cert)
  if (pair.key !== undefined) await writeFile(join(directory, 'relay.key'), pair.key)
  const settings = { directory, certificate: 'relay.crt', key: 'relay.key' }
  const opening = openCertificates({ settings, hostname: 'relay.test', clock: systemClock, events: silent })
  await expect(opening).rejects.toMatchObject({ code: 'certificate', message: expect.stringContaining('relay.key') })
  await rm(directory, { recursive: true })
})

test('replaced while a hundred sessions are open: none is lost, new ones see the new one', async () => {
  const clock = new FakeClock(Date.now())
  await using harness = await startSubmission({ clock, config: { submission: { max_connections_per_ip: 200 } } })
  const before = await certificateOf(harness)
  const sessions = await Promise.all(Array.from({ length: 100 }, () => LineClient.openTls(harness.port('submissions'))))
  for (const session of sessions) expect(await session.reply()).toMatch(/^220/)
  const pair = makeSelfSigned(['relay.test', 'new.test'], validity)
  await replace(harness, pair)
  await timePasses(harness, clock, 2)
  await expect(seen(harness.port('submissions'), before)).rejects.toThrow(/self-signed/)
  expect((await seen(harness.port('submissions'), pair.cert)).subjectaltname).toBe('DNS:relay.test, DNS:new.test')
  // STARTTLS on another listener has it too.
  const upgraded = await LineClient.open(harness.port('trusted'))
  await upgraded.reply()
  await upgraded.command('EHLO app.test')
  await upgraded.command('STARTTLS')
  await upgraded.startTls()
  expect((upgraded.socket as TLSSocket).getPeerCertificate().subjectaltname).toContain('new.test')
  upgraded.close()
  for (const session of sessions) expect(await session.command('NOOP')).toBe('250 2.0.0 OK')
  for (const session of sessions) session.close()
})

test('half replaced, or nonsense: the old one stays, and a good pair after it is taken', async () => {
  const clock = new FakeClock(Date.now())
  await using harness = await startSubmission({ clock })
  const before = await certificateOf(harness)
  const pair = makeSelfSigned(['relay.test'], validity)
  await replace(harness, { key: pair.key })
  await clock.advance(10 * SECOND)
  await harness.event('certificateRefused')
  expect((await seen(harness.port('submissions'), before)).subject.CN).toBe('relay.test')
  await replace(harness, { cert: pair.cert })
  await timePasses(harness, clock, 2)
  expect((await seen(harness.port('submissions'), pair.cert)).subject.CN).toBe('relay.test')
  expect(harness.events.filter(({ name }) => name === 'certificateRefused')).toHaveLength(1)
})

test('a folder that cannot be read: refused once, the old one stays, and it is taken when it is back', async () => {
  const clock = new FakeClock(Date.now())
  const directory = await mkdtemp(join(tmpdir(), 'studs-certificates-'))
  const settings = { directory: join(directory, 'certs'), certificate: 'relay.crt', key: 'relay.key' }
  const said: string[] = []
  const events = {
    certificateMade: () => {},
    certificateLoaded: () => void said.push('loaded'),
    certificateRefused: ({ error }: { error: unknown }) => void said.push(String(error)),
  }
  const certificates = await openCertificates({ settings, hostname: 'relay.test', clock, events })
  const before = certificates.current
  await rename(settings.directory, `${settings.directory}.away`)
  await writeFile(settings.directory, '')
  await certificates.check()
  await certificates.check()
  expect(said).toEqual(['loaded', expect.stringMatching(/^CertificateError: .*relay\.crt .*ENOTDIR/)])
  expect(certificates.current).toBe(before)
  await rm(settings.directory)
  await rename(`${settings.directory}.away`, settings.directory)
  await certificates.check()
  expect(said).toHaveLength(3)
  expect(said[2]).toBe('loaded')
  certificates.close()
  await rm(directory, { recursive: true })
})

test('a listener that cannot take the new one ends nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'studs-certificates-'))
  const settings = { directory, certificate: 'relay.crt', key: 'relay.key' }
  const refused: unknown[] = []
  const events = { ...silent, certificateRefused: ({ error }: { error: unknown }) => void refused.push(error) }
  const certificates = await openCertificates({ settings, hostname: 'relay.test', clock: systemClock, events })
  certificates.onChange(() => {
    throw new Error('no')
  })
  const pair = makeSelfSigned(['relay.test'], validity)
  await writeFile(join(directory, 'relay.key'), pair.key)
  await writeFile(join(directory, 'relay.crt'), pair.cert)
  await certificates.check()
  expect(refused).toEqual([new Error('no')])
  certificates.close()
  await rm(directory, { recursive: true })
})

/** One check of the files, and until the certificate has been loaded `times` times. */
async function timePasses(harness: Harness, clock: FakeClock, times: number): Promise<void> {
  await clock.advance(10 * SECOND)
  const loaded = () => harness.events.filter(({ name }) => name === 'certificateLoaded').length
  while (loaded() < times) await new Promise(setImmediate)
}
