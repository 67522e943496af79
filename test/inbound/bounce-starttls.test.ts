// STARTTLS at the bounce listener: nothing said in clear has an effect behind it (RFC 3207 §4.2, CVE-2011-0411).

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSelfSigned } from '../../src/inbound/self-signed.ts'
import { DAY } from '../../src/util/clock.ts'
import { LineClient } from '../support/dialog.ts'
import { ADDRESSES, type BounceHarness, startBounces } from './bounce-harness.ts'

const { token } = ADDRESSES
let harness: BounceHarness
beforeAll(async () => {
  harness = await startBounces()
})
afterAll(() => harness[Symbol.asyncDispose]())

async function open(): Promise<LineClient> {
  const client = await LineClient.open(harness.port())
  await client.reply()
  await client.command('EHLO mx.far.test')
  return client
}

async function openTls(): Promise<LineClient> {
  const client = await open()
  expect(await client.command('STARTTLS')).toBe('220 2.0.0 Ready to start TLS')
  await client.startTls()
  return client
}

test('a report under TLS: it is known how', async () => {
  const client = await openTls()
  expect(await client.command('EHLO mx.far.test')).toBe('250 SIZE 52428800')
  await client.command('MAIL FROM:<>')
  await client.command(`RCPT TO:<${token}>`)
  await client.command('DATA')
  expect(await client.command('Subject: x\r\n\r\n.')).toMatch(/^250 /)
  const { origin } = harness.desk.reports.at(-1)!
  expect(origin).toEqual({
    kind: 'listener',
    listener: 'bounces',
    address: '127.0.0.1',
    helo: 'mx.far.test',
    sender: '',
    tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  })
  expect(await client.command('STARTTLS')).toMatch(/^503 5\.5\.1 /)
  client.close()
})

test.each([
  ['one command', 'RSET\r\n'],
  ['a whole transaction', `EHLO evil.test\r\nMAIL FROM:<>\r\nRCPT TO:<${token}>\r\nDATA\r\nevil\r\n.\r\n`],
  ['half a command', 'MAIL FROM:<evil@x.te'],
  ['five hundred commands', 'NOOP\r\n'.repeat(500)],
  ['another STARTTLS', 'STARTTLS\r\n'],
])('%s behind STARTTLS in the same segment is never answered', async (_name, injected) => {
  const client = await open()
  const before = harness.desk.reports.length
  client.send(`STARTTLS\r\n${injected}`)
  expect(await client.reply()).toBe('220 2.0.0 Ready to start TLS')
  await client.startTls()
  // The first reply under TLS is to the first command under TLS.
  expect(await client.command('VRFY marker')).toMatch(/^252/)
  expect(await client.command('EHLO mx.far.test')).toBe('250 SIZE 52428800')
  expect(await client.command(`RCPT TO:<${token}>`)).toBe('503 5.5.1 MAIL first')
  expect(harness.desk.reports.length).toBe(before)
  client.close()
})

test('the transaction and the name from before are forgotten', async () => {
  const client = await open()
  await client.command('MAIL FROM:<>')
  await client.command('STARTTLS')
  await client.startTls()
  expect(await client.command(`RCPT TO:<${token}>`)).toBe('503 5.5.1 Error: send HELO/EHLO first')
  client.close()
})

test('a handshake that is nonsense ends the connection and nothing else', async () => {
  const client = await open()
  await client.command('STARTTLS')
  client.send('this is no ClientHello\r\n'.repeat(5))
  await harness.event('connectionFailed', ({ listener }) => listener === 'bounces')
  client.close()
  const next = await open()
  expect(await next.command('NOOP')).toBe('250 2.0.0 OK')
  next.close()
})

test('a new certificate is used for new sessions', async () => {
  const certificateOf = async (): Promise<string> => {
    const client = await openTls()
    const { subjectaltname } = (client.socket as TLSSocket).getPeerCertificate()
    client.close()
    return subjectaltname ?? ''
  }
  expect(await certificateOf()).toContain('relay.test')
  const now = Date.now()
  const pair = makeSelfSigned(['renewed.test'], { from: now - DAY, to: now + DAY })
  await writeFile(join(harness.directory, 'relay.key'), pair.key)
  await writeFile(join(harness.directory, 'relay.crt'), pair.cert)
  await harness.certificates.check()
  expect(await certificateOf()).toBe('DNS:renewed.test')
})
