// From DATA to the acceptor: what is handed over, in which chunks, and what the client hears when that fails.

import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSigner } from '../../src/sign/signer.ts'
import { CHUNK_BYTES, StoreError } from '../../src/store/store.ts'
import type { Suppression } from '../../src/suppression/suppression.ts'
import { DAY, HOUR, systemClock } from '../../src/util/clock.ts'
import { LineClient } from '../support/dialog.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type Harness, startSubmission } from './harness.ts'

async function open(harness: Harness, listener = 'trusted'): Promise<LineClient> {
  const client = await LineClient.open(harness.port(listener))
  await client.reply()
  await client.command('EHLO app.test')
  return client
}

interface Sent {
  readonly mail?: string
  readonly rcpt?: readonly string[]
  readonly data: string | Buffer
}

async function send(client: LineClient, { mail = 'FROM:<a@x.test>', rcpt = ['TO:<b@y.test>'], data }: Sent) {
  client.send(`MAIL ${mail}\r\n${rcpt.map((to) => `RCPT ${to}\r\n`).join('')}DATA\r\n`)
  for (let n = 0; n < rcpt.length + 2; n++) expect(await client.reply()).toMatch(/^[23]/)
  client.send(data)
  client.send('\r\n.\r\n')
  return client.reply()
}

describe('what the queue is given', () => {
  const clock = new FakeClock(Date.UTC(2026, 10, 22))
  const dead: Suppression = { scope: '*', target: 'dead@y.test', reason: 'hard_bounce', createdAt: 1, who: 'studs' }
  let harness: Harness
  beforeAll(async () => {
    harness = await startSubmission({
      clock,
      suppressed: { 'dead@y.test': dead },
      config: {
        tenant: [{ name: 'default', any_sender: true, preset: 'transactional', pool: 'bulk' }],
        domain: [{ name: 'x.test' }, { name: 'wide.test', subdomains: true }, { name: 'theirs.test', tenant: 'other' }],
        pool: [
          { name: 'default', sources: [{ source: 'default' }] },
          { name: 'bulk', sources: [{ source: 'default' }] },
        ],
      },
    })
  })
  afterAll(() => harness[Symbol.asyncDispose]())

  async function submit(sent: Sent) {
    const client = await open(harness)
    expect(await send(client, sent)).toMatch(/^250 2\.0\.0 queued as /)
    client.close()
    const message = harness.acceptor.messages.at(-1)
    if (message === undefined) throw new Error('nothing accepted')
    return message
  }

  test('everything', async () => {
    const data = [
      'From: =?utf-8?q?J=C3=B6rg?= <j@mail.wide.test>',
      'Subject: =?utf-8?b?SGVq?=',
      'Message-ID: <1@app.test>',
      'Date: Sun, 22 Nov 2026 00:00:00 +0000',
      'X-Studs-Tag: t',
      'X-Studs-Metadata-K: v',
      'X-Studs-Send-At: 2026-11-23T00:00:00Z',
      'X-Studs-Idempotency-Key: once',
      '',
      'text',
    ].join('\r\n')
    const { submitted, body, chunks } = await submit({
      mail: 'FROM:<a@x.test> RET=HDRS ENVID=e1 BODY=8BITMIME SIZE=100',
      rcpt: [
        'TO:<b@y.test> NOTIFY=DELAY,FAILURE ORCPT=rfc822;B@y.test',
        'TO:<dead@Y.test>',
        'TO:<b@y.test> NOTIFY=NEVER',
      ],
      data,
    })
    const stored =
      'From: =?utf-8?q?J=C3=B6rg?= <j@mail.wide.test>\r\nSubject: =?utf-8?b?SGVq?=\r\nMessage-ID: <1@app.test>\r\n' +
      'Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n\r\ntext\r\n'
    expect(body).toBe(stored)
    expect(chunks).toEqual([stored.length])
    expect(submitted).toEqual({
      tenant: 'default',
      sender: 'a@x.test',
      senderDomain: 'wide.test',
      expiresAt: Date.UTC(2026, 10, 23) + 8 * HOUR,
      sendAt: Date.UTC(2026, 10, 23),
      sizeBytes: submitted.prefix.length + stored.length,
      prefix: expect.stringMatching(/^Received: from app\.test .*;\r\n\tSun, 22 Nov 2026 00:00:00 \+0000\r\n$/s),
      body: '7bit',
      smtpUtf8: false,
      dsn: { ret: 'HDRS', envid: 'e1' },
      headers: { messageId: '<1@app.test>', from: 'Jörg <j@mail.wide.test>', subject: 'Hej' },
      tags: ['t'],
      metadata: { k: 'v' },
      pool: 'bulk',
      idempotencyKey: 'once',
      client: { address: '127.0.0.1', helo: 'app.test', listener: 'trusted' },
      // The same address twice is one recipient; what was said last about it holds.
      to: [
        { address: 'b@y.test', domain: 'y.test', dsn: { notify: ['NEVER'] } },
        { address: 'dead@y.test', domain: 'y.test', suppressed: dead },
      ],
    })
  })

  test.each([
    ['its From, of a domain that is ours', 'a@elsewhere.test', 'A <a@x.test>', 'x.test'],
    ["the envelope, where From is nobody's", 'a@x.test', 'a@elsewhere.test', 'x.test'],
    ['nothing', '', 'nobody', undefined],
  ])('the sender domain comes from %s', async (_from, sender, header, domain) => {
    const { submitted } = await submit({ mail: `FROM:<${sender}>`, data: `From: ${header}\r\n\r\n` })
    expect(submitted.senderDomain).toBe(domain)
  })

  test.each([
    ['FROM:<a@x.test>', 'Subject: a\r\n\r\nascii', '7bit', false],
    ['FROM:<a@x.test> BODY=8BITMIME SMTPUTF8', 'Subject: a\r\n\r\nascii', '7bit', false],
    ['FROM:<a@x.test>', 'Subject: a\r\n\r\n\xc3\xb6', '8bitmime', false],
    ['FROM:<a@x.test> SMTPUTF8', 'Subject: a\r\n\r\n\xc3\xb6', '8bitmime', false],
    ['FROM:<a@x.test> SMTPUTF8', 'Subject: \xc3\xb6\r\n\r\n', '8bitmime', true],
    ['FROM:<ö@x.test> SMTPUTF8', 'Subject: a\r\n\r\n', '7bit', true],
  ])('%s with %j is %s, SMTPUTF8 %s', async (mail, data, body, smtpUtf8) => {
    const { submitted } = await submit({ mail, data: Buffer.from(data, 'latin1') })
    expect(submitted).toMatchObject({ body, smtpUtf8 })
  })

  test('a large message comes in pieces of bounded size, and nothing is lost', async () => {
    const text = 'x'.repeat(998)
    const lines = `${text}\r\n`.repeat(3000)
    const { body, chunks, submitted } = await submit({ data: `Subject: big\r\n\r\n${lines}` })
    const stored = `Subject: big\r\n\r\n${lines}\r\n`
    expect(body === stored).toBe(true)
    expect(chunks.length).toBeGreaterThan(stored.length / CHUNK_BYTES)
    expect(chunks.every((size) => size > 0 && size <= CHUNK_BYTES)).toBe(true)
    expect(submitted.sizeBytes).toBe(stored.length + submitted.prefix.length)
  })

  test('a header section that comes byte by byte is read once, and one without end is refused', async () => {
    const client = await open(harness)
    client.send('MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n')
    for (let n = 0; n < 3; n++) await client.reply()
    for (const character of 'Subject: slow\r\nBcc: x@y.test\r\n\r\nb') {
      client.send(character)
      await new Promise(setImmediate)
    }
    client.send('\r\n.\r\n')
    expect(await client.reply()).toMatch(/^250/)
    expect(harness.acceptor.messages.at(-1)?.body).toBe('Subject: slow\r\n\r\nb\r\n')
    expect(await send(client, { data: 'X-Long: x\r\n'.repeat(30_000) })).toMatch(/^552 5\.3\.4 the header section/)
    expect(await send(client, { data: `Subject: x\r\n${'no header\r\n'.repeat(30_000)}` })).toMatch(/^250/)
    client.close()
  })
})

describe('signing', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'studs-key-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  test('the signature covers what goes out, header lines we changed included', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const keyFile = join(directory, 'key.pem')
    await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await chmod(keyFile, 0o600)
    const domain = { name: 'x.test', subdomains: false, dkim: [{ selector: 's1', keyFile }] }
    const signer = createSigner({ domains: [domain], clock: systemClock })
    const config = { domain: [{ name: 'x.test' }] }
    await using harness = await startSubmission({ signer, config })
    const client = await open(harness)
    const data = 'From: a@x.test\r\nBcc: hidden@y.test\r\nTo: b@y.test\nSubject: x\r\n\r\nline \r\nbare\nend\r\n\r\n'
    expect(await send(client, { data })).toMatch(/^250/)
    client.close()
    const { wire } = harness.acceptor.messages.at(-1)!
    expect(wire).toMatch(/^DKIM-Signature: /)
    const { dkimVerify } = await import('mailauth/lib/dkim/verify.js')
    const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    const resolver = async () => [[`v=DKIM1; k=rsa; p=${key}`]]
    const { results } = await dkimVerify(Buffer.from(wire, 'latin1'), { resolver })
    expect(results.map(({ status, signingDomain }) => [status.result, signingDomain])).toEqual([['pass', 'x.test']])
  })
})

describe('when it cannot be accepted', () => {
  let harness: Harness
  beforeAll(async () => {
    harness = await startSubmission({ config: { submission: { max_size: '2MB' } } })
  })
  afterAll(() => harness[Symbol.asyncDispose]())

  const data = 'Subject: x\r\n\r\n'

  test.each([
    [
      'the store is full',
      new StoreError('full', 'disk'),
      '452 4.3.1 no room for the message at the moment, try again later',
    ],
    ['the store has failed', new StoreError('failed', 'EIO'), '451 4.3.0 temporary local problem, try again later'],
    ['there is a bug of ours', new TypeError('secret detail'), '451 4.3.0 temporary local problem, try again later'],
  ])('%s', async (_name, error, reply) => {
    const client = await open(harness)
    const { discarded, messages } = harness.acceptor
    const before = messages.length
    harness.acceptor.failAccept = error
    expect(await send(client, { data })).toBe(reply)
    harness.acceptor.failAccept = undefined
    harness.acceptor.failWrite = error
    expect(await send(client, { data })).toBe(reply)
    // A large one fails while it comes: the rest is read, the answer is the same.
    expect(await send(client, { data: `${data}${'x'.repeat(1_500_000)}` })).toBe(reply)
    harness.acceptor.failWrite = undefined
    expect(messages.length).toBe(before)
    expect(harness.acceptor.discarded).toBe(discarded + 3)
    expect(harness.events.filter(({ name }) => name === 'acceptFailed').at(-1)).toMatchObject({ error })
    expect(await send(client, { data })).toMatch(/^250/)
    client.close()
  })

  test('paused: MAIL is told, the session stays, and it goes on after', async () => {
    const client = await open(harness)
    harness.submission.pause('disk full')
    expect(await client.command('MAIL FROM:<a@x.test>')).toBe(
      '452 4.3.1 no room for more mail at the moment, try again later',
    )
    const late = await open(harness)
    expect(await late.command('MAIL FROM:<a@x.test>')).toMatch(/^452 4\.3\.1/)
    harness.submission.resume()
    expect(await send(client, { data })).toMatch(/^250/)
    expect(harness.events.map(({ name }) => name)).toContain('submissionPaused')
    client.close()
    late.close()
  })

  test('quota: at MAIL, and at the recipient that is too many', async () => {
    const client = await open(harness)
    harness.acceptor.maxQueued = 0
    expect(await client.command('MAIL FROM:<a@x.test>')).toMatch(/^452 4\.3\.1 too many recipients of this tenant/)
    harness.acceptor.maxQueued = 1
    expect(await client.command('MAIL FROM:<a@x.test>')).toMatch(/^250/)
    expect(await client.command('RCPT TO:<b@y.test>')).toMatch(/^250/)
    expect(await client.command('RCPT TO:<c@y.test>')).toMatch(/^452 4\.3\.1/)
    harness.acceptor.maxQueued = Number.POSITIVE_INFINITY
    client.close()
  })

  test('a client that goes away in DATA leaves nothing behind', async () => {
    const client = await open(harness)
    const { messages, discarded } = harness.acceptor
    const before = messages.length
    client.send('MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n')
    for (let n = 0; n < 3; n++) await client.reply()
    client.send(`${data}${'x'.repeat(600_000)}`)
    await new Promise<void>((resolve) => client.socket.end(() => resolve()))
    while (harness.acceptor.discarded === discarded) await new Promise(setImmediate)
    expect(messages.length).toBe(before)
    expect(harness.acceptor.open).toBe(0)
    client.close()
  })

  test('a slow store holds the client back instead of filling memory', async () => {
    const client = await open(harness)
    let release = () => {}
    harness.acceptor.gate = new Promise((resolve) => {
      release = resolve
    })
    client.send('MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n')
    for (let n = 0; n < 3; n++) await client.reply()
    // What the kernel takes without us reading is a few megabytes at most.
    const piece = Buffer.alloc(1024 * 1024, 'x')
    let taken = 0
    for (; taken < 200; taken++) {
      if (client.socket.write(piece)) continue
      const drained = await Promise.race([
        new Promise<boolean>((resolve) => client.socket.once('drain', () => resolve(true))),
        systemClock.sleep(300).then(() => false),
      ])
      if (!drained) break
    }
    expect(taken).toBeLessThan(50)
    release()
    client.close()
  })
})

describe('stopping', () => {
  test('DATA under way ends well, the idle are told, new ones too', async () => {
    await using harness = await startSubmission()
    const busy = await open(harness)
    const idle = await open(harness)
    busy.send('MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n')
    for (let n = 0; n < 3; n++) await busy.reply()
    const stopped = harness.submission.stop(20_000)
    expect(await idle.reply()).toBe('421 4.3.2 shutting down, try again later')
    expect(await idle.reply()).toBeUndefined()
    const late = await LineClient.open(harness.port('trusted'))
    expect(await late.reply()).toBe('421 4.3.2 shutting down, try again later')
    busy.send('Subject: last\r\n\r\nlast\r\n.\r\n')
    expect(await busy.reply()).toMatch(/^250 2\.0\.0 queued as/)
    expect(await busy.reply()).toMatch(/^421 4\.3\.2/)
    await stopped
    expect(harness.acceptor.messages).toHaveLength(1)
    await expect(LineClient.open(harness.port('trusted'))).rejects.toThrow('ECONNREFUSED')
  })

  test('what does not end in time is cut, without being accepted', async () => {
    await using harness = await startSubmission()
    const busy = await open(harness)
    busy.send('MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\nSubject: never')
    for (let n = 0; n < 3; n++) await busy.reply()
    await harness.submission.stop(100)
    expect(await busy.reply()).toMatch(/^421 4\.3\.2/)
    expect(harness.acceptor.messages).toHaveLength(0)
    expect(harness.acceptor.open).toBe(0)
  })
})

test('a port that is taken: start rejects and leaves no listener open', async () => {
  await using harness = await startSubmission()
  const taken = harness.port('trusted')
  const listener = [
    { name: 'first', port: 0, tls: 'none', auth: 'none' },
    { name: 'second', port: taken, tls: 'none', auth: 'none' },
  ]
  await expect(startSubmission({ config: { listener } })).rejects.toThrow(
    /cannot have port \d+ of .* \(\[\[listener\]\] port\); another program has it/,
  )
})

test("lifetimes: the preset, the tenant's own, the message's own", async () => {
  const clock = new FakeClock(Date.UTC(2026, 10, 22))
  const tenants = [
    [{ name: 'default', any_sender: true }, 3 * DAY],
    [{ name: 'default', any_sender: true, preset: 'patient' }, 5 * DAY],
    [{ name: 'default', any_sender: true, lifetime: '1h' }, HOUR],
  ] as const
  for (const [tenant, lifetime] of tenants) {
    await using harness = await startSubmission({ clock, config: { tenant: [tenant] } })
    const client = await open(harness)
    await send(client, { data: 'A: b\r\n\r\n' })
    await send(client, { data: 'X-Studs-Expires: 2h\r\n\r\n' })
    const lives = harness.acceptor.messages.map(({ submitted }) => submitted.expiresAt - clock.now())
    expect(lives).toEqual([lifetime, 2 * HOUR])
    client.close()
  }
})
