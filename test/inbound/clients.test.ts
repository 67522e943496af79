// Clients that others wrote: nodemailer over 587 and 465, swaks with STARTTLS and AUTH, Postfix' smtp-source in numbers.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashPassword } from '../../src/inbound/password.ts'
import { type Harness, startSubmission } from './harness.ts'

const run = promisify(execFile)

let harness: Harness
beforeAll(async () => {
  harness = await startSubmission({
    config: {
      tenant: [{ name: 'default', any_sender: true }, { name: 'acme' }],
      credential: [{ name: 'app', tenant: 'acme', password: await hashPassword('sécret phrase') }],
      domain: [{ name: 'acme.test', tenant: 'acme' }],
    },
  })
})
afterAll(() => harness[Symbol.asyncDispose]())

test.each([
  ['587 with STARTTLS', 'submission', false],
  ['465', 'submissions', true],
])('nodemailer over %s', async (_name, listener, secure) => {
  const transport = createTransport({
    host: '127.0.0.1',
    port: harness.port(listener),
    secure,
    requireTLS: !secure,
    tls: { ca: harness.certificates.current.cert, servername: 'relay.test' },
    auth: { user: 'app', pass: 'sécret phrase' },
  })
  const sent = await transport.sendMail({
    from: 'Åsa <asa@acme.test>',
    to: ['one@y.test', 'two@y.test'],
    bcc: 'hidden@y.test',
    subject: 'Köp nu: 50 %',
    text: 'Hej\n.\n..\nslut',
    headers: { 'X-Studs-Tag': 'greeting' },
    dsn: { id: 'dsn-1', return: 'headers', notify: ['failure', 'delay'], recipient: 'asa@acme.test' },
    attachments: [{ filename: 'a.bin', content: Buffer.alloc(700_000, 7) }],
  })
  const message = harness.acceptor.messages.at(-1)!
  expect(sent.response).toBe(`250 2.0.0 queued as ${message.id}`)
  expect(message.submitted).toMatchObject({
    tenant: 'acme',
    credential: 'app',
    senderDomain: 'acme.test',
    sender: 'asa@acme.test',
    headers: { subject: 'Köp nu: 50 %', from: 'Åsa <asa@acme.test>', messageId: sent.messageId },
    tags: ['greeting'],
    dsn: { ret: 'HDRS' },
  })
  expect(message.submitted.to.map(({ address, dsn }) => [address, dsn?.notify])).toEqual([
    ['one@y.test', ['FAILURE', 'DELAY']],
    ['two@y.test', ['FAILURE', 'DELAY']],
    ['hidden@y.test', ['FAILURE', 'DELAY']],
  ])
  expect(message.chunks.length).toBeGreaterThan(3)
  expect(message.body).not.toMatch(/hidden@y\.test|X-Studs/)
  transport.close()
})

test('nodemailer hears a wrong password, and a recipient refused', async () => {
  const options = { host: '127.0.0.1', port: harness.port('submission'), tls: { rejectUnauthorized: false } }
  const wrong = createTransport({ ...options, auth: { user: 'app', pass: 'wrong' } })
  await expect(wrong.verify()).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535 })
  const right = createTransport({ ...options, auth: { user: 'app', pass: 'sécret phrase' } })
  const message = { from: 'a@acme.test', to: 'b@y.test', text: 'x', envelope: { from: 'a@other.test', to: 'b@y.test' } }
  await expect(right.sendMail(message)).rejects.toMatchObject({ responseCode: 550, command: 'MAIL FROM' })
})

test('swaks with STARTTLS and AUTH LOGIN', async () => {
  const before = harness.acceptor.messages.length
  const server = ['--server', `127.0.0.1:${harness.port('submission')}`, '--tls']
  const auth = ['--auth', 'LOGIN', '--auth-user', 'app', '--auth-password', 'sécret phrase']
  const { stdout } = await run('swaks', [...server, ...auth, '--from', 'a@acme.test', '--to', 'b@y.test'])
  expect(stdout).toContain('250 2.0.0 queued as ')
  expect(harness.acceptor.messages.length).toBe(before + 1)
})

test('smtp-source: 500 sessions of one message, twenty at a time, and no wait before the greeting', async () => {
  const before = harness.acceptor.messages.length
  const started = performance.now()
  const envelope = ['-f', 'a@x.test', '-t', 'b@y.test']
  await run('smtp-source', ['-s', '20', '-m', '500', '-l', '4096', ...envelope, `127.0.0.1:${harness.port('trusted')}`])
  expect(harness.acceptor.messages.length).toBe(before + 500)
  // With 100 ms before each greeting this takes 2.5 s and more.
  expect(performance.now() - started).toBeLessThan(2000)
})
