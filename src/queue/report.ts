// Reports to the sender (RFC 3464): decides with dsn.ts whether one is due for a change, and composes it as a message of
// the queue, so that it stands or falls with the change it reports. A report has the null sender and is never reported
// itself.

import { byName } from '../config/by-name.ts'
import type { Settings } from '../config/schema.ts'
import { composeDsn, type Dsn, type DsnKind, wantsDsn } from '../dsn/dsn.ts'
import { addressIndex } from '../journal/journal.ts'
import type { JournalRecord } from '../journal/record.ts'
import { parseAddress } from '../mail/address.ts'
import { isFinal, type Message, type Recipient } from '../mail/message.ts'
import { type Cause, causeStatus, type Way } from '../mail/outcome.ts'
import type { SmtpReply } from '../mail/reply.ts'
import { EMPTY, encode } from '../store/codec.ts'
import { idKey, partKey } from '../store/keys.ts'
import type { Write } from '../store/store.ts'
import { type Clock, type EpochMs, HOUR } from '../util/clock.ts'
import { placeOf } from './acceptance.ts'

export interface Report {
  readonly writes: readonly Write[]
  readonly records: readonly JournalRecord[]
  /** Where the report stands in the queue. */
  readonly recipient: Recipient
}

export interface ReportInput {
  readonly message: Message
  readonly before: Recipient | undefined
  readonly after: Recipient
  readonly change: { readonly records: readonly JournalRecord[]; readonly lastCause?: Cause; readonly lastWay?: Way }
}

export interface DsnWriter {
  reportFor(input: ReportInput): Report | undefined
}

interface Parts {
  readonly settings: () => Settings
  readonly hostname: () => string
  readonly readChunk: (id: string, index: number) => Buffer | undefined
  readonly makeId: () => string
  readonly clock: Clock
}

/** NOTIFY=DELAY is honoured once, when a message has waited this long. */
const DELAY_NOTICE_AFTER = 4 * HOUR

export function createDsnWriter(parts: Parts): DsnWriter {
  return { reportFor: (input) => reportFor(parts, input) }
}

function reportFor(parts: Parts, input: ReportInput): Report | undefined {
  const { message, after } = input
  if (message.sender === '') return undefined
  const now = parts.clock.now()
  const kind = dsnKind(input, now)
  if (kind === undefined) return undefined
  const credential = byName(parts.settings().credential, message.credential)
  const isWanted = wantsDsn({
    kind,
    recipient: after,
    message,
    setting: credential?.dsn ?? 'requested',
    authenticated: message.credential !== undefined || isOwnSender(parts.settings(), message),
  })
  return isWanted ? compose(parts, { ...input, kind, now }) : undefined
}

/**
 * Whether the sender's domain belongs to the tenant. A trusted network proves no identity: whoever gets at it would else
 * have reports, whole messages in them, sent to any address it names as the sender.
 */
function isOwnSender({ domain: domains }: Settings, { tenant, sender }: Message): boolean {
  const domain = parseAddress(sender)?.domain ?? ''
  for (let name: string = domain; ; name = name.slice(name.indexOf('.') + 1)) {
    const own = byName(domains, name)
    if (own?.tenant === tenant && (name === domain || own.subdomains)) return true
    if (!name.includes('.')) return false
  }
}

/** What the change would be reported as; undefined when nobody ever wants to hear of it. */
function dsnKind({ message, before, after, change }: ReportInput, now: EpochMs): DsnKind | undefined {
  const { kind } = after.state
  // Behind our return path the sender cannot know: what came back came back to us.
  if (kind === 'bounced') return 'failed'
  if (before !== undefined && isFinal(before.state)) return undefined
  if (kind === 'failed' || kind === 'expired' || kind === 'suppressed') return 'failed'
  if (kind === 'delivered') {
    // A next hop that took the request over reports by itself (RFC 3461 §5.2.1).
    return change.lastWay?.dsnPassedOn === true ? undefined : 'relayed'
  }
  const firstLate = message.receivedAt + DELAY_NOTICE_AFTER
  const wasTriedLate = before?.lastAt !== undefined && before.lastAt >= firstLate
  return kind === 'waiting' && change.lastCause !== undefined && now >= firstLate && !wasTriedLate
    ? 'delayed'
    : undefined
}

function compose(parts: Parts, given: ReportInput & { kind: DsnKind; now: EpochMs }): Report | undefined {
  const { message, after, change, kind, now } = given
  const to = parseAddress(message.sender)
  if (to === undefined) return undefined
  const id = parts.makeId()
  const hostname = parts.hostname()
  const cause = change.lastCause ?? causeOfRefusal(given)
  const dsn = composeDsn({
    kind,
    id,
    now,
    reportingMta: hostname,
    message,
    recipients: [
      {
        recipient: after,
        status: cause === undefined ? '2.0.0' : causeStatus(cause, kind === 'failed'),
        ...(cause === undefined ? {} : { cause }),
        ...(change.lastWay === undefined ? {} : { way: change.lastWay }),
        ...replyOf(change.records),
      },
    ],
    ...originalOf(parts, message),
  })
  return enqueued(parts, { id, dsn, to, original: message, about: after, now, kind })
}

function enqueued(
  parts: Parts,
  given: {
    id: string
    dsn: Dsn
    to: NonNullable<ReturnType<typeof parseAddress>>
    original: Message
    about: Recipient
    now: EpochMs
    kind: DsnKind
  },
): Report {
  const { id, to, original, about, now } = given
  const { raw, body, smtpUtf8 } = given.dsn
  const messageId = `<${id}@${parts.hostname()}>`
  const message: Message = {
    id,
    tenant: original.tenant,
    sender: '',
    recipients: 1,
    receivedAt: now,
    expiresAt: now + parts.settings().queue.lifetime,
    sizeBytes: raw.length,
    prefix: '',
    chunks: 1,
    body,
    smtpUtf8,
    headers: { messageId, subject: 'Delivery report' },
    client: { address: 'local', listener: 'report' },
  }
  const recipient: Recipient = {
    id,
    n: 0,
    tenant: original.tenant,
    address: to.text,
    state: { kind: 'waiting', attempts: 0, dueAt: now },
  }
  const record = { at: now, tenant: original.tenant, recipient: to.text }
  return {
    recipient,
    writes: [
      { table: 'message', key: idKey(id), value: encode(message) },
      { table: 'body', key: partKey(id, 0), value: raw },
      { table: 'recipient', key: partKey(id, 0), value: encode(recipient) },
      { table: 'due', key: placeOf(recipient, now), value: EMPTY },
      addressIndex(id, to.text),
    ],
    records: [
      {
        ...record,
        kind: 'dsn-sent',
        message: original.id,
        n: about.n,
        recipient: about.address,
        why: given.kind,
        messageId,
      },
      { ...record, kind: 'accepted', message: id, n: 0, sender: '', sizeBytes: raw.length, messageId, client: 'local' },
    ],
  }
}

function causeOfRefusal({ after, change }: ReportInput): Cause | undefined {
  if (after.state.kind === 'delivered') return undefined
  const reason = change.records.find(({ kind }) => kind === 'suppressed')?.reason
  if (reason !== undefined) return { kind: 'local', code: '5.7.1', detail: `the recipient is suppressed: ${reason}` }
  return after.lastCause ?? { kind: 'local', code: '5.0.0', detail: 'given up by the operator' }
}

function replyOf(records: readonly JournalRecord[]): { reply?: SmtpReply } {
  const reply = records.find((record) => record.reply !== undefined)?.reply
  return reply === undefined ? {} : { reply }
}

/** The original's headers, and its body when RET=FULL asked for it and it is no larger than one chunk. */
function originalOf(parts: Parts, message: Message): { originalHeaders: string; originalBody?: Buffer } {
  const first = parts.readChunk(message.id, 0)
  if (first === undefined) return { originalHeaders: message.prefix }
  const end = first.indexOf('\r\n\r\n')
  const headers = message.prefix + first.toString('latin1', 0, end === -1 ? first.length : end + 2)
  if (message.dsn?.ret !== 'FULL' || end === -1 || message.chunks > 1) return { originalHeaders: headers }
  return { originalHeaders: headers, originalBody: first.subarray(end + 4) }
}
