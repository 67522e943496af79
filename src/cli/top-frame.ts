// One frame of `studs top`. Pure: printable data in, lines out.

import { ACTIVITY_SECONDS, COUNTED, type Counted } from '../http/activity.ts'
import type { Destination, QueueSummary, Stats, Status } from '../http/operations.ts'
import type { Suspension } from '../http/suspension-operations.ts'
import type { Page } from './output.ts'
import { queueText } from './queue-view.ts'
import { paceText } from './suspend.ts'
import { table } from './table.ts'
import { type Colour, padEnd, padStart, truncate, widthOf } from './terminal.ts'
import { clockText, counted, countText, durationText, sizeText } from './time.ts'
import { causeLine } from './timeline.ts'

export interface Frame {
  readonly status: Status
  readonly stats: Stats
  readonly destinations: readonly Destination[]
  readonly domains: readonly QueueSummary[]
  /** What is kept back or slowed down. */
  readonly suspensions: readonly Suspension[]
}

const BARS = ' ▁▂▃▄▅▆▇█'
const LONGEST_LIST = 8
/** Head, rates, titles and blank lines. */
const LINES_BESIDE_LISTS = 23
const LABEL_WIDTH = 13
const RATE_WIDTH = 9
const WIDEST_RECIPIENT = 32
const COLOUR_OF: Partial<Record<Counted, Colour>> = {
  delivered: 'green',
  deferred: 'yellow',
  failed: 'red',
  bounced: 'red',
  complained: 'red',
}

/** A picture: as wide as the page, in a file too. With a height, the lists are as long as fits; a frame that scrolls would lose its head. */
export function topFrame(
  { status, stats, destinations, domains, suspensions }: Frame,
  given: Page,
  height?: number,
): string[] {
  const page = { ...given, isFile: false }
  const isAnyBound = suspensions.length > 0
  const rows =
    height === undefined
      ? LONGEST_LIST
      : Math.max(
          1,
          Math.min(
            LONGEST_LIST,
            Math.floor((height - LINES_BESIDE_LISTS - (isAnyBound ? 3 : 0)) / (isAnyBound ? 4 : 3)),
          ),
        )
  return [
    ...head(status, page),
    '',
    ...rates(stats, page),
    '',
    ...section('Busiest paths', busiestPaths(destinations, rows, page), page),
    ...section('Longest lines', longestLines(domains, rows, page), page),
    ...section('Suspended or slow', boundPaths(suspensions, rows, page), page),
    ...section('Last failures', failures(stats, page).slice(0, rows), page),
  ].slice(0, height === undefined ? -1 : height - 1)
}

function head({ state, version, uptime_ms, store, queue, counts }: Status, { paint, width }: Page): string[] {
  const about = [`studs ${version}`, state, ...(uptime_ms === undefined ? [] : [`up ${durationText(uptime_ms)}`])]
  const used = [`store ${sizeText(store.used_bytes)}`, store.health, `commit ${durationText(store.last_commit_ms)}`]
  const left = about.join(', ')
  const right = used.join(', ')
  return [
    paint('bold', left) + padStart(right, Math.max(right.length + 2, width - left.length)),
    `Queue  ${queueText(queue)}${reviewsText(counts.open_reviews)}`,
  ]
}

function reviewsText(open: number): string {
  return open === 0 ? '' : `   Reviews  ${counted(open, 'report')} to look at`
}

function rates({ seconds, totals }: Stats, { paint, width }: Page): string[] {
  const used = LABEL_WIDTH + 4 * RATE_WIDTH + 2
  const bars = Math.max(0, Math.min(ACTIVITY_SECONDS, width - used))
  const titles = ['1 s', '10 s', '1 min', 'total'].map((title) => padStart(title, RATE_WIDTH)).join('')
  const lines = COUNTED.map((name) => {
    const numbers = [1, 10, 60].map((count) => padStart(rateText(mean(seconds[name], count)), RATE_WIDTH)).join('')
    const line =
      `${padEnd(name, LABEL_WIDTH)}${numbers}${padStart(countText(totals[name]), RATE_WIDTH)}  ${sparkline(seconds[name].slice(-bars), bars)}`.trimEnd()
    const colour = COLOUR_OF[name]
    return colour === undefined || totals[name] === 0 ? line : paint(colour, line)
  })
  return [paint('dim', `${padEnd('per second', LABEL_WIDTH)}${titles}`), ...lines]
}

function mean(seconds: readonly number[], count: number): number {
  return seconds.slice(-count).reduce((sum, value) => sum + value, 0) / count
}

function rateText(rate: number): string {
  if (rate > 0 && rate < 0.05) return '<0.1'
  return rate >= 100 || Number.isInteger(rate) ? countText(Math.round(rate)) : rate.toFixed(1)
}

/** One bar per second; the highest is a full block, and a second with anything in it never looks empty. */
export function sparkline(values: readonly number[], width: number): string {
  if (width === 0) return ''
  const highest = Math.max(...values, 1)
  return values.map((value) => BARS[Math.ceil((value / highest) * (BARS.length - 1))] ?? '').join('')
}

function section(title: string, lines: readonly string[], { paint }: Page): string[] {
  return lines.length === 0 ? [] : [paint('bold', title), ...lines, '']
}

function busiestPaths(destinations: readonly Destination[], count: number, page: Page): string[] {
  const rows = [...destinations].sort((a, b) => b.active + b.queued - a.active - a.queued).slice(0, count)
  if (rows.length === 0) return []
  return table(
    rows,
    [
      { title: 'SITE', value: ({ site }) => site, least: 16 },
      { title: 'SOURCE', value: ({ source }) => source, least: 8 },
      { title: 'CONNECTIONS', align: 'right', value: connectionsText },
      { title: 'ACTIVE', align: 'right', value: ({ active }) => countText(active) },
      { title: 'IN LINE', align: 'right', value: ({ queued }) => countText(queued) },
    ],
    page,
  )
}

/** What it may use now; of a path that is slowed down also how many it has otherwise. */
function connectionsText({ connections, allowed, idle }: Destination): string {
  const of = allowed === undefined ? String(connections) : `${allowed.connections}, slowed from ${connections}`
  return `${of} (${idle} idle)`
}

function longestLines(domains: readonly QueueSummary[], count: number, page: Page): string[] {
  const rows = [...domains].sort((a, b) => b.waiting - a.waiting).slice(0, count)
  if (rows.length === 0) return []
  return table(
    rows,
    [
      { title: 'DOMAIN', value: ({ key }) => key, least: 16 },
      { title: 'WAITING', align: 'right', value: ({ waiting }) => countText(waiting) },
      { title: 'DUE', align: 'right', value: ({ due }) => countText(due) },
      {
        title: 'OLDEST',
        align: 'right',
        value: ({ oldest_at }) => (oldest_at === undefined ? '' : durationText(page.now - Date.parse(oldest_at))),
      },
    ],
    page,
  )
}

function boundPaths(suspensions: readonly Suspension[], count: number, page: Page): string[] {
  if (suspensions.length === 0) return []
  return table(
    suspensions.slice(0, count),
    [
      { title: 'WHOSE', value: ({ kind, name }) => `${kind} ${name}`, least: 16 },
      {
        title: 'STILL',
        align: 'right',
        value: ({ until }) => (until === undefined ? '' : durationText(Date.parse(until) - page.now)),
      },
      { title: 'PACE', value: paceText },
      { title: 'WHY', value: ({ why }) => why, least: 12 },
    ],
    page,
  )
}

/** The newest of each recipient: one that fails again and again must not hide the others. */
function failures({ recent_failures }: Stats, { paint, width }: Page): string[] {
  const seen = new Set<string>()
  // Newest first, as they come.
  const newest = recent_failures.filter(({ recipient }) => !seen.has(recipient) && seen.add(recipient))
  const widest = Math.min(WIDEST_RECIPIENT, Math.max(0, ...newest.map(({ recipient }) => widthOf(recipient))))
  return newest.map(({ at, kind, recipient, cause, why }) => {
    const said = cause === undefined ? (why ?? '') : causeLine(cause)
    const whom = padEnd(truncate(recipient, widest), widest)
    const text = `${clockText(at).slice(0, 8)}  ${padEnd(kind, 10)}  ${whom}  ${said}`
    return paint(kind === 'deferred' ? 'yellow' : 'red', truncate(text.trimEnd(), width))
  })
}
