// What the benchmark shows at length, held to: the pace finds what a receiver takes, of each kind, and is back soon.

import { expect, test } from 'vitest'
import { DROP, NAMED } from '../bench/pacing-models.ts'
import { SENDERS } from '../bench/pacing-senders.ts'
import { figuresOf, simulate } from '../bench/pacing-simulation.ts'
import { schema } from '../src/config/schema.ts'
import { PACE } from '../src/pacing/controller.ts'

const QUICK = ['20/s', '1/min', '600 in any minute', '3600 in any hour', '200 each minute', '20/s, punishes: 1 min']

const studs = SENDERS.Studs!

test.each(QUICK)('at least nine tenths of %s, and at most a fiftieth put off', (name) => {
  const model = NAMED.find((each) => each.name === name)
  expect(model).toBeDefined()
  const { share, putOff } = figuresOf(model!, simulate(model!, studs, 5))
  expect(share).toBeGreaterThan(0.9)
  expect(share).toBeLessThan(1.01)
  expect(putOff).toBeLessThan(0.02)
})

test('is back within ten minutes when a receiver takes ten times as much again', () => {
  const { share, recoverySeconds } = figuresOf(DROP, simulate(DROP, studs, 5))
  expect(share).toBeGreaterThan(0.9)
  expect(recoverySeconds).toBeLessThan(600)
})

test('the same seed gives the same course', () => {
  expect(simulate(DROP, studs, 7)).toEqual(simulate(DROP, studs, 7))
  expect(simulate(DROP, studs, 7)).not.toEqual(simulate(DROP, studs, 8))
})

test('what was measured is what the configuration has by default', () => {
  const { adaptive, ...pace } = schema.parse({}).pace
  expect(adaptive).toBe(true)
  expect(PACE).toMatchObject(pace)
})
