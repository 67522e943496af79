// Reports that come when nobody expects them: before our own 250 is known, while the store is full, long after their
// message is forgotten; and floods of what anybody can write.

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { createCore } from '../../src/queue/core.ts'
import { createCoreDesk } from '../../src/reports/core-desk.ts'
import type { IncomingReport } from '../../src/reports/desk.ts'
import { createParserThread } from '../../src/reports/parser-thread.ts'
import { HOUR, MINUTE } from '../../src/util/clock.ts'
import { settingsOf } from '../inbound/harness.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'
import { RETURN_PATHS, startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'
import { ndr } from '../support/report-mails.ts'

afterEach(stopRelays)

const UNKNOWN = { status: '5.1.1', diagnostic: '550 5.1.1 User unknown' }
const BLOCKED = { status: '5.7.1', diagnostic: '550 5.7.1 Message rejected as spam by content filtering' }
const api = (relay: TestRelay) => createClient({ kind: 'socket', path: relay.relay.socket }, {})
const suppressed = (relay: TestRelay): string[] =>
  relay.relay.suppressions.list({ limit: 100 }).entries.map(({ target, reason }) => `${target} ${reason}`)
const stateOf = async (relay: TestRelay, id: string) => (await api(relay).message(id))?.to[0]?.state.kind
const isKept = (relay: TestRelay, id: string): Promise<boolean> =>
  api(relay)
    .message(id)
    .then(
      (found) => found !== undefined,
      () => false,
    )
const ingest = (raw: string): IncomingReport => ({
  origin: { kind: 'ingest', who: 'ann' },
  to: '',
  raw: Buffer.from(raw, 'latin1'),
  sizeBytes: raw.length,
})

test('what strangers write about a message uses up nothing of what its own return path may report', async () => {
  const relay = await startTestRelay({ toml: RETURN_PATHS })
  await relay.send('ok@a.test')
  await relay.record('delivered')
  const mail = relay.relay.sandbox!.inbox.list()[0]!
  const original = mail.raw.toString('latin1').match(/^Message-ID: .*$/im)![0]
  for (let n = 0; n < 12; n++) {
    const forged = ndr({ ...UNKNOWN, recipient: 'ok@a.test', original })
    expect(await relay.report('postmaster@bounce.sender.test', forged)).toMatch(/^250 /)
  }
  expect(suppressed(relay)).toEqual([])
  expect(await relay.report(mail.sender, ndr({ ...UNKNOWN, recipient: 'ok@a.test' }))).toMatch(/^250 /)
  expect(suppressed(relay)).toEqual(['ok@a.test hard_bounce'])
})

/** Takes the mail and says nothing to the dot until told to. */
async function slowMx() {
  const got = Promise.withResolvers<{ sender: string; say: (reply: string) => void; hangUp: () => void }>()
  const server = createServer((socket: Socket) => {
    let text = ''
    let isData = false
    socket.on('error', () => undefined)
    socket.write('220 mx.test\r\n')
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (isData) {
        if (!text.includes('\r\n.\r\n')) return
        isData = false
        const sender = /MAIL FROM:<([^>]*)>/.exec(text)![1]!
        got.resolve({ sender, say: (reply) => void socket.write(`${reply}\r\n`), hangUp: () => void socket.destroy() })
        return
      }
      const lines = chunk.toString('latin1').split('\r\n').filter(Boolean)
      for (const line of lines) {
        isData = line === 'DATA'
        socket.write(isData ? '354 go\r\n' : line.startsWith('QUIT') ? '221 bye\r\n' : '250 ok\r\n')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { port: (server.address() as { port: number }).port, mail: got.promise }
}

test('a bounce that overtakes the 250 to the dot: bounced, once, and nobody calls it delivered', async () => {
  const mx = await slowMx()
  const relay = await startTestRelay({ routeTo: mx.port, toml: RETURN_PATHS })
  const id = await relay.send('jane@a.test', { dsn: { notify: ['failure'], return: 'headers' } })
  const { sender, say } = await mx.mail
  expect(await relay.report(sender, ndr({ ...BLOCKED, recipient: 'jane@a.test' }))).toMatch(/^250 /)
  expect(await relay.report(sender, ndr({ ...BLOCKED, recipient: 'jane@a.test' }))).toMatch(/^250 /)
  say('250 2.0.0 taken')
  await relay.record('delivered')
  expect(await relay.record('bounced', { message: id })).toMatchObject({ verdict: { category: 'content-related' } })
  expect(await stateOf(relay, id)).toBe('bounced')
  expect(relay.records.filter(({ kind }) => kind === 'bounced')).toHaveLength(1)
  expect(suppressed(relay)).toEqual([])
})

test('a bounce of what was cancelled while it was under way counts like any other', async () => {
  const mx = await slowMx()
  const relay = await startTestRelay({ routeTo: mx.port, toml: RETURN_PATHS })
  const id = await relay.send('jane@a.test')
  const { sender, say } = await mx.mail
  await api(relay).changeQueue('drop', { ids: [id], who: 'cli:ann', reason: 'ticket 7' })
  expect(await relay.report(sender, ndr({ ...UNKNOWN, recipient: 'jane@a.test' }))).toMatch(/^250 /)
  expect(suppressed(relay)).toEqual(['jane@a.test hard_bounce'])
  say('250 2.0.0 taken')
  await relay.record('bounced', { message: id })
  expect(await stateOf(relay, id)).toBe('bounced')
})

test('a bounce of what had expired without an answer counts, the first time', async () => {
  const clock = new FakeClock()
  const mx = await slowMx()
  const relay = await startTestRelay({ clock, routeTo: mx.port, toml: RETURN_PATHS })
  const id = await relay.send('jane@a.test', { headers: { 'X-Studs-Expires': '2m' } })
  const { sender, hangUp } = await mx.mail
  await api(relay).changeQueue('hold', { ids: [id], who: 'cli:ann', reason: 'ticket 7' })
  hangUp()
  await relay.record('deferred', { message: id })
  // Housekeeping comes by.
  await clock.advance(5 * MINUTE)
  await relay.record('expired', { message: id })
  expect(await relay.report(sender, ndr({ ...UNKNOWN, recipient: 'jane@a.test' }))).toMatch(/^250 /)
  expect(suppressed(relay)).toEqual(['jane@a.test hard_bounce'])
  expect(await stateOf(relay, id)).toBe('expired')
})

test('what is about a message that is forgotten is kept for a person, not refused for ever', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, toml: RETURN_PATHS, queue: 'keep_journal = "2h"' })
  const id = await relay.send('ok@a.test')
  await relay.record('delivered', { message: id })
  const mail = relay.relay.sandbox!.inbox.list()[0]!
  const original = mail.raw.toString('latin1').match(/^Message-ID: .*$/im)![0]
  await clock.advance(1.5 * HOUR)
  const entry = await relay.relay.desk.take(ingest(ndr({ ...UNKNOWN, recipient: 'ok@a.test', original })))
  expect(entry.outcome).toBe('review')
  await clock.advance(1.6 * HOUR)
  while (await isKept(relay, id)) await turn()
  const decided = await relay.relay.desk.decide(entry.id, { as: 'accept', who: 'ann' })
  expect(decided).toMatchObject({ outcome: 'review' })
  expect(decided?.review?.decided).toBeUndefined()
})

test('while no report can be parsed, a mailbox keeps its mails for later, and what comes to us is kept for a person', async () => {
  const clock = new FakeClock()
  const store = memoryStore()
  const settings = settingsOf({})
  const core = createCore({ store, settings, hostname: 'relay.test', clock, logger: silentLogger() })
  const script = new URL('../support/parser-that-cannot-start.ts', import.meta.url)
  const parser = createParserThread({ logger: silentLogger(), script })
  onTestFinished(() => parser.close())
  const desk = createCoreDesk({ core, store, parser, keys: [], settings: () => settings, clock })
  const report = ingest(ndr({ ...UNKNOWN, recipient: 'ok@a.test' }))
  const inMailbox: IncomingReport = { ...report, origin: { kind: 'mailbox', mailbox: 'office' } }
  await expect(desk.take(inMailbox)).rejects.toThrow(/could not be parsed/)
  expect(store.count('report')).toBe(0)
  const entry = await desk.take(report)
  expect(entry).toMatchObject({ report: { kind: 'unknown' }, review: { why: expect.any(String) } })
  expect(desk.raw(entry.id)).toEqual(report.raw)
})
