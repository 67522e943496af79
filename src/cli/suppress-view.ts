// Suppressions for people. Pure: printable data in, lines out.

import type { CheckedAddress, ImportReport, SuppressionEntry, SuppressionStory } from '../http/operations.ts'
import { GLOBAL_SCOPE } from '../suppression/suppression.ts'
import type { Page } from './output.ts'
import { forWhom } from './suppress-scope.ts'
import { table } from './table.ts'
import { padStart, wrap } from './terminal.ts'
import { countText, dateText, dateTimeText, ordinalText } from './time.ts'
import { causeLine, causeLines } from './timeline.ts'

type Event = SuppressionStory['events'][number]

export function suppressionTable(entries: readonly SuppressionEntry[], page: Page): string[] {
  return table(
    entries,
    [
      { title: 'ADDRESS', value: ({ target }) => target, least: 20, long: 'wrap' },
      { title: 'FOR', value: ({ scope }) => scopeText(scope) },
      { title: 'REASON', value: ({ reason }) => reason },
      { title: 'SINCE', value: ({ created_at }) => dateText(created_at) },
      { title: 'UNTIL', value: untilText },
      { title: 'BECAUSE', value: because, least: 30, long: 'line-below' },
    ],
    page,
  )
}

function whomText({ tenants = [], entry }: CheckedAddress): string {
  return entry?.scope === GLOBAL_SCOPE ? 'everybody' : tenants.join(', ')
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
      { title: 'ADDRESS', value: ({ address }) => address, least: 20, long: 'wrap' },
      {
        title: 'RESULT',
        value: ({ result }) => result,
        colour: ({ result }) => (result === 'clear' ? 'green' : result === 'invalid' ? 'yellow' : 'red'),
      },
      { title: 'FOR', value: whomText },
      { title: 'REASON', value: ({ entry }) => entry?.reason ?? '' },
      { title: 'SINCE', value: ({ entry }) => (entry === undefined ? '' : dateText(entry.created_at)) },
    ],
    page,
  )
}

export function storiesLines(stories: readonly SuppressionStory[], page: Page): string[] {
  return stories.flatMap((story, at) => [...(at === 0 ? [] : ['']), ...storyLines(story, page)])
}

function storyLines(story: SuppressionStory, page: Page): string[] {
  const { target, entries, strikes, trial, events } = story
  const { paint, width } = page
  const counted =
    strikes === undefined
      ? []
      : [
          '',
          `Soft failures that count: ${strikes.count} of ${strikes.needed}, the last one ${dateTimeText(strikes.last_at)} UTC.`,
        ]
  return [
    `${paint('bold', target)} ${answer(story, page)}.`,
    ...entries.flatMap((entry) => ['', ...entryLines(entry, width)]),
    ...(trial === undefined
      ? []
      : ['', `Being tried right now: message ${trial}. Others wait for what becomes of it.`]),
    ...counted,
    ...(events.length === 0
      ? []
      : ['', 'What happened last:', ...events.map(eventLine).flatMap((line) => hanging(line, width, '    '))]),
  ]
}

/** How it stands, in one line. */
function answer({ tenant, active, entries }: SuppressionStory, { paint }: Page): string {
  if (active !== undefined)
    return `${paint('red', `is suppressed (${active.reason})`)} ${forWhom(active.scope === GLOBAL_SCOPE ? GLOBAL_SCOPE : tenant)}`
  const whom = forWhom(tenant === GLOBAL_SCOPE ? undefined : tenant)
  if (entries.some(({ standing }) => standing === 'half-open'))
    return `${paint('yellow', 'is half-open')} ${whom}: mail goes one message at a time`
  if (entries.some(({ standing }) => standing === 'pending'))
    return `${paint('yellow', 'is not suppressed yet (pending)')} ${whom}`
  return `${paint('green', 'is not suppressed')} ${whom}`
}

function eventLine({ at, kind, message, n, cause, verdict, who, why, scope }: Event): string {
  const of = message === undefined ? `by ${who ?? 'nobody'}` : `${message}${n === undefined ? '' : `.${n}`}`
  const whose = message === undefined && scope !== undefined ? ` ${forWhom(scope)}` : ''
  const said = cause === undefined ? '' : `  ${causeLine(cause)}`
  const reason = message !== undefined || why === undefined ? '' : `: ${why}`
  return `  ${dateTimeText(at)}  ${of}  ${kind}${whose}${reason}${said}${verdict === undefined ? '' : `  → ${verdict.category}`}`
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
      ...(mx === undefined ? [] : [`${report === undefined ? 'said by' : 'reported by'} ${mx}`]),
      ...(report === undefined ? [] : [`in report ${report}`]),
      ...(source === undefined ? [] : [`source ${source}`]),
      ...(message === undefined ? [] : [`message ${message}`]),
    ]
    if (where.length > 0) lines.push(`  ${where.join(', ')}`)
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
    ...(standing === 'half-open' && accepted === undefined
      ? ['  half-open: the next message goes alone; when it gets through, this entry goes']
      : []),
    ...(accepted === undefined
      ? []
      : [`  message ${accepted.message} was taken ${dateTimeText(accepted.at)} UTC and has not come back yet`]),
    ...(again === undefined ? [] : [`  suppressed for the ${ordinalText(again.times)} time`]),
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

export function importLines(report: ImportReport, whom: string, { paint }: Page): string[] {
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
    `${dry_run ? 'A look at the list' : 'Done with the list'} (${format}) ${whom}:`,
    ...counts
      .filter(([count], at) => count > 0 || at === 0)
      .map(([count, what]) => `  ${padStart(countText(count), 9)} ${what}`),
    ...bad_lines.map(({ line, text, problem }) => `  line ${line}: ${paint('yellow', problem)}: ${text}`),
    ...(more > 0 && bad_lines.length > 0 ? [`  … and ${countText(more)} more`] : []),
  ]
}
