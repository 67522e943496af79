// The rules as data: every sample meets its own rule, in the order they are asked, and wrong rules are refused with words
// that say what to mend.

import { describe, expect, test } from 'vitest'
import { createClassifier } from './classify.ts'
import { sampleCase } from './load-rules.ts'
import { parseRules, RulesError, shippedRules } from './rules.ts'

const shipped = shippedRules()
const classifier = createClassifier(shipped)

describe('the shipped rules', () => {
  const cases = shipped.rules.flatMap((rule) => rule.samples.map((sample) => ({ rule, sample })))

  test.each(cases)('$rule.name: $sample', ({ rule, sample }) => {
    const verdict = classifier.classify(sampleCase(sample, rule, shipped))
    expect(verdict).toMatchObject({ rule: rule.name, category: rule.category })
  })

  test('are many enough to be of use, and none catches everything', () => {
    expect(shipped.rules.length).toBeGreaterThan(50)
    const catchAll = shipped.rules.filter((rule) => rule.pattern.test('550 xyzzy') || rule.pattern.test(''))
    expect(catchAll.map((rule) => rule.name)).toEqual([])
  })

  // 5.7.13 is said of the account that sends (RFC 5248), however much it sounds like a mailbox.
  test('give no address up over words about the sending account', () => {
    for (const text of ['525 5.7.13 User Account Disabled', '550 5.7.13 mailbox disabled'])
      expect(
        classifier.classify({
          cause: {
            kind: 'reply',
            command: 'RCPT',
            reply: { code: Number(text.slice(0, 3)), enhanced: '5.7.13', lines: [text.slice(4)] },
          },
        }).kind,
      ).toBe('other')
  })

  test('take no long time over a hostile reply', () => {
    const hostile = [
      'mailbox '.repeat(400),
      'a'.repeat(5000),
      'user unknow '.repeat(300),
      '<'.repeat(2000),
      '1.'.repeat(2000),
    ]
    const started = performance.now()
    for (const text of hostile)
      classifier.classify({ cause: { kind: 'reply', command: 'RCPT', reply: { code: 550, lines: [text] } } })
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('wrong rules', () => {
  const rule = (lines: string): string => `[providers]\nacme = ["acme.example"]\n[[rule]]\n${lines}`
  const good = 'id = "a"\nmatch = "x"\ncategory = "other"\nsamples = ["550 x"]'

  test.each([
    ['no TOML', 'rule = = 3', /not TOML/],
    ['an unknown category', rule(good.replace('"other"', '"nonsense"')), /category/],
    ['an unknown key', rule(`${good}\ncolour = "red"`), /colour/],
    ['no sample', rule(good.replace('["550 x"]', '[]')), /sample/],
    ['a sample that is no reply', rule(good.replace('550 x', 'x')), /expected a reply/],
    ['a pattern that is none', rule(good.replace('"x"', '"(x"')), /rule "a"/],
    ['an unknown provider', rule(`${good}\nscope = "nobody"`), /no provider "nobody"/],
    ['one id twice', `${rule(good)}\n[[rule]]\n${good}`, /two rules "a"/],
    ['an unknown action', rule(`${good}\naction = "explode"`), /action/],
    ['an unknown class', rule(`${good}\nclass = "nonsense"`), /class/],
  ])('%s', (_name, text, message) => {
    expect(() => parseRules(text)).toThrow(RulesError)
    expect(() => parseRules(text)).toThrow(message)
  })

  test('one with a class of its own changes what a reply is about, not what follows', () => {
    const rules = parseRules(rule(`${good.replace('"other"', '"transient"')}\nclass = "full"`))
    const [own, plain] = [rules, parseRules(rule(good.replace('"other"', '"transient"')))].map((each) =>
      createClassifier(each).classify({
        cause: { kind: 'reply', command: 'RCPT', reply: { code: 550, lines: ['x'] } },
      }),
    )
    expect([plain?.class, own?.class]).toEqual(['infra', 'full'])
    expect({ ...own, class: '' }).toEqual({ ...plain, class: '' })
  })

  test('a good one is taken', () => {
    expect(parseRules(rule(good)).rules[0]).toMatchObject({ name: 'a@1', category: 'other' })
  })
})
