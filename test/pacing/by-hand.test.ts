// What people order for one place only: a source, a tenant, a site; and what they cannot.

import { afterEach, expect, test } from 'vitest'
import { endAll, many, sendEach, startPaced, until } from './fixture.ts'

afterEach(endAll)

const ADD = ['--for', '1h', '--reason', 'they asked for it'] as const

test('a source at one provider', async () => {
  const world = await startPaced({ shaping: '' })
  expect(await world.studs('suspend', 'add', 'source', 'x@big', ...ADD)).toMatch(
    /^Nothing leaves from the source x@big until /,
  )
  await sendEach(world, [...many(20, 'large.test'), ...many(20, 'small.test')])
  await world.relay.record('delivered', { count: 40 })
  expect(new Set(world.sources('large.test'))).toEqual(new Set(['y']))
  expect(new Set(world.sources('small.test'))).toEqual(new Set(['x', 'y']))
})

test('a tenant at one site, and a site', async () => {
  const world = await startPaced({ shaping: '' })
  await world.studs('suspend', 'add', 'tenant', 'shop@mx.small.test', ...ADD)
  await world.relay.send('ok+shop@small.test', {}, '127.0.0.9')
  await world.relay.send('ok+shop@big.test', {}, '127.0.0.9')
  await world.relay.send('ok+default@small.test')
  await world.relay.record('delivered', { count: 2 })
  await world.studs('suspend', 'add', 'site', 'mx.small.test', ...ADD)
  await world.relay.send('ok+late@small.test')
  await until(async () =>
    /Suspended: the site mx\.small\.test, by cli:/.test(await world.studs('explain', 'small.test')),
  )
  expect(await world.studs('suspend', 'rm', 'tenant', 'shop@mx.small.test', '--reason', 'x')).toMatch(/goes on/)
  expect(await world.studs('suspend', 'rm', 'site', 'mx.small.test', '--reason', 'x')).toMatch(/goes on/)
  await world.relay.record('delivered', { count: 4 })
})

test('all sources of a pool at one place: its mail waits there, and goes on with the first', async () => {
  const world = await startPaced({ shaping: '' })
  for (const source of ['x', 'y']) await world.studs('suspend', 'add', 'source', `${source}@big`, ...ADD)
  await sendEach(world, many(5, 'big.test'))
  await world.relay.send('ok@small.test')
  await world.relay.record('delivered')
  await until(async () => /Suspended: the source [xy]@big, by cli/.test(await world.studs('explain', 'big.test')))
  await world.studs('suspend', 'rm', 'source', 'y@big', '--reason', 'x')
  await world.relay.record('delivered', { count: 6 })
  expect(new Set(world.sources('big.test'))).toEqual(new Set(['y']))
})

test.each([
  ['source', 'z@big', /There is no source z/],
  ['source', 'x@nowhere', /nowhere is neither a provider nor a site/],
  ['tenant', 'nobody@big', /There is no tenant nobody/],
  ['site', 'small', /small is neither a provider nor a site/],
  ['slow', 'x@mx.small.test', /slow/],
])('suspend add %s %s is refused', async (kind, name, expected) => {
  const world = await startPaced({ shaping: '' })
  expect(await world.studs('suspend', 'add', kind, name, ...ADD)).toMatch(expected)
  expect(await world.client.suspensions()).toEqual([])
})

test('`studs resolve` shows the rules in the order in which they are asked, with their lines', async () => {
  const world = await startPaced({
    shaping: `[[default.rule]]
match = 'go away'
action = "slow"
message_rate = "1/min"
connections = 2
after = "3/h"
for = "90m"
[[provider.big.rule]]
code = "4.7.9"
category = "rate-limited"
action = "suspend"
for = "1h"
`,
  })
  const lines = (await world.studs('resolve', 'big.test'))
    .split('\n')
    .map((line) => line.replace(/ {2,}/g, ' | ').replace(/\S+(?=shaping\.toml)/, ''))
  const at = lines.indexOf('When it says')
  expect(lines.slice(at + 1, at + 5)).toEqual([
    expect.stringMatching(/^REPLY \| OFTEN \| THEN \| FROM/),
    'code 4.7.9, category rate-limited | once | suspend, for 1h | shaping.toml:10 [[provider.big.rule]]',
    'go away | 3/h | slow, 1/min, 2 connections, for 1h 30m | shaping.toml:3 [[default.rule]]',
    expect.stringMatching(
      /^temporarily deferred or .* \| 5\/h \| slow, 1\/min, 1 connection, for 1h 30m \| presets\.toml:\d+ \[\[default\.rule\]\]$/,
    ),
  ])
  expect(await world.studs('resolve', 'small.test')).not.toMatch(/4\.7\.9/)
})
