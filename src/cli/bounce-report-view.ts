// Reports for people. Pure: printable data in, lines out.

import type { Category } from '../bounce/verdict.ts'
import type { Report, ReportDecision } from '../http/operations.ts'
import { EVIDENCE_MEANINGS, MEANINGS, REPORT_KIND_NAMES } from './meaning.ts'
import type { Page } from './output.ts'
import { table } from './table.ts'
import { type Colour, padEnd, wrap } from './terminal.ts'
import { dateTimeText, shortTimeText, sizeText } from './time.ts'

type Named = Report['report']['recipients'][number]

const OUTCOME_COLOURS: Readonly<Record<Report['outcome'], Colour | undefined>> = {
  bounced: 'red',
  complained: 'red',
  unsubscribed: 'cyan',
  noted: undefined,
  review: 'yellow',
  dismissed: undefined,
}
const HEADING_WIDTH = 9
const REPLY_INDENT = '    '

export function reportTable(reports: readonly Report[], page: Page): string[] {
  return table(
    reports,
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'TIME (UTC)', value: ({ at }) => shortTimeText(at, page.now) },
      { title: 'KIND', value: kindText },
      { title: 'OUTCOME', value: outcomeText, colour: ({ outcome }) => OUTCOME_COLOURS[outcome] },
      { title: 'ADDRESS', value: addressText, least: 16, long: 'wrap' },
      { title: 'CATEGORY', value: ({ verdict }) => verdict?.category ?? '', least: 17, long: 'line-below' },
      { title: 'WORDS', value: wordsText, least: 30, long: 'line-below' },
    ],
    page,
  )
}

/** Why each waits stands below it, whole: that is what has to be decided. */
export function reviewTable(reports: readonly Report[], page: Page): string[] {
  const [head = '', ...rows] = table(
    reports,
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'TIME (UTC)', value: ({ at }) => shortTimeText(at, page.now) },
      { title: 'KIND', value: kindText },
      { title: 'ADDRESS', value: addressText, least: 16, long: 'wrap' },
      { title: 'SURE', value: ({ about }) => about?.confidence ?? 'nobody found' },
    ],
    page,
  )
  const reasons = reports.map(({ review }) => wrap(review?.why ?? '', page.width - 2).map((line) => `  ${line}`))
  return [head, ...rows.flatMap((row, at) => [row, ...(reasons[at] ?? [])])]
}

/** `dsn`, and of what kind when it tells of no failure. */
function kindText({ report: { kind, recipients } }: Report): string {
  const action = recipients[0]?.action
  return kind === 'dsn' && action !== undefined && action !== 'failed' ? `${kind} (${action})` : kind
}

/** Acted already and waits for somebody to look nevertheless. */
function outcomeText({ outcome, review }: Report): string {
  const isOpen = review !== undefined && review.decided === undefined
  return isOpen && outcome !== 'review' ? `${outcome} (review)` : outcome
}

/** Whose recipient it is about; else whom it names, or who wrote it, which is anybody's guess. */
function addressText({ about, report }: Report): string {
  if (about !== undefined) return about.recipient
  const named = report.recipients.find(({ address }) => address !== '')?.address ?? report.feedback?.original_rcpt_to[0]
  return named ?? report.from
}

function wordsText({ report }: Report): string {
  return report.recipients.find(({ diagnostic }) => diagnostic !== '')?.diagnostic ?? report.subject
}

/** What became of a report, in a few words: after ingest and after it was accepted. */
export function followedText(report: Report): string {
  const { outcome, about, review, suppressed } = report
  const isOpen = review !== undefined && review.decided === undefined
  const after = suppressed === true ? '; the address is suppressed' : ''
  const known = changesNothing(report) ? `recorded, changes nothing: ${about?.recipient} had bounced already` : outcome
  return `${known}${aboutPhrase(report)}${after}${isOpen ? `. To be looked at: ${review.why}` : ''}.`
}

/** A bounce of a recipient that was known to have failed. */
function changesNothing({ outcome, about, report }: Report): boolean {
  return (
    outcome === 'noted' && about !== undefined && report.kind === 'dsn' && report.recipients[0]?.action === 'failed'
  )
}

function aboutPhrase(report: Report): string {
  const { about } = report
  return about === undefined ? '' : `, about ${about.recipient} (${about.confidence}: ${evidenceText(report)})`
}

/** What a decision did: what had acted before was only looked at. */
export function decidedText(report: Report, decision: ReportDecision): string {
  const { outcome, about } = report
  if (outcome === 'dismissed') return `dismissed; nothing follows${aboutPhrase(report)}.`
  if (decision === 'accept' && about !== undefined) return followedText(report)
  const undo =
    about === undefined || outcome === 'noted'
      ? ''
      : `; studs suppress rm ${about.recipient} lets the address be mailed again`
  return `off the list. What it had done before (${outcome}) stays${undo}.`
}

function evidenceText({ about, origin, outcome }: Report): string {
  const evidence = about?.evidence ?? ''
  if (origin.kind === 'link') return 'it came by the signed unsubscribe link'
  if (outcome === 'unsubscribed' && evidence === 'return-path') return 'it came to the signed unsubscribe address'
  return EVIDENCE_MEANINGS[evidence] ?? evidence
}

export function reportLines(report: Report, page: Page): string[] {
  const { paint, width } = page
  const colour = OUTCOME_COLOURS[report.outcome]
  const outcome = outcomeText(report)
  const rows: readonly [string, string | undefined][] = [
    ['Came', cameText(report)],
    ['Mail', mailText(report)],
    ['Read as', readText(report)],
    ['About', aboutText(report)],
    ['Verdict', verdictText(report)],
    ['Outcome', outcomeSentence(report)],
    ['Review', reviewText(report)],
    ['Feedback', feedbackText(report)],
    ['Returned', returnedText(report)],
    ['Link', report.report.link],
  ]
  return [
    `Report ${paint('bold', report.id)}  ${colour === undefined ? outcome : paint(colour, outcome)}`,
    ...rows.flatMap(([name, value]) =>
      value === undefined
        ? []
        : wrap(value, width - HEADING_WIDTH - 2).map(
            (line, at) => `  ${paint('dim', padEnd(at === 0 ? name : '', HEADING_WIDTH))}${line}`,
          ),
    ),
    ...report.report.recipients.flatMap((named) => ['', ...namedLines(named, page)]),
    '',
    paint('dim', `The mail itself: studs bounce raw ${report.id}`),
  ]
}

function cameText({ at, origin, to }: Report): string {
  const on = to === '' ? '' : ` for ${to}`
  return `${dateTimeText(at)} UTC, ${originText(origin)}${on}`
}

function originText(origin: Report['origin']): string {
  switch (origin.kind) {
    case 'listener': {
      const helo = origin.helo === undefined ? '' : ` (${origin.helo})`
      return `listener ${origin.listener}, from ${origin.address}${helo}, ${origin.tls ?? 'no TLS'}, sender <${origin.sender}>`
    }
    case 'ingest':
      return `given by ${origin.who}`
    case 'mailbox':
      return `fetched from mailbox ${origin.mailbox}`
    case 'link':
      return `by the unsubscribe link, from ${origin.address}`
  }
}

function mailText({ report, size_bytes, is_cut }: Report): string {
  const subject = report.subject === '' ? '(no subject)' : report.subject
  const from = report.from === '' ? 'nobody' : report.from
  return `${subject}, from ${from}, ${sizeText(size_bytes)}${is_cut ? ', of which the beginning is kept' : ''}`
}

function readText({ report: { kind, family, limit } }: Report): string {
  const ended = limit === undefined ? '' : `; only a part was read, up to the limit of ${limit}`
  return `${kindAndFamily(kind, family)}${ended}`
}

/** `delivery report (dsn, rfc3464)`; a word that says nothing new is left out. */
export function kindAndFamily(kind: Report['report']['kind'], family: string): string {
  const name = REPORT_KIND_NAMES[kind]
  const more = [kind, family].filter((word, at, words) => !name.includes(word) && words.indexOf(word) === at)
  return more.length === 0 ? name : `${name} (${more.join(', ')})`
}

function aboutText(report: Report): string {
  const { about } = report
  if (about === undefined) return 'no recipient of ours was found'
  const { recipient, message, n, tenant, confidence } = about
  return `${recipient}, message ${message}.${n} of tenant ${tenant}; ${confidence}: ${evidenceText(report)}`
}

function verdictText({ verdict }: Report): string | undefined {
  if (verdict === undefined) return undefined
  const { category, code, kind, fault, rule } = verdict
  return `${category} (${code}, ${kind}, fault: ${fault}) by ${rule}. ${MEANINGS[category as Category] ?? ''}`.trimEnd()
}

const OUTCOME_SENTENCES: Readonly<Record<Report['outcome'], string>> = {
  bounced: 'The recipient was not reached.',
  complained: 'The recipient complained.',
  unsubscribed: 'The recipient wants no more of it.',
  noted: 'It changed nothing.',
  review: 'Nothing yet; a person decides.',
  dismissed: 'Put aside by a person; nothing followed.',
}

function outcomeSentence({ outcome, suppressed }: Report): string {
  return `${OUTCOME_SENTENCES[outcome]}${suppressed === true ? ' The address was suppressed for it.' : ''}`
}

function reviewText({ id, review, outcome, about }: Report): string | undefined {
  if (review === undefined) return undefined
  const { why, decided } = review
  if (decided !== undefined)
    return `${why}; ${outcome === 'dismissed' ? 'dismissed' : 'decided'} ${dateTimeText(decided.at)} UTC by ${decided.who}`
  // What has acted already, or has nobody to act on, needs nothing but to be seen.
  const dismiss = `studs bounce review dismiss ${id}`
  return outcome === 'review' && about !== undefined
    ? `${why}. If it is right: studs bounce review accept ${id}. If not: ${dismiss}`
    : `${why}. When you have looked: ${dismiss}`
}

function feedbackText({ report: { feedback } }: Report): string | undefined {
  if (feedback === undefined) return undefined
  const { type, user_agent, source_ip, original_mail_from, original_rcpt_to, reported_domain } = feedback
  return [
    type,
    ...(user_agent === undefined ? [] : [`by ${user_agent}`]),
    ...(source_ip === undefined ? [] : [`our IP ${source_ip}`]),
    ...(reported_domain === undefined ? [] : [`domain ${reported_domain}`]),
    ...(original_mail_from === undefined ? [] : [`sent as ${original_mail_from}`]),
    ...(original_rcpt_to.length === 0 ? [] : [`to ${original_rcpt_to.join(', ')}`]),
  ].join(', ')
}

function returnedText({ report: { original } }: Report): string | undefined {
  if (original === undefined) return undefined
  const { message_id, subject, from, to } = original
  const parts = [
    ...(subject === undefined ? [] : [subject]),
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(to.length === 0 ? [] : [`to ${to.join(', ')}`]),
    ...(message_id === undefined ? [] : [`<${message_id}>`]),
  ]
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** What a report says of one recipient. Also for `studs bounce parse`. */
export function namedLines(named: Named, { paint, width }: Page): string[] {
  const { address, original, action, status, diagnostic, remote_mta, command } = named
  const first = original === undefined || original === address ? '' : ` (first sent to ${original})`
  const state = [action, ...(status === undefined ? [] : [status])].join(' ')
  const who = [
    ...(remote_mta === undefined ? [] : [`by ${remote_mta}`]),
    ...(command === undefined ? [] : [`to ${command}`]),
  ]
  const lines = diagnostic === '' ? [] : wrap(diagnostic, Math.max(20, width - REPLY_INDENT.length))
  return [
    `  ${paint('bold', address === '' ? '(no address)' : address)}${first}  ${paint(action === 'failed' ? 'red' : 'yellow', state)}`,
    ...lines.map((line) => `${REPLY_INDENT}${line}`),
    ...(who.length === 0 ? [] : [`${REPLY_INDENT}${paint('dim', `said ${who.join(', ')}`)}`]),
  ]
}
