// Prose made ready: bounded, freed of quoted mail, cut where the returned message begins, and judged once for whether a
// machine wrote it. What is cut off becomes the header of the returned mail.

import { failureSubject } from './phrases.ts'
import type { Headers, Prose, Words } from './prose.ts'
import { cutReturned } from './returned.ts'

const MAX_LINES = 2000
const MAX_LINE = 1000
const MAX_CHARACTERS = 256 * 1024
const MAX_FLOW = 64 * 1024

/** What virus scanners hang below a mail on its way. */
const FOOTER =
  /^_{4,}.{0,60}(?:NOD32|ESET)|^(?:No virus found in this|This e-?mail (?:has been|was) (?:scanned|checked) (?:by|for))/i

export function wordsOf(prose: Prose): Words {
  const lines = bounded(prose.lines)
  const { own, returned } = cutReturned(lines)
  const footer = own.findIndex((line) => FOOTER.test(line))
  const said = (footer < 0 ? own : own.slice(0, footer)).filter((line) => !isQuotation(line))
  const { flow, starts } = flowOf(said)
  const given = prose.returned ?? returned
  return {
    headers: prose.headers,
    subject: prose.subject,
    from: prose.from,
    lines,
    own: said,
    flow,
    lineAt: (offset) => lineAt(starts, offset),
    machine: isMachine(prose),
    ...(given === undefined ? {} : { returned: given }),
  }
}

function bounded(lines: readonly string[]): string[] {
  const kept: string[] = []
  let characters = 0
  for (const line of lines.slice(0, MAX_LINES)) {
    // White space is where patterns look for indents; more than any layout has only costs time.
    const text = line
      .slice(0, MAX_LINE)
      .replace(/\s{60,}/g, (space) => space.slice(0, 60))
      .trimEnd()
    characters += text.length
    if (characters > MAX_CHARACTERS) break
    kept.push(text)
  }
  return kept
}

/** `> ` in front is somebody else's words; `>>> RCPT` and `> address` are how transcripts and lists are marked. */
function isQuotation(line: string): boolean {
  if (!/^ {0,3}>/.test(line) || /^ {0,3}>>>(?!>)/.test(line)) return false
  return !/^ {0,3}> ?<?[^\s<>@]{1,128}@[^\s<>@]{1,255}>?$/.test(line)
}

function flowOf(lines: readonly string[]): { flow: string; starts: readonly number[] } {
  const starts: number[] = []
  const texts: string[] = []
  let length = 0
  for (const line of lines) {
    starts.push(length)
    if (length >= MAX_FLOW) continue
    const text = line.replace(/\s+/g, ' ').trim()
    if (text === '') continue
    texts.push(text)
    length += text.length + 1
  }
  return { flow: texts.join(' '), starts }
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return Math.max(low, 0)
}

// Local parts of the programs that report failures, and of those that may but mostly send other mail.
const DAEMON =
  /(?:^|[\s<"'(._+-])(?:mailer[-_. ]?d(?:ea|ae)mon|mail[-_. ]?d(?:ae|ea)mon|post[-_. ]?master|mail ?delivery?\w*|mail[-_. ]?system|ndr|dsn|mmsc|microsoftexchange[0-9a-f]{6,40}|smtp[-_.]?(?:server|daemon|gateway)|mta|uucp|mmdf|mailsystem|mail transport|delivery[-_. ]?(?:sub)?(?:system|status|failure|report|notification)\w*|interscan\w*|viruswall)(?![a-z])/i
const DAEMON_NAME =
  /system administrator|mail (?:delivery|system|administrator|service|server|router|gateway)|delivery (?:sub)?system|system attendant|microsoft exchange|exchange server|メール(?:配信|システム|サーバ)|почтов\S{0,4} (?:систем|сервер|служб|демон)|邮件系统|郵件系統|系统退信/i
const ROBOT =
  /^(?:no-?reply|do-?not-?reply|nobody|root|\w{0,20}[-_.]?admin\w{0,12}|sysadmin|administrator|mailer|mail|system|smtp|exchange|listserv|\w{0,20}-(?:request|owner|ctl))[\w.+=-]{0,60}@/i
/** Programs that people write with. */
const CLIENT =
  /thunderbird|mozilla|outlook|apple mail|iphone|ipad|\bmutt|gmail|k-?mail|evolution|roundcube|squirrel|horde|eudora|\bpine\b|alpine|claws|webmail|the bat|gnus|foxmail|yahoomail/i

function isMachine(prose: Prose): boolean {
  const { headers, subject } = prose
  if (isDaemon(prose) || headers.get('x-failed-recipients') !== undefined) return true
  if (isAnswerOrForward(subject)) return false
  if (isNullSender(headers) || isAutomatic(headers)) return true
  if (CLIENT.test(`${headers.get('user-agent') ?? ''} ${headers.get('x-mailer') ?? ''}`)) return false
  return failureSubject(subject) || isRobot(prose.from)
}

export const isRobot = (from: string): boolean => ROBOT.test(from)

export const isAutomatic = (headers: Headers): boolean =>
  /^auto-(?:replied|generated)/i.test(headers.get('auto-submitted')?.trim() ?? '')

/** Address or name of a program that only ever writes about delivery. */
export function isDaemon({ headers, from }: Pick<Prose, 'headers' | 'from'>): boolean {
  const field = headers.get('from') ?? from
  const name = field.replace(/<[^<>]*>/g, ' ')
  return isDaemonAddress(from) || DAEMON.test(name) || DAEMON_NAME.test(name) || /^\s*<?>?\s*$/.test(field)
}

/** By its address, which is harder to come by than a name. */
export function isDaemonAddress(from: string): boolean {
  const local = from.slice(0, Math.max(from.lastIndexOf('@'), 0)) || from
  return DAEMON.test(local) || /^bounces?(?:[-+_.=]|$)/i.test(local)
}

export function isNullSender(headers: Headers): boolean {
  return /^\s*<\s*>\s*$/.test(headers.get('return-path') ?? '')
}

export const isAnswerOrForward = (subject: string): boolean =>
  /^\s*(?:re|fwd?|aw|wg|sv|vs|antw|rv|enc|回复|答复|転送)\s?[:：]/i.test(subject)
