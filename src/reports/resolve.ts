// From a report to the recipient it is about, best evidence first. Reads only. A signed token is certain, because only
// whoever got that very mail has it; everything else can be known to others and never decides alone.
//
//   return-path  it came in on the recipient's own signed return path          certain
//   token        our token stands in it: X-Studs-Token, or a return path in the headers given back     certain
//   message-id   it names a message of ours, and one of that message's recipients                      likely
//   address      it names an address we mailed within the week, and that mail's subject                weak

import type { ParsedReport } from '../bounce/report.ts'
import { dayOf, type ReturnPathKey, readReturnPath } from '../bounce/return-path.ts'
import type { Journal } from '../journal/journal.ts'
import { type EmailAddress, parseAddress } from '../mail/address.ts'
import type { Message, Recipient } from '../mail/message.ts'
import type { Queue } from '../queue/queue.ts'
import { type Clock, DAY } from '../util/clock.ts'
import { idTime } from '../util/id.ts'
import type { Addressee } from './desk.ts'
import type { About, Evidence } from './report-entry.ts'

export interface ResolveParts {
  readonly queue: Pick<Queue, 'message' | 'recipient'>
  readonly journal: Pick<Journal, 'messagesTo' | 'messagesWithHeader'>
  readonly keys: readonly ReturnPathKey[]
  readonly clock: Clock
}

const CONFIDENCE = {
  'return-path': 'certain',
  token: 'certain',
  'message-id': 'likely',
  address: 'weak',
} as const satisfies Record<Evidence, About['confidence']>
/** Messages looked at for one Message-ID or address: whoever reuses one thousands of times is not searched for ever. */
const CANDIDATES = 20
/** Messages and recipients read for one report: strangers say how many it names. Two messages of the largest size. */
const READS = 2500
const WEAK_WINDOW_MS = 7 * DAY

/** A search for what anybody can know. */
interface Search extends ResolveParts {
  readonly reads: { left: number }
}

export function resolve(parts: ResolveParts, report: ParsedReport, addressee: Addressee): About | undefined {
  const search: Search = { ...parts, reads: { left: READS } }
  return (
    byReturnPath(parts, addressee) ?? byToken(parts, report) ?? byMessageId(search, report) ?? byAddress(search, report)
  )
}

function byReturnPath(parts: ResolveParts, addressee: Addressee): About | undefined {
  return addressee.kind === 'bounce' ? found(parts, addressee.id, addressee.n, 'return-path') : undefined
}

function byToken(parts: ResolveParts, { tokens, original }: ParsedReport): About | undefined {
  const today = dayOf(parts.clock.now())
  for (const token of [...tokens, original?.envelopeId ?? '']) {
    const read = readReturnPath(token, parts.keys, today)
    const about = read.kind === 'ok' ? found(parts, read.id, read.n, 'token') : undefined
    if (about !== undefined) return about
  }
  return undefined
}

function byMessageId(parts: Search, report: ParsedReport): About | undefined {
  const ids = [report.original?.messageId, ...report.references].filter((id) => id !== undefined)
  for (const messageId of ids.slice(0, CANDIDATES)) {
    const bare = messageId.replace(/^<|>$/g, '')
    for (const id of [`<${bare}>`, bare].flatMap((form) => parts.journal.messagesWithHeader(form, CANDIDATES))) {
      const about = recipientNamed(parts, id, namedIn(report), 'message-id')
      if (about !== undefined) return about
    }
  }
  return undefined
}

function byAddress(parts: Search, report: ParsedReport): About | undefined {
  const subject = report.original?.subject ?? report.subject
  const since = parts.clock.now() - WEAK_WINDOW_MS
  for (const address of namedIn(report)) {
    for (const id of parts.journal.messagesTo(address, CANDIDATES)) {
      const theirs = messageOf(parts, id)?.headers.subject
      // An answer carries the subject behind "Re:" and its kin in every language.
      const isSame = theirs !== undefined && theirs !== '' && subject.endsWith(theirs)
      if (idTime(id) < since || !isSame) continue
      const about = recipientNamed(parts, id, [address], 'address')
      if (about !== undefined) return about
    }
  }
  return undefined
}

/** Lower-case addresses that the report may be about: who failed, who complained, whoever wrote it himself. */
export function namedIn(report: ParsedReport): readonly EmailAddress[] {
  const named = report.recipients.flatMap(({ address, original }) => [address, original ?? ''])
  const complained = report.feedback?.originalRcptTo ?? []
  const author = report.kind === 'dsn' || report.kind === 'complaint' ? [] : [report.from]
  const parsed = [...named, ...complained, ...author].map((text) => parseAddress(text)?.text)
  return [...new Set(parsed.filter((text) => text !== undefined).map((text) => text.toLowerCase() as EmailAddress))]
}

/** Undefined also when enough was read. */
function messageOf({ queue, reads }: Search, id: string): Message | undefined {
  return reads.left-- > 0 ? queue.message(id) : undefined
}

function recipientNamed(
  parts: Search,
  id: string,
  names: readonly EmailAddress[],
  evidence: Evidence,
): About | undefined {
  const message = messageOf(parts, id)
  if (message === undefined) return undefined
  for (let n = 0; n < message.recipients && parts.reads.left-- > 0; n++) {
    const recipient = parts.queue.recipient(id, n)
    if (recipient === undefined || !names.includes(recipient.address.toLowerCase() as EmailAddress)) continue
    return aboutOf(recipient, evidence)
  }
  return undefined
}

function found(parts: ResolveParts, id: string, n: number, evidence: Evidence): About | undefined {
  const recipient = parts.queue.recipient(id, n)
  return recipient === undefined ? undefined : aboutOf(recipient, evidence)
}

export function aboutOf(recipient: Pick<Recipient, 'tenant' | 'id' | 'n' | 'address'>, evidence: Evidence): About {
  const { tenant, id, n, address } = recipient
  return { tenant, message: id, n, recipient: address, evidence, confidence: CONFIDENCE[evidence] }
}
