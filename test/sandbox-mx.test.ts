// Every behaviour of the pretend MX hosts over real sockets: what the client sees, at which command, and what is in the
// inbox afterwards.

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { BEHAVIOURS } from '../src/sandbox/behaviours.ts'
import { headerOf } from '../src/sandbox/inbox.ts'
import { createSandbox, type Sandbox, type SandboxAddress } from '../src/sandbox/sandbox.ts'
import { type Clock, systemClock } from '../src/util/clock.ts'
import { SandboxClient } from './support/sandbox-client.ts'

/** Real timers, but a monotonic time that tests move. */
let shiftMs = 0
const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + shiftMs }
let sandbox: Sandbox
let at: SandboxAddress
let deliveredBefore = 0

beforeAll(async () => {
  sandbox = createSandbox({
    settings: { address: '127.0.0.1', smtpPort: 0, dnsPort: 0, inboxSize: 5, reportDelay: 10 },
    clock,
  })
  at = await sandbox.start()
})
afterAll(() => sandbox.stop())
beforeEach(() => {
  deliveredBefore = sandbox.inbox.count
})

const newlyDelivered = (): number => sandbox.inbox.count - deliveredBefore

type Seen = Partial<Record<'greeting' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'dot', string>>

/** The reply at each step up to the first that is no success. */
async function send(
  recipient: string,
  options: { tls?: boolean; address?: string; sender?: string } = {},
): Promise<Seen> {
  const client = await SandboxClient.to(at.smtpPort, options.address)
  const seen: Seen = {}
  const step = async (name: keyof Seen, reply: Promise<string>): Promise<boolean> => {
    seen[name] = await reply
    return /^[23]/.test(seen[name])
  }
  try {
    if (!(await step('greeting', client.reply()))) return seen
    if (!(await step('EHLO', client.say('EHLO client.test')))) return seen
    if (options.tls) {
      await client.startTls()
      await client.say('EHLO client.test')
    }
    if (!(await step('MAIL', client.say(`MAIL FROM:<${options.sender ?? 'app@sender.test'}>`)))) return seen
    if (!(await step('RCPT', client.say(`RCPT TO:<${recipient}>`)))) return seen
    if (!(await step('DATA', client.say('DATA')))) return seen
    await step('dot', client.say('Subject: hello\r\n\r\n..two dots\r\n.'))
    return seen
  } finally {
    client.close()
  }
}

const last = (seen: Seen): [string, string] => Object.entries(seen).at(-1)!

type Case = [recipient: string, step: string, reply: RegExp, delivered: number]
const CASES: Case[] = [
  ['ok@example.test', 'dot', /^250 2\.0\.0 Ok: queued as/, 1],
  ['somebody.else+tag@example.test', 'dot', /^250 /, 1],
  ['"quoted user"@example.test', 'dot', /^250 /, 1],
  ['greylist-soon@example.test', 'dot', /^250 /, 1],
  ['reply-250-2.0.0@example.test', 'dot', /^250 /, 1],
  [
    'user-unknown@example.test',
    'RCPT',
    /^550 5\.1\.1 <user-unknown@example\.test>: Recipient address rejected: User unknown/,
    0,
  ],
  ['User-Unknown+tag@gmail.test', 'RCPT', /^550-5\.1\.1 The email account.*\n550 5\.1\.1 .*NoSuchUser/s, 0],
  ['user-unknown@shop.google.test', 'RCPT', /^550-5\.1\.1 The email account/, 0],
  ['user-unknown@outlook.test', 'RCPT', /^550 5\.5\.0 Requested action not taken: mailbox unavailable/, 0],
  ['user-unknown@yahoo.test', 'RCPT', /^554 delivery error: dd .*yahoo\.test account/, 0],
  ['user-unknown@exim.test', 'RCPT', /^550 No such user here$/, 0],
  ['mailbox-full@example.test', 'RCPT', /^452 4\.2\.2 /, 0],
  ['mailbox-full-hard@example.test', 'RCPT', /^552 5\.2\.2 /, 0],
  ['inactive@example.test', 'RCPT', /^550 5\.2\.1 /, 0],
  ['greylist@example.test', 'RCPT', /^450 4\.2\.0 .*for 300 seconds/, 0],
  ['greylist-90s@example.test', 'RCPT', /^450 4\.2\.0 .*for 90 seconds/, 0],
  ['tempfail@example.test', 'RCPT', /^451 4\.3\.0 /, 0],
  ['tempfail-1@example.test', 'RCPT', /^451 4\.3\.0 /, 0],
  ['permfail-5.1.6@example.test', 'RCPT', /^550 5\.1\.6 /, 0],
  ...['late-ndr', 'late-ndr-5.7.1', 'late-full', 'qmail', 'exchange', 'mimecast', 'wrong-name', 'forged-ndr'].map(
    (name): Case => [`${name}@example.test`, 'dot', /^250 2\.0\.0 /, 1],
  ),
  ...['delayed-then-ok', 'vacation', 'challenge', 'fbl', 'unsubscribe'].map(
    (name): Case => [`${name}@example.test`, 'dot', /^250 2\.0\.0 /, 1],
  ),
  ['permfail-4.2.1@example.test', 'RCPT', /^450 4\.2\.1 /, 0],
  ['reply-451-4.7.1@example.test', 'RCPT', /^451 4\.7\.1 /, 0],
  ['reply-421-4.7.0@example.test', 'RCPT', /^421 4\.7\.0 /, 0],
  ['dot-554-5.7.1@example.test', 'dot', /^554 5\.7\.1 /, 0],
  ['relay-denied@example.test', 'RCPT', /^554 5\.7\.1 .*Relay access denied/, 0],
  ['blocked-ip@example.test', 'RCPT', /^550 5\.7\.1 .*\[127\.0\.0\.1\] blocked/, 0],
  ['rate-limited@example.test', 'RCPT', /^421 4\.7\.28 /, 0],
  ['spam@example.test', 'dot', /^550 5\.7\.1 /, 0],
  ['dmarc@example.test', 'dot', /^550 5\.7\.26 .*sender\.test/, 0],
  ['too-large@example.test', 'dot', /^552 5\.3\.4 /, 0],
  ['slow-20ms@example.test', 'dot', /^250 /, 1],
  ['bad-reply@example.test', 'RCPT', /^HTTP\/1\.1 400/, 0],
  ['drop-at-rcpt@example.test', 'RCPT', /^ECONNRESET$/, 0],
  ['drop-in-data@example.test', 'dot', /^ECONNRESET$/, 0],
  ['drop-after-dot@example.test', 'dot', /^ECONNRESET$/, 1],
  ['tls-broken@example.test', 'dot', /^250 /, 1],
]

describe('recipients decide', () => {
  test.each(CASES)('%s: %s %s', async (recipient, step, reply, delivered) => {
    const [seenStep, seenReply] = last(await send(recipient))
    expect(seenStep).toBe(step)
    expect(seenReply).toMatch(reply)
    expect(newlyDelivered()).toBe(delivered)
  })

  test('every behaviour of a recipient is among these cases or has a test of its own below', () => {
    const tested = CASES.map(([recipient]) => recipient.split('@')[0])
    const missing = BEHAVIOURS.filter(({ by }) => by === 'recipient')
      .map(({ name }) => new RegExp(`^${name.replace(/<[a-z]+>/g, '[0-9.]+[a-z]*')}$`))
      .filter((pattern) => !tested.some((local) => pattern.test(local ?? '')))
    expect(missing.map(String)).toEqual(['/^slow$/', '/^silent-after-dot$/'])
  })

  test('slow@ waits 10 s by default', async () => {
    const waits: number[] = []
    const noWait: Clock = {
      ...systemClock,
      after: (delayMs, callback) => {
        waits.push(delayMs)
        return systemClock.after(0, callback)
      },
    }
    await using own = await started(noWait)
    at = { ...at, smtpPort: own.smtpPort }
    try {
      expect(last(await send('slow@example.test'))[1]).toMatch(/^250 /)
      expect(waits).toEqual([10_000])
    } finally {
      at = { ...at, smtpPort: own.mainPort }
    }
  })

  test('silent-after-dot@ never answers, keeps nothing, and the connection stays open', async () => {
    const client = await SandboxClient.to(at.smtpPort)
    await client.reply()
    await client.sayAll('EHLO c.test', 'MAIL FROM:<a@b.test>', 'RCPT TO:<silent-after-dot@example.test>', 'DATA')
    client.socket.write('Subject: x\r\n\r\nx\r\n.\r\nNOOP\r\n')
    // Another whole delivery on the same server goes by meanwhile: the silence is no mere delay.
    await send('ok@example.test')
    const answered = await Promise.race([client.reply(), systemClock.sleep(100).then(() => 'silence')])
    expect(answered).toBe('silence')
    expect(client.socket.destroyed).toBe(false)
    expect(newlyDelivered()).toBe(1)
    client.close()
  })

  test('greylist: refused until its time has passed since first sight, per sender and recipient', async () => {
    const refused = async (sender: string): Promise<string> =>
      last(await send('greylist-60s+t@example.test', { sender }))[1]
    expect(await refused('one@sender.test')).toMatch(/^450 .*60 seconds/)
    shiftMs += 59_000
    expect(await refused('one@sender.test')).toMatch(/^450 4\.2\.0/)
    expect(await refused('two@sender.test')).toMatch(/^450 .*60 seconds/)
    shiftMs += 1000
    expect(await refused('one@sender.test')).toMatch(/^250/)
    expect(await refused('two@sender.test')).toMatch(/^450/)
  })

  test('tempfail-2: twice refused, then delivered', async () => {
    const replies = []
    for (let round = 0; round < 3; round++) replies.push(last(await send('tempfail-2@example.test'))[1].slice(0, 3))
    expect(replies).toEqual(['451', '451', '250'])
  })

  test('421 closes the connection, 550 does not', async () => {
    const client = await SandboxClient.to(at.smtpPort)
    await client.reply()
    await client.sayAll('EHLO c.test', 'MAIL FROM:<a@b.test>')
    expect(await client.say('RCPT TO:<user-unknown@example.test>')).toMatch(/^550/)
    expect(await client.say('RCPT TO:<rate-limited@example.test>')).toMatch(/^421/)
    expect(await client.reply()).toBe('closed')
  })

  test('in one transaction each recipient is answered for itself', async () => {
    const client = await SandboxClient.to(at.smtpPort)
    await client.reply()
    await client.sayAll('EHLO c.test', 'MAIL FROM:<a@b.test>', 'RCPT TO:<ok@one.test>')
    expect(await client.say('RCPT TO:<user-unknown@two.test>')).toMatch(/^550/)
    await client.sayAll('RCPT TO:<ok@three.test>', 'DATA', 'Subject: x\r\n\r\nx\r\n.')
    expect(sandbox.inbox.list().at(-1)?.recipients).toEqual(['ok@one.test', 'ok@three.test'])
    client.close()
  })
})

async function started(ownClock: Clock) {
  const own = createSandbox({
    settings: { address: '127.0.0.1', smtpPort: 0, dnsPort: 0, inboxSize: 5, reportDelay: 10 },
    clock: ownClock,
  })
  const address = await own.start()
  return { ...address, mainPort: at.smtpPort, [Symbol.asyncDispose]: () => own.stop() }
}

describe('hosts decide, by domain', () => {
  const hostCases: [host: string, step: keyof Seen, reply: RegExp][] = [
    ['greeting-554', 'greeting', /^554 5\.7\.1 .*No SMTP service here/],
    ['greeting-421', 'greeting', /^421 4\.3\.2 /],
    ['no-ehlo', 'EHLO', /^502 5\.5\.2 /],
    ['loop', 'EHLO', /^250-client\.test\n/],
  ]
  test.each(hostCases)('%s.test: %s', async (host, step, reply) => {
    const seen = await send(`ok@${host}.test`, { address: await addressOf(`mx.${host}.test`) })
    expect(seen[step]).toMatch(reply)
  })

  test.each([
    ['no-starttls', 'STARTTLS'],
    ['no-8bitmime', '8BITMIME'],
    ['no-smtputf8', 'SMTPUTF8'],
  ])('%s.test does not offer %s', async (host, keyword) => {
    const seen = await send(`ok@${host}.test`, { address: await addressOf(`mx.${host}.test`) })
    expect(seen.EHLO).not.toContain(keyword)
    expect(seen.dot).toMatch(/^250/)
    expect((await send('ok@example.test')).EHLO).toContain(keyword)
  })

  test('what is not offered is refused', async () => {
    const asked = [
      ['no-starttls', 'STARTTLS', /^502/],
      ['no-8bitmime', 'MAIL FROM:<a@b.test> BODY=8BITMIME', /^555/],
      ['no-smtputf8', 'MAIL FROM:<a@b.test> SMTPUTF8', /^555/],
    ] as const
    for (const [host, line, reply] of asked) {
      const client = await SandboxClient.to(at.smtpPort, await addressOf(`mx.${host}.test`))
      await client.reply()
      await client.sayAll('EHLO c.test')
      expect(await client.say(line)).toMatch(reply)
      client.close()
    }
  })

  test('no-greeting.test accepts the connection and is silent', async () => {
    const client = await SandboxClient.to(at.smtpPort, await addressOf('mx.no-greeting.test'))
    await send('ok@example.test')
    expect(await Promise.race([client.reply(), systemClock.sleep(100).then(() => 'silence')])).toBe('silence')
    client.close()
  })

  test('tls-broken.test offers STARTTLS, then speaks no TLS; without TLS it delivers', async () => {
    const address = await addressOf('mx.tls-broken.test')
    await expect(send('ok@tls-broken.test', { address, tls: true })).rejects.toThrow(/SSL|TLS|wrong version|record/i)
    expect(newlyDelivered()).toBe(0)
    expect((await send('ok@tls-broken.test', { address })).dot).toMatch(/^250/)
  })

  test('tls-unavailable.test offers STARTTLS, then refuses it', async () => {
    const client = await SandboxClient.to(at.smtpPort, await addressOf('mx.tls-unavailable.test'))
    await client.reply()
    expect(await client.sayAll('EHLO c.test')).toContain('STARTTLS')
    expect(await client.say('STARTTLS')).toMatch(/^454 4\.7\.0/)
    client.close()
  })

  test('refused.test: nothing listens', async () => {
    await expect(send('ok@refused.test', { address: await addressOf('mx.refused.test') })).rejects.toThrow(
      /ECONNREFUSED/,
    )
  })

  async function addressOf(host: string): Promise<string> {
    const { Resolver } = await import('node:dns/promises')
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${at.dnsPort}`])
    return (await resolver.resolve4(host))[0]!
  }
})

describe('under TLS', () => {
  test('delivers and says so in the inbox', async () => {
    expect(last(await send('ok@example.test', { tls: true }))[1]).toMatch(/^250/)
    expect(sandbox.inbox.list().at(-1)?.tls).toMatch(/^TLSv1\.3 TLS_/)
  })

  test.each([
    ['tls-broken@example.test', 'RCPT'],
    ['drop-in-data@example.test', 'dot'],
    ['drop-after-dot@example.test', 'dot'],
  ])('%s breaks at %s', async (recipient, step) => {
    const [seenStep, reply] = last(await send(recipient, { tls: true }))
    expect(seenStep).toBe(step)
    expect(reply).toMatch(/^(?:ECONNRESET|ERR_SSL_\w+|EPROTO|closed)$/)
  })

  test('commands slipped in before the handshake are not obeyed (RFC 3207 §6)', async () => {
    const client = await SandboxClient.to(at.smtpPort)
    await client.reply()
    await client.sayAll('EHLO c.test')
    await client.startTls('\r\nNOOP')
    expect(await client.say('EHLO c.test')).toMatch(/^250-mx\.sandbox\.test\n/)
    client.close()
  })

  test('what was said before the handshake is forgotten', async () => {
    const client = await SandboxClient.to(at.smtpPort)
    await client.reply()
    await client.sayAll('EHLO c.test', 'MAIL FROM:<a@b.test>')
    await client.startTls()
    expect(await client.say('RCPT TO:<ok@example.test>')).toMatch(/^503/)
    client.close()
  })

  test('nodemailer is served', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: at.smtpPort,
      requireTLS: true,
      tls: { rejectUnauthorized: false },
      pool: true,
    })
    const body = 'x\r\n.\r\n..\r\n'.repeat(50)
    await transport.sendMail({ from: 'a@sender.test', to: 'ok@example.test', subject: 'Grüße', text: body })
    transport.close()
    const message = sandbox.inbox.list().at(-1)!
    expect(headerOf(message, 'subject')).toBe('=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=')
    expect(message.raw.toString('utf8')).toContain(body)
    expect(message.sizeBytes).toBe(message.raw.length)
    expect(message.truncated).toBe(false)
  })
})

describe('protocol', () => {
  test('commands out of order and unknown ones are refused', async () => {
    const client = await SandboxClient.to(at.smtpPort)
    await client.reply()
    expect(await client.say('MAIL FROM:<a@b.test>')).toMatch(/^503/)
    await client.sayAll('EHLO c.test')
    expect(await client.say('RCPT TO:<ok@a.test>')).toMatch(/^503/)
    expect(await client.say('MAIL FROM: a@b.test')).toMatch(/^501/)
    await client.sayAll('MAIL FROM:<>')
    expect(await client.say('MAIL FROM:<>')).toMatch(/^503/)
    expect(await client.say('RCPT TO:<>')).toMatch(/^501/)
    expect(await client.say('DATA')).toMatch(/^503/)
    expect(await client.say('AUTH PLAIN AGEAYg==')).toMatch(/^502/)
    await client.sayAll('RSET', 'NOOP', 'VRFY x', 'HELO c.test')
    expect(await client.say('QUIT')).toMatch(/^221/)
    expect(await client.reply()).toBe('closed')
  })

  test('pipelined commands, whole message included, are answered in order', async () => {
    const client = await SandboxClient.to(at.smtpPort)
    client.socket.write(
      'EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<slow-10ms@a.test>\r\nDATA\r\n.\r\nMAIL FROM:<c@d.test>\r\nQUIT\r\n',
    )
    const codes = []
    for (let count = 0; count < 8; count++) codes.push((await client.reply()).slice(0, 3))
    expect(codes).toEqual(['220', '250', '250', '250', '354', '250', '250', '221'])
    expect(sandbox.inbox.list().at(-1)?.sizeBytes).toBe(0)
  })

  test('a line without end closes the connection', async () => {
    const client = await SandboxClient.to(at.smtpPort)
    await client.reply()
    client.socket.write('A'.repeat(10_000))
    expect(await client.reply()).toMatch(/^500 5\.5\.6/)
    expect(await client.reply()).toBe('closed')
  })
})

describe('the inbox', () => {
  test('keeps the last messages, counts all, tells who listens', async () => {
    const heard: number[] = []
    const stop = sandbox.inbox.on('message', (message) => heard.push(message.id))
    for (let count = 0; count < 7; count++) await send(`ok+${count}@example.test`)
    stop()
    await send('ok+8@example.test')
    expect(newlyDelivered()).toBe(8)
    expect(heard).toHaveLength(7)
    const kept = sandbox.inbox.list()
    expect(kept.map(({ recipients }) => recipients[0])).toEqual(
      [3, 4, 5, 6, 8].map((count) => `ok+${count}@example.test`),
    )
    expect(sandbox.inbox.get(heard[0]!)).toBeUndefined()
    expect(sandbox.inbox.get(heard[6]!)?.raw.toString()).toBe('Subject: hello\r\n\r\n.two dots\r\n')
  })
})

test('stop ends open connections, and the ports are free again', async () => {
  const settings = { address: '127.0.0.1', smtpPort: 0, dnsPort: 0, inboxSize: 0, reportDelay: 10 }
  const own = createSandbox({ settings, clock })
  const { smtpPort, dnsPort } = await own.start()
  const client = await SandboxClient.to(smtpPort)
  await client.reply()
  await own.stop()
  expect(await client.reply()).toMatch(/closed|ECONNRESET/)
  const again = createSandbox({ settings: { ...settings, smtpPort, dnsPort }, clock })
  expect(await again.start()).toMatchObject({ smtpPort, dnsPort })
  const third = createSandbox({ settings: { ...settings, dnsPort }, clock })
  await expect(third.start()).rejects.toThrow(/EADDRINUSE/)
  await again.stop()
  await third.stop()
})
