// Recipients that answer by mail: over real sockets, from the delivery at a pretend MX to what the listener for reports
// received; and the line in which such mails wait.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { BEHAVIOURS } from '../src/sandbox/behaviours.ts'
import { Reporter, type SentReport } from '../src/sandbox/reporter.ts'
import { createSandbox, type Sandbox } from '../src/sandbox/sandbox.ts'
import { type Clock, systemClock } from '../src/util/clock.ts'
import { FakeClock } from './support/fake-clock.ts'
import { SandboxClient } from './support/sandbox-client.ts'
import { ScriptedMx } from './support/scripted-mx.ts'

const SETTINGS = { address: '127.0.0.1', smtpPort: 0, dnsPort: 0, inboxSize: 5, reportDelay: 1 }
const RETURN_PATH = `b-${'0123456789abcdefghij'.repeat(2)}@bounce.shop.test`
let listener: ScriptedMx

beforeEach(async () => {
  listener = await ScriptedMx.start()
})
afterEach(() => listener[Symbol.asyncDispose]())

/** The next report that came to its end. */
const ended = (reports: Pick<Reporter, 'on'>): Promise<SentReport> =>
  new Promise((resolve) => {
    const off = reports.on('report', (report) => {
      off()
      resolve(report)
    })
  })

async function deliver(port: number, recipients: readonly string[], sender = RETURN_PATH): Promise<void> {
  const client = await SandboxClient.to(port)
  await client.reply()
  await client.sayAll('EHLO c.test', `MAIL FROM:<${sender}>`, ...recipients.map((to) => `RCPT TO:<${to}>`), 'DATA')
  await client.sayAll(
    'From: news@shop.test\r\nList-Unsubscribe: <mailto:u-x@bounce.shop.test>\r\nSubject: hello\r\n\r\nhello\r\n.',
  )
  client.close()
}

async function withSandbox(
  use: (sandbox: Sandbox, port: number) => Promise<void>,
  whereTo: 'listener' | 'nowhere' = 'listener',
): Promise<void> {
  const reportTo = () => ({ address: '127.0.0.1', port: listener.port })
  const sandbox = createSandbox({
    settings: SETTINGS,
    clock: systemClock,
    ...(whereTo === 'listener' ? { reportTo } : {}),
  })
  try {
    await use(sandbox, (await sandbox.start()).smtpPort)
  } finally {
    await sandbox.stop()
  }
}

const WHERE: Readonly<Record<string, string>> = {
  mimecast: 'news@shop.test',
  fbl: 'fbl@bounce.shop.test',
  unsubscribe: 'u-x@bounce.shop.test',
  'forged-ndr': RETURN_PATH.replace('j@', '0@'),
}
const ANSWERING = BEHAVIOURS.filter(({ report }) => report !== undefined).map(({ name }) =>
  name.replace('<enhanced>', '5.7.1'),
)

test.each(ANSWERING)('%s@ is delivered and answers', async (name) => {
  await withSandbox(async (sandbox, port) => {
    const end = ended(sandbox.reports)
    await deliver(port, [`${name}+7@example.test`])
    expect(sandbox.inbox.count).toBe(1)
    expect(await end).toMatchObject({ outcome: 'sent', words: '250 2.0.0 Queued' })
    expect(listener.mails).toHaveLength(1)
    expect(listener.mails[0]).toMatchObject({ recipient: WHERE[name] ?? RETURN_PATH })
    expect(sandbox.reports.counts).toEqual({ waiting: 0, sent: 1, refused: 0, lost: 0 })
  })
})

test('each recipient of one message answers for itself; the others say nothing', async () => {
  await withSandbox(async (_, port) => {
    await deliver(port, ['vacation@a.test', 'ok@a.test', 'late-ndr@b.test'])
    await listener.received(2)
    const froms = listener.mails.map(({ content }) => /^From: (.*)\r$/m.exec(content)?.[1])
    expect(froms.sort()).toEqual(['Mail Delivery System <MAILER-DAEMON@mx.b.test>', 'vacation@a.test'])
  })
})

test('the null sender gets nothing; nor does anybody where nobody takes reports', async () => {
  await withSandbox(async (sandbox, port) => {
    await deliver(port, ['late-ndr@a.test'], '')
    expect(sandbox.reports.counts.waiting).toBe(0)
  })
  await withSandbox(async (sandbox, port) => {
    await deliver(port, ['late-ndr@a.test'])
    expect(sandbox.reports.counts.waiting).toBe(0)
  }, 'nowhere')
})

const MAIL = { sender: '', recipient: RETURN_PATH, raw: Buffer.from('Subject: x\r\n\r\n.x\r\n') }

function reporterWith(clock: Clock, to: () => number | undefined = () => listener.port): Reporter {
  return new Reporter({
    clock,
    delayMs: 500,
    to: () => {
      const port = to()
      return port === undefined ? undefined : { address: '127.0.0.1', port }
    },
  })
}

test('it waits its delay, is sent, and a connection serves several', async () => {
  const clock = new FakeClock()
  const reporter = reporterWith(clock)
  for (let n = 0; n < 20; n++) reporter.send('ndr', MAIL)
  await clock.advance(499)
  expect(reporter.counts).toEqual({ waiting: 20, sent: 0, refused: 0, lost: 0 })
  expect(listener.connections).toBe(0)
  await clock.advance(1)
  await listener.received(20)
  expect(listener.connections).toBeLessThanOrEqual(4)
  expect(listener.mails[0]).toMatchObject({ content: MAIL.raw.toString(), recipient: RETURN_PATH })
  await reporter.stop()
})

test('put off, it comes again; refused, it does not', async () => {
  const replies = ['450 4.7.1 slower', undefined, '550 5.1.1 no']
  listener.script = ({ command }) => (command.startsWith('RCPT') ? replies.shift() : undefined)
  const waits: number[] = []
  const after: Clock['after'] = (delayMs, callback) => {
    if (delayMs <= 1000) waits.push(delayMs)
    return systemClock.after(delayMs <= 1000 ? 0 : delayMs, callback)
  }
  const reporter = reporterWith({ ...systemClock, after })
  const first = ended(reporter)
  reporter.send('ndr', MAIL)
  expect(await first).toMatchObject({ outcome: 'sent' })
  expect(waits).toEqual([500, 1000])
  const second = ended(reporter)
  reporter.send('ndr', MAIL)
  expect(await second).toMatchObject({ outcome: 'refused', words: '550 5.1.1 no' })
  expect(reporter.counts).toEqual({ waiting: 0, sent: 1, refused: 1, lost: 0 })
  await reporter.stop()
})

test('where nobody listens it waits for somebody, and is given up in the end', async () => {
  const clock = new FakeClock()
  let port: number | undefined
  const reporter = reporterWith(clock, () => port)
  const first = ended(reporter)
  reporter.send('ndr', MAIL)
  await clock.advance(5000)
  expect(reporter.counts.waiting).toBe(1)
  port = listener.port
  await clock.advance(5000)
  expect(await first).toMatchObject({ outcome: 'sent' })
  port = undefined
  const second = ended(reporter)
  reporter.send('ndr', MAIL)
  await clock.advance(200_000)
  expect(await second).toMatchObject({ outcome: 'lost', words: 'nobody takes reports yet' })
  await reporter.stop()
})

test('the line is bounded', async () => {
  const reporter = reporterWith(new FakeClock())
  for (let n = 0; n < 10_100; n++) reporter.send('ndr', MAIL)
  expect(reporter.counts).toEqual({ waiting: 10_000, sent: 0, refused: 0, lost: 100 })
  await reporter.stop()
})

test('a stop ends what is under way', async () => {
  const clock = new FakeClock()
  listener.script = ({ command }) => (command === 'dot' ? 'silence' : undefined)
  const reporter = reporterWith(clock)
  reporter.send('ndr', MAIL)
  await clock.advance(1000)
  while (!listener.commands.includes('dot')) await new Promise(setImmediate)
  await reporter.stop()
  expect(reporter.counts.sent).toBe(0)
})
