// What is a surge and what is not, as tables.

import { describe, expect, test } from 'vitest'
import { glidingHour, hardShare, isSpike, medianOf } from './spike.ts'

const settings = { spikeMinimum: 50, spikeFactor: 5, spikeShare: 0.5 }

describe('a surge', () => {
  test.each<[string, { answered: number; hard: number }, number, boolean]>([
    ['nothing', { answered: 0, hard: 0 }, 0, false],
    ['an outage: everybody is refused', { answered: 80, hard: 80 }, 0, true],
    ['just enough', { answered: 100, hard: 50 }, 10, true],
    ['one too few', { answered: 49, hard: 49 }, 0, false],
    ['a small tenant whose whole list is dead', { answered: 20, hard: 20 }, 0, false],
    ['an old list: many are dead, more are alive', { answered: 1000, hard: 400 }, 0, false],
    ['a list that is always like that', { answered: 100, hard: 90 }, 80, false],
    ['five times as many as usual', { answered: 100, hard: 100 }, 20, true],
    ['a little less than that', { answered: 99, hard: 99 }, 20, false],
    ['bounces after acceptance, more than were answered this hour', { answered: 3, hard: 60 }, 0, true],
    ['bounces after acceptance while most goes well', { answered: 500, hard: 60 }, 0, false],
  ])('%s', (_what, hour, usual, expected) => {
    expect(isSpike({ hour, usual, isOn: false, settings })).toBe(expected)
  })

  test.each<[string, { answered: number; hard: number }, number, boolean]>([
    ['goes on while half of it is left', { answered: 100, hard: 25 }, 0, true],
    ['ends when fewer than half the minimum are left', { answered: 24, hard: 24 }, 0, false],
    ['ends when the site answers well again', { answered: 1000, hard: 200 }, 0, false],
    ['ends when it has become usual', { answered: 60, hard: 60 }, 60, false],
  ])('%s', (_what, hour, usual, expected) => {
    expect(isSpike({ hour, usual, isOn: true, settings })).toBe(expected)
  })
})

test('the median of seven days is not moved by three odd ones', () => {
  expect(medianOf([0, 0, 2, 3, 900, 900, 900])).toBe(3)
  expect(medianOf([5])).toBe(5)
  expect(medianOf([4, 2])).toBe(3)
  expect(medianOf([])).toBe(0)
})

test('the hour glides: of the one before counts what is left', () => {
  const [current, previous] = [
    { answered: 10, hard: 4 },
    { answered: 100, hard: 40 },
  ]
  expect(glidingHour(current, previous, 0)).toEqual({ answered: 110, hard: 44 })
  expect(glidingHour(current, previous, 0.75)).toEqual({ answered: 35, hard: 14 })
  expect(glidingHour(current, previous, 1)).toEqual(current)
  expect(glidingHour(current, previous, -3)).toEqual({ answered: 110, hard: 44 })
  expect(glidingHour(current, previous, 3)).toEqual(current)
})

test('the share is one at most, and nothing of nothing', () => {
  expect(hardShare({ answered: 0, hard: 5 })).toBe(1)
  expect(hardShare({ answered: 0, hard: 0 })).toBe(0)
  expect(hardShare({ answered: 8, hard: 2 })).toBe(0.25)
})
