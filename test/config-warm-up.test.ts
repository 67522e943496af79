// Warm-up plans in the configuration: what is taken, and what is wrong, with its line.

import { expect, test } from 'vitest'
import { check } from '../src/config/check.ts'
import { ConfigError } from '../src/config/load.ts'
import { HOUR } from '../src/util/clock.ts'
import { load } from './support/config-file.ts'

const withPlan = (lines: string): string => `[[source]]\nname = "default"\n[source.warm_up]\n${lines}`
const refusal = (toml: string): string => {
  try {
    load(toml)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'taken'
}

test('only the date is needed, and a table of one line will do', () => {
  const { settings } = load('[[source]]\nname = "default"\nwarm_up = { since = "2026-11-01" }')
  expect(settings.source[0]?.warmUp).toEqual({
    since: '2026-11-01',
    start: { count: 20, per: HOUR },
    growth: 1.4,
    days: 42,
    table: [],
    overflow: true,
    brakeDeferrals: 0.1,
    brakeComplaints: 0.003,
  })
})

test('a source without a plan has none', () => {
  expect(load('').settings.source[0]?.warmUp).toBeUndefined()
})

test.each([
  ['no date', 'start = "20/h"', 'source.0.warm_up.since'],
  ['no such day', 'since = "2026-02-30"', 'studs.toml:4: source.0.warm_up.since: there is no day 2026-02-30'],
  ['no such month', 'since = "2026-13-01"', 'expected a date such as "2026-11-01"'],
  ['a bare date', 'since = 2026-11-01', 'source.0.warm_up.since'],
  [
    'a pace',
    'since = "2026-11-01"\nstart = "10/s"',
    'studs.toml:5: source.0.warm_up.start: a warm-up is counted by the hour or longer',
  ],
  [
    'a pace in the table',
    'since = "2026-11-01"\ntable = ["20/h", "40/min"]',
    'source.0.warm_up.table.1: a warm-up is counted',
  ],
  ['shrinking', 'since = "2026-11-01"\ngrowth = 0.5', 'source.0.warm_up.growth'],
  ['a typing error', 'since = "2026-11-01"\ngrowht = 2', 'did you mean "growth"'],
])('%s', (_, lines, sentence) => {
  expect(refusal(withPlan(lines))).toContain(sentence)
})

test('a pool of cold sources only is doubtful, and runs', () => {
  const { settings } = load(withPlan('since = "2026-11-01"'))
  expect(check(settings).map(({ message }) => message)).toContainEqual(
    'every source of pool "default" is being warmed up: what is beyond their plans waits',
  )
})
