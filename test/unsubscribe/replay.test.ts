// The same link followed again and again: always the same kind answer, but no more than a day's worth of reports. And
// what comes to an unsubscribe address when its message is long forgotten.

import { expect, onTestFinished, test } from 'vitest'
import { dayOf, makeToken } from '../../src/bounce/return-path.ts'
import { parseAddress } from '../../src/mail/address.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { createCore } from '../../src/queue/core.ts'
import { returnPathKeys } from '../../src/queue/return-path-keys.ts'
import { createCoreDesk } from '../../src/reports/core-desk.ts'
import { createParserThread } from '../../src/reports/parser-thread.ts'
import { idKey, partKey } from '../../src/store/keys.ts'
import { DAY, HOUR } from '../../src/util/clock.ts'
import { settingsOf } from '../inbound/harness.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'
import { ndr } from '../support/report-mails.ts'

async function start() {
  const clock = new FakeClock()
  const store = memoryStore()
  const settings = settingsOf({ domain: [{ name: 'sender.test', return_path: 'bounce.sender.test' }] })
  const core = createCore({ store, settings, hostname: 'relay.test', clock, logger: silentLogger() })
  const keys = await returnPathKeys(store)
  const parser = createParserThread({ logger: silentLogger() })
  onTestFinished(() => parser.close())
  const desk = createCoreDesk({ core, store, parser, keys, settings: () => settings, clock })
  const body = core.queue.openBody()
  await body.write(Buffer.from('Subject: x\r\n\r\nHello\r\n'))
  const { text: address, domain } = parseAddress('jane@example.net')!
  const { id } = await core.queue.accept(body, {
    tenant: 'default',
    sender: parseAddress('app@sender.test')!.text,
    expiresAt: clock.now() + HOUR,
    sizeBytes: 20,
    prefix: '',
    body: '7bit',
    smtpUtf8: false,
    headers: { messageId: '<a@sender.test>' },
    unsubscribeUntil: clock.now() + 300 * DAY,
    client: { address: '127.0.0.1', listener: 'trusted' },
    to: [{ address, domain }],
  })
  const expiresDay = dayOf(clock.now()) + 300
  const token = makeToken({ key: keys[0], id, n: 0, expiresDay, purpose: 'unsubscribe' })
  return { store, core, desk, id, address, token }
}

test('twenty clicks leave five reports; who is let in again can unsubscribe again', async () => {
  const { store, core, desk, address, token } = await start()
  for (let n = 0; n < 20; n++) expect(await desk.unsubscribe(token, '192.0.2.1')).toEqual({ recipient: address })
  expect(store.count('report')).toBe(5)
  expect(core.suppressions.find('default', address)).toMatchObject({ reason: 'unsubscribe' })
  await core.suppressions.remove({
    scope: 'default',
    target: address,
    who: 'cli:ann',
    why: 'asked us',
    force: true,
  })
  expect(await desk.unsubscribe(token, '192.0.2.1')).toEqual({ recipient: address })
  expect(core.suppressions.find('default', address)).toMatchObject({ reason: 'unsubscribe' })
})

test('mail after mail to the address leaves five reports; who is let in again can unsubscribe again', async () => {
  const { store, core, desk, address, token } = await start()
  const to = `${token}@bounce.sender.test`
  const raw = Buffer.from('From: jane@example.net\r\nSubject: unsubscribe\r\n\r\n')
  const origin = { kind: 'listener', listener: 'bounces', address: '192.0.2.1', sender: 'jane@example.net' } as const
  for (let n = 0; n < 5; n++) {
    expect(desk.addressee(to)).toMatchObject({ kind: 'unsubscribe' })
    await desk.take({ origin, to, raw, sizeBytes: raw.length })
  }
  expect(core.suppressions.find('default', address)).toMatchObject({ reason: 'unsubscribe' })
  expect(desk.addressee(to)).toEqual({ kind: 'too-many' })
  expect(store.count('report')).toBe(5)
  await core.suppressions.remove({ scope: 'default', target: address, who: 'cli:ann', why: 'asked us', force: true })
  expect(desk.addressee(to)).toMatchObject({ kind: 'unsubscribe' })
})

test('a bounce that comes to the unsubscribe address of a forgotten message is kept for a person', async () => {
  const { store, core, desk, id, token } = await start()
  await store.write([
    { table: 'message', key: idKey(id), value: undefined },
    { table: 'recipient', key: partKey(id, 0), value: undefined },
  ])
  const raw = Buffer.from(ndr({ recipient: 'jane@example.net', diagnostic: '550 5.1.1 User unknown' }))
  const origin = { kind: 'listener', listener: 'bounces', address: '192.0.2.1', sender: '' } as const
  const entry = await desk.take({ origin, to: `${token}@bounce.sender.test`, raw, sizeBytes: raw.length })
  expect(entry).toMatchObject({ outcome: 'review', review: { why: expect.stringContaining('no longer kept') } })
  expect(desk.raw(entry.id)).toEqual(raw)
  expect(await desk.decide(entry.id, { as: 'accept', who: 'ann' })).toEqual(entry)
  expect([...core.suppressions.scan({})]).toEqual([])
})
