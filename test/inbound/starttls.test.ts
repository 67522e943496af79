// STARTTLS: nothing said in clear has an effect behind it (RFC 3207 §4.2 and the command injection of CVE-2011-0411).

import { connect, type SecureVersion } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LineClient } from '../support/dialog.ts'
import { type Harness, startSubmission } from './harness.ts'

/** The version that a client and a listener agree upon; undefined: none. */
function agreed(port: number, version: SecureVersion): Promise<string | null | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', maxVersion: version, rejectUnauthorized: false })
    socket.on('error', () => resolve(undefined))
    socket.on('secureConnect', () => {
      resolve(socket.getProtocol())
      socket.destroy()
    })
  })
}

let harness: Harness
beforeAll(async () => {
  harness = await startSubmission()
})
afterAll(() => harness[Symbol.asyncDispose]())

async function open(): Promise<LineClient> {
  const client = await LineClient.open(harness.port('trusted'))
  await client.reply()
  await client.command('EHLO app.test')
  return client
}

test.each([
  ['one command', 'RSET\r\n'],
  ['a whole transaction', 'EHLO evil.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\nevil\r\n.\r\n'],
  ['half a command', 'MAIL FROM:<evil@x.te'],
  ['five hundred commands', 'NOOP\r\n'.repeat(500)],
  ['another STARTTLS', 'STARTTLS\r\n'],
])('%s behind STARTTLS in the same segment is never answered', async (_name, injected) => {
  const client = await open()
  const commands = harness.acceptor.messages.length
  client.send(`STARTTLS\r\n${injected}`)
  expect(await client.reply()).toBe('220 2.0.0 Ready to start TLS')
  await client.startTls()
  // The first reply under TLS is to the first command under TLS.
  expect(await client.command('VRFY marker')).toMatch(/^252/)
  expect(await client.command('EHLO app.test')).toBe('250 AUTH PLAIN LOGIN')
  expect(await client.command('RCPT TO:<b@y.test>')).toBe('503 5.5.1 MAIL first')
  expect(harness.acceptor.messages.length).toBe(commands)
  client.close()
})

test('the transaction and the name from before are forgotten', async () => {
  const client = await open()
  await client.command('MAIL FROM:<a@x.test>')
  await client.command('STARTTLS')
  await client.startTls()
  expect(await client.command('RCPT TO:<b@y.test>')).toBe('503 5.5.1 Error: send HELO/EHLO first')
  client.close()
})

test('a handshake that is nonsense ends the connection and nothing else', async () => {
  const client = await open()
  await client.command('STARTTLS')
  client.send('this is no ClientHello\r\n'.repeat(5))
  await harness.event('connectionFailed', ({ listener }) => listener === 'trusted')
  client.close()
  const next = await open()
  expect(await next.command('NOOP')).toBe('250 2.0.0 OK')
  next.close()
})

test('tls.min_version: an older one is refused', async () => {
  const port = harness.port('submissions')
  expect([await agreed(port, 'TLSv1.2'), await agreed(port, 'TLSv1.3')]).toEqual(['TLSv1.2', 'TLSv1.3'])
  await using strict = await startSubmission({ config: { tls: { min_version: 'TLSv1.3' } } })
  const other = strict.port('submissions')
  expect([await agreed(other, 'TLSv1.2'), await agreed(other, 'TLSv1.3')]).toEqual([undefined, 'TLSv1.3'])
})
