import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { ExpiringMap } from './expiring-map.ts'

test('entries leave when their time is over', async () => {
  const clock = new FakeClock()
  const map = new ExpiringMap<number>(clock, 10)
  map.set('a', 1, 1000)
  await clock.advance(999)
  expect(map.get('a')).toBe(1)
  expect(map.remainingMs('a')).toBe(1)
  await clock.advance(1)
  expect(map.get('a')).toBeUndefined()
  expect(map.size).toBe(0)
})

test('a new life replaces the old one', async () => {
  const clock = new FakeClock()
  const map = new ExpiringMap<number>(clock, 10)
  map.set('a', 1, 1000)
  map.set('a', 2, 5000)
  await clock.advance(2000)
  expect(map.get('a')).toBe(2)
})

test('when it is full, the one unused for longest goes', () => {
  const map = new ExpiringMap<number>(new FakeClock(), 2)
  map.set('a', 1, 1000)
  map.set('b', 2, 1000)
  map.get('a')
  map.set('c', 3, 1000)
  expect([map.has('a'), map.has('b'), map.has('c')]).toEqual([true, false, true])
})
