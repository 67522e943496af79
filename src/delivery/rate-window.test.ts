import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { RateWindow } from './rate-window.ts'

test('no stretch of time holds more than the rate, wherever it begins', async () => {
  const clock = new FakeClock()
  const window = new RateWindow(clock, { count: 5, per: 1000 })
  const taken: number[] = []
  for (let at = 0; at < 10_000; at += 70) {
    if (window.take() === 0) taken.push(clock.monotonic())
    await clock.advance(70)
  }
  for (const start of taken)
    expect(taken.filter((time) => time >= start && time < start + 1000).length).toBeLessThanOrEqual(5)
  expect(taken.length).toBeGreaterThan(40)
})

test('says when to ask again', async () => {
  const clock = new FakeClock()
  const window = new RateWindow(clock, { count: 1, per: 1000 })
  expect(window.take()).toBe(0)
  await clock.advance(400)
  expect(window.take()).toBe(600)
  await clock.advance(600)
  expect(window.take()).toBe(0)
})

test('what was counted counts at another rate too', async () => {
  const clock = new FakeClock()
  const before = new RateWindow(clock, { count: 5, per: 1000 })
  for (let n = 0; n < 5; n++) {
    expect(before.take()).toBe(0)
    await clock.advance(100)
  }
  const fewer = new RateWindow(clock, { count: 2, per: 1000 }, before)
  // Begun at 0, 100, 200, 300, 400: the last two but one has to be over.
  expect(fewer.take()).toBe(800)
  await clock.advance(799)
  expect(fewer.take()).toBe(1)
  await clock.advance(1)
  expect([fewer.take(), fewer.take()]).toEqual([0, 100])
  const more = new RateWindow(clock, { count: 4, per: 1000 }, fewer)
  expect([more.take(), more.take(), more.take()]).toEqual([0, 0, 100])
})
