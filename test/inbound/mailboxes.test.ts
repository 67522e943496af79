// Mailboxes on a real IMAP server: what is taken, what becomes of it, and what happens when something goes wrong.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Writable } from 'node:stream'
import { afterAll, afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { logMailboxEvents } from '../../src/inbound/mailbox-events.ts'
import { createMailboxes, type Mailboxes } from '../../src/inbound/mailboxes.ts'
import { createLogger } from '../../src/observe/logger.ts'
import type { IncomingReport } from '../../src/reports/desk.ts'
import type { ReportEntry } from '../../src/reports/report-entry.ts'
import { type Store, StoreError } from '../../src/store/store.ts'
import { MINUTE, SECOND } from '../../src/util/clock.ts'
import { Dovecot, type DovecotOptions, noDovecot, PASSWORD, stopDovecot, USER } from '../support/dovecot.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { LineLog } from '../support/line-log.ts'
import { memoryStore } from '../support/memory-store.ts'
import { settingsOf } from './harness.ts'

afterEach(stopDovecot)
afterAll(stopDovecot)

const mail = (subject: string, body = 'Hello.\r\n'): string =>
  `From: a@example.net\r\nTo: jane@example.com\r\nSubject: ${subject}\r\n\r\n${body}`

interface Taken {
  readonly subject: string
  readonly report: IncomingReport
}

interface Reading {
  readonly mailboxes: Mailboxes
  readonly taken: Taken[]
  /** Lines of the log and a line for each report taken. */
  readonly log: LineLog
  readonly clock: FakeClock
  readonly store: Store
  settings(changes: Record<string, unknown>): void
  /** Resolves when so many were taken since start. */
  count(taken: number): Promise<void>
  /** The n-th log line of that event. */
  event(name: string, count?: number): Promise<Record<string, unknown>>
  /** Resolves when the reader is in that state. */
  state(state: string): Promise<void>
}

interface Start {
  readonly dovecot: Dovecot
  readonly mailbox?: Record<string, unknown>
  readonly store?: Store
  /** Asked for each report before it is taken. */
  readonly desk?: (subject: string) => Promise<void>
}

function start({ dovecot, mailbox = {}, store = memoryStore(), desk = async () => undefined }: Start): Reading {
  const clock = new FakeClock()
  const log = new LineLog()
  log.begin()
  const taken: Taken[] = []
  const base = {
    name: 'support',
    host: 'localhost',
    port: dovecot.ports.implicit,
    user: USER,
    password: PASSWORD,
    poll: '5m',
    ...mailbox,
  }
  let settings = settingsOf({ mailbox: [base], bounce: { max_size: '1MiB' } })
  const output = new Writable({
    write: (line, _, done) => {
      log.add(String(line).trim())
      done()
    },
  })
  const logger = createLogger({ level: 'debug', format: 'json' }, output)
  const mailboxes = createMailboxes({
    settings: () => settings,
    // The edge: what a mail is, and what follows from it, is the desk's own test.
    take: async (report) => {
      const subject = /^Subject: (.*)$/m.exec(report.raw.toString('latin1'))?.[1]?.trim() ?? ''
      await desk(subject)
      taken.push({ subject, report })
      log.add(`taken ${subject}`)
      const kind = /^ordinary/.test(subject) ? 'mail' : /^odd/.test(subject) ? 'unknown' : 'dsn'
      return { id: `r${taken.length}`, report: { kind } } as ReportEntry
    },
    store,
    clock,
    events: logMailboxEvents(logger),
    authorities: [dovecot.certificate],
  })
  mailboxes.start()
  onTestFinished(() => mailboxes.stop(0))
  const count = (wanted: number) => log.until(() => taken.length >= wanted)
  return {
    mailboxes,
    taken,
    log,
    clock,
    store,
    count,
    settings: (changes) => {
      settings = settingsOf({ mailbox: [{ ...base, ...changes }], bounce: { max_size: '1MiB' } })
    },
    event: async (name, nth = 1) => {
      const lines = (): string[] => log.lines.filter((line) => line.includes(`"event":"${name}"`))
      await log.until(() => lines().length >= nth)
      return JSON.parse(lines()[nth - 1]!) as Record<string, unknown>
    },
    state: async (state) => {
      while (mailboxes.status()[0]?.state !== state) await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

const subjects = ({ taken }: Reading): string[] => taken.map(({ subject }) => subject)

describe.skipIf(noDovecot !== undefined)('a mailbox', () => {
  const server = (options?: DovecotOptions) => Dovecot.start(options)

  test('what lies there is taken, what comes then too, as it comes; both are marked as seen', async () => {
    const dovecot = await server()
    dovecot.deliver(mail('first'))
    const reading = start({ dovecot })
    await reading.count(1)
    await reading.state('waiting')
    // The clock stands still, so nothing but IDLE can tell.
    dovecot.deliver(mail('second'))
    await reading.count(2)
    dovecot.deliver(mail('third'))
    await reading.count(3)
    await reading.state('waiting')
    expect(subjects(reading)).toEqual(['first', 'second', 'third'])
    const [{ report }] = reading.taken as [Taken]
    expect(report).toMatchObject({ origin: { kind: 'mailbox', mailbox: 'support' }, to: '' })
    expect(report.raw.toString('latin1')).toBe(mail('first'))
    expect(report.sizeBytes).toBe(mail('first').length)
    expect((await dovecot.contents()).map(({ flags }) => flags)).toEqual([['\\Seen'], ['\\Seen'], ['\\Seen']])
    expect(reading.mailboxes.status()).toEqual([
      { name: 'support', state: 'waiting', lastLookAt: reading.clock.now(), taken: 3, left: 0 },
    ])
  })

  test.each(['starttls', 'none'] as const)('tls = %s', async (tls) => {
    const dovecot = await server()
    dovecot.deliver(mail('first'))
    const reading = start({ dovecot, mailbox: { tls, port: dovecot.ports[tls] } })
    await reading.count(1)
    await dovecot.log.line(tls === 'starttls' ? /Login: user=<jane>.*TLS/ : /Login: user=<jane>.*secured/)
  })

  test('ordinary mail is left unseen, and is not fetched again', async () => {
    const dovecot = await server()
    for (const subject of ['ordinary one', 'report', 'ordinary two', 'odd']) dovecot.deliver(mail(subject))
    const reading = start({ dovecot, mailbox: { done: 'delete' } })
    await reading.count(4)
    await reading.state('waiting')
    expect(await dovecot.contents()).toEqual(
      ['ordinary one', 'ordinary two', 'odd'].map((subject) => ({ subject, flags: [] })),
    )
    await reading.mailboxes.stop(0)
    const again = start({ dovecot, mailbox: { done: 'delete' }, store: reading.store })
    await again.state('waiting')
    dovecot.deliver(mail('new'))
    await again.event('mailbox-taken')
    expect(subjects(again)).toEqual(['new'])
    expect(again.mailboxes.status()[0]).toMatchObject({ taken: 1, left: 0 })
  })

  test('what a person has read already is theirs', async () => {
    const dovecot = await server()
    dovecot.deliver(mail('read'))
    dovecot.deliver(mail('unread'))
    await dovecot.as(async (client) => {
      await client.mailboxOpen('INBOX')
      await client.messageFlagsAdd('1', ['\\Seen'])
    })
    const reading = start({ dovecot })
    await reading.count(1)
    expect(subjects(reading)).toEqual(['unread'])
  })

  test('done = delete', async () => {
    const dovecot = await server()
    dovecot.deliver(mail('mine'))
    dovecot.deliver(mail('report'))
    await dovecot.as(async (client) => {
      await client.mailboxOpen('INBOX')
      // Somebody's mail program has marked this one, but not expunged it.
      await client.messageFlagsAdd('1', ['\\Deleted'])
    })
    const reading = start({ dovecot, mailbox: { done: 'delete' } })
    await reading.count(1)
    await reading.state('waiting')
    expect(await dovecot.contents()).toEqual([{ subject: 'mine', flags: ['\\Deleted'] }])
  })

  test('done = delete without UIDPLUS deletes nothing of others', async () => {
    const dovecot = await server({
      config: 'protocol imap {\n  imap_capability = IMAP4rev1 SASL-IR LITERAL+ IDLE NAMESPACE\n}',
    })
    dovecot.deliver(mail('mine'))
    dovecot.deliver(mail('report'))
    await dovecot.as(async (client) => {
      await client.mailboxOpen('INBOX')
      await client.messageFlagsAdd('1', ['\\Deleted'])
    })
    const reading = start({ dovecot, mailbox: { done: 'delete' } })
    await reading.count(1)
    await reading.state('waiting')
    expect(await dovecot.contents()).toEqual([
      { subject: 'mine', flags: ['\\Deleted'] },
      { subject: 'report', flags: ['\\Deleted', '\\Seen'] },
    ])
  })

  test.each<[string, DovecotOptions]>([
    ['', {}],
    [
      ' without MOVE and UIDPLUS',
      { config: 'protocol imap {\n  imap_capability = IMAP4rev1 SASL-IR LITERAL+ IDLE NAMESPACE\n}' },
    ],
  ])('done = move%s', async (_, options) => {
    const dovecot = await server(options)
    await dovecot.as((client) => client.mailboxCreate('Bounces'))
    dovecot.deliver(mail('ordinary'))
    dovecot.deliver(mail('report'))
    const reading = start({ dovecot, mailbox: { done: 'move', move_to: 'Bounces' } })
    await reading.count(2)
    await reading.state('waiting')
    expect((await dovecot.contents('Bounces')).map(({ subject }) => subject)).toEqual(['report'])
    const left = (await dovecot.contents()).filter(({ flags }) => !flags.includes('\\Deleted'))
    expect(left).toEqual([{ subject: 'ordinary', flags: [] }])
  })

  test('of a mail of 30 MB only what is kept is fetched', async () => {
    const dovecot = await server()
    const body = `${'x'.repeat(76)}\r\n`.repeat(400_000)
    dovecot.deliver(mail('large', body))
    const reading = start({ dovecot })
    await reading.count(1)
    const [{ report }] = reading.taken as [Taken]
    expect(report.raw).toHaveLength(2 ** 20)
    expect(report.sizeBytes).toBe(mail('large', body).length)
    await reading.state('waiting')
    expect(await dovecot.contents()).toEqual([{ subject: 'large', flags: ['\\Seen'] }])
  })

  test('another folder', async () => {
    const dovecot = await server()
    await dovecot.as((client) => client.mailboxCreate('Rückläufer'))
    await dovecot.as((client) => client.append('Rückläufer', mail('there')))
    dovecot.deliver(mail('not here'))
    const reading = start({ dovecot, mailbox: { folder: 'Rückläufer' } })
    await reading.count(1)
    await reading.state('waiting')
    expect(subjects(reading)).toEqual(['there'])
  })

  test('a server without IDLE is asked every now and then', async () => {
    const dovecot = await server({
      config: 'protocol imap {\n  imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS NAMESPACE\n}',
    })
    const reading = start({ dovecot })
    await reading.state('waiting')
    dovecot.deliver(mail('later'))
    await reading.clock.advance(5 * MINUTE)
    await reading.count(1)
  })
})

describe.skipIf(noDovecot !== undefined)('what goes wrong', () => {
  test('a wrong password is told once, with the cure, and not tried again for a quarter of an hour', async () => {
    const dovecot = await Dovecot.start()
    const reading = start({ dovecot, mailbox: { password: 'wrong' } })
    const { error, retryMs } = await reading.event('mailbox-failed')
    expect(error).toMatch(
      /^localhost:\d+ refuses the login of jane: ".*Authentication failed.*"; correct user and password of \[\[mailbox\]\] "support"/,
    )
    expect(String(error)).not.toContain('wrong')
    expect(retryMs).toBe(15 * MINUTE)
    expect(reading.mailboxes.status()[0]).toMatchObject({ state: 'failed', error })
    await dovecot.log.line(/auth failed/)
    await reading.clock.advance(14 * MINUTE)
    expect(dovecot.log.count(/auth failed/)).toBe(1)
    await reading.clock.advance(MINUTE)
    await dovecot.log.until(() => dovecot.log.count(/auth failed/) === 2)
    await reading.state('failed')
    expect(reading.log.count(/mailbox-failed/)).toBe(1)
    // The password is corrected: nobody waits for the quarter of an hour.
    dovecot.deliver(mail('first'))
    reading.settings({ password: PASSWORD })
    await reading.mailboxes.reconfigure()
    await reading.count(1)
    await reading.state('waiting')
    expect(reading.mailboxes.status()).toEqual([expect.not.objectContaining({ error: expect.anything() })])
  })

  test('a certificate that nobody vouches for: no password is sent', async () => {
    const dovecot = await Dovecot.start()
    const other = await Dovecot.start()
    for (const tls of ['implicit', 'starttls'] as const) {
      const trusting = { ...dovecot, certificate: other.certificate, ports: dovecot.ports } as Dovecot
      const reading = start({ dovecot: trusting, mailbox: { tls, port: dovecot.ports[tls] } })
      const { error } = await reading.event('mailbox-failed')
      expect(error).toMatch(/the certificate is not trusted .*NODE_EXTRA_CA_CERTS/)
      await reading.mailboxes.stop(0)
    }
    const wrongName = start({ dovecot, mailbox: { host: '127.0.0.1' } })
    expect((await wrongName.event('mailbox-failed')).error).toMatch(
      /the certificate is not trusted .*write the host name/,
    )
    expect(dovecot.log.count(/Login: user/)).toBe(0)
  })

  test('STARTTLS that is not offered is not done without', async () => {
    const dovecot = await Dovecot.start({ config: 'ssl = no' })
    const reading = start({ dovecot, mailbox: { tls: 'starttls', port: dovecot.ports.starttls } })
    expect((await reading.event('mailbox-failed')).error).toContain('Server does not support STARTTLS')
    expect(dovecot.log.count(/Login: user/)).toBe(0)
  })

  test.each([
    [{ folder: 'Nowhere' }, /there is no folder "Nowhere"; create it or correct folder; there are .*"INBOX"/],
    [{ done: 'move', move_to: 'Nowhere' }, /there is no folder "Nowhere"; create it or correct move_to/],
  ])('a folder that is not there: %j', async (mailbox, expected) => {
    const dovecot = await Dovecot.start()
    dovecot.deliver(mail('first'))
    const reading = start({ dovecot, mailbox })
    expect((await reading.event('mailbox-failed')).error).toMatch(expected)
    expect(reading.taken).toEqual([])
    await dovecot.as((client) => client.mailboxCreate('Nowhere'))
    await reading.clock.advance(5 * SECOND)
    await reading.state('waiting')
  })

  test('nobody there: told once, tried again later and later, and found when it comes', async () => {
    const dovecot = await Dovecot.start()
    // Killed while it still makes its files, it waits 10 s for its own locks at the next start.
    await dovecot.as((client) => client.noop())
    await dovecot.stop()
    const reading = start({ dovecot })
    expect(await reading.event('mailbox-failed')).toMatchObject({ retryMs: 5 * SECOND })
    for (let n = 0; n < 8; n++) {
      await reading.clock.advance(5 * MINUTE)
      // Until it has failed again and waits.
      while (reading.clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(reading.log.count(/mailbox-failed/)).toBe(1)
    await dovecot.start()
    dovecot.deliver(mail('first'))
    await reading.clock.advance(5 * MINUTE)
    await reading.count(1)
  })

  test('the connection is cut while it waits: it comes back and misses nothing', async () => {
    const dovecot = await Dovecot.start()
    const wire = await cuttable(dovecot.ports.implicit)
    const reading = start({ dovecot, mailbox: { port: wire.port } })
    dovecot.deliver(mail('first'))
    await reading.count(1)
    await reading.state('waiting')
    wire.cut()
    await reading.event('mailbox-failed')
    dovecot.deliver(mail('second'))
    await reading.clock.advance(5 * SECOND)
    await reading.count(2)
    await reading.event('mailbox-connected', 2)
    expect(subjects(reading)).toEqual(['first', 'second'])
  })

  test('the server restarts', async () => {
    const dovecot = await Dovecot.start()
    const reading = start({ dovecot })
    await reading.state('waiting')
    await dovecot.stop()
    await reading.event('mailbox-failed')
    await dovecot.start()
    dovecot.deliver(mail('first'))
    await reading.clock.advance(5 * MINUTE)
    await reading.count(1)
  })

  test('cut between recording and marking: it is marked after all, and not taken twice', async () => {
    const dovecot = await Dovecot.start()
    const wire = await cuttable(dovecot.ports.implicit)
    dovecot.deliver(mail('first'))
    const reading = start({ dovecot, mailbox: { port: wire.port }, desk: async () => wire.cut() })
    await reading.count(1)
    await reading.event('mailbox-failed')
    expect(await dovecot.contents()).toEqual([{ subject: 'first', flags: [] }])
    await reading.mailboxes.stop(0)
    const again = start({ dovecot, store: reading.store })
    await again.state('waiting')
    expect(await dovecot.contents()).toEqual([{ subject: 'first', flags: ['\\Seen'] }])
    expect(again.taken).toEqual([])
  })

  test('no room in the store: the report stays as it is and is taken when there is room', async () => {
    const dovecot = await Dovecot.start()
    dovecot.deliver(mail('first'))
    let isFull = true
    const desk = async (): Promise<void> => {
      if (isFull) throw new StoreError('full', 'no room on the disk')
    }
    const reading = start({ dovecot, desk })
    expect((await reading.event('mailbox-failed')).error).toBe('no room on the disk')
    expect(await dovecot.contents()).toEqual([{ subject: 'first', flags: [] }])
    isFull = false
    await reading.clock.advance(5 * SECOND)
    await reading.count(1)
  })

  test('a mail at which an error of our own turns up is left as it is after some times, and those behind it are taken', async () => {
    const dovecot = await Dovecot.start()
    for (const subject of ['first', 'cursed', 'last']) dovecot.deliver(mail(subject))
    let tries = 0
    const desk = async (subject: string): Promise<void> => {
      if (subject === 'cursed' && ++tries > 0) throw new TypeError('a bug')
    }
    const reading = start({ dovecot, desk })
    while (reading.taken.length < 2) {
      if (reading.mailboxes.status()[0]?.state === 'failed') await reading.clock.advance(5 * SECOND)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(subjects(reading)).toEqual(['first', 'last'])
    expect(tries).toBe(3)
    expect(await reading.event('mailbox-skipped')).toMatchObject({ error: expect.stringContaining('a bug') })
    expect((await dovecot.contents()).find(({ subject }) => subject === 'cursed')).toMatchObject({ flags: [] })
  })

  test('a restart takes nothing twice, also what could not be marked', async () => {
    const dovecot = await Dovecot.start()
    for (let n = 1; n <= 5; n++) dovecot.deliver(mail(`report ${n}`))
    const reading = start({ dovecot })
    await reading.count(5)
    await reading.mailboxes.stop(1000)
    // Somebody marks them as unread.
    await dovecot.as(async (client) => {
      await client.mailboxOpen('INBOX')
      await client.messageFlagsRemove('1:*', ['\\Seen'])
    })
    const again = start({ dovecot, store: reading.store })
    await again.state('waiting')
    expect(again.taken).toEqual([])
  })

  test('with another UIDVALIDITY it is another folder', async () => {
    const dovecot = await Dovecot.start()
    const fill = (client: Parameters<Parameters<Dovecot['as']>[0]>[0]) => async (names: string[]) => {
      await client.mailboxCreate('Reports')
      for (const name of names) await client.append('Reports', mail(name))
    }
    await dovecot.as((client) => fill(client)(['one', 'two', 'three']))
    const reading = start({ dovecot, mailbox: { folder: 'Reports' } })
    await reading.count(3)
    await reading.state('waiting')
    await reading.mailboxes.stop(0)
    await dovecot.as(async (client) => {
      await client.mailboxDelete('Reports')
      await fill(client)(['four'])
    })
    const again = start({ dovecot, mailbox: { folder: 'Reports' }, store: reading.store })
    await again.count(1)
    expect(subjects(again)).toEqual(['four'])
  })

  test('a mailbox that is taken out of the settings is left', async () => {
    const dovecot = await Dovecot.start()
    const reading = start({ dovecot })
    await reading.state('waiting')
    reading.settings({ name: 'other', folder: 'inbox' })
    await reading.mailboxes.reconfigure()
    await dovecot.log.line(/Disconnected|Connection closed/)
    await reading.state('waiting')
    expect(reading.mailboxes.status()).toEqual([expect.objectContaining({ name: 'other' })])
  })

  test('it stops at once while it waits, and while nobody answers', async () => {
    const dovecot = await Dovecot.start()
    const reading = start({ dovecot })
    await reading.state('waiting')
    await reading.mailboxes.stop(0)
    await dovecot.log.line(/Disconnected|Connection closed/)
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const stuck = start({ dovecot, mailbox: { port: (silent.address() as AddressInfo).port } })
    await once(silent, 'connection')
    await stuck.mailboxes.stop(0)
    silent.close()
  })
})

/** A wire to a server that can be cut. */
async function cuttable(port: number): Promise<{ port: number; cut(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const onward = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.once('close', () => sockets.delete(one))
      one.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, cut }
}
