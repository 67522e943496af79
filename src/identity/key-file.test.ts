import { expect, test } from 'vitest'
import { nextSelector } from './key-file.ts'

test.each([
  [undefined, [], 's1'],
  ['s1', [], 's2'],
  ['s9', [], 's10'],
  ['s1', ['s2', 's3'], 's4'],
  ['mail01', [], 'mail02'],
  ['2026', [], '2027'],
  ['2026a', [], '2026a2'],
  ['default', [], 'default2'],
])('after %s, with %j taken, comes %s', (current, taken, expected) => {
  expect(nextSelector(current, (selector) => taken.includes(selector as never))).toBe(expected)
})
