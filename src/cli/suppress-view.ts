// Suppressions for people. Pure: printable data in, lines out.

import type { CheckedAddress, ImportReport, SuppressionEntry, SuppressionStory } from '../http/operations.ts'
import { GLOBAL_SCOPE } from '../suppression/suppression.ts'
import type { Page } from './output.ts'
import { table } from './table.ts'
import { padStart, wrap } from './terminal.ts'
import { countText, dateText, dateTimeText } from './time.ts'
import { causeLine, causeLines } from './timeline.ts'

export function suppressionTable(entries: readonly SuppressionEntry[], page: Page): string[] {
  return table(
    entries,
    [
      { title: 'ADDRESS', value: ({ target }) => target, least: 20 },
      { title: 'FOR', value: ({ scope }) => scopeText(scope) },
      { title: 'REASON', value: ({ reason }) => reason },
      { title: 'SINCE', value: ({ created_at }) => dateText(created_at) },
      { title: 'UNTIL', value: untilText },
      { title: 'BECAUSE', value: because, least: 16 },
    ],
    page,
  )
}

function scopeText(scope: string): string {
  return scope === GLOBAL_SCOPE ? 'everybody' : scope
}

/** Until when it keeps mail back, or why it does not. */
function untilText({ expires_at, pending_until, reactivated }: SuppressionEntry): string {
  if (pending_until !== undefined) return 'pending'
  if (reactivated !== undefined) return 'half-open'
  return expires_at === undefined ? 'for good' : dateText(expires_at)
}

function because({ note, evidence, who }: SuppressionEntry): string {
  if (evidence?.cause !== undefined) return causeLine(evidence.cause)
  if (evidence !== undefined) return `${evidence.category} (${evidence.code})`
  return note === undefined ? who : `${note} (${who})`
}

export function checkTable(checked: readonly CheckedAddress[], page: Page): string[] {
  return table(
    checked,
    [
      { title: 'ADDRESS', value: ({ address }) => address, least: 20 },
      {
        title: 'RESULT',
        value: ({ result }) => result,
        colour: ({ result }) => (result === 'clear' ? 'green' : result === 'invalid' ? 'yellow' : 'red'),
      },
      { title: 'REASON', value: ({ entry }) => entry?.reason ?? '' },
      { title: 'SINCE', value: ({ entry }) => (entry === undefined ? '' : dateText(entry.created_at)) },
    ],
    page,
  )
}

export function storyLines(
  { target, tenant, active, entries, strikes, trial, events }: SuppressionStory,
  page: Page,
): string[] {
  const { paint, width } = page
  const answer =
    active === undefined ? paint('green', 'is not suppressed') : paint('red', `is suppressed (${active.reason})`)
  const counted =
    strikes === undefined
      ? []
      : ['', `Soft failures that count: ${strikes.count}, the last one ${dateTimeText(strikes.last_at)} UTC.`]
  const history = events.map(({ at, kind, message, n, cause, verdict }) => {
    const said = cause === undefined ? '' : `  ${causeLine(cause)}`
    return `  ${dateTimeText(at)}  ${message}.${n}  ${kind}${said}${verdict === undefined ? '' : `  → ${verdict.category}`}`
  })
  return [
    `${paint('bold', target)} ${answer} for the tenant ${tenant}.`,
    ...entries.flatMap((entry) => ['', ...entryLines(entry, width)]),
    ...(trial === undefined
      ? []
      : ['', `Being tried right now: message ${trial}. Others wait for what becomes of it.`]),
    ...counted,
    ...(history.length === 0
      ? []
      : ['', 'Its newest messages:', ...history.flatMap((line) => hanging(line, width, '    '))]),
  ]
}

function entryLines(entry: SuppressionStory['entries'][number], width: number): string[] {
  const { target, scope, reason, created_at, expires_at, who, note, evidence } = entry
  const until = expires_at === undefined ? 'for good' : `until ${dateText(expires_at)}`
  const lines = [
    `${target} for ${scopeText(scope)}: ${reason}, since ${dateTimeText(created_at)} UTC, ${until}, by ${who}`,
    ...lifeLines(entry),
  ]
  if (note !== undefined) lines.push(`  note: ${note}`)
  if (evidence !== undefined) {
    const { rule, category, code, cause, message, mx, source, report, feedback, strikes } = evidence
    lines.push(...(cause === undefined ? [] : causeLines(cause).map((line) => `  ${line}`)))
    lines.push(`  → ${category} (${code}) by ${rule}${feedback === undefined ? '' : `, feedback "${feedback}"`}`)
    const where = [
      ...(mx === undefined ? [] : [`said by ${mx}`]),
      ...(source === undefined ? [] : [`to ${source}`]),
      ...(message === undefined ? [] : [`about message ${message}`]),
      ...(report === undefined ? [] : [`in report ${report}`]),
    ]
    if (where.length > 0) lines.push(`  ${where.join(' ')}`)
    if (strikes !== undefined) lines.push(`  after failures of the messages ${strikes.join(', ')}`)
  }
  return lines.flatMap((line) => hanging(line, width, '    '))
}

/** Why an entry does not keep mail back, and how often it has been given another chance. */
function lifeLines({
  standing,
  pending_until,
  reactivated,
  accepted,
  again,
}: SuppressionStory['entries'][number]): string[] {
  const chance = reactivated ?? again?.reactivated
  return [
    ...(standing === 'over' ? ['  void: it keeps no mail back any more'] : []),
    ...(standing === 'pending' && pending_until !== undefined
      ? [
          `  pending until ${dateTimeText(pending_until)} UTC: learned in a surge, it keeps no mail back until a further failure`,
          '  confirms it; a delivery drops it',
        ]
      : []),
    ...(chance === undefined ? [] : [`  reactivated ${dateTimeText(chance.at)} UTC by ${chance.who}: ${chance.why}`]),
    ...(standing === 'half-open' && accepted === undefined ? ['  half-open: mail goes one message at a time'] : []),
    ...(accepted === undefined
      ? []
      : [`  message ${accepted.message} was taken ${dateTimeText(accepted.at)} UTC and has not come back yet`]),
    ...(again === undefined ? [] : [`  suppressed for the ${again.times}. time`]),
  ]
}

function hanging(text: string, width: number, indent: string): string[] {
  const [first = '', ...others] = wrap(text, width)
  return [
    first,
    ...wrap(others.join(' '), width - indent.length)
      .filter((line) => line !== '')
      .map((line) => indent + line),
  ]
}

export function importLines(report: ImportReport, { paint }: Page): string[] {
  const { dry_run, format, changed, already, skipped, invalid, bad_lines } = report
  const more = invalid - bad_lines.length
  const counts: [number, string][] = [
    [changed, dry_run ? 'to change' : 'changed'],
    [already, 'there already'],
    [skipped, 'left out (blocks, soft failures, expired)'],
    [report.protected, 'protected (complaints, unsubscriptions)'],
    [invalid, 'not readable'],
  ]
  return [
    `${dry_run ? 'A look at the list' : 'Done with the list'} (${format}):`,
    ...counts
      .filter(([count], at) => count > 0 || at === 0)
      .map(([count, what]) => `  ${padStart(countText(count), 9)} ${what}`),
    ...bad_lines.map(({ line, text, problem }) => `  line ${line}: ${paint('yellow', problem)}: ${text}`),
    ...(more > 0 && bad_lines.length > 0 ? [`  … and ${countText(more)} more`] : []),
  ]
}
