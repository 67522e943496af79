// From failures to suppressions, end to end: hard at once, soft at the third, never for a fault of ours.

import { afterEach, expect, test } from 'vitest'
import { DAY } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays } from '../support/relay.ts'

afterEach(stopRelays)

test('an unknown user is suppressed at once; the next message to it is accepted and not relayed', async () => {
  const { relay, send, record } = await startTestRelay()
  await send('user-unknown@a.test')
  expect(await record('suppression-added')).toMatchObject({ recipient: 'user-unknown@a.test', reason: 'hard_bounce' })
  const second = await send('user-unknown@a.test')
  expect(await record('suppressed')).toMatchObject({ message: second, scope: 'default', reason: 'hard_bounce' })
  expect(relay.journal.ofMessage(second).map(({ kind }) => kind)).toEqual(['accepted', 'suppressed'])
})

test('a message that waits is stopped by a suppression that comes meanwhile', async () => {
  const clock = new FakeClock()
  const { relay, send, record } = await startTestRelay({ clock })
  const id = await send('greylist-60s@a.test')
  const { dueAt } = await record('deferred')
  await relay.suppressions.add({
    scope: 'default',
    target: 'greylist-60s@a.test',
    reason: 'manual',
    createdAt: clock.now(),
    who: 'cli:jane',
  })
  await clock.advance(dueAt! - clock.now())
  expect(await record('suppressed')).toMatchObject({ message: id, reason: 'manual' })
})

test('three soft failures a day apart suppress like a hard one; two do not', async () => {
  const clock = new FakeClock()
  const { send, record, records } = await startTestRelay({
    clock,
    toml: '[[tenant]]\nname = "default"\nany_sender = true\nlifetime = "1m"',
  })
  for (let strike = 1; strike <= 3; strike++) {
    expect(records.some(({ kind }) => kind === 'suppression-added')).toBe(false)
    const id = await send('mailbox-full@a.test')
    const { dueAt } = await record('deferred', { message: id })
    await clock.advance(dueAt! - clock.now())
    await record('expired', { message: id })
    await clock.advance(DAY)
  }
  expect(await record('suppression-added')).toMatchObject({
    recipient: 'mailbox-full@a.test',
    reason: 'soft_bounce_limit',
  })
})

test.each(['blocked-ip', 'spam', 'dmarc', 'relay-denied', 'too-large', 'rate-limited'])(
  '%s suppresses nobody',
  async (behaviour) => {
    const { relay, send, record } = await startTestRelay()
    await send(`${behaviour}@a.test`)
    await Promise.race([record('failed'), record('deferred')])
    expect(relay.suppressions.list({ limit: 10 }).entries).toEqual([])
  },
)

test('a receiver that refuses us at the greeting is no fault of the recipient', async () => {
  const { relay, send, record } = await startTestRelay()
  await send('jane@greeting-554.test')
  expect(await record('deferred')).toMatchObject({ cause: { kind: 'reply', command: 'banner' } })
  expect(relay.suppressions.list({ limit: 10 }).entries).toEqual([])
})
