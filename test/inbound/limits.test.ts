// Clients that take too much: connections, time, patience. Time is the test's own.

import { connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { MINUTE, SECOND } from '../../src/util/clock.ts'
import { LineClient } from '../support/dialog.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type Harness, startSubmission } from './harness.ts'

async function openMany(port: number, count: number): Promise<LineClient[]> {
  const clients: LineClient[] = []
  for (let n = 0; n < count; n++) {
    const client = await LineClient.open(port)
    expect(await client.reply()).toMatch(/^220/)
    clients.push(client)
  }
  return clients
}

async function startData(harness: Harness): Promise<LineClient> {
  const client = await LineClient.open(harness.port('trusted'))
  client.send('HELO app.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n')
  for (let n = 0; n < 5; n++) await client.reply()
  return client
}

describe('connections', () => {
  test('per address: the next is told, and there is room again when one has gone', async () => {
    await using harness = await startSubmission({ config: { submission: { max_connections_per_ip: 3 } } })
    const clients = await openMany(harness.port('trusted'), 3)
    const refused = await LineClient.open(harness.port('plain'))
    expect(await refused.reply()).toBe('421 4.7.0 too many connections from your address')
    expect(await refused.reply()).toBeUndefined()
    expect(await harness.event('connectionRefused')).toMatchObject({ listener: 'plain', address: '127.0.0.1' })
    await clients.pop()?.command('QUIT')
    clients.push(...(await openMany(harness.port('trusted'), 1)))
    for (const client of clients) client.close()
  })

  test('a session that went through STARTTLS is counted once, and not for ever', async () => {
    await using harness = await startSubmission({ config: { submission: { max_connections_per_ip: 1 } } })
    for (let n = 0; n < 5; n++) {
      const [client] = await openMany(harness.port('trusted'), 1)
      await client!.command('EHLO app.test')
      await client!.command('STARTTLS')
      await client!.startTls()
      await client!.command('EHLO app.test')
      const refused = await LineClient.open(harness.port('trusted'))
      expect(await refused.reply()).toMatch(/^421 4\.7\.0/)
      refused.close()
      await client!.command('QUIT')
    }
  })

  test('in all, and the same behind TLS', async () => {
    await using harness = await startSubmission({ config: { submission: { max_connections: 2 } } })
    const clients = await openMany(harness.port('trusted'), 2)
    const refused = await LineClient.openTls(harness.port('submissions'))
    expect(await refused.reply()).toBe('421 4.3.2 too many connections, try again later')
    for (const client of clients) client.close()
  })

  test('far beyond the limit they are dropped, half-open TLS handshakes counted', async () => {
    await using harness = await startSubmission({ config: { submission: { max_connections_per_ip: 2 } } })
    const sockets: Socket[] = []
    for (let n = 0; n < 5; n++) sockets.push(connect(harness.port('submissions'), '127.0.0.1'))
    const dropped = await harness.event('connectionRefused')
    expect(dropped.reply).toBeUndefined()
    for (const socket of sockets) socket.destroy()
  })
})

describe('time', () => {
  test('half a minute to authenticate, where that is required', async () => {
    const clock = new FakeClock()
    await using harness = await startSubmission({ clock })
    const waiting = await LineClient.open(harness.port('submission'))
    const trusted = await LineClient.open(harness.port('trusted'))
    await waiting.reply()
    await trusted.reply()
    await clock.advance(29 * SECOND)
    expect(await waiting.command('NOOP')).toBe('250 2.0.0 OK')
    await clock.advance(3 * SECOND)
    expect(await waiting.reply()).toBe('421 4.4.2 no authentication in time')
    expect(await trusted.command('NOOP')).toBe('250 2.0.0 OK')
    waiting.close()
    trusted.close()
  })

  test('a TLS handshake that is never finished', async () => {
    const clock = new FakeClock()
    await using harness = await startSubmission({ clock })
    const implicit = connect(harness.port('submissions'), '127.0.0.1')
    const implicitClosed = new Promise((resolve) => implicit.once('close', resolve))
    implicit.on('error', () => {})
    await new Promise((resolve) => implicit.once('connect', resolve))
    const upgrading = await LineClient.open(harness.port('trusted'))
    await upgrading.reply()
    await upgrading.command('EHLO app.test')
    await upgrading.command('STARTTLS')
    // A first byte of a record, so that idle timers start anew.
    implicit.write(Buffer.from([22]))
    upgrading.send(Buffer.from([22]))
    await clock.advance(40 * SECOND)
    await implicitClosed
    expect(await upgrading.reply()).toBeUndefined()
  })

  test('ten minutes from MAIL to the dot, however busy the client looks', async () => {
    const clock = new FakeClock()
    await using harness = await startSubmission({ clock })
    const client = await LineClient.open(harness.port('trusted'))
    await client.reply()
    await client.command('HELO app.test')
    await client.command('MAIL FROM:<a@x.test>')
    await clock.advance(9 * MINUTE)
    expect(await client.command('RCPT TO:<b@y.test>')).toMatch(/^250/)
    await clock.advance(2 * MINUTE)
    expect(await client.reply()).toBe('421 4.4.2 the transaction took too long')
    expect(await client.reply()).toBeUndefined()
    client.close()
  })

  test('DATA that trickles is cut after ten seconds of grace, nothing is kept', async () => {
    const clock = new FakeClock()
    await using harness = await startSubmission({ clock })
    const client = await startData(harness)
    client.send('Subject: slow\r\n')
    await clock.advance(9 * SECOND)
    expect(harness.acceptor.discarded).toBe(0)
    await clock.advance(3 * SECOND)
    expect(await client.reply()).toBe('421 4.4.2 message data arrives too slowly')
    client.close()
    while (harness.acceptor.discarded === 0) await new Promise(setImmediate)
    expect(harness.acceptor.messages).toHaveLength(0)
  })

  test("DATA that waits for a slow store is not the client's fault", async () => {
    const clock = new FakeClock()
    await using harness = await startSubmission({ clock })
    let release = () => {}
    harness.acceptor.gate = new Promise((resolve) => {
      release = resolve
    })
    const client = await startData(harness)
    client.send('Subject: x\r\n\r\nhello\r\n.\r\n')
    await clock.advance(30 * SECOND)
    release()
    expect(await client.reply()).toMatch(/^250 2\.0\.0 queued/)
    client.close()
  })

  test('nor is a chunk in the middle that the store is slow to take', async () => {
    const clock = new FakeClock()
    await using harness = await startSubmission({ clock, config: { submission: { min_data_rate: '100kB' } } })
    let release = () => {}
    harness.acceptor.gate = new Promise((resolve) => {
      release = resolve
    })
    const client = await startData(harness)
    client.send(`Subject: x\r\n\r\n${`${'x'.repeat(998)}\r\n`.repeat(300)}`)
    while (harness.acceptor.waiting === 0) await new Promise(setImmediate)
    await clock.advance(30 * SECOND)
    release()
    while (harness.acceptor.waiting > 0) await new Promise(setImmediate)
    // What the client waited for us is not counted afterwards either.
    await clock.advance(5 * SECOND)
    client.send('.\r\n')
    expect(await client.reply()).toMatch(/^250 2\.0\.0 queued/)
    client.close()
  })

  test('500 clients that trickle do not keep an honest one waiting', async () => {
    const config = { submission: { max_connections_per_ip: 1000 } }
    await using harness = await startSubmission({ config })
    const slow = await Promise.all(Array.from({ length: 500 }, () => LineClient.open(harness.port('trusted'))))
    for (const client of slow) client.send('EHL')
    const started = performance.now()
    const honest = await startData(harness)
    honest.send('Subject: x\r\n\r\nhello\r\n.\r\n')
    expect(await honest.reply()).toMatch(/^250/)
    expect(performance.now() - started).toBeLessThan(2000)
    for (const client of [...slow, honest]) client.close()
  })
})

test.each([
  ['ten thousand recipients', 'RCPT TO:<b@y.test>\r\n'.repeat(10_000)],
  ['a hundred thousand NOOPs', 'NOOP\r\n'.repeat(100_000)],
  ['a line of a million characters', `NOOP ${'x'.repeat(1_000_001)}\r\n`],
])('%s in one go end the session, in a bounded number of replies', async (_name, flood) => {
  await using harness = await startSubmission({ config: { submission: { max_recipients: 50 } } })
  const client = await LineClient.open(harness.port('trusted'))
  client.send(`HELO app.test\r\nMAIL FROM:<a@x.test>\r\n${flood}`)
  const replies: string[] = []
  for (let reply = await client.reply(); reply !== undefined; reply = await client.reply()) replies.push(reply)
  expect(replies.length).toBeLessThan(130)
  expect(replies.at(-1)).toMatch(/^421 4\./)
  client.close()
})

test('silence ends the session', async () => {
  await using harness = await startSubmission({ config: { submission: { idle_timeout: '200ms' } } })
  const client = await LineClient.open(harness.port('trusted'))
  await client.reply()
  expect(await client.reply()).toBe('421 4.4.2 Timeout - closing connection')
  client.close()
})

test('new limits hold for new sessions', async () => {
  await using harness = await startSubmission()
  harness.submission.reconfigure(harness.settings({ submission: { max_errors: 1 } }))
  const client = await LineClient.open(harness.port('trusted'))
  await client.reply()
  await client.command('HELO app.test')
  expect(await client.command('DATA')).toMatch(/^503/)
  expect(await client.command('NOOP')).toBe('421 4.7.0 too many errors')
  client.close()
})
