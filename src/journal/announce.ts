// Every record as one log line. The event name is the record's kind; docs/records.md lists the fields of both.

import { createHmac } from 'node:crypto'
import { causeText } from '../mail/outcome.ts'
import { replyText } from '../mail/reply.ts'
import type { Logger } from '../observe/logger.ts'
import type { RecordKind, StoredRecord } from './record.ts'

export type AddressPrivacy = 'full' | 'domain' | 'hash'

const WARNINGS: ReadonlySet<RecordKind> = new Set(['failed', 'expired', 'bounced', 'suppression-added', 'alert'])

/** A follower for Journal.follow. `pepper` keys the hashes, so that nobody can try addresses against a log. */
export function announceTo(logger: Logger, privacy: AddressPrivacy, pepper: Buffer): (record: StoredRecord) => void {
  return (record) => {
    const line = fields(record, shown(record.recipient, privacy, pepper))
    if (WARNINGS.has(record.kind)) logger.warn(line)
    else logger.info(line)
  }
}

/** One object of one shape for every record, two for each message: what is undefined is left out of the line by pino. */
function fields(record: StoredRecord, recipient: string): Record<string, unknown> {
  const { at, message, reply, cause, way, verdict, dueAt, pendingUntil, suspendedUntil, target } = record
  const line = {
    event: record.kind,
    message,
    n: message === undefined ? undefined : record.n,
    tenant: record.tenant,
    recipient,
    attempt: record.attempt,
    reply: reply && replyText(reply),
    cause: cause && causeText(cause),
    status: record.status,
    site: record.site ?? way?.site,
    source: way?.source,
    mx: way?.mx,
    address: way?.mxAddress,
    tls: way?.tls,
    verified: way?.tlsVerified,
    ms: way && Math.round(way.durationMs),
    category: verdict?.category,
    code: verdict?.code,
    rule: verdict?.rule,
    retryInMs: dueAt === undefined ? undefined : dueAt - at,
    ambiguous: record.ambiguous === true ? true : undefined,
    pendingForMs: pendingUntil === undefined ? undefined : pendingUntil - at,
    alert: record.alert,
    suspendedForMs: suspendedUntil === undefined ? undefined : suspendedUntil - at,
    sender: record.sender,
    sizeBytes: record.sizeBytes,
    credential: record.credential,
    client: record.client,
    messageId: record.messageId,
    scope: record.scope,
    reason: record.reason,
    who: record.who,
    why: record.why,
    pace: record.pace,
  }
  if (target === undefined) return line
  // Named by its kind; `tenant` is there already, and says who without a place.
  return { ...line, [target.kind === 'tenant' ? 'target' : target.kind]: target.name }
}

function shown(address: string, privacy: AddressPrivacy, pepper: Buffer): string {
  if (privacy === 'full') return address
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  if (privacy === 'domain') return `*@${domain}`
  return `${createHmac('sha256', pepper).update(address.toLowerCase()).digest('hex').slice(0, 16)}@${domain}`
}
