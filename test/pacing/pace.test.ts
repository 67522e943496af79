// Paces learned over real sockets, with time of the test's own: a receiver that defers above a hidden rate is found out,
// its path goes slowly and comes back when it relaxes; other paths do not notice; a restart does not forget.

import { afterEach, expect, test } from 'vitest'
import { MINUTE, SECOND, systemClock } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import type { Script } from '../support/scripted-mx.ts'
import { endAll, many, type Paced, pass, sendEach, startPaced, until } from './fixture.ts'

afterEach(endAll)

/** Takes so many a second, a second's worth at once, and puts off the rest. Counts the answers. */
function hidden(clock: FakeClock, perSecond: number) {
  let tokens = perSecond
  let at = clock.monotonic()
  const counts = { perSecond, taken: 0, putOff: 0 }
  const script: Script = ({ command }) => {
    if (!command.startsWith('RCPT')) return undefined
    const now = clock.monotonic()
    tokens = Math.min(counts.perSecond, tokens + ((now - at) * counts.perSecond) / SECOND)
    at = now
    if (tokens >= 1) {
      tokens--
      counts.taken++
      return undefined
    }
    counts.putOff++
    return '450 4.7.1 Rate limit exceeded, slow down'
  }
  return { script, counts }
}

const paceOf = async ({ client }: Paced): Promise<string | undefined> =>
  (await client.suspensions()).find(({ kind }) => kind === 'slow')?.pace

test('a hidden rate is found, kept, and left behind when it is gone', { timeout: 120_000 }, async () => {
  const clock = new FakeClock()
  const world = await startPaced({ shaping: '', queue: 'retry = ["30s"]', sources: ['x'], clock })
  const { relay, small, big } = world
  const { script, counts } = hidden(clock, 2)
  small.script = script
  await relay.send(many(900, 'small.test'))
  await relay.record('slowed')
  expect(world.of('slowed')).toMatchObject([
    {
      who: 'learned',
      target: { kind: 'slow', name: 'x@mx.small.test' },
      why: expect.stringMatching(/Rate limit exceeded/),
    },
  ])
  // Elsewhere nobody notices.
  await relay.send(many(100, 'big.test'))
  await until(() => world.sources('big.test').length === 100)
  expect(big.mails.length).toBe(100)

  await pass(clock, 2 * MINUTE, SECOND / 4)
  const before = { ...counts }
  await pass(clock, 2 * MINUTE, SECOND / 4)
  const taken = counts.taken - before.taken
  const putOff = counts.putOff - before.putOff
  expect(taken).toBeGreaterThan(0.75 * 240)
  expect(putOff / (taken + putOff)).toBeLessThan(0.06)
  expect(await paceOf(world)).toMatch(/^[\d.]+\/(s|min)$/)
  expect(await world.studs('explain', 'small.test')).toMatch(
    /Slow +from x: [\d.]+\/(s|min), usually [\d.]+\/s, learned since .*Rate limit exceeded.*\. Comes back step by step/,
  )
  // The first slow-down is a record, the steps are not.
  expect(world.of('slowed').length).toBe(1)

  counts.perSecond = 1000
  await until(async () => {
    await pass(clock, 10 * SECOND, SECOND / 4)
    return world.sources('small.test').length === 900
  })
  expect(world.of('recovered').length).toBeLessThanOrEqual(1)
})

test('a restart does not forget a pace; a person does', { timeout: 60_000 }, async () => {
  const clock = new FakeClock()
  const world = await startPaced({ shaping: '', queue: 'retry = ["1h"]', sources: ['x'], clock })
  world.small.script = ({ command }) => (command.startsWith('RCPT') ? '450 4.7.1 Rate limit exceeded' : undefined)
  await sendEach(world, many(30, 'small.test'))
  await world.relay.record('slowed')
  await world.relay.stop()
  const later = new FakeClock(clock.now() + MINUTE)
  const again = await world.again(later)
  expect(await again.client.suspensions()).toMatchObject([
    {
      kind: 'slow',
      name: 'x@mx.small.test',
      who: 'learned',
      why: '450 4.7.1 Rate limit exceeded',
      pace: expect.any(String),
    },
  ])
  expect(await again.studs('suspend', 'list')).toMatch(
    /slow x@mx\.small\.test +– .*\/(h|min|s), usually .*learned +450 4\.7\.1/,
  )
  expect(await again.studs('suspend', 'rm', 'slow', 'x@mx.small.test', '--reason', 'they have more room now')).toMatch(
    /free again/,
  )
  expect(await again.client.suspensions()).toEqual([])
  expect(again.of('recovered')).toMatchObject([{ why: 'they have more room now' }])
  await again.relay.stop()
  const third = await again.again(new FakeClock(later.now() + MINUTE))
  expect(await third.client.suspensions()).toEqual([])
})

test('a receiver that lets nobody in is asked rarely, and others are not slowed', { timeout: 60_000 }, async () => {
  const world = await startPaced({ shaping: '', queue: 'retry = ["1s"]', sources: ['x'] })
  const { relay, big } = world
  big.script = ({ command }) => (command === 'banner' ? '421 4.3.2 Come back another day' : undefined)
  await relay.send(many(200, 'big.test'))
  await relay.record('slowed')
  const startedAt = systemClock.monotonic()
  await relay.send(many(300, 'small.test'))
  await until(() => world.sources('small.test').length === 300)
  const tookMs = systemClock.monotonic() - startedAt
  const asked = big.connections
  await systemClock.sleep(3000)
  // Retries every second for 200 recipients would be hundreds.
  expect(big.connections - asked).toBeLessThan(30)
  expect(tookMs).toBeLessThan(20_000)
})

test('pace.adaptive = false learns nothing', async () => {
  const world = await startPaced({
    shaping: '',
    toml: '[pace]\nadaptive = false',
    queue: 'retry = ["1s", "1h"]',
    sources: ['x'],
  })
  world.small.script = ({ command }) => (command.startsWith('RCPT') ? '450 4.7.1 Rate limit exceeded' : undefined)
  await world.relay.send(many(50, 'small.test'))
  await world.relay.record('deferred', { count: 100 })
  expect(world.of('slowed')).toEqual([])
  expect(await world.client.suspensions()).toEqual([])
})
