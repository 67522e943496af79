import { describe, expect, test } from 'vitest'
import { includesAddress, isPublic, isSameAddress, reversedLabels, reverseName } from './address.ts'

test.each([
  ['203.0.113.10', '10.113.0.203.in-addr.arpa'],
  ['2001:db8::10', '0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ['::1', `1.${'0.'.repeat(31)}ip6.arpa`],
  ['2001:DB8:1:2:3:4:5:6', '6.0.0.0.5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ['2001:db8::192.0.2.1', '1.0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
])('%s is %s in the reverse zone', (address, name) => {
  expect(reverseName(address)).toBe(name)
  expect(name.startsWith(reversedLabels(address))).toBe(true)
})

describe('one address in several texts', () => {
  test.each([
    ['203.0.113.10', '203.0.113.10', true],
    ['203.0.113.10', '203.0.113.11', false],
    ['2001:db8::10', '2001:DB8:0:0::10', true],
    ['2001:db8::10', '2001:db8::1', false],
    ['203.0.113.10', '::ffff:203.0.113.10', false],
    ['nonsense', '203.0.113.10', false],
  ])('%s and %s: %s', (one, other, expected) => {
    expect(isSameAddress(one, other)).toBe(expected)
    expect(includesAddress(['192.0.2.1', one], other)).toBe(expected)
  })
})

test.each([
  ['203.0.113.10', true],
  ['2001:db8::10', true],
  ['10.0.0.1', false],
  ['127.0.0.1', false],
  ['fe80::1', false],
  ['relay', false],
])('%s can be seen on the internet: %s', (address, expected) => {
  expect(isPublic(address)).toBe(expected)
})
