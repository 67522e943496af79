import { expect, test } from 'vitest'
import type { Tlsa } from './tls-demand.ts'
import { usableTlsa } from './tlsa.ts'

const sha256 = 'ab'.repeat(32)
const sha512 = 'cd'.repeat(64)
const tlsa = (usage: number, selector: number, matching: number, data: string): Tlsa => ({
  usage,
  selector,
  matching,
  data,
})

test.each([
  ['a key of the server', [3, 1, 1, sha256], true],
  ['a certificate of an authority', [2, 0, 2, sha512], true],
  ['a whole certificate', [3, 0, 0, '3082'], true],
  ['PKIX-TA', [0, 1, 1, sha256], false],
  ['PKIX-EE', [1, 1, 1, sha256], false],
  ['an unknown usage', [255, 1, 1, sha256], false],
  ['an unknown selector', [3, 2, 1, sha256], false],
  ['an unknown matching type', [3, 1, 3, sha256], false],
  ['a digest of the wrong length', [3, 1, 1, sha512], false],
  ['no data', [3, 1, 0, ''], false],
] as const)('%s', (_, [usage, selector, matching, data], isUsable) => {
  const record = tlsa(usage, selector, matching, data)
  expect(usableTlsa([record])).toEqual(isUsable ? [record] : [])
})

test('of two digests of the same thing the stronger one counts', () => {
  const strong = tlsa(3, 1, 2, sha512)
  const other = tlsa(2, 1, 1, sha256)
  expect(usableTlsa([tlsa(3, 1, 1, sha256), strong, other])).toEqual([strong, other])
})

test('a zone cannot make us try thousands', () => {
  expect(usableTlsa(Array.from({ length: 5000 }, () => tlsa(3, 1, 1, sha256)))).toHaveLength(64)
})
