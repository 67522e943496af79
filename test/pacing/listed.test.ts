// A source that somebody's blocklist names, at a receiver that no preset knows: by the shipped rules alone it rests there, and its
// mail leaves from the other one.

import { afterEach, expect, test } from 'vitest'
import { endAll, many, sendEach, startPaced, X } from './fixture.ts'

afterEach(endAll)

test('a listed source rests at that receiver, its mail leaves from another one', { timeout: 30_000 }, async () => {
  const world = await startPaced({ shaping: '', queue: 'retry = ["1s"]' })
  const said = '554 5.7.1 Service unavailable; Client host [127.0.0.2] blocked using zen.spamhaus.org'
  world.small.script = ({ command, from }) => (from === X && command.startsWith('RCPT') ? said : undefined)
  await sendEach(world, many(30, 'small.test'))
  await world.relay.record('delivered', { count: 30 })
  expect(new Set(world.sources('small.test'))).toEqual(new Set(['y']))
  expect(world.of('suspended')).toMatchObject([
    {
      target: { kind: 'source', name: 'x@mx.small.test' },
      who: expect.stringMatching(/^rule presets\.toml:/),
      why: said,
    },
  ])
  expect(world.of('suppression-added')).toEqual([])
})
