// What a relay knows survives it: waiting mail, held mail, schedules, suppressions; and nothing is sent twice.

import { afterEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import { MINUTE } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays } from '../support/relay.ts'

afterEach(stopRelays)

test('a deferred message goes on after a restart', async () => {
  const clock = new FakeClock()
  const first = await startTestRelay({ clock })
  // The sandbox, too, starts anew: it refuses the first attempt that it sees.
  const id = await first.send('tempfail-1@a.test')
  await first.record('deferred')
  await first.stop()
  const second = await startTestRelay({ clock, directory: first.directory })
  await clock.advance(5 * MINUTE)
  expect(await second.record('deferred', { message: id })).toMatchObject({ attempt: 2 })
  await clock.advance(10 * MINUTE)
  expect(await second.record('delivered', { message: id })).toMatchObject({ attempt: 3 })
}, 10_000)

test('a stop in the middle of an attempt gives it back; it is made again', async () => {
  const first = await startTestRelay({ queue: 'retry = ["200ms"]' })
  const id = await first.send('slow-30s@a.test')
  await first.record('accepted')
  await first.stop()
  const second = await startTestRelay({ directory: first.directory })
  const kinds = (): string[] => second.relay.journal.ofMessage(id).map(({ kind }) => kind)
  // It was either given back (no record) or cut after the dot (deferred, ambiguous); it is never lost or failed.
  expect(kinds()).not.toContain('failed')
  expect(second.relay.journal.ofMessage(id)[0]).toMatchObject({ kind: 'accepted' })
})

test('a stop ends, whoever waits in which line; nobody is lost', async () => {
  const tenants = ['b', 'c', 'd', 'e']
  const toml = tenants
    .map(
      (name, at) =>
        `[[tenant]]\nname = "${name}"\nany_sender = true\n[[network]]\ncidr = "127.0.0.${at + 2}"\ntenant = "${name}"\n`,
    )
    .join('')
  const options = { toml, delivery: 'connections = 1', queue: 'max_in_flight = 3\nretry = ["100ms"]' }
  const first = await startTestRelay(options)
  for (const at of tenants.keys()) {
    await first.send(['slow-30s+1@a.test', 'slow-30s+2@a.test', 'ok@b.test'], {}, `127.0.0.${at + 2}`)
  }
  await first.stop()
  const second = await startTestRelay({ directory: first.directory })
  await second.record('delivered', { recipient: 'ok@b.test' })
  const waiting = await createClient({ kind: 'socket', path: second.relay.socket }, {}).status()
  expect(waiting.queue.waiting).toBeGreaterThanOrEqual(8)
})
