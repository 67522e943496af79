import { describe, expect, test } from 'vitest'
import type { Alert, ScopeHealth } from '../http/health-operations.ts'
import { alertLines, type HealthFrame, healthLines } from './health-view.ts'
import { painter, widthOf } from './terminal.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const NOTHING = { delivered: 0, deferred: 0, hard: 0, soft: 0, late: 0, complained: 0, suppressed: 0, ours: 0 }
const HOUR = { delivered: 0, deferred: 0, hard: 0, soft: 0, complained: 0 }

function row(name: string, hour: Partial<ScopeHealth['hour']> = {}, hours: Partial<typeof HOUR>[] = []): ScopeHealth {
  const counts = { ...NOTHING, ...hour }
  const filled = Array.from({ length: 24 }, (_, at) => ({ ...HOUR, ...hours[at - (24 - hours.length)] }))
  return { scope: 'path', name, minute: NOTHING, hour: counts, day: counts, hours: filled }
}
const frame = (...rows: ScopeHealth[]): HealthFrame => ({
  window: '1h',
  alerts: [],
  sections: [{ title: 'PATH', rows }],
})
const page = (width: number, isColoured = false) => ({ width, paint: painter(isColoured), now: NOW })
const alert: Alert = {
  name: 'bounce-rate',
  scope: { kind: 'tenant', name: 'shop' },
  level: 'bad',
  value: 0.06,
  threshold: 0.05,
  since: new Date(NOW - 90 * 60_000).toISOString(),
  at: new Date(NOW).toISOString(),
  why: `Bounces of the tenant shop: 6 % (60 of 1,000 in the last hour); bad from 5 % on. ${'And more. '.repeat(20)}`,
}

describe('healthLines', () => {
  const busy = row(`mta1->${'mx.a-very-long-name.'.repeat(8)}example`, {
    delivered: 123_456_789,
    deferred: 1,
    hard: 9,
    late: 2,
  })

  test.each([78, 80, 110, 111, 140])('no line is wider than %i columns', (width) => {
    const lines = healthLines({ ...frame(busy, row('*')), alerts: [alert] }, page(width, true))
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(width)
    expect(lines.join('\n')).toContain('mta1 → mx.a')
    expect(lines.join('\n')).toContain('(all others)')
  })

  test('a name that had to be cut stands below its row, since --path wants it whole', () => {
    const long = row('mta1->(mx1|mx2).mail.example.com', { delivered: 7 })
    const shown = 'mta1 → (mx1|mx2).mail.example.com'
    expect(healthLines(frame(long, row('a->b')), page(80)).filter((line) => line === `    ${shown}`)).toHaveLength(1)
    expect(healthLines(frame(long), page(140)).filter((line) => line.includes(shown))).toHaveLength(1)
    expect(healthLines(frame(long), page(80), 24).join('\n')).not.toContain(shown)
  })

  test('it is as high as the screen at most, and every table keeps a row', () => {
    const many = Array.from({ length: 40 }, (_, at) => row(`mta1->mx${at}.example`))
    const sections = ['TENANT', 'PROVIDER', 'PATH'].map((title) => ({ title, rows: many }))
    const lines = healthLines({ window: '1h', alerts: [], sections }, page(100), 24)
    expect(lines.length).toBeLessThanOrEqual(23)
    for (const { title } of sections) expect(lines.filter((line) => line.startsWith(title))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('mx0.example'))).toHaveLength(3)
  })

  test.each([
    [{ delivered: 1000 }, '·', '·'],
    [{ delivered: 950, hard: 50, deferred: 1000 }, '50 %', '5.0 %'],
    [{ delivered: 99_995, soft: 5 }, '·', '<0.01 %'],
    // Late bounces were deliveries before: they count once.
    [{ delivered: 100, hard: 10, late: 10 }, '·', '10 %'],
    [{ hard: 3, late: 3 }, '·', '100 %'],
    [{ deferred: 4 }, '100 %', '·'],
  ])('%j: deferred %s, bounced %s', (counts, deferred, bounced) => {
    const [, , , line = ''] = healthLines(frame(row('a->b', counts)), page(120))
    const cells = line.slice(line.indexOf('a → b')).trim().split(/ {2,}/)
    expect(cells.slice(-5, -3)).toEqual([deferred, bounced])
  })

  test('a bar for each hour; what was little is still seen, and its colour says how it went', () => {
    const hours = [{ delivered: 1 }, {}, { delivered: 50, hard: 50 }, { delivered: 60, deferred: 40 }]
    const text = healthLines(frame(row('a->b', {}, hours)), page(120)).join('\n')
    expect(text).toContain('▁ ██')
    const coloured = healthLines(frame(row('a->b', {}, hours)), page(120, true)).join('\n')
    expect(coloured).toContain('\u001b[32m▁\u001b[39m \u001b[31m█\u001b[39m\u001b[33m█\u001b[39m')
  })

  test('without mail it says so', () => {
    expect(healthLines(frame(), page(80))).toEqual(['No mail counted there in the last 24 hours.'])
    const relay = { ...frame(), sections: [{ title: 'RELAY', rows: [] }] }
    expect(healthLines(relay, page(80))).toEqual(['No mail in the last 24 hours.'])
  })
})

test('an alert is told whole', () => {
  const [head, ...lines] = alertLines(alert, page(80))
  expect(head).toBe('✗ bad       bounce-rate     tenant shop  for 1h 30m')
  expect(lines.map((line) => line.trim()).join(' ')).toBe(alert.why.trim())
})
