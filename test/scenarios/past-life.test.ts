// Mail whose life ends while something of ours keeps it back: a suspension, a source that is drained or not there, a learned
// rest. It ends with a report like any other, however long that holds, and nobody else is ended with it.

import { afterEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import { DAY, HOUR, MINUTE, systemClock } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

afterEach(stopRelays)

const clientOf = ({ relay }: TestRelay): Operations => createClient({ kind: 'socket', path: relay.socket })
const LIFE = 'lifetime = "2h"'
const MISSING = `
[[source]]
name = "lost"
ipv4 = "198.51.100.77"
[[pool]]
name = "default"
sources = [{ source = "lost" }]
`

/** Nothing is under way any more: it stands in its lane. */
async function parked(relay: TestRelay, clock: FakeClock, count: number): Promise<void> {
  for (;;) {
    const { items } = await clientOf(relay).queue({})
    if (items.length === count && items.every(({ state, in_flight }) => state.kind === 'waiting' && !in_flight)) break
    await systemClock.sleep(5)
  }
  await clock.advance(0)
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += MINUTE) {
    await clock.advance(MINUTE)
    await systemClock.sleep(2)
  }
}
const ended = (relay: TestRelay): string[] =>
  relay.records.filter(({ kind }) => kind === 'expired').map(({ recipient }) => String(recipient))

test.each<[string, string, (relay: TestRelay) => Promise<unknown>]>([
  [
    'a suspended domain',
    '',
    (relay) =>
      clientOf(relay).suspend({ kind: 'domain', name: 'a.test', reason: 'x', duration_ms: 7 * DAY, who: 'test' }),
  ],
  [
    'a suspended source',
    '',
    (relay) =>
      clientOf(relay).suspend({ kind: 'source', name: 'default', reason: 'x', duration_ms: 7 * DAY, who: 'test' }),
  ],
  ['a drained source', '', (relay) => clientOf(relay).drainSource('default', { reason: 'gone', who: 'test' })],
  ['a source that is not there', MISSING, async () => undefined],
])(
  '%s',
  async (_, toml, prepare) => {
    const clock = new FakeClock()
    const relay = await startTestRelay({ clock, queue: LIFE, toml })
    await prepare(relay)
    const id = await relay.send('ok+1@a.test')
    await parked(relay, clock, 1)
    await pass(clock, HOUR)
    await relay.send('ok+2@a.test')
    await parked(relay, clock, 2)
    await pass(clock, HOUR + 3 * MINUTE)
    expect(ended(relay)).toEqual(['ok+1@a.test'])
    expect(relay.records.find(({ kind, message }) => kind === 'expired' && message === id)).toMatchObject({
      cause: { kind: 'expired', by: 'throttle' },
      verdict: { category: 'throttle-expired', fault: 'local' },
    })
    await pass(clock, HOUR)
    expect(ended(relay)).toEqual(['ok+1@a.test', 'ok+2@a.test'])
  },
  60_000,
)
