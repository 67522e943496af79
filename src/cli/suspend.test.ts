// The list of what is suspended or slow: names stay whole on any terminal, since `rm` wants them.

import { expect, test } from 'vitest'
import type { Suspension } from '../http/suspension-operations.ts'
import { suspensionTable } from './suspend.ts'
import { widthOf } from './terminal.ts'

const NOW = Date.UTC(2026, 10, 22, 8)
const SLOW = 'slow mta1@(mx1|mx2).mail.example.com'
const items = [
  { kind: 'slow', name: SLOW.slice(5), who: 'rule shaping.toml:18', pace: '1/min', connections: 1 },
  { kind: 'domain', name: 'example.net', who: 'cli:root' },
].map((each) => ({
  ...each,
  why: '421 4.7.0 Messages from your address temporarily deferred due to unexpected volume',
  since: new Date(NOW).toISOString(),
  until: new Date(NOW + 3_600_000).toISOString(),
})) as unknown as readonly Suspension[]
const lines = (width: number, isFile = false): string[] =>
  suspensionTable(items, { width, isFile, paint: (_, text) => text, now: NOW })

test('on 80 columns who and why stand below, and nothing is wider', () => {
  const [head, slow, why, more, domain] = lines(80)
  expect(head).toMatch(/^WHOSE +STILL {2}PACE$/)
  expect(slow).toMatch(/^slow mta1@\(mx1\|mx2\)\.mail\.example\.com +1h {2}1\/min, 1 connection$/)
  // Whole: what was said is why.
  expect(`${why} ${more?.trimStart()}`).toBe(`    rule shaping.toml:18, 2026-11-22 08:00:00: ${items[0]?.why}`)
  expect(domain).toMatch(/^domain example\.net /)
  expect(Math.max(...lines(80).map(widthOf))).toBeLessThanOrEqual(80)
})

const HEAD = /^WHOSE +STILL +SINCE +PACE +BY +WHY$/
const BEGIN = `${SLOW}     1h  2026-11-22 08:00:00  1/min, 1 connection  rule shaping.toml:18  421`

test.each([
  [200, false],
  [40, true],
])('one line each where there is room (%i columns, a file: %s)', (width, isFile) => {
  const shown = lines(width, isFile)
  expect(shown).toHaveLength(3)
  expect(shown[0]).toMatch(HEAD)
  expect(shown[1]).toBe(`${BEGIN}${items[0]?.why.slice(3)}`)
})

test('on 160 columns the reason is wrapped between words', () => {
  const [head = '', first = '', ...more] = lines(160)
  expect(head).toMatch(HEAD)
  expect(first).toContain(BEGIN)
  const why = [first, ...more].map((line) => line.slice(head.indexOf('WHY')))
  expect(why.join(' ')).toBe(`${items[0]?.why} ${items[1]?.why}`)
  expect(more.length).toBeGreaterThan(1)
})
