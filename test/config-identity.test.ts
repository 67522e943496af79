// What the configuration alone can tell of a sender's identity.

import { expect, test } from 'vitest'
import { formatProblem } from '../src/config/load.ts'
import { load, problemsOf } from './support/config-file.ts'

const warnings = (toml: string): string[] => load(toml).warnings.map(formatProblem)

interface Case {
  readonly domain?: string
  readonly returnPath?: string
  readonly states?: readonly string[]
}

function domainToml({ domain = 'example.com', returnPath, states = ['sign'] }: Case): string {
  const keys = states.map((state, at) => `{ selector = "s${at}", key_file = "k${at}", state = "${state}" }`)
  const path = returnPath === undefined ? '' : `return_path = "${returnPath}"\n`
  return `[[tenant]]\nname = "default"\n[[domain]]\nname = "${domain}"\n${path}dkim = [${keys.join(', ')}]\n`
}

test.each<[what: string, given: Case, warning: string]>([
  [
    'a return path elsewhere',
    { returnPath: 'bounce.example.net' },
    'studs.toml:5: domain.0.return_path: the return path bounce.example.net is not aligned with example.com: mail passes DMARC by its DKIM signature alone; take a return path below example.com',
  ],
  [
    'a return path elsewhere, and nothing signs',
    { returnPath: 'bounce.example.net', states: [] },
    'neither DKIM nor the return path bounce.example.net is aligned with example.com: its mail fails DMARC',
  ],
  [
    'keys that wait',
    { states: ['publish'] },
    'no key of example.com signs: its mail goes out without a DKIM signature',
  ],
  ['keys that are gone', { states: ['retired', 'retired'] }, 'no key of example.com signs'],
])('%s', (_, given, warning) => {
  const found = warnings(domainToml(given))
  expect(found.length).toBeGreaterThan(0)
  expect(found[0]).toContain(warning)
})

test.each<[what: string, given: Case]>([
  ['a return path below', { returnPath: 'bounce.example.com' }],
  ['the domain itself', { returnPath: 'example.com' }],
  ['a return path above', { domain: 'news.example.com', returnPath: 'example.com' }],
  ['a sibling', { domain: 'news.example.com', returnPath: 'bounce.example.com' }],
  ['a key in every state', { states: ['sign', 'publish', 'retired'] }],
])('no warning: %s', (_, given) => {
  expect(warnings(domainToml(given))).toEqual([])
})

test('an unknown state is refused', () => {
  expect(problemsOf(() => load(domainToml({ states: ['signs'] })))).toEqual([
    'studs.toml:5: domain.0.dkim.0.state: expected one of "sign", "publish", "retired", not "signs"; did you mean "sign"?',
  ])
})

test('any sender beside signed domains is told of, on the real internet only', () => {
  const toml =
    '[[domain]]\nname = "example.com"\nreturn_path = "b.example.com"\ndkim = [{ selector = "s", key_file = "k" }]\n'
  const internet = `[node]\nhostname = "r.example.com"\n[delivery]\nmode = "internet"\n${toml}`
  expect(warnings(internet)).toEqual([
    expect.stringContaining('tenant.0.any_sender: tenant "default" may send as any domain'),
  ])
  expect(warnings(toml)).toEqual([])
})

test('a Feedback-ID without a signature is told of', () => {
  const hash = 'scrypt:16384:8:1:c2FsdA:aGFzaA'
  const credential = `[[credential]]\nname = "app"\npassword = "${hash}"\nfeedback_id = true\n`
  expect(warnings(credential)).toEqual([
    'studs.toml:4: credential.0.feedback_id: no sender domain of tenant "default" is signed, so no Feedback-ID is added; add a [[domain.dkim]]',
  ])
  expect(warnings(credential + domainToml({}))).toEqual([])
})

test('a public address that is private is refused', () => {
  expect(
    problemsOf(() => load('[[source]]\nname = "default"\npublic_ipv4 = "10.0.0.1"\npublic_ipv6 = "fe80::1"\n')),
  ).toEqual([
    expect.stringContaining('source.0.public_ipv4: nobody on the internet sees the address 10.0.0.1'),
    expect.stringContaining('source.0.public_ipv6: nobody on the internet sees the address fe80::1'),
  ])
})
