// Clients of the bounce listener that take too much: connections, time, size, patience. Time is the test's own.

import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { MINUTE, SECOND } from '../../src/util/clock.ts'
import { LineClient } from '../support/dialog.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ADDRESSES, type BounceHarness, startBounces } from './bounce-harness.ts'

const { token } = ADDRESSES

async function open(harness: BounceHarness): Promise<LineClient> {
  const client = await LineClient.open(harness.port())
  expect(await client.reply()).toMatch(/^220/)
  expect(await client.command('EHLO mx.far.test')).toMatch(/^250/)
  return client
}

async function startData(harness: BounceHarness): Promise<LineClient> {
  const client = await open(harness)
  client.send(`MAIL FROM:<>\r\nRCPT TO:<${token}>\r\nDATA\r\n`)
  for (const code of [/^250/, /^250/, /^354/]) expect(await client.reply()).toMatch(code)
  return client
}

async function turns(isOver: () => boolean): Promise<void> {
  while (!isOver()) await new Promise(setImmediate)
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Without what only waits to be collected. */
function heldBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

describe('connections', () => {
  test('a thousand from one address: ten are served, some are told, the rest is dropped; all leave room behind', async () => {
    await using harness = await startBounces()
    const sockets: Socket[] = []
    const said: string[] = []
    let closed = 0
    for (let n = 0; n < 1000; n++) {
      const socket = connect(harness.port(), '127.0.0.1')
      socket.on('error', () => {})
      socket.on('close', () => closed++)
      socket.setEncoding('latin1').on('data', (text: string) => said.push(text))
      sockets.push(socket)
    }
    await turns(() => closed >= 990)
    const greeted = said.filter((text) => text.startsWith('220 '))
    const told = said.filter((text) => text === '421 4.7.0 too many connections from your address\r\n')
    expect(greeted).toHaveLength(10)
    expect(told.length).toBeGreaterThanOrEqual(10)
    expect(told.length + greeted.length).toBe(said.length)
    for (const socket of sockets) socket.destroy()
    await turns(() => closed === 1000)
    // The server sees the last of them close a little later.
    for (;;) {
      const client = await LineClient.open(harness.port())
      const reply = await client.reply()
      client.close()
      if (reply?.startsWith('220')) break
    }
  })

  test('in all', async () => {
    await using harness = await startBounces({ config: { bounce: { max_connections: 2 } } })
    const clients = [await open(harness), await open(harness)]
    const refused = await LineClient.open(harness.port())
    expect(await refused.reply()).toBe('421 4.3.2 too many connections, try again later')
    expect(await refused.reply()).toBeUndefined()
    for (const client of clients) client.close()
  })
})

describe('time', () => {
  test('five minutes from MAIL to the dot, however busy the client looks', async () => {
    const clock = new FakeClock()
    await using harness = await startBounces({ clock })
    const client = await open(harness)
    await client.command('MAIL FROM:<>')
    await clock.advance(4 * MINUTE)
    expect(await client.command(`RCPT TO:<${token}>`)).toMatch(/^250/)
    await clock.advance(62 * SECOND)
    expect(await client.reply()).toBe('421 4.4.2 the transaction took too long')
    expect(await client.reply()).toBeUndefined()
    expect(await harness.event('sessionEnded')).toMatchObject({ listener: 'bounces' })
  })

  test('DATA that trickles is cut after ten seconds of grace, nothing is taken', async () => {
    const clock = new FakeClock()
    await using harness = await startBounces({ clock })
    const client = await startData(harness)
    client.send('Subject: slow\r\n')
    await clock.advance(9 * SECOND)
    client.send('X: y\r\n')
    await clock.advance(3 * SECOND)
    expect(await client.reply()).toBe('421 4.4.2 message data arrives too slowly')
    client.send('\r\n.\r\n')
    expect(await client.reply()).toBeUndefined()
    expect(harness.desk.reports).toEqual([])
  })

  test("a desk that takes its time is not the client's fault", async () => {
    const clock = new FakeClock()
    await using harness = await startBounces({ clock })
    const gate = Promise.withResolvers<void>()
    harness.desk.gate = gate.promise
    const client = await startData(harness)
    client.send('.\r\n')
    await turns(() => harness.desk.waiting === 1)
    await clock.advance(20 * MINUTE)
    gate.resolve()
    expect(await client.reply()).toMatch(/^250 2\.0\.0 taken as/)
    client.close()
  })

  test('silence', async () => {
    await using harness = await startBounces({ config: { bounce: { idle_timeout: '200ms' } } })
    const client = await open(harness)
    expect(await client.reply()).toBe('421 4.4.2 Timeout - closing connection')
    expect(await client.reply()).toBeUndefined()
  })

  test('a TLS handshake that is never finished', async () => {
    const clock = new FakeClock()
    await using harness = await startBounces({ clock })
    const client = await open(harness)
    await client.command('STARTTLS')
    // A first byte of a record, so that idle timers start anew.
    client.send(Buffer.from([22]))
    await clock.advance(40 * SECOND)
    expect(await client.reply()).toBeUndefined()
    expect(await harness.event('sessionEnded')).toMatchObject({
      reply: { code: 421, text: '4.4.2 the TLS handshake took too long' },
    })
  })

  test('the window of the rate', async () => {
    const clock = new FakeClock()
    await using harness = await startBounces({ clock, config: { bounce: { rate_per_ip: '3/10m' } } })
    const client = await open(harness)
    const takeOne = async (): Promise<string | undefined> => {
      await client.command('MAIL FROM:<>')
      const reply = await client.command(`RCPT TO:<${token}>`)
      await client.command('RSET')
      return reply
    }
    for (let n = 0; n < 3; n++) expect(await takeOne()).toMatch(/^250/)
    await clock.advance(9 * MINUTE)
    expect(await takeOne()).toBe('450 4.7.1 too many reports from your address, try again later')
    const another = await open(harness)
    await another.command('MAIL FROM:<>')
    expect(await another.command(`RCPT TO:<${token}>`)).toMatch(/^450 4\.7\.1/)
    await clock.advance(3 * MINUTE)
    expect(await takeOne()).toMatch(/^250/)
    client.close()
    another.close()
  })
})

describe('size', () => {
  test('30 MB: the first megabyte is kept, the rest counted, and memory stays where it was', async () => {
    await using harness = await startBounces()
    const client = await startData(harness)
    client.send('Subject: much\r\n\r\n')
    const line = `${'0123456789'.repeat(99)}\r\n`
    const block = Buffer.from(line.repeat(100))
    const before = heldBytes()
    for (let sent = 0; sent < 30e6; sent += block.length) {
      if (!client.socket.write(block)) await new Promise((resolve) => client.socket.once('drain', resolve))
    }
    // What is on its way from one end of the socket to the other goes first; the kept megabyte stays.
    await turns(() => heldBytes() - before < 5e6)
    expect(await client.command('.')).toMatch(/^250/)
    const [report] = harness.desk.reports
    expect(report?.raw).toHaveLength(2 ** 20)
    expect(report?.sizeBytes).toBe(17 + block.length * Math.ceil(30e6 / block.length))
    client.close()
  })

  test('more than is announced: refused to the dot, the session goes on', async () => {
    await using harness = await startBounces()
    const client = await startData(harness)
    const block = Buffer.from(`${'0123456789'.repeat(99)}\r\n`.repeat(1000))
    for (let sent = 0; sent <= 50 * 2 ** 20; sent += block.length) {
      if (!client.socket.write(block)) await new Promise((resolve) => client.socket.once('drain', resolve))
    }
    expect(await client.command('.')).toBe('552 5.3.4 the message is larger than this server accepts')
    expect(harness.desk.reports).toEqual([])
    expect(await client.command('MAIL FROM:<>')).toMatch(/^250/)
    client.close()
  })

  test('a line of five megabytes in DATA', async () => {
    await using harness = await startBounces()
    const client = await startData(harness)
    client.send(`${'x'.repeat(5e6)}\r\n.\r\n`)
    expect(await client.reply()).toMatch(/^250/)
    expect(harness.desk.reports[0]?.raw).toHaveLength(2 ** 20)
    client.close()
  })

  test('one byte at a time', async () => {
    await using harness = await startBounces()
    const client = await startData(harness)
    const text = 'Subject: slow\r\n\r\nbut sure\r\n'.repeat(40)
    for (const byte of text) {
      await new Promise<void>((resolve) => client.socket.write(byte, () => resolve()))
    }
    expect(await client.command('.')).toMatch(/^250/)
    expect(harness.desk.messages[0]?.wire).toBe(text)
    client.close()
  })

  test('a command that never ends', async () => {
    await using harness = await startBounces()
    const client = await open(harness)
    client.send('X'.repeat(300_000))
    expect(await client.reply()).toMatch(/^421 4\.4\.2 Error: Command line too long/)
    expect(await client.reply()).toBeUndefined()
  })
})

test('five hundred slow clients do not keep another one waiting', async () => {
  await using harness = await startBounces({
    config: { bounce: { max_connections: 1000, max_connections_per_ip: 1000 } },
  })
  const slow: LineClient[] = []
  for (let n = 0; n < 500; n++) {
    const client = await LineClient.open(harness.port())
    client.send(n % 2 === 0 ? 'EH' : `EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<${token}>\r\nDATA\r\nSubj`)
    slow.push(client)
  }
  const client = await startData(harness)
  expect(await client.command('.')).toMatch(/^250/)
  for (const one of slow) one.close()
  client.close()
})
