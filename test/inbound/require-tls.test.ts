// REQUIRETLS and TLS-Required (RFC 8689) at submission: offered under TLS only, and kept with the message.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { LineClient } from '../support/dialog.ts'
import { type Harness, startSubmission } from './harness.ts'

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

async function openUnderTls(): Promise<LineClient> {
  const client = await open()
  await client.command('STARTTLS')
  await client.startTls()
  await client.command('EHLO app.test')
  return client
}

async function offered(client: LineClient): Promise<string[]> {
  client.send('EHLO app.test\r\n')
  const keywords: string[] = []
  for (;;) {
    const line = (await client.line()) ?? ''
    keywords.push(line.slice(4))
    if (line[3] !== '-') return keywords
  }
}

async function submit(client: LineClient, mail: string, header = ''): Promise<string | undefined> {
  await client.command(mail)
  await client.command('RCPT TO:<b@y.test>')
  await client.command('DATA')
  expect(await client.command(`From: a@x.test\r\n${header}\r\nhello\r\n.`)).toMatch(/^250/)
  client.close()
  return harness.acceptor.messages.at(-1)?.submitted.tlsWish
}

test('it is offered under TLS, and only there', async () => {
  const client = await open()
  expect(await offered(client)).not.toContain('REQUIRETLS')
  await client.command('STARTTLS')
  await client.startTls()
  expect(await offered(client)).toContain('REQUIRETLS')
  client.close()
})

test('under TLS it is taken, and kept', async () => {
  expect(await submit(await openUnderTls(), 'MAIL FROM:<a@x.test> REQUIRETLS')).toBe('required')
})

test('in the clear it is refused', async () => {
  const client = await open()
  expect(await client.command('MAIL FROM:<a@x.test> REQUIRETLS')).toBe('530 5.7.10 REQUIRETLS needs TLS')
  client.close()
})

test('a value is refused', async () => {
  const client = await openUnderTls()
  expect(await client.command('MAIL FROM:<a@x.test> REQUIRETLS=yes')).toMatch(/^501 5\.5\.4/)
  client.close()
})

test.each([
  ['TLS-Required: No\r\n', 'optional'],
  ['tls-required:  no \r\n', 'optional'],
  ['TLS-Required: Yes\r\n', undefined],
  ['', undefined],
])('the header field %j', async (header, wish) => {
  expect(await submit(await open(), 'MAIL FROM:<a@x.test>', header)).toBe(wish)
  expect(harness.acceptor.messages.at(-1)!.wire).toContain(header)
})

test('the parameter counts for more than the header field', async () => {
  expect(await submit(await openUnderTls(), 'MAIL FROM:<a@x.test> REQUIRETLS', 'TLS-Required: No\r\n')).toBe('required')
})
