import { describe, expect, test } from 'vitest'
import { checkedPattern, MATCHED_CHARACTERS } from './pattern.ts'

const problemOf = (text: string): string | undefined => {
  const checked = checkedPattern(text)
  return 'problem' in checked ? checked.problem : undefined
}

describe('what no reply can make slow is taken', () => {
  test.each([
    'temporarily deferred',
    '\\[TSS0?4\\]',
    'has been .* rate limited',
    'rate.{0,40}limit.{0,40}exceeded',
    '(?:too many|rate limit(?:ed)?|slow down)',
    '^421[ -]4\\.7\\.\\d{1,3}',
    '(?<!un)blocked',
    '[a-z]+',
    'S(?:3140|3150)|S775',
    '\\p{L}{1,20} bloqu[eé]',
    '(ab){1,5}',
  ])('%s', (text) => {
    expect(problemOf(text)).toBeUndefined()
  })
})

describe('what some reply could make slow is refused', () => {
  test.each([
    ['(a+)+$', /repeats what repeats/],
    ['(a*)*b', /repeats what repeats/],
    ['(a|a)*$', /repeats what repeats/],
    ['(?:\\w+\\s?)*$', /repeats what repeats/],
    ['([a-z]+)*[0-9]', /repeats what repeats/],
    ['(a{1,9}){1,9}b', /could take too long/],
    ['.*.*.*x', /could take too long/],
    ['.*a.*b', /could take too long/],
    ['(?=(a+))a*b\\1', /refers back/],
    ['(x)\\1', /refers back/],
    ['(a?){30}a{30}', /could take too long/],
    ['(?i:(a+)+)b', /repeats what repeats/],
    ['(?-i:(a+)+)b', /repeats what repeats/],
    ['(?<n>(a+)+)b', /repeats what repeats/],
    ['(a+){000000000000000000001,}b', /repeats what repeats/],
    ['(?:s|\u017f)*b', /repeats what repeats/],
    ['(?:(?!b)a|a)*c', /repeats what repeats/],
    ['(?:a|b', /no regular expression/],
    ['[z-a]', /no regular expression/],
  ])('%s', (text, expected) => {
    expect(problemOf(text)).toMatch(expected)
  })
})

test('the worst that is taken ends soon on the worst of texts', () => {
  for (const text of ['.*x', 'a.{0,40}b.{0,40}c.{0,8}d', '(?:a|ab)(?:a|ab)(?:a|ab)a+c', '(aa?){1,3}a*b']) {
    const checked = checkedPattern(text)
    if ('problem' in checked) throw new Error(`${text}: ${checked.problem}`)
    const startedAt = performance.now()
    for (const filling of ['a', 'ab', 'abc', 'aab'])
      checked.pattern.test(filling.repeat(MATCHED_CHARACTERS).slice(0, MATCHED_CHARACTERS))
    expect(performance.now() - startedAt).toBeLessThan(1000)
  }
})
