// What a bounce teaches, over time and over tenants: pending for 72 h, three soft ones a day apart, three tenants for
// everybody, complaints, and reports that are about somebody else than they say. Time is the test's own.

import { afterEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import { DAY, HOUR, MINUTE } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { RETURN_PATHS, startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'
import { complaint, ndr } from '../support/report-mails.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'

afterEach(stopRelays)

const api = (relay: TestRelay): Operations => createClient({ kind: 'socket', path: relay.relay.socket }, {})
const suppressions = (relay: TestRelay): string[] =>
  relay.relay.suppressions
    .list({ limit: 100 })
    .entries.map(({ scope, target, reason }) => `${scope} ${target} ${reason}`)
    .sort()

const FULL = ndr({ recipient: 'ok@a.test', status: '5.2.2', diagnostic: '552 5.2.2 Mailbox is full' })
const UNKNOWN = ndr({ recipient: 'ok@a.test', status: '5.1.1', diagnostic: '550 5.1.1 User unknown' })

/** Delivered, then sent back; resolves with the id of the message. */
async function bouncedAs(relay: TestRelay, raw: string, more: Record<string, unknown> = {}, from = '127.0.0.1') {
  const message = await relay.send('ok@a.test', more, from)
  await relay.record('delivered', { message })
  expect(await relay.report(relay.returnPathOf('ok@a.test'), raw)).toMatch(/^250 /)
  await relay.record('bounced', { message })
  return message
}

test('pending for 72 h, then a soft bounce: one strike, and no suppression by itself', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock })
  const id = await relay.send('mailbox-full@a.test')
  let attempts = 0
  for (;;) {
    const settled = await Promise.race([
      relay.record('deferred', { count: attempts + 1 }),
      relay.record('expired', { message: id }),
    ])
    if (settled.kind === 'expired') break
    attempts++
    // Still pending: neither a bounce nor a strike, whatever was said.
    expect((await api(relay).message(id))?.to[0]?.state.kind).toBe('waiting')
    expect(clock.now() - relay.records[0]!.at).toBeLessThan(72 * HOUR)
    await clock.advance(settled.dueAt! - clock.now())
  }
  expect(await relay.record('expired')).toMatchObject({ verdict: { code: 22, kind: 'soft', category: 'quota-issues' } })
  expect(attempts).toBeGreaterThan(15)
  expect(suppressions(relay)).toEqual([])
})

test('three soft bounces a day apart suppress; what comes within the day counts once', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, toml: RETURN_PATHS })
  await bouncedAs(relay, FULL)
  await clock.advance(HOUR)
  await bouncedAs(relay, FULL)
  await clock.advance(HOUR)
  await bouncedAs(relay, FULL)
  expect(suppressions(relay)).toEqual([])
  await clock.advance(DAY)
  await bouncedAs(relay, FULL)
  expect(suppressions(relay)).toEqual([])
  await clock.advance(DAY + MINUTE)
  await bouncedAs(relay, FULL)
  expect(suppressions(relay)).toEqual(['default ok@a.test soft_bounce_limit'])
  const refused = await relay.send('ok@a.test')
  expect(await relay.record('suppressed', { message: refused })).toMatchObject({ reason: 'soft_bounce_limit' })
})

test('strikes of both roads are the same strikes: one that came back, two from the dialogue', async () => {
  await using mx = await ScriptedMx.start()
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, routeTo: mx.port, toml: RETURN_PATHS })
  const first = await relay.send('ok@a.test')
  await relay.record('delivered', { message: first })
  expect(await relay.report(mx.mails[0]!.sender, FULL)).toMatch(/^250 /)
  await relay.record('bounced', { message: first })
  mx.script = ({ command }) => (command.startsWith('RCPT') ? '452 4.2.2 Mailbox is full' : undefined)
  for (let day = 2; day <= 3; day++) {
    expect(suppressions(relay)).toEqual([])
    await clock.advance(DAY + MINUTE)
    const id = await relay.send('ok@a.test', { headers: { 'X-Studs-Expires': '1m' } })
    const { dueAt } = await relay.record('deferred', { message: id })
    await clock.advance(dueAt! - clock.now())
    await relay.record('expired', { message: id })
  }
  expect(suppressions(relay)).toEqual(['default ok@a.test soft_bounce_limit'])
})

const TENANTS = ['b', 'c', 'd', 'e']
  .map(
    (name, at) => `
[[tenant]]
name = "${name}"
[[network]]
cidr = "127.0.0.${at + 2}"
tenant = "${name}"
[[domain]]
name = "${name}.sender.test"
tenant = "${name}"
return_path = "bounce.${name}.sender.test"
`,
  )
  .join('')
const mailOf = (name: string) => ({ from: `app@${name}.sender.test` })

test('what three tenants learned of an address counts for all, and not before', async () => {
  const relay = await startTestRelay({ toml: TENANTS })
  await bouncedAs(relay, UNKNOWN, mailOf('b'), '127.0.0.2')
  await bouncedAs(relay, UNKNOWN, mailOf('c'), '127.0.0.3')
  expect(suppressions(relay)).toEqual(['b ok@a.test hard_bounce', 'c ok@a.test hard_bounce'])
  // The fourth tenant has nothing to do with what two others learned.
  await relay.record('delivered', { message: await relay.send('ok@a.test', mailOf('e'), '127.0.0.5') })
  await bouncedAs(relay, UNKNOWN, mailOf('d'), '127.0.0.4')
  expect(suppressions(relay)).toEqual([
    '* ok@a.test hard_bounce',
    'b ok@a.test hard_bounce',
    'c ok@a.test hard_bounce',
    'd ok@a.test hard_bounce',
  ])
  const other = await relay.send('ok@a.test', mailOf('e'), '127.0.0.5')
  expect(await relay.record('suppressed', { message: other })).toMatchObject({ tenant: 'e', scope: '*' })
})

test('a complaint suppresses for the tenant whose mail it was, and for nobody else', async () => {
  const relay = await startTestRelay({ toml: TENANTS })
  const first = await relay.send('ok@a.test', mailOf('b'), '127.0.0.2')
  await relay.record('delivered', { message: first })
  const returnPath = relay.returnPathOf('ok@a.test')
  const raw = complaint({ original: `Return-Path: <${returnPath}>\r\nSubject: Hello\r\n\r\nHello.` })
  expect(await relay.report(returnPath, raw, 'fbl@provider.test')).toMatch(/^250 /)
  expect(await relay.record('complained', { message: first })).toMatchObject({ verdict: { code: 200 } })
  expect(suppressions(relay)).toEqual(['b ok@a.test complaint'])
  const second = await relay.send('ok@a.test', mailOf('b'), '127.0.0.2')
  expect(await relay.record('suppressed', { message: second })).toMatchObject({ reason: 'complaint' })
  await relay.record('delivered', { message: await relay.send('ok@a.test', mailOf('c'), '127.0.0.3') })
})

test('a bounce that names somebody else acts on the recipient that was sent to, and a person is told', async () => {
  const relay = await startTestRelay({ toml: RETURN_PATHS })
  const raw = ndr({ recipient: 'victim@b.test', status: '5.1.1', diagnostic: '550 5.1.1 User unknown' })
  const message = await bouncedAs(relay, raw)
  expect(suppressions(relay)).toEqual(['default ok@a.test hard_bounce'])
  const { items } = await api(relay).reports({ review: true })
  expect(items).toMatchObject([
    {
      outcome: 'bounced',
      about: { message, recipient: 'ok@a.test' },
      review: { why: expect.stringContaining('victim@b.test') },
    },
  ])
  await relay.record('delivered', { message: await relay.send('victim@b.test') })
})

test('a report that comes when its return path has expired is refused', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, toml: RETURN_PATHS, queue: 'return_path_days = 1' })
  await relay.send('ok@a.test')
  await relay.record('delivered')
  const returnPath = relay.returnPathOf('ok@a.test')
  await clock.advance(2 * DAY)
  expect(await relay.report(returnPath, UNKNOWN)).toMatch(/^550 5\.1\.1 /)
  expect(suppressions(relay)).toEqual([])
})
