// `studs bounce test-rules` and `studs bounce unknown`: an operator's own rules before they are taken, and what there is
// to write rules for. Both look at the journal.

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { UnknownReply } from '../http/rules-operations.ts'
import type { RuleChange, RulesTrial } from '../http/rules-trial.ts'
import { positiveInteger } from './argument.ts'
import { unreadable } from './file.ts'
import type { Io } from './io.ts'
import type { Page } from './output.ts'
import { type Tools, withRelay } from './session.ts'
import { wrap } from './terminal.ts'
import { counted, countText, dateTimeText } from './time.ts'

interface Options {
  readonly days: number
  readonly limit: number
}

const DEFAULT_DAYS = 7
const INDENT = 2

export function addRulesCommands(bounce: Command, io: Io, { version }: Tools): void {
  bounce
    .command('test-rules')
    .description('Judge the failures of the last days anew with a rules file and show what would change')
    .argument('<file>', "an operator's rules, in the place of bounce.rules")
    .option('--days <count>', 'how far back', positiveInteger, DEFAULT_DAYS)
    .action((file: string, { days }: Options, command: Command) => {
      const rules = readRules(file)
      return withRelay({ command, io, version }, async ({ operations, output }) =>
        output.item(await operations.testRules({ rules, name: file, days }), trialLines),
      )
    })
  bounce
    .command('unknown')
    .description('List the replies that no rule knows, the most frequent first')
    .option('--days <count>', 'how far back', positiveInteger, DEFAULT_DAYS)
    .option('--limit <count>', 'how many', positiveInteger, 50)
    .action(({ days, limit }: Options, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) =>
        output.items(await operations.unknownReplies({ days, limit }), unknownLines),
      ),
    )
}

function readRules(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

function trialLines(trial: RulesTrial, page: Page): string[] {
  const { days, recipients, changed, newly_suppressed, no_longer_suppressed, changes, at_least } = trial
  const span = `the last ${days} ${days === 1 ? 'day' : 'days'}`
  if (recipients === 0) return [`There was no failure in ${span}.`]
  const addresses = (count: number): string => counted(count, 'address', 'addresses')
  return [
    `${countText(changed)} of ${counted(recipients, 'recipient')} with failures in ${span} would be judged otherwise.`,
    `Suppressed at once would be ${addresses(newly_suppressed)} more, and ${addresses(no_longer_suppressed)} would not be any more.`,
    ...(at_least === true ? ['There were more than are told apart here: the numbers are the least.'] : []),
    ...changes.flatMap((change) => ['', ...changeLines(change, page)]),
  ]
}

function changeLines({ from, to, count, examples }: RuleChange, { paint, width }: Page): string[] {
  const side = ({ category, action, rule }: RuleChange['from']): string => `${category}, ${action} (${rule})`
  return [
    `${paint('bold', `${countText(count)} ×`)}  ${side(from)}`,
    `${' '.repeat(INDENT)}→ ${paint('cyan', side(to))}`,
    ...examples.flatMap((example) => indented(example, width)),
  ]
}

function unknownLines(replies: readonly UnknownReply[], { paint, width }: Page): string[] {
  if (replies.length === 0) return ['Every reply was known to a rule.']
  return replies.flatMap(({ count, first_at, last_at, example, mx, message }, at) => [
    ...(at === 0 ? [] : ['']),
    `${paint('bold', `${countText(count)} ×`)}  ${spanText(first_at, last_at)}${mx === undefined ? '' : `  ${mx}`}${message === undefined ? '' : `  ${message}`}`,
    ...indented(example, width),
  ])
}

function spanText(first: string, last: string): string {
  const [from, to] = [dateTimeText(first), dateTimeText(last)]
  return from === to ? from : `${from} to ${to}`
}

function indented(text: string, width: number): string[] {
  return wrap(text, width - INDENT).map((line) => `${' '.repeat(INDENT)}${line}`)
}
