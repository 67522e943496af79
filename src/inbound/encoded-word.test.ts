import { expect, test } from 'vitest'
import { decodeHeader } from './encoded-word.ts'

test.each([
  ['plain', 'plain'],
  ['=?utf-8?Q?K=C3=B6p_nu?=', 'Köp nu'],
  ['=?UTF-8?B?S8O2cA==?=', 'Köp'],
  ['=?iso-8859-1?q?K=F6p?= nu', 'Köp nu'],
  ['=?utf-8?q?a?= =?utf-8?q?b?=', 'ab'],
  ['=?utf-8?q?a?= b', 'a b'],
  ['=?utf-8*sv?q?a?=', 'a'],
  ['=?nonsense?q?=E5?=', 'å'],
  ['=?utf-8?q?bad=FF?=', 'badÿ'],
  ['=?utf-8?b?%%%?=', ''],
  ['K\xc3\xb6p', 'Köp'],
  ['K\xf6p', 'Köp'],
  ['=?utf-8?q?a=0D=0AInjected:_b?=', 'a Injected: b'],
  ['=?utf-8?x?a?=', '=?utf-8?x?a?='],
])('%j is shown as %j', (raw, shown) => {
  expect(decodeHeader(raw)).toBe(shown)
})
