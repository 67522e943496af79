// What the sender of a message may rely on: reports as asked, one message per idempotency key, life as asked.

import { createTransport } from 'nodemailer'
import { afterEach, expect, test } from 'vitest'
import { HOUR, MINUTE } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

afterEach(stopRelays)

// Without AUTH only senders of the tenant's own domains get reports.
const toml = '[[domain]]\nname = "sender.test"'

async function sendWithDsn(
  test: TestRelay,
  to: string,
  notify: string,
  more: { return?: 'headers' | 'full'; text?: string } = {},
): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: test.relay.listeners[0]!.port, ignoreTLS: true })
  await transport.sendMail({
    envelope: {
      from: 'app@sender.test',
      to: [to],
      dsn: { return: more.return ?? 'headers', id: 'envelope-7', notify, recipient: `rfc822;${to}` },
    } as never,
    from: 'app@sender.test',
    to,
    subject: 'Order 7',
    text: more.text ?? 'x',
  })
  transport.close()
}

const reportsIn = (test: TestRelay): readonly string[] =>
  test.relay
    .sandbox!.inbox.list()
    .filter(({ recipients }) => recipients.includes('app@sender.test'))
    .map(({ raw }) => raw.toString())

test('a refusal is reported to a sender that asked, from the null sender', async () => {
  const relay = await startTestRelay({ toml })
  await sendWithDsn(relay, 'user-unknown@a.test', 'failure')
  expect(await relay.record('dsn-sent')).toMatchObject({ recipient: 'user-unknown@a.test', why: 'failed' })
  const delivered = await relay.record('delivered', { recipient: 'app@sender.test' })
  expect(relay.relay.journal.ofMessage(delivered.message!)[0]).toMatchObject({ kind: 'accepted', sender: '' })
  const [report] = reportsIn(relay)
  expect(report).toMatch(/^Original-Envelope-Id: envelope-7\r$/m)
  expect(report).toMatch(/^Final-Recipient: rfc822; ?user-unknown@a\.test\r$/m)
  expect(report).toMatch(/^Action: failed\r$/m)
  expect(report).toMatch(/^Status: 5\.1\.1\r$/m)
  expect(report).toMatch(/^Subject: Order 7\r$/m)
})

test('RET=FULL of a large message: the report has its headers only', async () => {
  const relay = await startTestRelay({ toml })
  await sendWithDsn(relay, 'user-unknown@a.test', 'failure', { return: 'full', text: 'large\r\n'.repeat(100_000) })
  await relay.record('delivered', { recipient: 'app@sender.test' })
  const [report] = reportsIn(relay)
  expect(report).toMatch(/^Subject: Order 7\r$/m)
  expect(report).not.toMatch(/^large\r$/m)
})

test.each([
  ['never', 'user-unknown@a.test'],
  ['success', 'user-unknown@a.test'],
  ['failure', 'ok@a.test'],
])('NOTIFY=%s says nothing about %s', async (notify, to) => {
  const relay = await startTestRelay({ toml })
  await sendWithDsn(relay, to, notify)
  await Promise.race([relay.record('failed', { recipient: to }), relay.record('delivered', { recipient: to })])
  expect(relay.records.map(({ kind }) => kind)).not.toContain('dsn-sent')
})

test('NOTIFY=SUCCESS is answered with "relayed" where the next hop reports nothing by itself', async () => {
  const relay = await startTestRelay({ toml })
  await sendWithDsn(relay, 'ok@a.test', 'success')
  expect(await relay.record('dsn-sent')).toMatchObject({ why: 'relayed' })
})

test('NOTIFY=DELAY is answered once, when the message has waited four hours', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, toml })
  await sendWithDsn(relay, 'tempfail@a.test', 'delay')
  for (let attempt = 1; clock.now() - relay.records[0]!.at < 20 * HOUR; attempt++) {
    const { dueAt } = await relay.record('deferred', { recipient: 'tempfail@a.test', count: attempt })
    // Nothing may be under way when time jumps.
    if (relay.records.some(({ kind }) => kind === 'dsn-sent')) {
      await clock.advance(0)
      await relay.record('delivered', { recipient: 'app@sender.test' })
    }
    await clock.advance(dueAt! - clock.now())
  }
  expect(relay.records.filter(({ kind }) => kind === 'dsn-sent')).toHaveLength(1)
})

test('a sender of a foreign domain, which anybody may have written, gets no report', async () => {
  const anySender = '[[tenant]]\nname = "default"\nany_sender = true'
  const relay = await startTestRelay({ toml: `${toml}\nsubdomains = true\n${anySender}` })
  const transport = createTransport({ host: '127.0.0.1', port: relay.relay.listeners[0]!.port, ignoreTLS: true })
  const dsn = { return: 'full', notify: 'failure' }
  // A From of the own domain makes the message the tenant's own, not the address that reports would go to.
  const senders = ['victim@foreign.test', 'victim@not-sender.test', 'app@sub.sender.test']
  for (const [n, from] of senders.entries()) {
    const envelope = { from, to: [`user-unknown@to${n}.test`], dsn } as never
    await transport.sendMail({ envelope, from: 'app@sender.test', subject: 'x', text: 'x' })
  }
  transport.close()
  for (const n of senders.keys()) await relay.record('failed', { recipient: `user-unknown@to${n}.test` })
  await relay.record('delivered', { recipient: 'app@sub.sender.test' })
  const reports = relay.records.filter(({ kind }) => kind === 'dsn-sent')
  expect(reports.map(({ recipient }) => recipient)).toEqual(['user-unknown@to2.test'])
})

test('a report that fails is not reported', async () => {
  const relay = await startTestRelay({ toml: '[[domain]]\nname = "b.test"' })
  const transport = createTransport({ host: '127.0.0.1', port: relay.relay.listeners[0]!.port, ignoreTLS: true })
  const envelope = { from: 'user-unknown@b.test', to: ['user-unknown@a.test'], dsn: { notify: 'failure' } } as never
  await transport.sendMail({ envelope, subject: 'x', text: 'x' })
  transport.close()
  await relay.record('failed', { recipient: 'user-unknown@b.test' })
  expect(relay.records.filter(({ kind }) => kind === 'dsn-sent')).toHaveLength(1)
})

test('the same idempotency key is one message, also for two at one time and after a restart', async () => {
  const first = await startTestRelay()
  const headers = { 'X-Studs-Idempotency-Key': 'order-7' }
  const ids = await Promise.all([first.send('ok@a.test', { headers }), first.send('ok@a.test', { headers })])
  expect(new Set(ids).size).toBe(1)
  await first.record('delivered')
  await first.stop()
  const second = await startTestRelay({ directory: first.directory })
  expect(await second.send('ok@a.test', { headers })).toBe(ids[0])
  expect(await second.send('ok@a.test', { headers: { 'X-Studs-Idempotency-Key': 'order-8' } })).not.toBe(ids[0])
})

test('X-Studs-Expires ends the life of a message', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock })
  await relay.send('tempfail@a.test', { headers: { 'X-Studs-Expires': '7m' } })
  const { dueAt } = await relay.record('deferred')
  await clock.advance(dueAt! - clock.now())
  const second = await relay.record('deferred', { count: 2 })
  expect(second.dueAt).toBe(relay.records[0]!.at + 7 * MINUTE)
  await clock.advance(second.dueAt! - clock.now())
  expect(await relay.record('expired')).toMatchObject({ attempt: 3 })
})
