import { describe, expect, test } from 'vitest'
import type { WarmUpStory } from '../http/source-operations.ts'
import { DAY } from '../util/clock.ts'
import { warmUpLines } from './source-view.ts'
import { painter } from './terminal.ts'

const DAYS = 42
const BEGIN = Date.UTC(2026, 10, 18)
const page = { width: 80, isFile: false, paint: painter(false), now: BEGIN }
const dateOf = (day: number): string => new Date(BEGIN + (day - 1) * DAY).toISOString().slice(0, 10)

/** The plan as the relay tells it: 20/h, 1.4 times as much every day. */
function story(today: number, here: Readonly<Record<number, string[]>> = {}): WarmUpStory {
  const plan = Array.from({ length: DAYS + 1 }, (_, at) => ({
    day: at + 1,
    date: dateOf(at + 1),
    rate: at < DAYS ? `${Math.round(20 * 1.4 ** at)}/h` : 'unlimited',
    here: here[at + 1] ?? [],
  }))
  const warm_up = { day: today, days: DAYS, since: dateOf(1), overflow: true, providers: [] }
  const source = { name: 'mta2', addresses: [], pools: [], state: 'warming', rests: [], warm_up } as const
  return { source: { ...source, sent_last_hour: 0, sent_last_day: 0 }, plan }
}
const daysOf = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => /^ *(\d+|…|then)(?: |$)/.exec(line)?.[1] ?? [])

describe('a plan of 42 days', () => {
  test('is shown around today, with its end and what it means', () => {
    const lines = warmUpLines(story(20, { 20: ['google'], 9: ['yahoo'] }), page)
    expect(lines.slice(0, 2).join(' ')).toBe(
      'mta2: day 20 of 42, since 2026-11-18, warm from 2026-12-30 on where nothing brakes it. What is beyond it leaves from warm sources of the pool.',
    )
    expect(daysOf(lines)).toEqual('… 9 … 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 … 42 then'.split(' '))
    expect(lines.find((line) => line.includes('← today'))).toMatch(/^ +20 {2}2026-12-07 +11,953\/h {2}google +← today$/)
    expect(lines.find((line) => /^ +42 /.test(line))).toContain('19,601,056/h')
    expect(lines).toContain('All 42 days: --all')
  })

  test.each([
    [-3, '1 2 3 4 5 6 7 8 … 42 then', 'mta2: begins on 2026-11-18, 42 days, warm from 2026-12-30'],
    [1, '1 2 3 4 5 6 7 8 … 42 then', 'mta2: day 1 of 42'],
    [42, '… 35 36 37 38 39 40 41 42 then', 'mta2: day 42 of 42'],
    [60, '… 42 then', 'mta2: its plan of 42 days since 2026-11-18 is over.'],
  ])('on day %i', (today, days, said) => {
    const lines = warmUpLines(story(today), page)
    expect(daysOf(lines)).toEqual(days.split(' '))
    expect(lines[0]).toMatch(new RegExp(`^${said}`))
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
  })

  test('is shown whole when asked for', () => {
    const lines = warmUpLines(story(20), page, true)
    expect(daysOf(lines)).toHaveLength(43)
    expect(lines.join('\n')).not.toContain('--all')
  })
})
