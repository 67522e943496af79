// `studs explain`: why the mail of a domain, or one message, waits: what binds, since when, until when.

import type { Command } from 'commander'
import type { LaneExplanation as Explanation } from '../http/operations.ts'
import type { Io } from './io.ts'
import { optionOf, rateShown } from './limit-words.ts'
import { type Page, proseLines } from './output.ts'
import { type Tools, withRelay } from './session.ts'
import { paceText } from './suspend.ts'
import { type Colour, padEnd } from './terminal.ts'
import { counted, dateTimeText, durationText } from './time.ts'
import { causeLine } from './timeline.ts'

type Lane = Explanation['lanes'][number]

const HEADING_WIDTH = 11

export function addExplainCommand(program: Command, io: Io, { version }: Tools): void {
  program
    .command('explain')
    .description('Say why the mail of a domain, or one message, waits')
    .argument('<domain|id>', 'a domain, a message id, or id.n')
    .action((what: string, _options: object, command: Command) =>
      withRelay({ command, io, version, running: true }, async ({ operations, output }) =>
        output.item(await operations.explain(what), explanationLines),
      ),
    )
}

export function explanationLines(explained: Explanation, page: Page): string[] {
  const { domain, site, provider, cause, lanes, paths, bound, recipient } = explained
  const row = (name: string, value: string, colour?: Colour): string[] => {
    const [first = '', ...others] = proseLines(value, { ...page, width: page.width - HEADING_WIDTH }, '')
    const painted = (line: string): string => (colour === undefined ? line : page.paint(colour, line))
    return [
      `${page.paint('dim', padEnd(name, HEADING_WIDTH))}${painted(first)}`,
      ...others.map((line) => padEnd('', HEADING_WIDTH) + painted(line)),
    ]
  }
  const nowhere = cause === undefined ? 'unknown' : `none: ${causeLine(cause)}`
  return [
    ...(recipient === undefined ? [] : recipientRows(recipient, page).flatMap(([name, value]) => row(name, value))),
    ...row('Domain', domain),
    ...row(
      'Site',
      `${site ?? nowhere}${provider === undefined ? '' : ` (${provider})`}`,
      site === undefined && cause !== undefined ? 'red' : undefined,
    ),
    ...paths.flatMap((path) => row('Path', pathText(path))),
    ...bound.flatMap((each) => row(each.kind === 'slow' ? 'Slow' : 'Suspended', boundText(each, page))),
    ...(lanes.length === 0 ? ['', 'Nobody waits.'] : lanes.flatMap((lane) => ['', ...laneLines(lane, page)])),
  ]
}

/** `0 of 1 connections busy (10 when it is not slowed down)` */
function pathText({ source, connections, allowed, active, idle, queued }: Explanation['paths'][number]): string {
  const of = allowed?.connections ?? connections
  const usual =
    allowed === undefined
      ? ''
      : allowed.by === 'slow'
        ? ` (${allowed.why}; ${connections} otherwise)`
        : ` (${connections} of its own, but ${allowed.why} is ${of})`
  return `from ${source}: ${active} of ${counted(of, 'connection')} busy${usual}, ${idle} idle, ${queued} in line`
}

/** What was said, and by which rule it does what. */
function boundText(bound: Explanation['bound'][number], { now }: Page): string {
  const { kind, name, who, why, since, until } = bound
  const [source] = name.split('@')
  const what = kind === 'slow' ? `from ${source}: ${paceText(bound)}` : `the ${kind} ${name}`
  const end = until === undefined ? 'Comes back step by step' : `Goes on ${when(until, now)}`
  return `${what}, ${until === undefined ? '' : 'by '}${who} since ${dateTimeText(since)}: ${why}. ${end}.`
}

function recipientRows(recipient: NonNullable<Explanation['recipient']>, page: Page): [string, string][] {
  const { id, n, address, state, source, binding, next_attempt_at, cause, rule } = recipient
  return [
    ['Message', `${id}.${n} to ${address}, ${state}${source === undefined ? '' : `, leaves from ${source}`}`],
    ...(binding === undefined ? [] : [['Now', bindingText(binding, page)] as [string, string]]),
    ...(next_attempt_at === undefined ? [] : [['Next', when(next_attempt_at, page.now)] as [string, string]]),
    ...(cause === undefined
      ? []
      : [['Last reply', `${causeLine(cause)}${rule === undefined ? '' : ` (rule ${rule})`}`] as [string, string]]),
  ]
}

function laneLines(lane: Lane, page: Page): string[] {
  const { tenant, pool, waiting, due, in_flight, more, last_refusal } = lane
  const count = `${more ? 'more than ' : ''}${counted(waiting, 'recipient')}`
  const flying = in_flight === 0 ? '' : `, ${in_flight} on the way`
  return [
    `${page.paint('bold', `Tenant ${tenant}`)}${pool === undefined ? '' : `, pool ${pool}`}: ${count} waiting, ${due} of them due${flying}`,
    ...proseLines(`  ${bindingText(lane.binding, page)}`, page, '    '),
    ...(last_refusal === undefined ? [] : proseLines(`  ${refusalText(last_refusal)}`, page, '    ')),
  ]
}

function refusalText({ recipient, cause, rule, category }: NonNullable<Lane['last_refusal']>): string {
  return `Last refused: ${recipient}, ${causeLine(cause)}${rule === undefined ? '' : ` (${category}, rule ${rule})`}`
}

function bindingText(binding: Lane['binding'], { now }: Page): string {
  switch (binding.kind) {
    case 'suspended': {
      const { kind, name, who, why, until, since } = binding.suspension
      return `Suspended: the ${kind} ${name}, by ${who} since ${dateTimeText(since)}: ${why}. Goes on ${when(until, now)}.`
    }
    case 'limit': {
      const rate = binding.rate === undefined ? '' : ` ${rateShown(binding.rate)}`
      const next = binding.until === undefined ? 'when an attempt ends' : when(binding.until, now)
      const since = binding.since === undefined ? '' : ` since ${dateTimeText(binding.since)}`
      if (/^(?:pace|slow) /.test(binding.limit)) return `Slowed down${since}, as said above. The next goes ${next}.`
      return `Limited: ${optionOf(binding.limit)}${rate} of the ${binding.limit} is used up${since && `,${since}`}. The next goes ${next}.`
    }
    case 'no-source':
      return 'No source of its pool may send there now: `studs source list` says why. It goes on by itself once one may.'
    case 'connections':
      return `Busy: ${binding.in_flight} attempts are under way over ${counted(binding.slots, 'connection')}.`
    case 'held':
      return `Held by ${binding.who} since ${dateTimeText(binding.since)}: ${binding.why}. Goes on after \`studs queue release\`.`
    case 'sender-domain':
      return `Held back by doctor.hold_domains: the DNS of ${binding.domain} is broken, as \`studs health alerts\` says. Looked at again ${when(binding.until, now)}.`
    case 'tried':
      return `Being tried right now, since ${dateTimeText(binding.since)}.`
    case 'back-off':
      return `Waits for its next attempt, ${when(binding.until, now)}.`
    case 'free':
      return 'Nothing holds it back: it is being sent, or is next.'
  }
}

function when(time: string, now: number): string {
  const ms = Date.parse(time) - now
  return ms <= 0 ? 'now' : `in ${durationText(ms)} (${dateTimeText(time)} UTC)`
}
