// What the demo shows: the table that is drawn again and again, and the summary. Pure: printable data in, lines out.

import type { SuppressionEntry } from '../http/operations.ts'
import type { Judgement, SceneTally } from './demo-ledger.ts'
import { sceneOf } from './demo-plan.ts'
import type { Page } from './output.ts'
import { table } from './table.ts'
import { type Colour, padEnd, padStart, printable, wrap } from './terminal.ts'
import { durationText } from './time.ts'
import { causeLine } from './timeline.ts'

export interface Frame {
  readonly tallies: readonly SceneTally[]
  readonly progress: { readonly ended: number; readonly accepted: number; readonly all: number }
  readonly elapsedMs: number
}

const BAR_WIDTH = 30
const REASON_WIDTH = 18

export function demoFrame(frame: Frame, page: Page): string[] {
  const rows = [...frame.tallies, totalOf(frame.tallies)]
  const number = (title: string, value: (row: SceneTally) => number, colour?: Colour) => ({
    title,
    align: 'right' as const,
    value: (row: SceneTally) => (value(row) === 0 ? '·' : String(value(row))),
    colour: (row: SceneTally) => (value(row) === 0 ? ('dim' as const) : colour),
  })
  const lines = table(
    rows,
    [
      { title: 'RECIPIENT', value: (row) => (row === rows.at(-1) ? 'all' : sceneOf(row.scene).label), least: 16 },
      number('SENT', ({ accepted }) => accepted),
      number('OK', ({ delivered }) => delivered, 'green'),
      number('DEFER', ({ deferred }) => deferred, 'yellow'),
      number('FAIL', ({ failed }) => failed, 'red'),
      number('SUPP', ({ suppressed }) => suppressed, 'cyan'),
      number('BACK', ({ cameBack }) => cameBack, 'yellow'),
      number('WAIT', ({ waiting }) => waiting, 'blue'),
      { title: 'LAST REPLY', value: ({ lastReply }) => printable(lastReply), least: 8, colour: () => 'dim' as const },
    ],
    page,
  )
  return [...lines, '', progressLine(frame, page)]
}

/** One line that says how far it is, for those without a terminal too. */
export function progressLine({ progress, elapsedMs }: Frame, { paint }: Page): string {
  const { ended, accepted, all } = progress
  const filled = Math.floor((BAR_WIDTH * ended) / Math.max(1, all))
  const bar = `${paint('green', '█'.repeat(filled))}${paint('dim', '░'.repeat(BAR_WIDTH - filled))}`
  return `${bar}  ${padStart(String(ended), 3)} of ${all} recipients done, ${accepted} accepted  ${paint('dim', durationText(elapsedMs))}`
}

function totalOf(tallies: readonly SceneTally[]): SceneTally {
  const sum = (value: (row: SceneTally) => number): number => tallies.reduce((total, row) => total + value(row), 0)
  return {
    scene: 'google',
    planned: sum(({ planned }) => planned),
    accepted: sum(({ accepted }) => accepted),
    delivered: sum(({ delivered }) => delivered),
    deferred: sum(({ deferred }) => deferred),
    failed: sum(({ failed }) => failed),
    suppressed: sum(({ suppressed }) => suppressed),
    waiting: sum(({ waiting }) => waiting),
    cameBack: sum(({ cameBack }) => cameBack),
    arrived: sum(({ arrived }) => arrived),
    lastReply: '',
  }
}

const MOST_PROBLEMS = 20

/** What was expected, what the journal says, what is in the inbox, and whether they agree. */
export function summaryLines(
  { messages, accounted, checks, cameBack, problems }: Judgement,
  { paint, width }: Page,
): string[] {
  const row = (title: string, numbers: readonly (number | string)[], agrees: boolean): string => {
    const cells = numbers.map((value) => padStart(String(value), 10)).join('')
    return `  ${padEnd(title, 14)}${cells}   ${agrees ? paint('green', 'agrees') : paint('red', 'DIFFERS')}`
  }
  const rows = checks.map(({ expected, planned, journal, inbox }) =>
    row(expected, [planned, journal, inbox], journal === planned && inbox === (expected === 'delivered' ? planned : 0)),
  )
  const back = row('came back', [cameBack.planned, cameBack.journal, '·'], cameBack.planned === cameBack.journal)
  const shown = problems.slice(0, MOST_PROBLEMS).flatMap((problem) => wrap(printable(problem), width - 2))
  const more = problems.length > MOST_PROBLEMS ? [`and ${problems.length - MOST_PROBLEMS} more`] : []
  const verdict = `${accounted} of ${messages} messages accounted for`
  return [
    paint('bold', 'Checked, recipient by recipient'),
    paint('dim', `  ${padEnd('', 14)}${['expected', 'journal', 'inbox'].map((title) => padStart(title, 10)).join('')}`),
    ...rows,
    back,
    '',
    problems.length === 0 ? paint('green', `${verdict}.`) : paint('red', `${verdict}. What is wrong:`),
    ...[...shown, ...more].map((line) => `  ${line}`),
  ]
}

/** What was learned: every reason once with the receiver's own words per site, the others counted. */
export function suppressionLines(entries: readonly SuppressionEntry[], { paint, width }: Page): string[] {
  const shown = onePerSite(entries)
  const lines = shown.flatMap(({ target, reason, note, evidence }) => {
    const said = evidence?.cause === undefined ? (note ?? '') : causeLine(evidence.cause)
    return [
      `  ${padEnd(reason, REASON_WIDTH)}${printable(target)}`,
      ...wrap(printable(said), width - REASON_WIDTH - 2)
        .filter((line) => line !== '')
        .map((line) => `  ${' '.repeat(REASON_WIDTH)}${paint('dim', line)}`),
    ]
  })
  const others = entries.length - shown.length
  return [
    paint('bold', `Suppressed from now on: ${entries.length} ${entries.length === 1 ? 'address' : 'addresses'}`),
    ...lines,
    ...(others > 0 ? [paint('dim', `  and ${others} more like these`)] : []),
  ]
}

function onePerSite(entries: readonly SuppressionEntry[]): readonly SuppressionEntry[] {
  const seen = new Map<string, SuppressionEntry>()
  for (const entry of entries) {
    const key = `${entry.reason} ${entry.evidence?.category ?? ''} ${entry.evidence?.site ?? entry.evidence?.mx ?? ''}`
    if (!seen.has(key)) seen.set(key, entry)
  }
  return [...seen.values()]
}
