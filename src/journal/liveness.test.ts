import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { DAY, HOUR } from '../util/clock.ts'
import { createLiveness } from './liveness.ts'

test('sites are remembered for a day, sources for an hour, each by itself', async () => {
  const clock = new FakeClock()
  const liveness = createLiveness(clock)
  expect(liveness.isSourceAlive()).toBe(false)
  liveness.heard({ site: 'a.example', source: 'ip1' })
  expect(liveness.isSiteAlive('a.example')).toBe(true)
  expect(liveness.isSiteAlive('b.example')).toBe(false)
  expect(liveness.isSourceAlive('ip1')).toBe(true)
  expect(liveness.isSourceAlive('ip2')).toBe(false)
  expect(liveness.isSourceAlive()).toBe(true)
  await clock.advance(HOUR)
  expect(liveness.isSourceAlive('ip1')).toBe(false)
  expect(liveness.isSourceAlive()).toBe(false)
  await clock.advance(DAY - HOUR - 1)
  expect(liveness.isSiteAlive('a.example')).toBe(true)
  await clock.advance(1)
  expect(liveness.isSiteAlive('a.example')).toBe(false)
})

test('of too many sites the one silent for longest is forgotten', () => {
  const liveness = createLiveness(new FakeClock())
  for (let at = 0; at < 50_000; at++) liveness.heard({ site: `site-${at}`, source: 'ip1' })
  liveness.heard({ site: 'site-0', source: 'ip1' })
  liveness.heard({ site: 'new', source: 'ip1' })
  expect(['site-0', 'site-1', 'site-2', 'new'].map((site) => liveness.isSiteAlive(site))).toEqual([
    true,
    false,
    true,
    true,
  ])
})
