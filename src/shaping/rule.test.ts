import { describe, expect, test } from 'vitest'
import { createClassifier } from '../bounce/classify.ts'
import { replyFrom } from '../bounce/pasted.ts'
import { shippedRules } from '../bounce/rules.ts'
import { ConfigError } from '../config/problem.ts'
import { type Settings, schema } from '../config/schema.ts'
import { shippedPresets } from './load-shaping.ts'
import { meets, ruleName, sayingOf } from './rule.ts'
import { createShaping } from './shaping.ts'
import { readShapingFile } from './shaping-file.ts'

const classifier = createClassifier(shippedRules())
const saying = (reply: string) => {
  const cause = { kind: 'reply', command: 'MAIL', reply: replyFrom(reply) } as const
  return sayingOf(cause, classifier.classify({ cause }).category)
}

describe('each sample of the presets meets its own rule, and no earlier one that would be asked', () => {
  const files = [{ kind: 'preset' as const, file: shippedPresets() }]
  const shaping = createShaping({ settings: schema.parse({}) as unknown as Settings, files, families: new Map() })
  const samples = files[0]!.file.rules.flatMap((rule) => rule.samples.map((sample) => [rule, sample] as const))
  test('there are samples of every rule', () => {
    expect(files[0]!.file.rules.length).toBeGreaterThan(15)
    for (const { name, samples: own } of files[0]!.file.rules) expect([name, own.length > 0]).toEqual([name, true])
  })
  test.each(samples.map(([rule, sample]) => [`${rule.section} ${rule.name}`, rule, sample] as const))(
    '%s',
    (_, rule, sample) => {
      const provider = rule.level === 'provider' ? rule.section : undefined
      const asked = shaping.rulesFor({ domain: 'a.example', site: 'mx.a.example', provider })
      expect(ruleName(asked.find((each) => meets(each, saying(sample)))!)).toBe(ruleName(rule))
    },
  )
  test.each([
    '450 4.2.0 Greylisted for 300 seconds',
    '452 4.2.2 Mailbox full',
    '550 5.1.1 No such user',
    '250 2.0.0 Ok',
  ])('none is met by "%s"', (reply) => {
    const met = files[0]!.file.rules.filter((rule) => meets(rule, saying(reply)))
    expect(met.map(ruleName)).toEqual([])
  })
  // What is listed is no address of ours: another one would not help.
  test.each([
    '554 5.7.1 Service unavailable; Sender address [a@example.com] blocked using dbl.spamhaus.org',
    '550 5.7.1 This message was blocked for containing a URL listed in SURBL',
    '554 5.7.1 Service unavailable; Helo command [mta1.example.com] blocked using dbl.spamhaus.org',
    '421 4.7.0 Too many connections from 192.0.2.1, rejected by policy',
  ])('no source rests for "%s"', (reply) => {
    const asked = shaping.rulesFor({ domain: 'a.example', site: 'mx.a.example', provider: undefined })
    expect(asked.filter((rule) => meets(rule, saying(reply))).map(ruleName)).toEqual([])
  })
})

const OWN = `
[[provider.yahoo.rule]]
name = "tss04"
match = 'TSS04'
action = "suspend"
for = "10m"

[[provider.yahoo.rule]]
code = ["4.7.99", "421"]
category = "spam-related"
action = "slow"
message_rate = "5/min"
after = "3/10min"
for = "1h"

[[domain."a.example".rule]]
match = ["never mind", "weather"]
action = "none"
`

describe('an own file', () => {
  const own = readShapingFile(OWN, 'shaping.toml')
  const shaping = createShaping({
    settings: schema.parse({}) as unknown as Settings,
    families: new Map(),
    files: [
      { kind: 'file', file: own },
      { kind: 'preset', file: shippedPresets() },
    ],
  })
  test('comes first in its section, narrow sections before wide ones, and replaces rules by name', () => {
    const asked = shaping.rulesFor({ domain: 'a.example', site: 'mx.a.example', provider: 'yahoo' })
    const names = asked.map(({ place, section, level, name }) => `${place.file} ${level} ${section} ${name ?? ''}`)
    expect(names.slice(0, 5)).toEqual([
      'shaping.toml domain a.example ',
      'shaping.toml provider yahoo tss04',
      'shaping.toml provider yahoo ',
      'presets.toml provider yahoo tss05',
      'presets.toml provider yahoo ts02',
    ])
    expect(names.filter((name) => name.endsWith('yahoo tss04'))).toEqual(['shaping.toml provider yahoo tss04'])
    expect(names.at(-1)).toBe('presets.toml default  server-busy')
  })
  test('rules of others are not asked', () => {
    const asked = shaping.rulesFor({ domain: 'b.example', site: 'mx.b.example', provider: undefined })
    expect(new Set(asked.map(({ level }) => level))).toEqual(new Set(['default']))
  })
  test('has the line of each rule, and all conditions must be met', () => {
    const [, second, third] = own.rules.toSorted((a, b) => a.place.line - b.place.line)
    expect(own.rules.map(ruleName)).toEqual(['rule shaping.toml:2', 'rule shaping.toml:8', 'rule shaping.toml:16'])
    expect(second?.place.section).toBe('[[provider.yahoo.rule]]')
    expect(third?.place.section).toBe('[[domain."a.example".rule]]')
    const listed = '421 4.7.1 Mail from 192.0.2.1 is refused for spam'
    expect([
      meets(second!, saying(listed)),
      meets(second!, { ...saying(listed), category: 'transient' }),
      meets(second!, { ...saying(listed), code: 450 }),
      meets(second!, { ...saying(listed), code: 450, enhanced: '4.7.99' }),
      meets(third!, saying('451 4.0.0 Bad WEATHER here')),
      meets(third!, saying('451 4.0.0 Bad whether here')),
    ]).toEqual([true, false, false, true, true, false])
  })
})

describe('a wrong rule is refused with the whole file, and its line is named', () => {
  const rule = (more: string): string => `[[provider.google.rule]]\n${more}`
  const ok = 'match = "slow down"\naction = "suspend"\nfor = "1h"\n'
  test.each<[string, string, string]>([
    [
      'a misspelt key',
      `${ok}acton = "slow"`,
      ':5: provider.google.rule.0.acton: unknown key "acton"; did you mean "action"?',
    ],
    [
      'no expression',
      'match = "(a"\naction = "suspend"\nfor = "1h"',
      ':2: provider.google.rule.0.match: is no regular expression',
    ],
    [
      'a bomb',
      'match = "(a+)+$"\naction = "suspend"\nfor = "1h"',
      ':2: provider.google.rule.0.match: repeats what repeats already',
    ],
    [
      'a bomb in a list',
      'match = ["ok",\n "(a|a)*$"]\naction = "suspend"\nfor = "1h"',
      ':3: provider.google.rule.0.match.1: repeats',
    ],
    [
      'a huge expression',
      `match = "${'a'.repeat(501)}"\naction = "suspend"\nfor = "1h"`,
      ':2: provider.google.rule.0.match: must not be longer',
    ],
    [
      'another action',
      'match = "x"\naction = "stop"\nfor = "1h"',
      ':3: provider.google.rule.0.action: expected one of "slow", "suspend"',
    ],
    ['no action', 'match = "x"\nfor = "1h"', ':1: provider.google.rule.0.action: is missing'],
    ['no end', 'match = "x"\naction = "suspend"', ':1: provider.google.rule.0.for: is missing'],
    [
      'too long',
      'match = "x"\naction = "suspend"\nfor = "8d"',
      ':4: provider.google.rule.0.for: must be from "1s" to "7d"',
    ],
    [
      'no time at all',
      'match = "x"\naction = "suspend"\nfor = "0"',
      ':4: provider.google.rule.0.for: must be from "1s" to "7d"',
    ],
    [
      'slow without a number',
      'match = "x"\naction = "slow"\nfor = "1h"',
      ':1: provider.google.rule.0: slow needs message_rate or connections',
    ],
    [
      'a rate for nothing',
      `${ok}message_rate = "1/min"`,
      ':5: provider.google.rule.0.message_rate: goes with action "slow", not "suspend"',
    ],
    [
      'half a connection',
      'match = "x"\naction = "slow"\nfor = "1h"\nconnections = 0.5',
      ':5: provider.google.rule.0.connections: expected a whole number, not 0.5',
    ],
    ['no condition', 'action = "suspend"\nfor = "1h"', ':1: provider.google.rule.0: says nothing of the reply'],
    ['a threshold that is none', `${ok}after = "5"`, ':5: provider.google.rule.0.after: expected a rate'],
    ['a threshold too high', `${ok}after = "100000/h"`, ':5: provider.google.rule.0.after: must be at most 1000'],
    [
      'a category that nobody knows',
      'category = "spam"\naction = "suspend"\nfor = "1h"',
      ':2: provider.google.rule.0.category: expected one of',
    ],
    [
      'a code that is none',
      'code = "4xx"\naction = "suspend"\nfor = "1h"',
      ':2: provider.google.rule.0.code: expected a reply code',
    ],
    [
      'a sample of another rule',
      `${ok}samples = ["421 4.7.0 hurry up"]`,
      ':5: provider.google.rule.0.samples: "421 4.7.0 hurry up" does not meet',
    ],
    [
      'a number for an expression',
      'match = 5\naction = "suspend"\nfor = "1h"',
      ':2: provider.google.rule.0.match: expected a text in quotes, or a list',
    ],
  ])('%s', (_, text, expected) => {
    let said = ''
    try {
      readShapingFile(rule(text), 'shaping.toml')
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      said = error.message
    }
    expect(said.slice(0, 'shaping.toml'.length + expected.length)).toBe(`shaping.toml${expected}`)
  })
  test('the section of one source has no rules', () => {
    expect(() => readShapingFile('[[default.source.one.rule]]\nmatch = "x"', 'shaping.toml')).toThrow(
      /unknown key "rule"/,
    )
  })
})
