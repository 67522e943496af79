// An operator's own rules: asked before the shipped ones, taken as a whole or not at all, replaced by a reload.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClassifier } from '../src/bounce/classify.ts'
import { loadRules } from '../src/bounce/load-rules.ts'
import { replyFrom } from '../src/bounce/pasted.ts'
import { RulesError } from '../src/bounce/rules.ts'
import { loadSettings } from '../src/config/load.ts'
import type { Settings } from '../src/config/schema.ts'
import { type Fixture, openFixture } from './http/fixture.ts'

const RULE = `
[[rule]]
id = "acme-gone"
match = 'E-4711'
category = "inactive-mailbox"
samples = ["550 5.7.1 Blocked, spam, E-4711"]
`
const REPLY = { kind: 'reply', command: 'RCPT', reply: replyFrom('550 5.7.1 Blocked, spam, E-4711') } as const

let relay: Fixture
beforeEach(async () => {
  relay = await openFixture()
})
afterEach(() => relay.close())

function file(text: string): string {
  const name = join(relay.directory, 'rules.toml')
  writeFileSync(name, text)
  return name
}

describe('own rules', () => {
  test('come before the shipped ones, also before those of a provider', () => {
    const own = createClassifier(loadRules(file(RULE)))
    expect(createClassifier(loadRules()).classify({ cause: REPLY }).kind).toBe('block')
    for (const mx of [undefined, 'mx1.mail.icloud.com', 'mta5.am0.yahoodns.net'])
      expect(own.classify({ cause: REPLY, ...(mx === undefined ? {} : { mx }) })).toMatchObject({
        category: 'inactive-mailbox',
        rule: 'acme-gone@1',
      })
    expect(own.classify({ cause: { ...REPLY, reply: replyFrom('550 5.1.1 User unknown') } }).category).toBe(
      'bad-mailbox',
    )
  })

  test('may bring providers, words and tables', () => {
    const rules = loadRules(
      file(`
      [providers]
      acme = ["mx.acme.example"]
      [words]
      gone = ["perdu", "envolé"]
      [enhanced]
      "9.9" = "quota-issues"
      [[rule]]
      id = "acme-gone"
      scope = "acme"
      match = '%gone%'
      unless = 'peut-être'
      category = "bad-mailbox"
      samples = ["550 envolé", "550 ENVOLE"]
      `),
    )
    const judge = (text: string, mx: string) =>
      createClassifier(rules).classify({ cause: { ...REPLY, reply: replyFrom(text) }, mx })
    expect(judge('550 perdu', 'a.mx.acme.example').rule).toBe('acme-gone@1')
    expect(judge('550 perdu', 'mx.example.com').rule).not.toBe('acme-gone@1')
    expect(judge('550 perdu peut-être', 'a.mx.acme.example').rule).not.toBe('acme-gone@1')
    expect(judge('550 5.9.9 xyzzy', 'mx.example.com').category).toBe('quota-issues')
    expect(judge('550 5.1.1 xyzzy', 'mx.example.com').category).toBe('bad-mailbox')
  })

  test.each([
    ['no TOML', 'rule = = 1', /rules\.toml:1:\d+ are not TOML: [^\n]*$/],
    [
      'an unknown category',
      RULE.replace('inactive-mailbox', 'dead'),
      /line 5, rule "acme-gone", category: there is no category "dead"; `studs bounce explain`/,
    ],
    ['a typed category', RULE.replace('inactive', 'inactiv'), /line 5, .*did you mean "inactive-mailbox"\?$/],
    [
      'a typed key',
      RULE.replace('category', 'categry'),
      /line 5, rule "acme-gone", categry: .*did you mean "category"\?/,
    ],
    ['a typed section', `${RULE}[wrods]\n`, /line 7, wrods: .*did you mean "words"\?/],
    ['one id twice', `${RULE}${RULE}`, /two rules "acme-gone", one in \S+:2 and one in \S+:8/],
    ['a sample that does not match', RULE.replace('spam, E-4711', 'spam'), /sample .*pattern does not match/],
    ['a rule that steals a sample', `${RULE}${RULE.replace('acme-gone', 'other')}`, /acme-gone@1 decides it/],
    ['the id of a shipped rule', RULE.replace('acme-gone', 'mailbox-unknown'), /two rules "mailbox-unknown".*rename/],
    ['a pattern that is none', RULE.replace('E-4711', '(E'), /rule "acme-gone"/],
    ['an unknown word', RULE.replace('E-4711', '%nothing%'), /no word "nothing"/],
    ['a provider nobody knows', RULE.replace('match', 'scope = "nobody"\nmatch'), /no provider "nobody"/],
  ])('%s is refused with file, rule and cure', (_, text, message) => {
    const name = file(text)
    expect(() => loadRules(name)).toThrow(RulesError)
    expect(() => loadRules(name)).toThrow(message)
    expect(() => loadRules(name)).toThrow(name)
  })

  test('a file that is not there is refused', () => {
    expect(() => loadRules(join(relay.directory, 'missing.toml'))).toThrow(/bounce\.rules/)
  })
})

describe('a reload', () => {
  function settings(rules: string): Settings {
    writeFileSync(join(relay.directory, 'own.toml'), rules)
    writeFileSync(relay.configFile, '[bounce]\nrules = "own.toml"\n')
    return loadSettings({ file: relay.configFile, env: {} }).settings
  }

  test('takes new rules over for all who hold the classifier', () => {
    const { classifier, recorder } = relay.core
    expect(classifier.classify({ cause: REPLY }).kind).toBe('block')
    relay.core.reconfigure(settings(RULE))
    expect(classifier.classify({ cause: REPLY }).rule).toBe('acme-gone@1')
    expect(recorder.classify({ cause: REPLY }).rule).toBe('acme-gone@1')
    // The same file with other words in it.
    relay.core.reconfigure(settings(RULE.replace('acme-gone', 'acme-closed')))
    expect(classifier.classify({ cause: REPLY }).rule).toBe('acme-closed@1')
  })

  test('refuses wrong ones as a whole and keeps the old', () => {
    relay.core.reconfigure(settings(RULE))
    expect(() => relay.core.prepare(settings(RULE.replace('E-4711', '(')))).toThrow(RulesError)
    expect(() => relay.core.reconfigure(settings('rule = 1'))).toThrow(RulesError)
    expect(relay.core.classifier.classify({ cause: REPLY }).rule).toBe('acme-gone@1')
  })

  test('nothing changes before what was prepared is taken over', () => {
    const takeOver = relay.core.prepare(settings(RULE))
    expect(relay.core.classifier.classify({ cause: REPLY }).kind).toBe('block')
    takeOver()
    expect(relay.core.classifier.classify({ cause: REPLY }).rule).toBe('acme-gone@1')
  })
})
