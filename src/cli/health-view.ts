// How mail fares, for people: a table a scope, a day of bars, and what is worth a look in colour. Pure: printable data in,
// lines out.

import type { Alert, ScopeHealth } from '../http/health-operations.ts'
import type { EventRecord } from '../http/operations.ts'
import type { Page } from './output.ts'
import { type Column, table } from './table.ts'
import { type Colour, padEnd, padStart, truncate, widthOf, wrap } from './terminal.ts'
import { countText, durationText, shortTimeText } from './time.ts'

export const WINDOWS = ['1m', '1h', '24h'] as const
export type Window = (typeof WINDOWS)[number]
const COUNTS_OF = { '1m': 'minute', '1h': 'hour', '24h': 'day' } as const

export interface HealthFrame {
  readonly window: Window
  readonly alerts: readonly Alert[]
  readonly sections: readonly { readonly title: string; readonly rows: readonly ScopeHealth[] }[]
}

type Counts = ScopeHealth['hour']

const BARS = ' ▁▂▃▄▅▆▇█'
const NOTHING = '·'
const HOURS = 24
/** Below this the bars stand for two hours each, and what can be missed is left out. */
const WIDE = 111
const LEAST_NAME = 16
const LATENCY_WIDTH = 5
const AGE_WIDTH = 7
const USUAL_WIDTH = 9
/** From where on a share is yellow, and red. */
const WORTH_A_LOOK = { deferred: [0.2, 0.5], bounced: [0.02, 0.05], complained: [0.001, 0.003] } as const
type Share = keyof typeof WORTH_A_LOOK
const LEVEL_COLOURS: Readonly<Record<Alert['level'], Colour>> = { warn: 'yellow', bad: 'red', critical: 'red' }
const LEVEL_MARKS: Readonly<Record<Alert['level'], string>> = { warn: '!', bad: '✗', critical: '✗' }

const CAPTIONS: Readonly<Record<Window, string>> = {
  '1m': 'the last minute',
  '1h': 'the last hour',
  '24h': 'the last 24 hours',
}

/** A picture: as wide as the page, in a file too. With a height, the lists are cut so that all of them show. */
export function healthLines({ window, alerts, sections }: HealthFrame, given: Page, height?: number): string[] {
  const page = { ...given, isFile: false }
  const shown = sections.filter(({ rows }) => rows.length > 0)
  const told = [...alerts.map((alert) => alertLine(alert, page)), ...(alerts.length === 0 ? [] : [''])]
  if (shown.length === 0) {
    const what = sections.some(({ title }) => title === 'RELAY') ? '' : ' counted there'
    return [...told, `No mail${what} in the last 24 hours.`]
  }
  const rows = height === undefined ? undefined : rowsFor(shown, height - told.length - 2)
  const nameWidth = Math.max(...shown.flatMap((section) => section.rows.map(({ name }) => widthOf(shownName(name)))))
  const tables = shown.flatMap(({ title, rows: all }) => {
    const cut = rows === undefined ? all : all.slice(0, rows)
    return ['', ...scopeTable({ title, rows: cut, window, nameWidth, isWhole: height === undefined }, page)]
  })
  const caption = page.paint('dim', `Numbers of ${CAPTIONS[window]}, bars of the last 24 hours`)
  const all = [...told, caption, ...tables]
  return height === undefined ? all : all.slice(0, height - 1)
}

function rowsFor(sections: HealthFrame['sections'], height: number): number {
  const longest = Math.max(1, ...sections.map(({ rows }) => rows.length))
  for (let rows = longest; rows > 1; rows--) {
    const used = sections.reduce((sum, section) => sum + Math.min(rows, section.rows.length) + 2, 0)
    if (used <= height) return rows
  }
  return 1
}

interface Section {
  readonly title: string
  readonly rows: readonly ScopeHealth[]
  readonly window: Window
  /** Of the widest name in all tables. */
  readonly nameWidth: number
  /** The picture may be as high as it likes. */
  readonly isWhole: boolean
}

function scopeTable({ title, rows, window, nameWidth, isWhole }: Section, page: Page): string[] {
  const isWide = page.width >= WIDE
  const of = (row: ScopeHealth): Counts => row[COUNTS_OF[window]]
  const share = (name: string, which: Share): Column<ScopeHealth> => ({
    title: name,
    align: 'right',
    value: (row) => shareText(SHARES[which](of(row))),
    colour: (row) => shareColour(which, of(row)),
  })
  const latency = (name: string, which: 'p50_ms' | 'p95_ms'): Column<ScopeHealth> => ({
    title: padStart(name, LATENCY_WIDTH),
    align: 'right',
    value: (row) => padStart(latencyText(of(row)[which]), LATENCY_WIDTH),
  })
  const others: readonly Column<ScopeHealth>[] = [
    {
      title: padEnd('LAST 24 H', isWide ? HOURS : HOURS / 2),
      value: (row) => bars(row, isWide ? HOURS : HOURS / 2, page),
    },
    { title: 'DELIVERED', align: 'right', value: (row) => countOrNothing(of(row).delivered) },
    ...(isWide && window === '1h' ? [USUAL] : []),
    share('DEFERRED', 'deferred'),
    share('BOUNCED', 'bounced'),
    share(isWide ? 'COMPLAINED' : ' COMPL.', 'complained'),
    ...(isWide ? [latency('P50', 'p50_ms')] : []),
    latency('P95', 'p95_ms'),
  ]
  // The tables of all kinds stand below each other: their columns are in line.
  const room = page.width - others.reduce((sum, column) => sum + widthOf(column.title) + 2, 0)
  const name = { title: padEnd(title, Math.min(nameWidth, room)), value: (row: ScopeHealth) => shownName(row.name) }
  const [head = '', ...lines] = table(rows, [{ ...name, least: LEAST_NAME }, ...others], page)
  // A name that was cut stands below, where there is room: it is what --path wants.
  const cutAt = Math.min(nameWidth, room)
  const below = (row: ScopeHealth | undefined): string[] =>
    isWhole && row !== undefined && widthOf(shownName(row.name)) > Math.max(cutAt, LEAST_NAME)
      ? [page.paint('dim', truncate(`    ${shownName(row.name)}`, page.width))]
      : []
  return [head, ...lines.flatMap((line, at) => [line, ...below(rows[at])])]
}

const USUAL: Column<ScopeHealth> = {
  title: padStart('USUAL', USUAL_WIDTH),
  align: 'right',
  value: ({ usual }) => (usual === undefined ? NOTHING : countOrNothing(Math.round(usual.delivered))),
  colour: () => 'dim',
}

const SHARES: Readonly<Record<Share, (counts: Counts) => number>> = {
  deferred: (counts) => share(counts.deferred, counts.deferred + ended(counts)),
  bounced: (counts) => share(counts.hard + counts.soft, ended(counts)),
  complained: ({ complained, delivered }) => share(complained, delivered),
}

function ended({ delivered, hard, soft, late }: Counts): number {
  return Math.max(0, delivered + hard + soft - late)
}

function share(part: number, whole: number): number {
  return part === 0 ? 0 : part / Math.max(part, whole)
}

function shareText(value: number): string {
  if (value === 0) return NOTHING
  const percent = value * 100
  if (percent < 0.01) return '<0.01 %'
  return `${percent >= 9.95 ? Math.round(percent) : percent >= 1 ? percent.toFixed(1) : percent.toFixed(2)} %`
}

function shareColour(which: Share, counts: Counts): Colour | undefined {
  const value = SHARES[which](counts)
  const [yellow, red] = WORTH_A_LOOK[which]
  return value >= red ? 'red' : value >= yellow ? 'yellow' : value === 0 ? 'dim' : undefined
}

function countOrNothing(count: number): string {
  return count === 0 ? NOTHING : countText(count)
}

function latencyText(ms: number | undefined): string {
  return ms === undefined ? NOTHING : (durationText(ms).split(' ')[0] ?? '')
}

function shownName(name: string): string {
  return name === '*' ? '(all others)' : name.replace('->', ' → ')
}

/** How much there was in each hour, delivered or not; the colour says how it went. The highest is a full block. */
function bars({ hours }: ScopeHealth, count: number, { paint }: Page): string {
  const per = HOURS / count
  const pieces = Array.from({ length: count }, (_, at) => sumOf(hours.slice(at * per, (at + 1) * per)))
  const highest = Math.max(1, ...pieces.map(amount))
  return pieces
    .map((piece) => {
      const bar = BARS[Math.ceil((amount(piece) / highest) * (BARS.length - 1))] ?? ' '
      return bar === ' ' ? bar : paint(barColour(piece), bar)
    })
    .join('')
}

type Hour = ScopeHealth['hours'][number]

function sumOf(hours: readonly Hour[]): Hour {
  const zero: Hour = { delivered: 0, deferred: 0, hard: 0, soft: 0, complained: 0 }
  return hours.reduce(
    (sum, hour) => ({
      delivered: sum.delivered + hour.delivered,
      deferred: sum.deferred + hour.deferred,
      hard: sum.hard + hour.hard,
      soft: sum.soft + hour.soft,
      complained: sum.complained + hour.complained,
    }),
    zero,
  )
}

function amount({ delivered, deferred, hard, soft }: Hour): number {
  return delivered + deferred + hard + soft
}

function barColour({ delivered, deferred, hard, soft }: Hour): Colour {
  const failed = hard + soft
  if (share(failed, delivered + failed) >= WORTH_A_LOOK.bounced[1]) return 'red'
  if (share(deferred, delivered + failed + deferred) >= WORTH_A_LOOK.deferred[0]) return 'yellow'
  return 'green'
}

/** One line; `studs health alerts` has the whole sentence. */
function alertLine({ level, since, why }: Alert, { paint, width, now }: Page): string {
  const head = `${LEVEL_MARKS[level]} ${padEnd(level, 8)}`
  const age = padStart(ageText(since, now), AGE_WIDTH)
  return `${paint(LEVEL_COLOURS[level], head)}  ${paint('dim', age)}  ${truncate(why, width - widthOf(head) - AGE_WIDTH - 4)}`
}

/** The sentence below its head, so that it can be read whole. */
export function alertLines({ name, scope, level, since, why }: Alert, { paint, width, now }: Page): string[] {
  const head = `${LEVEL_MARKS[level]} ${padEnd(level, 8)}  ${padEnd(name, 14)}  ${scope.kind} ${scope.name}`
  const lines = wrap(why, Math.max(40, width - 4)).map((line) => `    ${line}`)
  return [`${paint(LEVEL_COLOURS[level], head)}  ${paint('dim', `for ${ageText(since, now)}`)}`, ...lines]
}

function ageText(since: string, now: number): string {
  return durationText(Math.max(0, now - Date.parse(since)))
}

/** What alerts there were, newest first; a line each. */
export function alertHistory(records: readonly EventRecord[], page: Page): string[] {
  return records.map(({ at, alert, why = '' }) => {
    const state = alert === undefined ? '' : alert.state === 'cleared' ? 'over' : alert.level
    const colour: Colour =
      alert?.state === 'cleared' ? 'green' : alert === undefined ? 'red' : LEVEL_COLOURS[alert.level]
    const head = `${shortTimeText(at, page.now)}  ${paintPadded(page, colour, state || 'surge', 8)}  `
    const room = page.isFile === true ? Number.POSITIVE_INFINITY : page.width - widthOf(head)
    return head + truncate(why, room)
  })
}

function paintPadded({ paint }: Page, colour: Colour, text: string, width: number): string {
  return paint(colour, padEnd(text, width))
}
