// `studs suppress undo`: takes back what a mistake has taught. Shows what would go unless --yes.

import { type Command, InvalidArgumentError } from 'commander'
import { CATEGORIES } from '../bounce/verdict.ts'
import { parseDuration } from '../config/units.ts'
import type { UndoReport, UndoRequest } from '../http/operations.ts'
import { whoAmI } from './argument.ts'
import { CliError, EXIT, type Io } from './io.ts'
import type { Page } from './output.ts'
import { type Session, type Tools, withRelay } from './session.ts'
import { maybeScope, type ScopeOptions, scoped } from './suppress-scope.ts'
import { suppressionTable } from './suppress-view.ts'
import { padStart } from './terminal.ts'
import { counted, countText } from './time.ts'

/** A point in time: `2h` ago, or a date. */
type When = { readonly ago: number } | { readonly at: string }

interface UndoOptions extends ScopeOptions {
  readonly rule?: string
  readonly site?: string
  readonly category?: string
  readonly since?: When
  readonly until?: When
  readonly reason?: string
}

export function addUndoCommand(suppress: Command, io: Io, { version }: Tools): void {
  scoped(
    suppress.command('undo').description('Take back what Studs learned by mistake; shows it first unless --yes'),
    'all of them',
  )
    .option('--rule <rule>', 'learned by this rule, e.g. mailbox-unknown, or mailbox-unknown@2')
    .option('--site <site>', 'learned at this site, one of its hosts, or this provider')
    .option('--category <category>', 'of this category', category)
    .option('--since <time>', 'learned since then: so long ago (2h), or a date (2026-11-21T08:00Z)', when)
    .option('--until <time>', 'learned before then', when)
    .option('--reason <text>', 'why; kept in the journal')
    .action((options: UndoOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => undo(session, options)),
    )
}

function category(text: string): string {
  if (Object.hasOwn(CATEGORIES, text)) return text
  throw new InvalidArgumentError(`expected one of ${Object.keys(CATEGORIES).join(', ')}`)
}

function when(text: string): When {
  const ago = parseDuration(text.trim())
  if (ago !== undefined) return { ago }
  const at = /^\d{4}-\d\d-\d\d/.test(text)
    ? Date.parse(/[Zz]|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`)
    : Number.NaN
  if (Number.isNaN(at)) throw new InvalidArgumentError('expected a duration such as "2h", or a date')
  return { at: new Date(at).toISOString() }
}

async function undo({ operations, output, options: given, io }: Session, options: UndoOptions): Promise<void> {
  const { rule, site, category: named, since, until, reason = 'by hand' } = options
  if ([rule, site, named, since].every((each) => each === undefined))
    throw new CliError(EXIT.usage, 'Say what is to be taken back: --rule, --site, --category or --since.')
  const scope = maybeScope(options)
  const timeOf = (time: When): string => ('at' in time ? time.at : new Date(io.clock.now() - time.ago).toISOString())
  const isReal = given.yes === true
  const request: UndoRequest = {
    ...(rule === undefined ? {} : { rule }),
    ...(site === undefined ? {} : { site }),
    ...(named === undefined ? {} : { category: named }),
    ...(since === undefined ? {} : { since: timeOf(since) }),
    ...(until === undefined ? {} : { until: timeOf(until) }),
    ...(scope === undefined ? {} : { scope }),
    who: whoAmI(),
    reason,
    preview: !isReal,
  }
  const report = await operations.undoSuppressions(request)
  output.item(report, undoLines)
  if (!isReal && report.count > 0) output.note('Nothing was changed yet. Add --yes to take them back.')
}

function undoLines({ preview, count, rules, sites, scopes, first }: UndoReport, page: Page): string[] {
  if (count === 0) return ['Nothing that Studs learned fits.']
  const listed = (title: string, counts: UndoReport['rules']): string[] => [
    '',
    page.paint('dim', title),
    ...counts.map(({ name, count: each }) => `  ${padStart(countText(each), 9)} ${name}`),
  ]
  const more = count - first.length
  return [
    preview
      ? `${counted(count, 'entry', 'entries')} would be taken back.`
      : `${counted(count, 'entry', 'entries')} taken back.`,
    ...listed('BY RULE', rules),
    ...listed('BY SITE', sites),
    ...listed(
      'FOR',
      scopes.map(({ name, count: each }) => ({ name: name === '*' ? 'everybody' : name, count: each })),
    ),
    '',
    ...suppressionTable(first, page),
    ...(more > 0 ? [`… and ${countText(more)} more`] : []),
  ]
}
