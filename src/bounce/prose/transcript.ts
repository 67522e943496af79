// The SMTP dialog as sendmail, Postfix, MDaemon, InterScan and others print it into their reports. Who was refused, by which
// host, in which words. Marks differ (`>>>`, `-->`, `In:`, `Sent <<<`); what is said after them does not.

import type { SmtpCommand } from '../../mail/reply.ts'
import { sameAddress } from '../mailboxes.ts'
import { bareAddress } from './address.ts'
import { hostIn } from './facts.ts'

export interface Refusal {
  /** '' where the whole message was refused. */
  readonly address: string
  readonly command: SmtpCommand | undefined
  readonly words: string[]
  readonly remoteMta: string | undefined
}

export interface Transcript {
  readonly refusals: readonly Refusal[]
  /** Everybody who was named in a RCPT, in order. */
  readonly named: readonly string[]
}

const MARK =
  /^\s{0,40}(?:[A-Z][a-z]{2} \d{4}-\d\d-\d\d [\d:.]{8,15}:\s{0,4})?(?:\[[\d:. ]{1,12}\]\s*)?(?:>>>|<<<|-->|<--|->|<-|=>|<=|C:|S:|In:|Out:|Sent:?(?: <<<)?|Received:?(?: >>>)|>|<|\*)?\s{0,4}/
const COMMAND =
  /^(RCPT|MAIL|DATA|EHLO|HELO|STARTTLS|AUTH|BDAT|RSET|QUIT|\.)(?![A-Za-z])(?:\s*(?:TO|FROM)\s*:\s*<?([^\s<>]{1,400})>?)?/i
const REPLY = /^([2-5]\d\d)([ -]|$)(?:\s?([45]\.\d{1,3}\.\d{1,3})\s)?(.*)$/
/** `550 5.1.1 <user@example.org>... User unknown`, `user@example.org... Deferred: ...`: the local mailer's own words. */
const OWN_WORDS =
  /^(?:([245]\d\d) (?:([245]\.\d{1,3}\.\d{1,3}) )?)?<?([^\s<>"@]{1,128}@[^\s<>"@]{1,255}?)>?\.\.\. ?(.*)$/
/** `421 example.org (smtp)... Deferred: ...`: the local mailer on the way to a host. */
const OF_MAILER = /^\s{0,4}[45]\d\d (\S{1,255}) \([a-z0-9_-]{1,20}\)\.\.\. /
const MAX_LINES = 1500
/** Of each kind; more recipients than that are not read. */
const MAX_NAMED = 200

interface State {
  readonly refusals: Refusal[]
  readonly named: string[]
  /** Commands that no reply has come to yet: several at once when they were pipelined. */
  readonly open: { command: SmtpCommand; address: string }[]
  last: { command: SmtpCommand; address: string } | undefined
  current: Refusal | undefined
  host: string | undefined
}

export function readTranscript(lines: readonly string[]): Transcript {
  const state: State = { refusals: [], named: [], open: [], last: undefined, current: undefined, host: undefined }
  for (const line of lines.slice(0, MAX_LINES)) readLine(line, state)
  return { refusals: state.refusals, named: state.named }
}

function readLine(line: string, state: State): void {
  const own = /^\s*(?:<<<|<--)/.test(line) ? null : OWN_WORDS.exec(line.trim())
  const text = line.replace(MARK, '')
  const command = COMMAND.exec(text)
  const reply = REPLY.exec(text)
  if (/\bwhile talking to /i.test(line)) readHost(line, state)
  else if (OF_MAILER.test(line)) readMailer(line.trim(), state)
  else if (own !== null) readOwnWords(line.trim(), own, state)
  else if (command !== null) readCommand(command, state)
  else if (reply !== null) readReply(text, reply, state)
  else if (line.trim() === '') state.current = undefined
  else if (/^\s/.test(line)) state.current?.words.push(line.trim())
}

function readMailer(line: string, state: State): void {
  if (state.refusals.length >= 2 * MAX_NAMED) return
  const to = OF_MAILER.exec(line)?.[1]?.toLowerCase() ?? ''
  if (state.host?.endsWith(to) === false) {
    state.host = undefined
    state.last = undefined
    state.open.length = 0
  }
  state.current = { address: '', command: undefined, words: [line], remoteMta: state.host }
  state.refusals.push(state.current)
}

function readHost(line: string, state: State): void {
  state.host = hostIn(line)
  state.open.length = 0
  state.last = undefined
  state.current = undefined
}

function name(address: string, { named }: State): void {
  if (named.length < MAX_NAMED && !named.some((known) => sameAddress(known, address))) named.push(address)
}

function readCommand(found: RegExpExecArray, state: State): void {
  const verb = (found[1] ?? '').toUpperCase()
  const command = (verb === '.' || verb === 'BDAT' ? 'dot' : verb) as SmtpCommand
  const address = command === 'RCPT' ? (bareAddress((found[2] ?? '').replace(/[>,;]+$/, '')) ?? '') : ''
  if (address !== '') name(address, state)
  state.last = { command, address }
  state.open.push(state.last)
  state.current = undefined
}

function readReply(text: string, found: RegExpExecArray, state: State): void {
  const isRefusal = /^[45]/.test(found[1] ?? '')
  const isLast = found[2] !== '-'
  const answered = state.open[0] ?? state.last
  if (state.current?.words[0]?.startsWith(found[1] ?? '?')) {
    state.current.words.push(found[4] ?? '')
  } else if (isRefusal && state.refusals.length < 2 * MAX_NAMED) {
    state.current = {
      address: answered?.command === 'RCPT' ? answered.address : '',
      command: answered?.command ?? (state.host === undefined ? undefined : 'banner'),
      words: [text.replace(/^(\d{3})-/, '$1 ')],
      remoteMta: state.host,
    }
    state.refusals.push(state.current)
  }
  if (!isLast) return
  const shifted = state.open.shift()
  // The reply to DATA is 354; the next one answers the dot.
  if (found[1] === '354') state.last = { command: 'dot', address: '' }
  else if (shifted?.command === 'DATA' && !isRefusal) state.last = { command: 'dot', address: '' }
  // sendmail prints the words of one reply line by line: the same code again goes on.
  if (!isRefusal) state.current = undefined
}

function readOwnWords(line: string, found: RegExpExecArray, state: State): void {
  const address = bareAddress(found[3] ?? '')
  if (address === undefined || found[1]?.startsWith('2') || state.refusals.length >= 2 * MAX_NAMED) return
  name(address, state)
  state.current = undefined
  if (state.refusals.some((known) => sameAddress(known.address, address))) return
  // "Remote protocol error" and their like: what the host has said just before is the reason.
  const before = state.refusals.filter((known) => known.address === '' && known.remoteMta === state.host)
  const reason = before.findLast(({ command }) => command !== undefined) ?? before.at(-1)
  const isVague = /remote protocol error|service unavailable|deferred$/i.test(found[4] ?? '')
  if (isVague && reason !== undefined) {
    state.refusals.push({ ...reason, address })
  } else state.refusals.push({ address, command: undefined, words: [line], remoteMta: state.host })
}

/** What was said of one recipient: of him alone, or of the message as a whole. */
export function refusalOf({ refusals, named }: Transcript, address: string): Refusal | undefined {
  const others = named.filter((other) => !sameAddress(other, address))
  return (
    refusals.find((refusal) => sameAddress(refusal.address, address)) ??
    refusals.findLast((refusal) => refusal.address === '' && refusal.command !== 'QUIT' && !isOfOthers(refusal, others))
  )
}

/** It names somebody else, or only follows from refusals before it: 503 (RFC 5321 §4.3.2). */
function isOfOthers({ words }: Refusal, others: readonly string[]): boolean {
  const text = words.join(' ').toLowerCase()
  return text.startsWith('503') || others.some((other) => text.includes(other.toLowerCase()))
}
