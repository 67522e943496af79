// Another chance end to end: one message at a time until one got through; a surge that suppresses nobody.

import { afterEach, expect, test } from 'vitest'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

afterEach(stopRelays)

const letIn = ({ relay }: TestRelay, target: string) =>
  relay.suppressions.remove({ scope: 'default', target, who: 'cli:jane', why: 'asked to come back' })

test('of several messages one goes alone; when it is refused the others are not sent', async () => {
  const clock = new FakeClock()
  const studs = await startTestRelay({ clock })
  const { send, record } = studs
  await send('user-unknown@a.test')
  await record('suppression-added')
  expect(await letIn(studs, 'user-unknown@a.test')).toBe('half-open')
  const first = await send('user-unknown@a.test')
  expect(await record('failed', { message: first })).toMatchObject({ verdict: { category: 'bad-mailbox' } })
  expect(await record('suppression-added', { count: 2 })).toMatchObject({ message: first })
  const second = await send('user-unknown@a.test')
  expect(await record('suppressed', { message: second })).toMatchObject({ reason: 'hard_bounce' })
})

test('a delivery clears it, and who waited is sent', async () => {
  const clock = new FakeClock()
  const studs = await startTestRelay({ clock })
  const { relay, send, record } = studs
  await relay.suppressions.add({
    scope: 'default',
    target: 'ok@a.test',
    reason: 'hard_bounce',
    createdAt: clock.now(),
    who: 'studs',
  })
  await letIn(studs, 'ok@a.test')
  const messages = await Promise.all([1, 2, 3].map(() => send('ok@a.test')))
  await record('delivered')
  // Who did not go first asks again after a minute.
  await clock.advance(60_000)
  for (const message of messages) await record('delivered', { message })
  expect(relay.suppressions.get('default', 'ok@a.test')).toBeUndefined()
})

test('an outage of the receiver raises one alert and keeps nobody from being mailed', async () => {
  const clock = new FakeClock()
  const { relay, send, record, records } = await startTestRelay({ clock, toml: '[suppression]\nspike_minimum = 10' })
  const users = Array.from({ length: 15 }, (_, n) => `user-unknown+${n}@a.test`)
  await send(users)
  expect(await record('alert')).toMatchObject({ tenant: 'default', why: expect.stringContaining('hard bounces') })
  for (const recipient of users) await record('suppression-added', { recipient })
  expect(relay.suppressions.list({ limit: 100, standing: 'pending' }).entries).toHaveLength(15)
  expect(records.filter(({ kind }) => kind === 'alert')).toHaveLength(1)
  expect(records.filter(({ pendingUntil }) => pendingUntil !== undefined).length).toBeGreaterThan(0)
})

test('role addresses are refused where the tenant wants it', async () => {
  const { send, record } = await startTestRelay({
    toml: '[[tenant]]\nname = "default"\nany_sender = true\nrole_addresses = "refuse"',
  })
  await send(['abuse@a.test', 'ok@a.test'])
  expect(await record('suppressed')).toMatchObject({
    recipient: 'abuse@a.test',
    reason: 'policy',
    verdict: { category: 'policy-enforced', code: 123 },
  })
  expect(await record('delivered')).toMatchObject({ recipient: 'ok@a.test' })
})
