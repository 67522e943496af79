// The form that most free-text reports have: words of the system, then a list of addresses, each with its reason, then the
// end. A family of that form is a row of data (Layout), and this is the one reader of all rows.
//
// Lines of one list look alike: what the first address line looks like (indent, brackets, colon) is asked of the next ones,
// so that an address in a wrapped reason is not taken for another recipient.

import type { SmtpCommand } from '../../mail/reply.ts'
import { sameAddress } from '../mailboxes.ts'
import { replyIn } from '../quoted-reply.ts'
import type { DsnAction, ReportedRecipient } from '../report.ts'
import { bareAddress } from './address.ts'
import { recipientFrom } from './facts.ts'
import { saysDelay, saysFailure } from './phrases.ts'
import type { ProseFinding, ProseReader, Words } from './prose.ts'
import { type Refusal, readTranscript, refusalOf } from './transcript.ts'

export interface Layout {
  readonly family: string
  /** Looked for in the flow of the text; the list begins behind it. */
  readonly opening: RegExp
  /** A line that ends the list. */
  readonly closing?: RegExp
  /** An address line, the address in group 1; without it any line that begins with an address. */
  readonly address?: RegExp
  /** Must match the From header, the subject: where the opening alone is not telling enough. */
  readonly sender?: RegExp
  readonly subject?: RegExp
  /** The reason stands before the addresses, not after them: all recipients get it. */
  readonly reasonBefore?: RegExp
  /** What holds for every recipient, taken from anywhere in the report: group 1 is the reason. */
  readonly reason?: RegExp
  readonly command?: SmtpCommand
  readonly action?: DsnAction
}

export interface Entry {
  readonly address: string
  readonly words: string[]
}

/** A list of more is somebody's attempt to be annoying. */
export const MAX_RECIPIENTS = 100
const MAX_SECTION_LINES = 600
const CONTEXT_LINES = 6
const TELLING_LINES = 4
const MAX_TELLING = 200

/** A command as dialogs are printed. */
const DIALOG = /(?:>>>|<<<|-->|->|\bC:|\bIn:)\s{1,4}(?:RCPT|MAIL|DATA)\b/i

// [1] margin, [2] what stands before, [3] address, [4] what stands behind.
const LINE =
  /^(\s{0,40})((?:[-*•·o>]{1,3}\s{1,4}|\d{1,3}[.)]\s{1,4}|\[\d{1,3}\]\s{1,4})?(?:[\p{L}\p{M} ./()'-]{2,48}[:：]\s{0,20}|\[?(?:SMTP|RFC822|IMCEA\w*)[:;]\s{0,3})?["'“”„«<([]{0,3}(?:mailto:|smtp:|rfc822;)?)("[^"@<>]{1,64}"@[\w.-]{1,255}|[^\s<>()[\]",;:@\\“”„«»'][^\s<>()[\]",;:@\\“”„«»]{0,127}@[^\s<>()[\]",;:@'“”„«»\\]{1,255}|[^\s<>()[\]",;:@\\]@[^\s<>()[\]",;:@'\\]{1,255})["'“”«»>)\]]{0,3}(.*)$/iu

/** Labels of addresses that are not the recipient's. */
const ANOTHER =
  /(?:from|sender|by|reply|contact|return|absender|von|de|message-?id|subject|postmaster|envelope|help|support|administrator|admin|cc|bcc|expediteur|exp.diteur|remitente|mittente|afzender|nadawca|odes.latel|отправител\S*|发件人|寄件者|寄件人|差出人|보낸 ?사람)\s*[:：]/i

/** A line that begins with an address, perhaps behind a bullet or a label of a few words. */
export function addressLine(line: string): { address: string; rest: string; shape: string } | undefined {
  const found = LINE.exec(line)
  const address = found === null ? undefined : bareAddress(found[3] ?? '')
  if (found === null || address === undefined) return undefined
  const lead = (found[2] ?? '').replace(/\d+/g, '1')
  if (ANOTHER.test(found[2] ?? '')) return undefined
  const rest = (found[4] ?? '').replace(/^<mailto:[^<>]*>/i, '')
  const next = /^(?: ?\([^()]{0,400}\))?:/.test(rest) ? ':' : ''
  return { address, rest: rest.replace(/^[:\s]+/, ''), shape: `${found[1]}|${lead}|${next}` }
}

export function sectionReader(layout: Layout): ProseReader {
  return { family: layout.family, read: (words) => readSection(words, layout) }
}

function readSection(words: Words, layout: Layout): ProseFinding | undefined {
  if (!words.machine || !isFrom(words, layout)) return undefined
  const opening = layout.opening.exec(words.flow)
  if (opening === null) return undefined
  const isExplicit = layout.address !== undefined
  const start = words.lineAt(opening.index + (isExplicit ? 0 : Math.max(opening[0].length - 1, 0)))
  const lines = words.own.slice(start, start + MAX_SECTION_LINES)
  if (!isExplicit) lines[0] = behindOpening(lines[0] ?? '', opening[0])
  const entries = entriesOf(lines, layout)
  return entries.length === 0 ? undefined : findingOf({ words, layout, entries, start })
}

function isFrom(words: Words, { sender, subject }: Layout): boolean {
  if (sender !== undefined && !sender.test(words.headers.get('from') ?? words.from)) return false
  return subject === undefined || subject.test(words.subject)
}

/** What the opening leaves of its last line. */
function behindOpening(line: string, opening: string): string {
  const words = opening.trim().split(' ')
  for (let taken = 0; taken < words.length; taken++) {
    const tail = words.slice(taken).join(' ')
    const at = line.replace(/\s/g, ' ').indexOf(tail)
    if (at >= 0) return line.slice(at + tail.length)
  }
  return ''
}

export function entriesOf(lines: readonly string[], layout: Pick<Layout, 'closing' | 'address'>): Entry[] {
  const entries: Entry[] = []
  let shape: string | undefined
  let isOver = false
  for (const line of lines) {
    const last = entries.at(-1)
    if (last !== undefined && layout.closing?.test(line)) break
    const found = layout.address === undefined ? addressLine(line) : explicit(line, layout.address)
    if (found !== undefined && (shape === undefined || found.shape === shape) && entries.length < MAX_RECIPIENTS) {
      shape = found.shape
      isOver = false
      entries.push({ address: found.address, words: found.rest === '' ? [] : [found.rest] })
    } else if (line.trim() === '') isOver = last !== undefined && last.words.length > 0
    // Behind a blank line comes advice, or the reply that the words before it have led to.
    else if (last !== undefined && (!isOver || speaksOn(line, last))) last.words.push(line.trim())
  }
  return entries
}

function speaksOn(line: string, { words }: Entry): boolean {
  const known = replyIn(words.join(' '))
  if (known.code !== undefined || known.enhanced !== undefined) return false
  const { code, enhanced } = replyIn(line)
  return code !== undefined || enhanced !== undefined || /[:：]$/.test(words.at(-1) ?? '') || /:\s*$/.test(line)
}

function explicit(line: string, pattern: RegExp): { address: string; rest: string; shape: string } | undefined {
  const found = pattern.exec(line)
  const address = bareAddress(found?.slice(1).find((group) => group !== undefined) ?? '')
  if (found === null || address === undefined) return undefined
  return { address, rest: line.slice(found.index + found[0].length).replace(/^[\s:>"']+/, ''), shape: '' }
}

interface Found {
  readonly words: Words
  readonly layout: Layout
  readonly entries: readonly Entry[]
  readonly start: number
}

function findingOf({ words, layout, entries, start }: Found): ProseFinding {
  const action = layout.action ?? (saysDelay(words.subject, words.flow) ? 'delayed' : 'failed')
  const common = layout.reason?.exec(words.flow)?.[1]
  const before =
    layout.reasonBefore === undefined
      ? []
      : reasonBefore(words, layout.reasonBefore, { start, first: entries[0]?.address ?? '' })
  const context = contextOf(words, entries, start)
  const recipients = entries.map(({ address, words: said }) =>
    recipientFrom({
      address,
      words: common !== undefined ? [common] : before.length + said.length > 0 ? [...before, ...said] : context,
      action,
      ...(layout.command === undefined ? {} : { command: layout.command }),
    }),
  )
  return finding({ family: layout.family, recipients, words })
}

/** Where nothing is said of the recipient himself: what is said before the list; of one alone, his own line too. */
function contextOf({ own }: Words, entries: readonly Entry[], start: number): string[] {
  const first = entries[0]?.address ?? ''
  const at = own.findIndex((line, index) => index >= start && line.includes(first))
  const isBare = addressLine(own[at] ?? '')?.rest === '' && !/[:：]/.test(own[at] ?? '')
  const end = at < 0 ? start : at + (isBare || entries.length > 1 ? 0 : 1)
  const lines = own.slice(Math.max(0, end - CONTEXT_LINES), end).map((line) => line.trim())
  return lines.filter((line) => line !== '' && !/^[-=*_#~]{4,}$/.test(line))
}

export function isTelling(lines: readonly string[]): boolean {
  const text = lines.join(' ')
  const { code, enhanced } = replyIn(text)
  return code !== undefined || enhanced !== undefined || saysFailure(text)
}

function reasonBefore({ own }: Words, pattern: RegExp, { start, first }: { start: number; first: string }): string[] {
  const at = own.findIndex((line, index) => index >= start && line.includes(first))
  const lines = own.slice(Math.max(0, start - CONTEXT_LINES), Math.max(at, start + 1))
  return lines.map((line) => line.trim()).filter((line) => pattern.test(line))
}

export interface Readings {
  readonly family: string
  readonly recipients: readonly ReportedRecipient[]
  readonly words: Words
}

/** Each recipient once; of two entries the one that says more. */
export function finding({ family, recipients: told, words }: Readings): ProseFinding {
  const recipients: ReportedRecipient[] = []
  for (const recipient of told) {
    const at = recipients.findIndex((known) => sameAddress(known.address, recipient.address))
    const known = recipients[at]
    if (known === undefined && recipients.length < MAX_RECIPIENTS) recipients.push(recipient)
    else if (known !== undefined && weight(recipient) > weight(known)) recipients[at] = recipient
  }
  const { returned } = words
  return {
    family,
    recipients: withWords(withDialog(recipients, words), words),
    ...(returned === undefined ? {} : { returned }),
  }
}

/** A dialog printed below the list says more than the list. */
function withDialog(recipients: readonly ReportedRecipient[], { own }: Words): readonly ReportedRecipient[] {
  const wants = ({ code, action }: ReportedRecipient): boolean => code === undefined && action === 'failed'
  if (!recipients.some(wants) || !own.some((line) => DIALOG.test(line))) return recipients
  const transcript = readTranscript(own)
  return recipients.map((recipient) => {
    const refusal = wants(recipient) ? refusalOf(transcript, recipient.address) : undefined
    return refusal?.command === undefined ? recipient : { ...recipient, ...asRefused(recipient, refusal) }
  })
}

function asRefused({ address, original, action }: ReportedRecipient, refusal: Refusal): ReportedRecipient {
  const { words, command, remoteMta } = refusal
  return recipientFrom({
    address,
    words,
    action,
    ...(command === undefined ? {} : { command }),
    ...(original === undefined ? {} : { original }),
    ...(remoteMta === undefined ? {} : { remoteMta }),
  })
}

/** Of whom nothing is said: the lines that speak of failure at all, but not of another recipient. */
function withWords(recipients: readonly ReportedRecipient[], { own }: Words): readonly ReportedRecipient[] {
  const wants = ({ diagnostic, action }: ReportedRecipient): boolean => diagnostic === '' && action !== 'delivered'
  if (!recipients.some(wants)) return recipients
  const lines = own.slice(0, MAX_TELLING).filter((line) => line.trim() !== '' && !/^\s*[-=*_#~]{4,}\s*$/.test(line))
  const telling = lines.filter((line) => isTelling([line]) && !/^\W{0,6}503 /.test(line))
  return recipients.map((recipient) => {
    if (!wants(recipient)) return recipient
    const { address, action, original } = recipient
    const others = recipients.filter((other) => other !== recipient)
    const about = (line: string): boolean => !others.some((other) => line.includes(other.address))
    const said = (telling.some(about) ? telling : lines).filter(about).slice(0, TELLING_LINES)
    return {
      ...recipient,
      ...recipientFrom({ address, words: said, action, ...(original === undefined ? {} : { original }) }),
    }
  })
}

const weight = ({ code, status, diagnostic }: ReportedRecipient): number =>
  (code === undefined ? 0 : 2) + (status === undefined ? 0 : 2) + (diagnostic === '' ? 0 : 1)
