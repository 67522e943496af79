// The main road: accepted, delivered, recorded; and what is left in the store afterwards.

import { afterEach, expect, test } from 'vitest'
import { startTestRelay, stopRelays } from '../support/relay.ts'

afterEach(stopRelays)

test('a message is delivered and its story is whole', async () => {
  const { relay, send, record, records } = await startTestRelay()
  const id = await send('ok@a.test')
  const delivered = await record('delivered', { message: id })
  expect(records.map(({ kind }) => kind)).toEqual(['accepted', 'delivered'])
  expect(delivered).toMatchObject({
    recipient: 'ok@a.test',
    attempt: 1,
    reply: { code: 250 },
    way: { source: 'default' },
  })
  expect(relay.journal.ofMessage(id)).toEqual(records)
  expect(relay.sandbox!.inbox.count).toBe(1)
})

test('each recipient of a message has its own transaction and its own outcome', async () => {
  const { send, record, records } = await startTestRelay()
  const id = await send(['ok@a.test', 'user-unknown@a.test', 'ok@b.test', 'mailbox-full@b.test'])
  await Promise.all([
    record('delivered', { recipient: 'ok@a.test' }),
    record('delivered', { recipient: 'ok@b.test' }),
    record('failed', { recipient: 'user-unknown@a.test' }),
    record('deferred', { recipient: 'mailbox-full@b.test' }),
  ])
  expect(records.filter(({ kind }) => kind === 'accepted')).toHaveLength(4)
  expect(new Set(records.filter(({ kind }) => kind !== 'suppression-added').map(({ message }) => message))).toEqual(
    new Set([id]),
  )
})

test('every refusal is recorded verbatim with its command, host and verdict', async () => {
  const { send, record } = await startTestRelay()
  await send('user-unknown@a.test')
  const failed = await record('failed')
  expect(failed).toMatchObject({
    cause: { kind: 'reply', command: 'RCPT', reply: { code: 550, enhanced: '5.1.1' } },
    verdict: { category: 'bad-mailbox', code: 10, kind: 'hard', fault: 'recipient' },
    way: { mx: expect.any(String), mxAddress: expect.any(String) },
  })
})
