// Not an open relay: the envelope pairs of nmap's smtp-open-relay and some of our own. A client that is neither
// authenticated nor trusted gets no recipient accepted, whatever tricks the addresses play; an authenticated one sends
// only as its own domains.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashPassword } from '../../src/inbound/password.ts'
import { LineClient } from '../support/dialog.ts'
import { type Harness, startSubmission } from './harness.ts'

const IP = '127.0.0.1'
const DOMAIN = 'relay.test'
const TO = 'nmaprelay'

/** nmap 7.93 scripts/smtp-open-relay.nse: sender and recipient without brackets. */
const NMAP: readonly (readonly [string, string])[] = [
  ['', `${TO}@${DOMAIN}`],
  [`antispam@${DOMAIN}`, `${TO}@${DOMAIN}`],
  ['antispam', `${TO}@${DOMAIN}`],
  [`antispam@[${IP}]`, `${TO}@${DOMAIN}`],
  [`antispam@[${IP}]`, `${TO}%${DOMAIN}@[${IP}]`],
  [`antispam@[${IP}]`, `${TO}%${DOMAIN}@${DOMAIN}`],
  [`antispam@[${IP}]`, `"${TO}@${DOMAIN}"`],
  [`antispam@[${IP}]`, `"${TO}%${DOMAIN}"`],
  [`antispam@[${IP}]`, `${TO}@${DOMAIN}@[${IP}]`],
  [`antispam@[${IP}]`, `"${TO}@${DOMAIN}"@[${IP}]`],
  [`antispam@[${IP}]`, `${TO}@${DOMAIN}@${DOMAIN}`],
  [`antispam@[${IP}]`, `@[${IP}]:${TO}@${DOMAIN}`],
  [`antispam@[${IP}]`, `@${DOMAIN}:${TO}@${DOMAIN}`],
  [`antispam@[${IP}]`, `${DOMAIN}!${TO}`],
  [`antispam@[${IP}]`, `${DOMAIN}!${TO}@[${IP}]`],
  [`antispam@[${IP}]`, `${DOMAIN}!${TO}@${DOMAIN}`],
]
const OWN: readonly (readonly [string, string])[] = [
  ['postmaster', 'postmaster'],
  ['a@acme.test', 'b@y.test'],
  ['@acme.test:a@other.test', 'b@y.test'],
  ['a@acme.test', 'b@acme.test'],
  ['a@localhost', 'b@localhost'],
]

const password = await hashPassword('secret', { N: 2, r: 1, p: 1 })
const config = {
  tenant: [{ name: 'default' }, { name: 'acme' }, { name: 'other' }],
  credential: [{ name: 'app', tenant: 'acme', password }],
  domain: [
    { name: 'acme.test', tenant: 'acme' },
    { name: 'other.test', tenant: 'other' },
  ],
}

let harness: Harness
let outside: Harness
beforeAll(async () => {
  harness = await startSubmission({ config })
  // The client's address is in no trusted network.
  outside = await startSubmission({ config: { ...config, network: [{ cidr: '192.0.2.0/24' }] } })
})
afterAll(async () => {
  await harness[Symbol.asyncDispose]()
  await outside[Symbol.asyncDispose]()
})

async function isRelayed(port: number, [from, to]: readonly [string, string]): Promise<boolean> {
  const client = await LineClient.open(port)
  await client.reply()
  await client.command('EHLO evil.test')
  await client.command(`MAIL FROM:<${from}>`)
  const rcpt = await client.command(`RCPT TO:<${to}>`)
  const data = await client.command('DATA')
  client.close()
  return rcpt?.startsWith('2') === true || data?.startsWith('3') === true
}

describe.each([...NMAP, ...OWN])('from <%s> to <%s>', (from, to) => {
  test('without AUTH', async () => {
    expect(await isRelayed(harness.port('submission'), [from, to])).toBe(false)
  })
  test('from an untrusted network, AUTH optional', async () => {
    expect(await isRelayed(outside.port('trusted'), [from, to])).toBe(false)
  })
  test('from an untrusted network, no AUTH', async () => {
    expect(await isRelayed(outside.port('plain'), [from, to])).toBe(false)
  })
})

test('the check can fail: a trusted client with any sender is relayed', async () => {
  const config = { tenant: [{ name: 'default', any_sender: true }] }
  await using open = await startSubmission({ config })
  expect(await isRelayed(open.port('trusted'), ['a@x.test', 'b@y.test'])).toBe(true)
})

async function authenticated(): Promise<LineClient> {
  const client = await LineClient.openTls(harness.port('submissions'))
  await client.reply()
  await client.command('EHLO app.test')
  const token = Buffer.from('\0app\0secret').toString('base64')
  expect(await client.command(`AUTH PLAIN ${token}`)).toMatch(/^235/)
  return client
}

test.each([
  'MAIL FROM:<a@other.test>',
  'MAIL FROM:<@acme.test:a@other.test>',
  'MAIL FROM:<"a@acme.test"@other.test>',
  'MAIL FROM:<a%acme.test@other.test>',
  'MAIL FROM:<a@acme.test.other.test>',
  'MAIL FROM:<a@аcme.test> SMTPUTF8', // Cyrillic а
  'MAIL FROM:<a@[127.0.0.1]>',
])('an authenticated client may not send as another domain: %s', async (command) => {
  const client = await authenticated()
  expect(await client.command(command)).toMatch(/^550 5\.7\.1 sender domain \S+ is not allowed for tenant acme$/)
  client.close()
})

test('RSET does not lose who the client is', async () => {
  const client = await authenticated()
  expect(await client.command('MAIL FROM:<a@acme.test>')).toMatch(/^250/)
  await client.command('RSET')
  expect(await client.command('MAIL FROM:<a@other.test>')).toMatch(/^550 5\.7\.1/)
  expect(await client.command('MAIL FROM:<a@acme.test>')).toMatch(/^250/)
  client.close()
})

test.each([
  ['taken away', []],
  ['disabled', [{ name: 'app', tenant: 'acme', disabled: true }]],
])('a credential that is %s does no more in the session it opened', async (_how, credential) => {
  const client = await authenticated()
  const { tenant, domain } = config
  harness.submission.reconfigure(harness.settings({ tenant, domain, credential }))
  expect(await client.command('MAIL FROM:<a@acme.test>')).toBe('530 5.7.0 authentication required')
  harness.submission.reconfigure(harness.settings(config))
  expect(await client.command('MAIL FROM:<a@acme.test>')).toMatch(/^250/)
  client.close()
})

test('XCLIENT, XFORWARD and PROXY give nobody another address', async () => {
  const client = await LineClient.open(outside.port('trusted'))
  await client.reply()
  await client.command('EHLO evil.test')
  expect(await client.command('XCLIENT ADDR=192.0.2.1')).toMatch(/^500 5/)
  expect(await client.command('XFORWARD ADDR=192.0.2.1')).toMatch(/^500 5/)
  expect(await client.command('MAIL FROM:<a@x.test>')).toMatch(/^530 5\.7\.0/)
  client.close()
  const proxied = await LineClient.open(outside.port('trusted'))
  proxied.send('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')
  await proxied.reply()
  expect(await proxied.reply()).toMatch(/^500 5/)
  proxied.close()
})
