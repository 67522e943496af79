import { expect, test } from 'vitest'
import { MINUTE, SECOND } from '../util/clock.ts'
import { SourceRate } from './source-rate.ts'

const RATE = { count: 10, per: MINUTE }

function windowAt(clock = { now: 0 }, maxSources?: number) {
  const rate = new SourceRate({ monotonic: () => clock.now }, maxSources)
  const takeMany = (address: string, count: number): number => {
    let taken = 0
    for (let n = 0; n < count; n++) if (rate.take(address, RATE)) taken++
    return taken
  }
  return { clock, rate, takeMany }
}

test('so many, each address by itself, an IPv6 /64 as one', () => {
  const { takeMany } = windowAt()
  expect(takeMany('192.0.2.1', 20)).toBe(10)
  expect(takeMany('192.0.2.2', 20)).toBe(10)
  expect(takeMany('2001:db8::1', 6)).toBe(6)
  expect(takeMany('2001:db8::2', 6)).toBe(4)
  expect(takeMany('2001:db8:0:1::2', 6)).toBe(6)
})

test('never more than the count in any window, and all of it again after one', () => {
  const { clock, rate } = windowAt()
  const times: number[] = []
  // An odd step, so that it meets every part of the window.
  for (; clock.now < 10 * MINUTE; clock.now += 337) if (rate.take('192.0.2.1', RATE)) times.push(clock.now)
  for (const [index, at] of times.entries()) {
    const tenth = times[index + 10]
    if (tenth !== undefined) expect(tenth - at).toBeGreaterThanOrEqual(MINUTE)
  }
  // Room comes back an eighth late at most.
  expect(times.length).toBeGreaterThanOrEqual(80)
})

test('room comes back a window and an eighth after it was taken', () => {
  const { clock, takeMany } = windowAt()
  clock.now = 5 * SECOND
  expect(takeMany('192.0.2.1', 10)).toBe(10)
  clock.now = 64 * SECOND
  expect(takeMany('192.0.2.1', 1)).toBe(0)
  clock.now = 5 * SECOND + MINUTE + MINUTE / 8
  expect(takeMany('192.0.2.1', 20)).toBe(10)
})

test('a changed rate counts from now on', () => {
  const { rate, takeMany } = windowAt()
  expect(takeMany('192.0.2.1', 20)).toBe(10)
  expect(rate.take('192.0.2.1', { count: 11, per: MINUTE })).toBe(true)
  expect(rate.take('192.0.2.1', { count: 1, per: SECOND })).toBe(true)
  expect(rate.take('192.0.2.1', { count: 1, per: SECOND })).toBe(false)
})

test('many addresses: those longest unheard of are forgotten', () => {
  const { rate, takeMany } = windowAt(undefined, 100)
  expect(takeMany('192.0.2.1', 10)).toBe(10)
  for (let n = 0; n < 90; n++) rate.take(`198.51.100.${n}`, RATE)
  expect(takeMany('192.0.2.1', 1)).toBe(0)
  for (let n = 0; n < 1000; n++) rate.take(`10.0.${n >> 8}.${n & 255}`, RATE)
  expect(rate.size).toBe(100)
  expect(takeMany('192.0.2.1', 1)).toBe(1)
})
