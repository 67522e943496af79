// Taking reports: what the desk is given, when 250 is said, what is said when it cannot be, and the life of the listener.

import { describe, expect, test } from 'vitest'
import { StoreError } from '../../src/store/store.ts'
import { LineClient } from '../support/dialog.ts'
import { ADDRESSES, type BounceHarness, startBounces, tokenOf } from './bounce-harness.ts'

const { token, 'token-of-another': another } = ADDRESSES

async function open(harness: BounceHarness): Promise<LineClient> {
  const client = await LineClient.open(harness.port())
  expect(await client.reply()).toMatch(/^220/)
  await client.command('EHLO mx.far.test')
  return client
}

async function startData(client: LineClient, recipients: readonly (string | undefined)[] = [token]): Promise<void> {
  expect(await client.command('MAIL FROM:<>')).toMatch(/^250/)
  for (const to of recipients) expect(await client.command(`RCPT TO:<${to}>`)).toMatch(/^250/)
  expect(await client.command('DATA')).toMatch(/^354/)
}

async function send(client: LineClient, recipients?: readonly (string | undefined)[]): Promise<string | undefined> {
  await startData(client, recipients)
  return client.command('Subject: x\r\n\r\ntext\r\n.')
}

test('the desk gets the mail as it came, who brought it, and the address as it was written', async () => {
  await using harness = await startBounces()
  const client = await open(harness)
  await client.command('MAIL FROM:<MAILER-DAEMON@far.test>')
  await client.command(`RCPT TO:<${ADDRESSES['token-in-capitals']}>`)
  await client.command('DATA')
  const reply = await client.command('Subject: \xe5\r\n\r\n..dot\r\n.')
  expect(harness.desk.reports).toEqual([
    {
      origin: {
        kind: 'listener',
        listener: 'bounces',
        address: '127.0.0.1',
        helo: 'mx.far.test',
        sender: 'MAILER-DAEMON@far.test',
      },
      to: ADDRESSES['token-in-capitals']!.replace(/@.*/, (domain) => domain.toLowerCase()),
      raw: Buffer.from('Subject: å\r\n\r\n.dot\r\n'),
      sizeBytes: 21,
    },
  ])
  const { reports } = await harness.event('reportTaken')
  expect(reply).toBe(`250 2.0.0 taken as ${(reports as string[])[0]}`)
  client.close()
})

test('250 waits until every report is durable', async () => {
  await using harness = await startBounces()
  const gate = Promise.withResolvers<void>()
  harness.desk.gate = gate.promise
  const client = await open(harness)
  await startData(client, [token, another])
  client.send('Subject: x\r\n\r\n.\r\n')
  while (harness.desk.waiting < 2) await new Promise(setImmediate)
  let answered = false
  const reply = client.reply().finally(() => {
    answered = true
  })
  for (let n = 0; n < 20; n++) await new Promise(setImmediate)
  expect(answered).toBe(false)
  gate.resolve()
  expect(await reply).toMatch(/^250 2\.0\.0 taken as \w{13} \w{13}$/)
  client.close()
})

describe('when it cannot be taken', () => {
  test.each([
    ['no room', new StoreError('full', 'no room'), '452 4.3.1 no room for the message at the moment, try again later'],
    ['an I/O error', new StoreError('failed', 'EIO'), '451 4.3.0 temporary local problem, try again later'],
    ['an error of ours', new Error('a bug'), '451 4.3.0 temporary local problem, try again later'],
  ])('%s', async (_name, error, reply) => {
    await using harness = await startBounces()
    harness.desk.fail = error
    const client = await open(harness)
    expect(await send(client)).toBe(reply)
    expect(await harness.event('acceptFailed')).toMatchObject({ listener: 'bounces', error })
    harness.desk.fail = undefined
    expect(await send(client)).toMatch(/^250/)
    client.close()
  })

  test('one of two: the client comes again with both', async () => {
    await using harness = await startBounces()
    harness.desk.fail = ({ to }) => (to === another ? new StoreError('full', 'no room') : undefined)
    const client = await open(harness)
    expect(await send(client, [token, another])).toMatch(/^452 4\.3\.1/)
    // What no room explains is the lesser evil: the other is said.
    harness.desk.fail = ({ to }) => (to === token ? new StoreError('full', 'no room') : new Error('a bug'))
    expect(await send(client, [token, another])).toMatch(/^451 4\.3\.0/)
    client.close()
  })

  test('addresses that cannot be looked up are no bad addresses', async () => {
    await using harness = await startBounces({ config: { bounce: { max_bad_recipients: 1 } } })
    harness.desk.failAddressee = new StoreError('closed', 'closed')
    const client = await open(harness)
    await client.command('MAIL FROM:<>')
    for (let n = 0; n < 3; n++)
      expect(await client.command(`RCPT TO:<${token}>`)).toBe('451 4.3.0 temporary local problem, try again later')
    harness.desk.failAddressee = undefined
    expect(await client.command(`RCPT TO:<${token}>`)).toMatch(/^250/)
    client.close()
  })
})

describe('clients that vanish', () => {
  test.each([
    ['in the middle of DATA', 'Subject: x\r\n\r\nhalf a li'],
    ['before the last character', 'Subject: x\r\n\r\ntext\r\n.\r'],
  ])('%s: nothing is taken', async (_name, data) => {
    await using harness = await startBounces()
    const client = await open(harness)
    await startData(client)
    await new Promise<void>((resolve) => client.socket.write(data, () => resolve()))
    client.socket.resetAndDestroy()
    await harness.event('connectionFailed')
    await harness.listener.stop(1000)
    expect(harness.desk.reports).toEqual([])
  })

  test('while the desk works: the report is taken all the same', async () => {
    await using harness = await startBounces()
    const gate = Promise.withResolvers<void>()
    harness.desk.gate = gate.promise
    const client = await open(harness)
    await startData(client)
    client.send('Subject: x\r\n\r\n.\r\n')
    while (harness.desk.waiting < 1) await new Promise(setImmediate)
    client.close()
    gate.resolve()
    await harness.event('reportTaken')
    expect(harness.desk.reports).toHaveLength(1)
  })
})

describe('unknown recipients', () => {
  test('cost one look at the address and nothing else', async () => {
    await using harness = await startBounces({ config: { bounce: { max_bad_recipients: 1000 } } })
    const client = await open(harness)
    await client.command('MAIL FROM:<>')
    client.send(`RCPT TO:<${ADDRESSES['forged-token']}>\r\n`.repeat(1000))
    for (let n = 0; n < 1000; n++) expect(await client.reply()).toMatch(/^550 5\.1\.1/)
    expect(harness.desk.asked).toBe(1000)
    expect(await client.command('DATA')).toBe('503 5.5.1 no valid recipient')
    expect(harness.desk.reports).toEqual([])
    client.close()
  })

  test('are told apart in the log, where somebody looks for them', async () => {
    await using harness = await startBounces()
    const client = await open(harness)
    await client.command('MAIL FROM:<>')
    await client.command(`RCPT TO:<${ADDRESSES['expired-token']}>`)
    expect(await harness.event('refused')).toMatchObject({
      command: 'RCPT',
      reply: { code: 550 },
      subject: `TO:<${ADDRESSES['expired-token']}>`,
    })
    client.close()
  })

  test.each([
    'victim@elsewhere.test',
    'victim%elsewhere.test@relay.test',
    '@bounce.sender.test:victim@elsewhere.test',
    'elsewhere.test!victim@relay.test',
    '"victim@elsewhere.test"@relay.test',
    'victim@[127.0.0.1]',
    'victim@xn--80ak6aa92e.test',
  ])('nothing is relayed to %s', async (address) => {
    await using harness = await startBounces()
    const client = await open(harness)
    await client.command('MAIL FROM:<>')
    expect(await client.command(`RCPT TO:<${address}>`)).toMatch(/^550 5\.7\.1 relaying denied/)
    client.close()
  })
})

describe('its life', () => {
  test('paused: MAIL hears why, sessions go on; then all is well', async () => {
    await using harness = await startBounces()
    const client = await open(harness)
    harness.listener.pause('no room on the disk')
    harness.listener.pause('no room on the disk')
    expect(await client.command('MAIL FROM:<>')).toBe('452 4.3.1 no room for more mail at the moment, try again later')
    expect(harness.events.filter(({ name }) => name === 'bouncesPaused')).toEqual([
      { name: 'bouncesPaused', reason: 'no room on the disk' },
    ])
    harness.listener.resume()
    harness.listener.resume()
    expect(await send(client)).toMatch(/^250/)
    expect(harness.events.filter(({ name }) => name === 'bouncesResumed')).toHaveLength(1)
    client.close()
  })

  test('reconfigured: the next session has the new limits, and postmaster another domain', async () => {
    await using harness = await startBounces()
    const old = await open(harness)
    harness.listener.reconfigure(harness.settings({ bounce: { max_size: '1KiB' }, domain: [] }))
    const client = await open(harness)
    await startData(client)
    client.send(`${'x'.repeat(2000)}\r\n.\r\n`)
    expect(await client.reply()).toMatch(/^250/)
    expect(harness.desk.reports.at(-1)).toMatchObject({ sizeBytes: 2002, raw: { length: 1024 } })
    await client.command('MAIL FROM:<>')
    expect(await client.command('RCPT TO:<postmaster>')).toBe('501 5.1.3 not a valid recipient address')
    await startData(old)
    old.send(`${'x'.repeat(2000)}\r\n.\r\n`)
    expect(await old.reply()).toMatch(/^250/)
    expect(harness.desk.reports.at(-1)?.raw).toHaveLength(2002)
    old.close()
    client.close()
  })

  test('stopped: idle sessions hear it, a report under way is finished, new ones find nobody', async () => {
    await using harness = await startBounces()
    const gate = Promise.withResolvers<void>()
    harness.desk.gate = gate.promise
    const idle = await open(harness)
    const busy = await open(harness)
    await startData(busy)
    busy.send('Subject: x\r\n\r\n.\r\n')
    while (harness.desk.waiting < 1) await new Promise(setImmediate)
    const stopped = harness.listener.stop(10_000)
    expect(await idle.reply()).toBe('421 4.3.2 shutting down, try again later')
    expect(await idle.reply()).toBeUndefined()
    gate.resolve()
    expect(await busy.reply()).toMatch(/^250 /)
    expect(await busy.reply()).toBe('421 4.3.2 shutting down, try again later')
    await stopped
    await expect(LineClient.open(harness.port())).rejects.toThrow(/ECONNREFUSED/)
  })

  test('a port that is taken: none is open, and it is said which', async () => {
    await using harness = await startBounces()
    const listeners = [
      { name: 'one', port: 0 },
      { name: 'two', port: harness.port() },
    ]
    await expect(startBounces({ config: { bounce_listener: listeners } })).rejects.toThrow(
      /cannot have port \d+ of .* \(\[\[bounce_listener\]\] port\)/,
    )
  })

  test('several listeners share the limits', async () => {
    await using harness = await startBounces({ config: { bounce: { max_connections_per_ip: 1 } } })
    const client = await open(harness)
    const refused = await LineClient.open(harness.port('plain'))
    expect(await refused.reply()).toBe('421 4.7.0 too many connections from your address')
    client.close()
  })

  test('none at all is fine', async () => {
    await using harness = await startBounces({ config: { bounce_listener: [] } })
    harness.listener.pause('x')
    harness.listener.resume()
    expect(harness.events.filter(({ name }) => name === 'listening')).toEqual([])
  })
})

test('a thousand messages on a connection, then it is to be opened anew', async () => {
  await using harness = await startBounces({ config: { bounce: { rate_per_ip: '5000/min' } } })
  const client = await open(harness)
  for (let n = 0; n < 1000; n++) {
    client.send(`MAIL FROM:<>\r\nRCPT TO:<${tokenOf(n)}>\r\nDATA\r\n`)
    for (let replies = 0; replies < 3; replies++) await client.reply()
    expect(await client.command('.')).toMatch(/^250/)
  }
  expect(await client.command('MAIL FROM:<>')).toBe('421 4.3.2 enough messages for one connection, please reconnect')
  expect(harness.desk.reports).toHaveLength(1000)
})
