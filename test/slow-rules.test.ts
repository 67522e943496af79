// An operator's pattern that backtracks without end, and a reply that somebody made for it.

import { describe, expect, test } from 'vitest'
import { createClassifier } from '../src/bounce/classify.ts'
import { rulesFromText } from '../src/bounce/load-rules.ts'
import type { Cause } from '../src/mail/outcome.ts'

const OWN = `
[[rule]]
id = "own-words"
match = '^550 (\\w+\\s?)+gone$'
category = "greylisted"
samples = ["550 we are gone"]
[[rule]]
id = "own-xyzzy"
match = 'xyzzy'
category = "virus-related"
samples = ["550 xyzzy"]
`
const said = (text: string): Cause => ({ kind: 'reply', command: 'RCPT', reply: { code: 550, lines: [text] } })
const EVIL = `${'a'.repeat(64)} `

describe('a pattern that takes too long', () => {
  test('stops nobody: the other rules are asked, and somebody is told which one it is', () => {
    const slow: string[] = []
    const classifier = createClassifier(rulesFromText(OWN, 'own.toml'), { onSlowRule: (rule) => slow.push(rule) })
    expect(classifier.classify({ cause: said('they are gone') }).rule).toBe('own-words@1')
    expect(classifier.classify({ cause: said(`${EVIL}xyzzy!`) }).rule).toBe('own-xyzzy@1')
    expect(classifier.classify({ cause: said(`${EVIL}user unknown!`) }).category).toBe('bad-mailbox')
    expect(slow).toEqual(['own-words@1', 'own-words@1'])
  })

  test('is left out after the third time, until the rules are read again', () => {
    const slow: string[] = []
    const rules = rulesFromText(OWN, 'own.toml')
    const classifier = createClassifier(rules, { onSlowRule: (rule) => slow.push(rule) })
    for (let n = 0; n < 8; n++) classifier.classify({ cause: said(`${EVIL}${n}!`) })
    expect(slow).toHaveLength(3)
    expect(classifier.classify({ cause: said('they are gone') }).rule).not.toBe('own-words@1')
    expect(createClassifier(rules).classify({ cause: said('they are gone') }).rule).toBe('own-words@1')
  })

  test('in a sample that does not match is refused like any other', () => {
    const wrong = OWN.replace('"550 we are gone"', `"550 ${EVIL}!"`)
    expect(() => rulesFromText(wrong, 'own.toml')).toThrow(/takes too long/)
  })
})
