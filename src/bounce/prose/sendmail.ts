// Sendmail of all ages and what copied its form: a list of addresses under "----- The following addresses had permanent fatal
// errors -----", the dialog under "----- Transcript of session follows -----". Version 5 has the transcript alone.

import { mailboxesIn } from '../mailboxes.ts'
import type { DsnAction, ReportedRecipient } from '../report.ts'
import { recipientFrom } from './facts.ts'
import { saysDelay } from './phrases.ts'
import type { ProseReader, Words } from './prose.ts'
import { type Entry, entriesOf, finding, MAX_RECIPIENTS } from './section.ts'
import { readTranscript, refusalOf, type Transcript } from './transcript.ts'

const HEADING =
  /^\W{0,20}the following address(?:\(?es\)?)?(?:\/recipients?)? (?:had|have|has|received)(?: been)? (?:\w+ )?(permanent|fatal|delivery|non-?fatal|transient|temporary|successful|delivered|errors?|problems?|failed|undeliver\w*|unrecoverable|not)\b.{0,60}$/i
const TRANSCRIPT = /^\W{0,20}transcript of (?:the )?(?:smtp )?session(?: (?:follows|is))?\b/i
const EXPANDED = /\(expanded from:? ?<?([^\s<>()"@]{1,128}@[^\s<>()"@]{1,255})>?\)/i
const PROGRAM = /^\s{0,8}"?\|/

export const sendmail: ProseReader = {
  family: 'sendmail',
  read(words) {
    if (!words.machine) return undefined
    const at = words.own.findIndex((line) => TRANSCRIPT.test(line))
    const headings = words.own.flatMap((line, index) => (HEADING.test(line) ? [index] : []))
    if (at < 0 && headings.length === 0) return undefined
    const transcript = readTranscript(at < 0 ? [] : words.own.slice(at + 1))
    const listed = headings.flatMap((heading) => listedUnder(words, heading, transcript))
    const recipients = listed.length > 0 ? listed : fromTranscript(words, transcript, at)
    return recipients.length === 0 ? undefined : finding({ family: 'sendmail', recipients, words })
  },
}

function listedUnder(words: Words, heading: number, transcript: Transcript): ReportedRecipient[] {
  const kind = HEADING.exec(words.own[heading] ?? '')?.[1] ?? ''
  const action = actionOf(kind, words)
  const rest = words.own.slice(heading + 1)
  const end = rest.findIndex((line) => TRANSCRIPT.test(line) || HEADING.test(line) || /^\s{0,8}-{3,}/.test(line))
  const lines = end < 0 ? rest : rest.slice(0, end)
  return listOf(lines).map((entry) => enriched(entry, action, transcript))
}

function actionOf(kind: string, { subject, flow }: Words): DsnAction {
  if (/successful|delivered/i.test(kind)) return 'delivered'
  if (/transient|temporary|non-?fatal/i.test(kind)) return 'delayed'
  return saysDelay(subject, flow) ? 'delayed' : 'failed'
}

/** `<address>`, `address`, or a program with the address it was `(expanded from: <address>)`. */
function listOf(lines: readonly string[]): Entry[] {
  const entries: Entry[] = []
  for (const line of lines) {
    const last = entries.at(-1)
    const expanded = EXPANDED.exec(line)?.[1]
    if (PROGRAM.test(line)) entries.push({ address: '', words: [] })
    else if (last?.address === '' && expanded !== undefined)
      entries[entries.length - 1] = { ...last, address: expanded }
    else if (/^\s{0,3}\S/.test(line) && !/^\s{0,8}\(/.test(line)) entries.push(...entriesOf([line], {}))
    else if (line.trim() !== '') last?.words.push(line.trim())
  }
  return entries.filter(({ address }) => address !== '').slice(0, MAX_RECIPIENTS)
}

function enriched({ address, words }: Entry, action: DsnAction, transcript: Transcript): ReportedRecipient {
  const reason = words.map((line) => line.replace(/^\(reason: (.*)\)$/i, '$1'))
  const refusal = action === 'delivered' ? undefined : refusalOf(transcript, address)
  const hasReply = reason.some((line) => /(?:^|\s)[45]\d\d[ -]/.test(line))
  return recipientFrom({
    address,
    words:
      hasReply || refusal === undefined ? reason : [...reason.filter((line) => /^\(/.test(line)), ...refusal.words],
    action,
    ...(refusal?.command === undefined ? {} : { command: refusal.command }),
    ...(refusal?.remoteMta === undefined ? {} : { remoteMta: refusal.remoteMta }),
  })
}

/** No list: those whom the transcript refuses; where it names nobody, the one to whom the returned mail went. */
function fromTranscript(words: Words, transcript: Transcript, at: number): ReportedRecipient[] {
  const action = saysDelay(words.subject, words.flow) ? 'delayed' : 'failed'
  const refused = transcript.refusals.filter(({ address }) => address !== '').map(({ address }) => address)
  const whole = transcript.refusals.some(({ address }) => address === '')
  const addresses = refused.length > 0 ? refused : whole ? transcript.named : []
  const only = mailboxesIn(words.returned?.get('to') ?? '')
  const known = addresses.length > 0 ? addresses : whole && only.length === 1 ? only : []
  return [...new Set(known)].slice(0, MAX_RECIPIENTS).map((address) => {
    const refusal = refusalOf(transcript, address)
    return recipientFrom({
      address,
      words: refusal?.words ?? words.own.slice(at + 1),
      action,
      ...(refusal?.command === undefined ? {} : { command: refusal.command }),
      ...(refusal?.remoteMta === undefined ? {} : { remoteMta: refusal.remoteMta }),
    })
  })
}
