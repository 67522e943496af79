import { expect, test } from 'vitest'
import type { Rule, Saying } from '../shaping/rule.ts'
import { readShapingFile } from '../shaping/shaping-file.ts'
import { HOUR, MINUTE } from '../util/clock.ts'
import { Automation } from './automation.ts'

const { rules } = readShapingFile(
  `
[[default.rule]]
match = 'never mind'
action = "none"
[[default.rule]]
match = 'at once'
action = "suspend"
for = "1h"
[[default.rule]]
match = 'slow down'
action = "slow"
after = "3/h"
message_rate = "1/min"
for = "1h"
[[default.rule]]
match = 'down'
action = "suspend"
for = "1h"
`,
  'shaping.toml',
)
const said = (text: string): Saying => ({ text, code: 450, enhanced: undefined, category: 'rate-limited' })
const met = (automation: Automation, text: string, at: number, place = 'a'): Rule | undefined =>
  automation.heard({ rules, said: said(text), boundBy: () => place, at })

test('at once, and never', () => {
  const automation = new Automation()
  expect(met(automation, 'at once', 0)?.action).toBe('suspend')
  expect(met(automation, 'never mind, slow down at once', 0)).toBeUndefined()
  expect(met(automation, 'something else', 0)).toBeUndefined()
  expect(automation.size).toBe(0)
})

test('the third within an hour, wherever the hour begins, and each place by itself', () => {
  const automation = new Automation()
  const at = [0, 50 * MINUTE, 61 * MINUTE, 100 * MINUTE, 101 * MINUTE]
  expect(at.map((time) => met(automation, 'slow down', time)?.action)).toEqual([
    undefined,
    undefined,
    undefined,
    'slow',
    undefined,
  ])
  const other = new Automation()
  expect(['a', 'b', 'a', 'b', 'a'].map((place) => met(other, 'slow down', 0, place)?.action)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    'slow',
  ])
})

test('the first rule that is met decides, also while it only counts', () => {
  expect(met(new Automation(), 'slow down', 0)).toBeUndefined()
  expect(met(new Automation(), 'down', 0)?.action).toBe('suspend')
})

test('memory is bounded, whatever is said from wherever', () => {
  const automation = new Automation()
  for (let at = 0; at < 50_000; at++) met(automation, `slow down ${at}`, at, `site ${at}`)
  expect(automation.size).toBe(10_000)
  for (let at = 0; at < 10_000; at++) met(automation, `slow down, at ${at}`, 2 * HOUR + at * 60 * MINUTE, 'a')
  expect(automation.size).toBe(10_000)
})
