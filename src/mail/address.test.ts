import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { needsSmtpUtf8, parseAddress, parseDomain } from './address.ts'

describe('parseDomain', () => {
  test.each([
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['_dmarc.example.com', '_dmarc.example.com'],
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['[IPv6:2001:DB8::1]', '[IPv6:2001:db8::1]'],
  ])('%s → %s', (text, expected) => expect(parseDomain(text)).toBe(expected))

  test.each([
    '',
    '.',
    'a..b',
    '-a.example',
    'a b',
    'a\tb.example',
    'a.example\r\nRSET',
    'a%2eb',
    'a%00.example',
    '192.0.2.1',
    '[192.0.2]',
    '[2001:db8::1]',
    '[IPv6:192.0.2.1]',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(128)}example`,
    'a@b',
    'a/b',
    'a:25',
    'a\0.example',
  ])('refuses %j', (text) => expect(parseDomain(text)).toBeUndefined())
})

describe('parseAddress', () => {
  test.each([
    ['Jane.Doe@Example.com', 'Jane.Doe@example.com'],
    ['"a b"@example.com', '"a b"@example.com'],
    ['"a\\"@b"@example.com', '"a\\"@b"@example.com'],
    ['"jane"@example.com', 'jane@example.com'],
    ['"jane.doe"@example.com', 'jane.doe@example.com'],
    ['"j\\a\\ne"@example.com', 'jane@example.com'],
    ['"żółw"@example.com', 'żółw@example.com'],
    ['"a\\ \\b\\\\"@example.com', '"a b\\\\"@example.com'],
    ['".jane"@example.com', '".jane"@example.com'],
    ['"jane."@example.com', '"jane."@example.com'],
    ['""@example.com', '""@example.com'],
    ['"a@b"@example.com', '"a@b"@example.com'],
    ['jane+tag@bücher.example', 'jane+tag@xn--bcher-kva.example'],
    ['żółw@example.com', 'żółw@example.com'],
  ])('%s → %s', (text, expected) => expect(parseAddress(text)?.text).toBe(expected))

  test.each([
    'jane',
    '@example.com',
    'jane@',
    '.jane@example.com',
    'jane.@example.com',
    'ja..ne@example.com',
    'ja ne@example.com',
    'jane@example.com ',
    'jane@exa\tmple.com',
    '<jane@example.com>',
    'jane@example.com>',
    `${'a'.repeat(65)}@example.com`,
    'jane\r\n@example.com',
    '"a\n"@example.com',
    ...['\u0080', '\u009b', '\u2028', '\u2029', '\u202a', '\u202e', '\u2066', '\u2069', '\ufeff'].flatMap((mark) => [
      `ja${mark}ne@example.com`,
      `"ja ${mark}ne"@example.com`,
    ]),
  ])('refuses %j', (text) => expect(parseAddress(text)).toBeUndefined())
})

test('a domain in small letters, which is looked at less closely, is what it is in capitals', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'x', 'n', '0', '7', '-', '.', '_'), maxLength: 24 })
  const known = [
    'xn--a.test',
    'a.xn--b',
    '1.2.3.4',
    'a.0x7f',
    'a..b',
    '-a.test',
    'a-.test',
    'a.test.',
    `${'a'.repeat(64)}.test`,
  ]
  const same = (domain: string): void => {
    expect(parseDomain(domain)).toBe(parseDomain(domain.toUpperCase()))
  }
  for (const domain of [...known, 'mail.example.com', `${'a.'.repeat(127)}b`, `${'a.'.repeat(128)}b`]) same(domain)
  fc.assert(fc.property(text, same), { numRuns: 20_000 })
})

test('an address parsed again is the same', () => {
  for (const text of ['"a\\"b"@example.com', '"j\\ane"@example.com', '"\\a \\"\\\\"@example.com']) {
    const once = parseAddress(text)!
    expect(parseAddress(once.text)).toEqual(once)
    expect(once.text.startsWith(once.local)).toBe(true)
  }
})

test('only a local part beyond ASCII needs SMTPUTF8', () => {
  expect(needsSmtpUtf8(parseAddress('jane@bücher.example')!.text)).toBe(false)
  expect(needsSmtpUtf8(parseAddress('żółw@example.com')!.text)).toBe(true)
})
