import { expect, test } from 'vitest'
import { about, type Diagnosis } from '../identity/diagnosis.ts'
import { findingsIn, troubleText } from './findings.ts'

const KNOWN = { domains: ['example.com'], sources: ['mta1', 'mta10'] }
const spf = about('spf', 'example.com')
const source = about('source', 'mta1 203.0.113.10')
const listing = about('dnsbl', 'mta10 203.0.113.20')
const resolver = about('resolver', '127.0.0.1')

const states = (title: string, ...diagnoses: Diagnosis[]): string[] =>
  findingsIn([{ title, diagnoses }], KNOWN)
    .filter(({ state }) => state !== 'good')
    .map(({ name, scope, state }) => `${name} ${scope.kind} ${scope.name} ${state}`)

test.each([
  [
    'example.com',
    spf.missing({ message: 'there is none', expected: 'v=spf1 -all' }),
    ['dns-broken domain example.com broken'],
  ],
  ['example.com', spf.unknown({ message: 'no answer' }), ['dns-broken domain example.com unknown']],
  ['example.com', spf.different({ severity: 'warning', message: 'it is long' }), []],
  ['example.com', about('dkim', 'example.com').missing({ message: 'no key signs' }), []],
  ['example.com', spf.skipped('not asked'), []],
  ['example.com', spf.ok('fine'), []],
  [
    'Sources',
    source.missing({ message: 'it has no PTR record', expected: 'relay.example.com' }),
    ['dns-broken source mta1 broken'],
  ],
  ['Sources', source.unknown({ message: 'PTR: no answer' }), ['dns-broken source mta1 unknown']],
  ['Sources', listing.different({ message: 'listed on bl.example.com' }), ['listed source mta10 broken']],
  ['Sources', listing.unknown({ severity: 'note', message: 'could not be asked' }), ['listed source mta10 unknown']],
  ['Sources', about('port-25', 'mta1').different({ message: 'closed' }), []],
  // That they do not answer is what is wrong with name servers.
  ['Name servers', resolver.unknown({ message: 'no answer' }), ['dns-broken relay name servers broken']],
  ['This machine', about('machine', 'clock').different({ message: 'wrong' }), []],
  ['example.org', about('spf', 'example.org').missing({ message: 'of somebody else' }), []],
] as const)('%s: %o', (title, diagnosis, expected) => {
  expect(states(title, diagnosis)).toEqual(expected)
})

test('what is broken weighs more than what nobody could tell', () => {
  expect(
    states(
      'example.com',
      spf.unknown({ message: 'no answer' }),
      spf.missing({ message: 'there is none', expected: 'v=spf1 -all' }),
    ),
  ).toEqual(['dns-broken domain example.com broken'])
})

test('the sentence names three troubles and the cure of the first', () => {
  const troubles = ['one', 'two', 'three', 'four'].map((message) => spf.different({ message, cure: `mend ${message}` }))
  expect(troubleText({ scope: { kind: 'domain', name: 'example.com' }, troubles })).toBe(
    'Broken for the domain example.com: example.com: one; example.com: two; example.com: three; 1 more. To do: mend one.',
  )
})
