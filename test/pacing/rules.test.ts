// Automation rules over real sockets: what a receiver says binds its own mail and nobody else's, at once or after so many,
// for a time, until somebody takes it back; through restarts.

import { writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { MINUTE, SECOND } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import type { Script } from '../support/scripted-mx.ts'
import { endAll, many, pass, sendEach, startPaced, until, X } from './fixture.ts'

afterEach(endAll)

const LISTED = '421 4.7.0 [ZZ04] Mail from your address is blocked for some time'
const REST = `
[[provider.big.rule]]
match = '\\[ZZ04\\]'
action = "rest_source"
for = "2h"
`
/** Refuses what comes from one address. */
const refusing =
  (address: string, reply: string): Script =>
  ({ command, from }) =>
    from === address && command.startsWith('MAIL') ? reply : undefined

describe('a source that is listed at one receiver', () => {
  test('rests there, its mail leaves from another one, and elsewhere it goes on', async () => {
    const world = await startPaced({ shaping: REST, queue: 'retry = ["1s"]' })
    const { relay, big, client } = world
    big.script = refusing(X, LISTED)
    await sendEach(world, many(40, 'big.test'))
    await relay.record('suspended')
    await relay.record('delivered', { count: 40 })
    expect(new Set(world.sources('big.test'))).toEqual(new Set(['y']))
    expect(world.of('suspended')).toMatchObject([
      {
        target: { kind: 'source', name: 'x@big' },
        who: 'rule shaping.toml:4',
        why: LISTED,
        suspendedUntil: expect.any(Number),
      },
    ])
    // The whole provider, whatever the site; and nobody else.
    const before = big.commands.length
    await sendEach(world, many(30, 'large.test'))
    await sendEach(world, many(30, 'small.test'))
    await relay.record('delivered', { count: 100 })
    expect(new Set(world.sources('large.test'))).toEqual(new Set(['y']))
    expect(new Set(world.sources('small.test'))).toEqual(new Set(['x', 'y']))
    expect(big.commands.length).toBeGreaterThan(before)

    const listed = await world.studs('suspend', 'list')
    expect(listed).toMatch(/source x@big +(2h|1h 59m) .* none +rule shaping\.toml:4 +421 4\.7\.0 \[ZZ04\] Mail from/)
    expect(await world.studs('explain', 'big.test')).toMatch(
      /Suspended +the source x@big, by rule shaping\.toml:4 since .*: 421 4\.7\.0 \[ZZ04\].*\. Goes on in (2h|1h 59m)/,
    )
    expect(await world.studs('explain', 'small.test')).not.toMatch(/Suspended/)

    big.script = () => undefined
    await client.resume({ kind: 'source', name: 'x@big' }, { reason: 'delisted' })
    await sendEach(world, many(30, 'large.test'))
    await relay.record('delivered', { count: 130 })
    expect(new Set(world.sources('large.test').slice(30))).toEqual(new Set(['x', 'y']))
    expect(world.of('resumed')).toMatchObject([{ target: { kind: 'source', name: 'x@big' }, why: 'delisted' }])
  })

  test('waits where mail must not move, and where no other source is left; after a restart too', async () => {
    const world = await startPaced({ shaping: REST, queue: 'retry = ["1s"]', pool: 'move = false' })
    const { relay, big } = world
    big.script = refusing(X, LISTED)
    await sendEach(world, many(20, 'big.test'))
    await relay.record('suspended')
    await until(async () => (await world.client.queue({})).items.every((each) => !each.in_flight))
    const left = world.sources('big.test').length
    expect(left).toBeLessThan(20)
    expect(new Set(world.sources('big.test'))).toEqual(new Set(['y']))
    await relay.stop()
    big.script = () => undefined
    const later = await world.again()
    await sendEach(later, many(20, 'small.test'))
    await later.relay.record('delivered', { count: 20 })
    expect(later.sources('big.test').filter((source) => source === 'x')).toEqual([])
    const [first] = await later.client.suspensions()
    expect(first).toMatchObject({ kind: 'source', name: 'x@big', why: LISTED })
  })
})

describe('whom a rule binds', () => {
  test('suspend, in a section of a provider: all of it; others are not slowed', async () => {
    const world = await startPaced({
      shaping: "[[provider.big.rule]]\ncode = '4.7.77'\naction = 'suspend'\nfor = '1h'\n",
      queue: 'retry = ["1s"]',
    })
    const { relay, big } = world
    big.script = ({ command }) => (command.startsWith('RCPT') ? '450 4.7.77 Closed for today' : undefined)
    await relay.send('ok@big.test')
    await relay.record('suspended')
    await relay.send([...many(10, 'large.test'), ...many(10, 'big.test')])
    await relay.send(many(50, 'small.test'))
    await relay.record('delivered', { count: 50 })
    expect(big.commands.filter((each) => each === 'RCPT').length).toBe(1)
    expect(await world.client.suspensions()).toMatchObject([{ kind: 'provider', name: 'big' }])
    expect(await world.studs('explain', 'large.test')).toMatch(
      /Suspended: the provider big, by rule .*Closed for today/,
    )
  })

  test('pause_tenant: the tenant there, not elsewhere, and no other tenant', async () => {
    const world = await startPaced({
      shaping: "[[default.rule]]\nmatch = 'your customer'\naction = 'pause_tenant'\nfor = '1h'\n",
      queue: 'retry = ["1s"]',
    })
    const { relay, big } = world
    big.script = ({ command }) => (command === 'MAIL bad@sender.test' ? '450 4.7.1 Your customer is noisy' : undefined)
    await relay.send('ok@big.test', { from: 'bad@sender.test' }, '127.0.0.9')
    await relay.record('suspended')
    expect(await world.client.suspensions()).toMatchObject([{ kind: 'tenant', name: 'shop@mx1.big-mx.test' }])
    await relay.send('ok@big.test', {}, '127.0.0.9')
    await relay.send('ok+there@small.test', {}, '127.0.0.9')
    await relay.send('ok+other@big.test')
    await relay.record('delivered', { count: 2 })
    expect(
      relay.records
        .filter(({ kind }) => kind === 'delivered')
        .map(({ recipient }) => recipient)
        .sort(),
    ).toEqual(['ok+other@big.test', 'ok+there@small.test'])
  })

  test('no provider by the words of a host that is not its own', async () => {
    const world = await startPaced({ shaping: REST, queue: 'retry = ["1s", "1h"]' })
    const { relay, evil } = world
    evil.script = ({ command }) => (command.startsWith('RCPT') ? LISTED.replace('421', '450') : undefined)
    await relay.send(many(5, 'evil.test'))
    await relay.record('deferred', { count: 5 })
    expect(
      (await world.client.resolve('evil.test')).kind === 'site' && (await world.client.explain('evil.test')).provider,
    ).toBe('big')
    await sendEach(world, many(20, 'big.test'))
    await relay.record('delivered', { count: 20 })
    expect(new Set(world.sources('big.test'))).toEqual(new Set(['x', 'y']))
    expect(world.of('suspended')).toEqual([])
  })
})

test('what was under way when a rule was met says the same again: one suspension, one record', async () => {
  const world = await startPaced({ shaping: REST, queue: 'retry = ["1s"]', sources: ['x'] })
  world.big.script = ({ command }) => (command.startsWith('MAIL') ? LISTED : undefined)
  await world.relay.send(many(60, 'big.test'))
  await world.relay.record('suspended')
  await until(async () => (await world.client.queue({})).items.every((each) => !each.in_flight))
  expect(world.of('deferred').length).toBeGreaterThan(5)
  expect(world.of('deferred').length).toBeLessThan(60)
  expect(world.of('suspended').length).toBe(1)
})

test('after so many an hour; slow; ends by itself', async () => {
  const clock = new FakeClock()
  const world = await startPaced({
    shaping: `[[site."mx.small.test".rule]]
match = 'slow down'
action = "slow"
after = "3/h"
for = "30m"
message_rate = "2/min"
connections = 1
`,
    queue: 'retry = ["1d"]',
    toml: '[pace]\nadaptive = false',
    sources: ['x'],
    clock,
  })
  const { relay, small } = world
  small.script = ({ command }) => (command.startsWith('RCPT') ? '450 4.7.1 Please slow down' : undefined)
  for (const at of [1, 2]) {
    await relay.send(`ok+${at}@small.test`)
    await relay.record('deferred', { count: at })
    await pass(clock, 20 * MINUTE)
  }
  expect(world.of('slowed')).toEqual([])
  await relay.send('ok+3@small.test')
  await relay.record('slowed')
  expect(await world.client.suspensions()).toMatchObject([
    { kind: 'slow', name: 'x@mx.small.test', pace: '2/min', connections: 1 },
  ])
  expect(await world.studs('suspend', 'list')).toMatch(
    /slow x@mx\.small\.test .* 2\/min, 1 connection +rule \S+:3 +450/,
  )
  // What it may use, not what it has.
  expect(await world.studs('explain', 'small.test')).toMatch(
    /^Path +from x: \d of 1 connection busy \(slowed down by rule \S+:3; 10 otherwise\), \d idle/m,
  )
  expect(await world.studs('top', '--once')).toMatch(/mx\.small\.test +x +1, slowed from 10 \(\d idle\)/)
  small.script = () => undefined
  small.mostOpen = 0
  const delivered = (): number => world.of('delivered').length
  await relay.send(many(40, 'small.test'))
  // Evenly, and one at a time.
  const seen: number[] = []
  for (let minute = 0; minute < 5; minute++) {
    await pass(clock, MINUTE, SECOND / 2)
    seen.push(delivered())
  }
  const perMinute = seen.map((count, at) => count - (seen[at - 1] ?? 0)).slice(1)
  expect(Math.max(...perMinute)).toBeLessThanOrEqual(3)
  expect(perMinute.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(7)
  expect(perMinute.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(9)
  expect(small.mostOpen).toBe(1)
  // Over after 30 minutes: the rest goes at once.
  await pass(clock, 26 * MINUTE)
  await pass(clock, 6 * SECOND, 100)
  await relay.record('delivered', { count: 40 })
  expect(await world.client.suspensions()).toEqual([])
})

test('a slow path is set free by hand', async () => {
  const world = await startPaced({
    shaping: "[[default.rule]]\nmatch = 'easy'\naction = 'slow'\nfor = '1h'\nmessage_rate = '1/min'\n",
    queue: 'retry = ["1s"]',
    sources: ['x'],
  })
  const { relay, small } = world
  small.script = ({ command }) =>
    command === 'RCPT once@small.test' && world.of('slowed').length === 0 ? '450 4.7.1 Take it easy' : undefined
  await relay.send('once@small.test')
  await relay.record('slowed')
  await relay.send(many(20, 'small.test'))
  await until(async () => /Slowed down since/.test(await world.studs('explain', 'small.test')))
  expect(await world.studs('explain', 'small.test')).toMatch(
    /Slow +from x: 1\/min, by rule \S+:3 since .* Take it easy\. Goes on in/,
  )
  expect(await world.studs('suspend', 'rm', 'slow', 'x@mx.small.test', '--reason', 'they called')).toBe(
    'The path x@mx.small.test is free again.\n',
  )
  await relay.record('delivered', { count: 21 })
  expect(world.of('recovered')).toMatchObject([
    { target: { kind: 'slow', name: 'x@mx.small.test' }, why: 'they called' },
  ])
  expect(await world.studs('suspend', 'rm', 'slow', 'x@mx.small.test', '--reason', 'again')).toMatch(
    /No path .* is slow/,
  )
})

test('"try again in 10 minutes", said of the rate: the path waits so long, and its mail does not move', async () => {
  const clock = new FakeClock()
  const world = await startPaced({ shaping: '', queue: 'retry = ["1m"]', clock, toml: '[pace]\nadaptive = false' })
  const { relay, big } = world
  let refused = 0
  big.script = ({ command, from }) => {
    if (from !== X || !command.startsWith('RCPT') || clock.monotonic() > 9 * MINUTE) return undefined
    refused++
    return '450 4.7.1 Rate limit exceeded, try again in 10 minutes'
  }
  await sendEach(world, many(40, 'big.test'))
  await relay.record('suspended')
  await sendEach(world, many(20, 'small.test'))
  await until(() => world.sources('small.test').length === 20)
  const refusedAtFirst = refused
  await pass(clock, 9 * MINUTE)
  expect(refused).toBe(refusedAtFirst)
  expect(world.sources('big.test').length).toBeLessThan(36)
  expect(new Set(world.sources('big.test'))).toEqual(new Set(['y']))
  expect(world.of('suspended')).toMatchObject([{ target: { name: 'x@mx1.big-mx.test' }, who: 'the receiver' }])
  while (world.sources('big.test').length < 40) await pass(clock, 5 * SECOND)
  expect(new Set(world.sources('big.test'))).toEqual(new Set(['x', 'y']))
})

test('a reload takes new rules over, and keeps the old ones when they are wrong', async () => {
  const world = await startPaced({ shaping: '', queue: 'retry = ["1s", "1h"]' })
  const { relay, big, shapingFile } = world
  big.script = ({ command }) => (command.startsWith('RCPT') ? '450 4.7.1 Not your lucky day' : undefined)
  await relay.send('ok+1@big.test')
  await relay.record('deferred')
  expect(world.of('suspended')).toEqual([])
  const rule = (match: string): string =>
    `[provider.big]\nmx = ["big-mx.test"]\n[[provider.big.rule]]\nmatch = '${match}'\naction = "suspend"\nfor = "1h"\n`
  writeFileSync(shapingFile, rule('lucky day'))
  await relay.relay.reload()
  writeFileSync(shapingFile, rule('(a+)+$'))
  await expect(relay.relay.reload()).rejects.toThrow(
    /shaping\.toml:4: provider\.big\.rule\.0\.match: repeats what repeats/,
  )
  await relay.send('ok+2@big.test')
  await relay.record('suspended')
  expect(world.of('suspended')).toMatchObject([
    { who: 'rule shaping.toml:3', target: { kind: 'provider', name: 'big' } },
  ])
})

test('greylisting, full mailboxes and unknown users bind nothing', async () => {
  const world = await startPaced({ shaping: REST, queue: 'retry = ["1s", "1h"]' })
  const { relay, big } = world
  const replies = ['450 4.2.0 Greylisted, try again in 5 minutes', '452 4.2.2 Mailbox full', '550 5.1.1 No such user']
  let at = 0
  big.script = ({ command }) => (command.startsWith('RCPT') ? replies[at++ % 3] : undefined)
  await relay.send(many(30, 'big.test'))
  await until(() => world.of('deferred').length >= 20 && world.of('failed').length >= 10)
  expect([...world.of('suspended'), ...world.of('slowed')]).toEqual([])
})
