import { expect, test } from 'vitest'
import { byName } from './by-name.ts'

const listOf = (size: number) => Array.from({ length: size }, (_, at) => ({ name: `t${at}`, at }))

test.each([0, 1, 8, 9, 5000])('of %d entries, each is found and nothing else is', (size) => {
  const list = [...listOf(size), { name: 't0', at: -1 }]
  for (const at of [0, size - 1]) if (at >= 0) expect(byName(list, `t${at}`)).toBe(list[at])
  // The first of a name counts, as in a search.
  expect(byName(list, 't0')).toBe(list[0])
  expect([`t${size + 1}`, '', undefined].map((name) => byName(list, name))).toEqual([undefined, undefined, undefined])
})

test('another list of the same names has entries of its own', () => {
  const [before, after] = [listOf(20), listOf(20)]
  expect(byName(before, 't7')).toBe(before[7])
  expect(byName(after, 't7')).toBe(after[7])
})
