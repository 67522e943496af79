// Every row of the bounce-code table that can be met while delivering: what is said (or not said) in the dialogue leads to
// this code, this state, and to a suppression or to none. What comes back later: bounce-codes-reported.test.ts.

import { afterEach, expect, test } from 'vitest'
import type { Category } from '../../src/bounce/verdict.ts'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import type { RecordKind } from '../../src/journal/record.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'
import { type Script, ScriptedMx } from '../support/scripted-mx.ts'

afterEach(stopRelays)

const api = (relay: TestRelay): Operations => createClient({ kind: 'socket', path: relay.relay.socket }, {})
const suppressions = (relay: TestRelay): string[] =>
  relay.relay.suppressions.list({ limit: 100 }).entries.map(({ target, reason }) => `${target} ${reason}`)
const stateOf = async (relay: TestRelay, id: string): Promise<string | undefined> =>
  (await api(relay).message(id))?.to[0]?.state.kind
const SHORT_LIFE = '[[tenant]]\nname = "default"\nany_sender = true\nlifetime = "1m"'

interface Row {
  readonly code: number
  readonly category: Category
  /** Whom the sandbox lets it happen to. */
  readonly to: string
  /** How the first attempt ends. */
  readonly first: 'failed' | 'deferred'
  readonly suppressed?: 'hard_bounce'
}

const IN_THE_SANDBOX: readonly Row[] = [
  { code: 10, category: 'bad-mailbox', to: 'user-unknown@a.test', first: 'failed', suppressed: 'hard_bounce' },
  { code: 10, category: 'inactive-mailbox', to: 'inactive@gmail.test', first: 'failed', suppressed: 'hard_bounce' },
  { code: 10, category: 'bad-domain', to: 'anyone@nullmx.test', first: 'failed', suppressed: 'hard_bounce' },
  { code: 20, category: 'transient', to: 'tempfail@a.test', first: 'deferred' },
  { code: 20, category: 'bad-connection', to: 'drop-at-rcpt@a.test', first: 'deferred' },
  { code: 21, category: 'dns-failure', to: 'anyone@servfail.test', first: 'deferred' },
  { code: 21, category: 'dns-failure', to: 'anyone@nxdomain.test', first: 'failed' },
  { code: 22, category: 'quota-issues', to: 'mailbox-full@a.test', first: 'deferred' },
  { code: 22, category: 'quota-issues', to: 'mailbox-full-hard@gmail.test', first: 'failed' },
  { code: 23, category: 'message-too-large', to: 'too-large@a.test', first: 'failed' },
  { code: 29, category: 'no-answer-from-host', to: 'anyone@refused.test', first: 'deferred' },
  { code: 40, category: 'protocol-errors', to: 'bad-reply@a.test', first: 'deferred' },
  { code: 50, category: 'authentication', to: 'dmarc@a.test', first: 'failed' },
  { code: 51, category: 'spam-related', to: 'blocked-ip@a.test', first: 'deferred' },
  { code: 52, category: 'content-related', to: 'spam@a.test', first: 'failed' },
  { code: 54, category: 'relaying-issues', to: 'relay-denied@a.test', first: 'failed' },
  { code: 70, category: 'greylisted', to: 'greylist@a.test', first: 'deferred' },
  { code: 70, category: 'rate-limited', to: 'rate-limited@a.test', first: 'deferred' },
]

test.each(IN_THE_SANDBOX)('$code $category: $to', async ({ code, category, to, first, suppressed }) => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, toml: SHORT_LIFE })
  const id = await relay.send(to)
  const record = await relay.record(first, { message: id })
  expect(record.verdict).toMatchObject({ code, category })
  if (first === 'failed') expect(await stateOf(relay, id)).toBe('failed')
  else {
    // The verdict of a message whose life ended is that of its last attempt.
    expect(await stateOf(relay, id)).toBe('waiting')
    expect(suppressions(relay)).toEqual([])
    await clock.advance(record.dueAt! - clock.now())
    expect((await relay.record('expired', { message: id })).verdict).toMatchObject({ code, category, action: 'fail' })
    expect(await stateOf(relay, id)).toBe('expired')
  }
  expect(suppressions(relay)).toEqual(suppressed === undefined ? [] : [`${to} ${suppressed}`])
})

/** What a host says that the sandbox has no recipient for. */
const AT_A_HOST: readonly (readonly [
  code: number,
  category: Category,
  script: Script,
  first: 'failed' | 'deferred',
])[] = [
  [
    50,
    'policy-related',
    ({ command }) => (command === 'dot' ? '550 5.7.1 Refused by local policy' : undefined),
    'failed',
  ],
  [
    50,
    'invalid-sender',
    ({ command }) => (command.startsWith('MAIL') ? '550 5.1.8 Sender address rejected: Domain not found' : undefined),
    'failed',
  ],
  [
    53,
    'virus-related',
    ({ command }) => (command === 'dot' ? '550 5.7.1 Message rejected: it contains a virus (Eicar-Test)' : undefined),
    'failed',
  ],
  [
    53,
    'prohibited-attachment',
    ({ command }) =>
      command === 'dot'
        ? '552 5.7.0 This message was blocked because its attachment type .exe is not allowed'
        : undefined,
    'failed',
  ],
  [
    70,
    'too-many-recipients',
    ({ command }) => (command.startsWith('RCPT') ? '452 4.5.3 Too many recipients' : undefined),
    'deferred',
  ],
  [40, 'other', ({ command }) => (command === 'dot' ? '554 5.0.0 Transaction failed' : undefined), 'failed'],
]

test.each(AT_A_HOST)('%i %s', async (code, category, script, first) => {
  await using mx = await ScriptedMx.start({ script })
  const relay = await startTestRelay({ routeTo: mx.port })
  const id = await relay.send('jane@a.test')
  expect((await relay.record(first, { message: id })).verdict).toMatchObject({ code, category })
  expect(suppressions(relay)).toEqual([])
})

test('59 site-unreachable: silence of a site that answered a moment ago is meant for us', async () => {
  await using mx = await ScriptedMx.start()
  const relay = await startTestRelay({
    routeTo: mx.port,
    delivery: 'greeting_timeout = "300ms"\nmessages_per_connection = 1',
  })
  await relay.send('ok@a.test')
  await relay.record('delivered')
  mx.script = () => 'silence'
  await relay.send('jane@a.test')
  expect((await relay.record('deferred')).verdict).toMatchObject({
    code: 59,
    category: 'site-unreachable',
    kind: 'block',
  })
  expect(suppressions(relay)).toEqual([])
})

test('10 bad-domain: a domain found gone a second time, a day later', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock })
  const codes: unknown[] = []
  for (let time = 1; time <= 2; time++) {
    // Our own name server works.
    await relay.record('delivered', { message: await relay.send('ok@a.test') })
    const id = await relay.send('anyone@nxdomain.test')
    const { verdict } = await relay.record('failed', { message: id })
    codes.push([verdict?.code, verdict?.category, suppressions(relay).length])
    await clock.advance(DAY)
  }
  expect(codes).toEqual([
    [21, 'dns-failure', 0],
    [10, 'bad-domain', 1],
  ])
})

test('110 throttle-expired: our own limit let nothing through until its life was over', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, delivery: 'message_rate = "1/h"', toml: SHORT_LIFE })
  await relay.send('ok+1@a.test')
  await relay.record('delivered')
  const id = await relay.send('ok+2@a.test')
  const expired = relay.record('expired', { message: id })
  // Each look at the relay gives it the real time that a second of the test's own takes it.
  while ((await stateOf(relay, id)) === 'waiting') await clock.advance(SECOND)
  expect(await expired).toMatchObject({
    cause: { kind: 'expired', by: 'throttle' },
    verdict: { code: 110, category: 'throttle-expired', fault: 'local' },
  })
  expect(relay.records.map(({ kind }) => kind)).not.toContain('deferred')
  expect(await stateOf(relay, id)).toBe('expired')
  expect(suppressions(relay)).toEqual([])
})

test.each([
  ['drop', 'cancelled', 'cancelled'],
  ['bounce', 'failed', 'failed'],
] as const)('120 queue-dumped: %s by an operator', async (mode, kind, state) => {
  const relay = await startTestRelay({ clock: new FakeClock() })
  const id = await relay.send('mailbox-full@a.test')
  await relay.record('deferred')
  await api(relay).changeQueue(mode, { ids: [id], who: 'cli:jane', reason: 'ticket 7' })
  expect(await relay.record(kind as RecordKind, { message: id })).toMatchObject({
    who: 'cli:jane',
    verdict: { code: 120, category: 'queue-dumped', fault: 'local' },
  })
  expect(await stateOf(relay, id)).toBe(state)
  expect(suppressions(relay)).toEqual([])
})

test('121 paused-expired: held by an operator until its life was over, without anybody releasing it', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock, toml: '[[domain]]\nname = "sender.test"' })
  const dsn = { notify: ['failure'], return: 'headers' }
  const id = await relay.send('tempfail@a.test', { headers: { 'X-Studs-Expires': '2m' }, dsn })
  const other = await relay.send('tempfail@a.test', { headers: { 'X-Studs-Expires': '1h' }, dsn })
  await relay.record('deferred', { message: id })
  await relay.record('deferred', { message: other })
  await api(relay).changeQueue('hold', { ids: [id, other], who: 'cli:jane', reason: 'ticket 7' })
  // Housekeeping comes by every five minutes.
  await clock.advance(5 * MINUTE)
  expect(await relay.record('expired', { message: id })).toMatchObject({
    cause: { kind: 'expired', by: 'hold', last: { kind: 'reply' } },
    verdict: { code: 121, category: 'paused-expired', fault: 'local' },
  })
  expect(await relay.record('dsn-sent', { message: id })).toMatchObject({ why: 'failed' })
  expect(await stateOf(relay, id)).toBe('expired')
  expect(await stateOf(relay, other)).toBe('held')
  expect(suppressions(relay)).toEqual([])
})

test('121 paused-expired: released when its life was over already', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock })
  const id = await relay.send('tempfail@a.test', { headers: { 'X-Studs-Expires': '2m' } })
  await relay.record('deferred')
  const by = { ids: [id], who: 'cli:jane', reason: 'ticket 7' }
  await api(relay).changeQueue('hold', by)
  await clock.advance(4 * MINUTE)
  expect(await stateOf(relay, id)).toBe('held')
  await api(relay).changeQueue('release', by)
  await clock.advance(0)
  expect(await relay.record('expired', { message: id })).toMatchObject({
    cause: { kind: 'expired', by: 'hold', last: { kind: 'reply' } },
    verdict: { code: 121, category: 'paused-expired', fault: 'local' },
  })
  expect(suppressions(relay)).toEqual([])
})

test('what is released in time is tried again, however long it was held', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock })
  const id = await relay.send('tempfail-1@a.test')
  await relay.record('deferred')
  const by = { ids: [id], who: 'cli:jane', reason: 'ticket 7' }
  await api(relay).changeQueue('hold', by)
  await clock.advance(71 * HOUR)
  await api(relay).changeQueue('release', by)
  await clock.advance(0)
  await relay.record('delivered', { message: id })
})

test('122 inactive-subscriber: an address that the app called inactive', async () => {
  const relay = await startTestRelay()
  await api(relay).suppress('jane@a.test', { reason: 'inactivity', who: 'app', note: 'no click for a year' })
  const id = await relay.send('jane@a.test')
  expect(await relay.record('suppressed', { message: id })).toMatchObject({
    reason: 'inactivity',
    verdict: { code: 122, category: 'inactive-subscriber' },
  })
  expect(await stateOf(relay, id)).toBe('suppressed')
})

test('123 policy-enforced: a role address of a tenant that refuses them', async () => {
  const relay = await startTestRelay({
    toml: '[[tenant]]\nname = "default"\nany_sender = true\nrole_addresses = "refuse"',
  })
  const id = await relay.send('abuse@a.test')
  expect(await relay.record('suppressed', { message: id })).toMatchObject({
    reason: 'policy',
    verdict: { code: 123, category: 'policy-enforced', kind: 'other' },
  })
  // A rule is no entry: nothing is to be taken off again.
  expect(suppressions(relay)).toEqual([])
})
