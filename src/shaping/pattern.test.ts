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
    '.* rate limit(?:ed)?',
    '^(?:too many|slow down).*from.*your',
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

describe('one look ends within milliseconds, whatever is taken and whatever is said', () => {
  // Near the limit, each in a way of its own.
  const HOSTILE = [
    '.*x',
    '.*(?:ed)?s?x',
    '.{0,43}.{0,43}x',
    '.{0,11}.{0,11}.{0,11}x',
    '.?.?.?.?.?.?.?.?.?.?x',
    '(?:.?){6}x',
    '(?:.{0,5}){3}x',
    '(?:.?.?){3}x',
    '(?:x|y|z|.{0,3}){3}w',
    '(?:a|ab)(?:a|ab)a+c',
    '(?:a|.|\\w|\\S){1,4}x',
    '(?=.{0,43}x).{0,43}y',
    '(?<=a.*)b',
    '^.*.*x',
    '\\p{L}{0,43}\\p{L}{0,43}1',
    'é{0,43}É{0,43}x',
  ]
  // What keeps each of them going longest: nothing ends it before the last character.
  const REPLIES = ['a', 'ab', 'abc', 'aab', 'ba', 'a ', 'xa', 'é', 'aB', '\u{1F600}', 'rate limit ', '421 4.7.0 ']

  test.each(HOSTILE)('%s', (text) => {
    const checked = checkedPattern(text)
    if ('problem' in checked) throw new Error(checked.problem)
    for (const filling of REPLIES) {
      const reply = filling.repeat(MATCHED_CHARACTERS).slice(0, MATCHED_CHARACTERS)
      // The fastest of a few: the machine may be busy with something else.
      const took = Array.from({ length: 5 }, () => {
        const startedAt = performance.now()
        checked.pattern.test(reply)
        return performance.now() - startedAt
      })
      expect(Math.min(...took)).toBeLessThan(15)
    }
  })

  test.each([
    'a.{0,40}b.{0,40}c.{0,8}d',
    '(?:.?){10}x',
    '(?:.?){14}x',
    '(?:a|a){14}b',
    'a{0,100}a{0,190}b',
    '.*.{0,18}x',
    '^.*.*x|b.*.*c',
    '^.*.*.*x',
  ])('what took longer is refused: %s', (text) => {
    expect(problemOf(text)).toMatch(/could take too long/)
  })
})
