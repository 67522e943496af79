import fc from 'fast-check'
import { expect, test } from 'vitest'
import { siteName } from './site.ts'

test.each([
  [['mx.example.com'], 'mx.example.com'],
  [['b.example.com', 'a.example.com'], '(a|b).example.com'],
  [
    ['alt1.aspmx.l.google.com', 'aspmx.l.google.com', 'alt2.aspmx.l.google.com'],
    '(alt1.aspmx|alt2.aspmx|aspmx).l.google.com',
  ],
  [['mx.one.example', 'mx.two.test'], '(mx.one.example|mx.two.test)'],
  [['example.com', 'mx.example.com'], '(example|mx.example).com'],
  [['mx.example.com', 'mx.example.com'], 'mx.example.com'],
])('%j is %s', (hosts, name) => {
  expect(siteName(hosts)).toBe(name)
})

test('long names are cut, and stay different', () => {
  const many = (last: string) => siteName([...Array.from({ length: 50 }, (_, n) => `mx${n}.example.com`), last])
  expect(many('zz1.example.com')).toHaveLength(200)
  expect(many('zz1.example.com')).not.toBe(many('zz2.example.com'))
})

test('two different sets of hosts never share a name', () => {
  const host = fc
    .array(fc.constantFrom('a', 'b', 'ab', 'mx', 'com'), { minLength: 1, maxLength: 4 })
    .map((labels) => labels.join('.'))
  const set = fc.uniqueArray(host, { minLength: 1, maxLength: 4 })
  const key = (hosts: readonly string[]) => [...hosts].sort().join(' ')
  fc.assert(
    fc.property(set, set, (one, other) => (siteName(one) === siteName(other)) === (key(one) === key(other))),
    { seed: 1, numRuns: 5000 },
  )
})
