import { describe, expect, test } from 'vitest'
import { parseAddress } from '../mail/address.ts'
import { addressTarget, domainTarget, parseTarget } from './normalise.ts'

const fold = { lowerCaseLocalPart: true }
const keep = { lowerCaseLocalPart: false }
const address = (text: string) => parseAddress(text)!.text

describe('the target of an address', () => {
  test('is lower case, or keeps the local part as configured', () => {
    expect(addressTarget(address('Jane.Doe+News@EXAMPLE.com'), fold)).toBe('jane.doe+news@example.com')
    expect(addressTarget(address('Jane.Doe+News@EXAMPLE.com'), keep)).toBe('Jane.Doe+News@example.com')
  })

  test('of its domain is the part after the last @', () => {
    expect(domainTarget(address('"a@b"@Example.com'))).toBe('@example.com')
  })
})

test.each([
  ['"jane"@example.com', 'jane@example.com'],
  ['"Jane"@example.com', 'jane@example.com'],
  ['"j\\ane"@example.com', 'jane@example.com'],
  ['rene\u0301@example.com', 'ren\u00e9@example.com'],
  ['RENE\u0301@example.com', 'ren\u00e9@example.com'],
])('%s cannot walk around the suppression of %s', (one, other) => {
  expect(addressTarget(address(one), fold)).toBe(addressTarget(address(other), fold))
})

describe('what people write', () => {
  test.each([
    [' Jane@Example.COM ', 'jane@example.com'],
    ['<jane@example.com>', 'jane@example.com'],
    ['@Bücher.example', '@xn--bcher-kva.example'],
    ['jane@bücher.example', 'jane@xn--bcher-kva.example'],
    ['jane', undefined],
    ['@', undefined],
    ['', undefined],
    ['jane@', undefined],
    ['ja ne@example.com', undefined],
    ['*', undefined],
  ])('%j → %j', (text, target) => {
    expect(parseTarget(text, fold)).toBe(target)
  })
})
