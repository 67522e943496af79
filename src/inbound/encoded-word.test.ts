import { expect, test } from 'vitest'
import { decodeHeader, shownHeader } from './encoded-word.ts'

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

test('what is shown is the beginning, cut between letters, and a long one is not dear', () => {
  expect(shownHeader('a'.repeat(300))).toBe('a'.repeat(255))
  const long = Buffer.from('=?utf-8?q?=F0=9F=99=82=F0=9F=99=82=F0=9F=99=82=F0=9F=99=82?= '.repeat(100)).toString(
    'latin1',
  )
  expect(shownHeader(long)).toBe('🙂'.repeat(128).slice(0, 255))
  for (const start of ['', 'a', 'ab', 'abc']) {
    const letters = Buffer.from(start + '漢'.repeat(2000)).toString('latin1')
    expect(shownHeader(letters)).toBe(start + '漢'.repeat(255 - start.length))
  }
  const hostile = '=?zz?q?a?='.repeat(25_000)
  const started = process.cpuUsage()
  expect(shownHeader(hostile)).not.toBe('')
  const { user, system } = process.cpuUsage(started)
  // All of it takes a hundred times as long.
  expect((user + system) / 1000).toBeLessThan(100)
})
