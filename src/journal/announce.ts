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

function fields(record: StoredRecord, recipient: string): Record<string, unknown> {
  const { kind, message, n, tenant, attempt, reply, cause, way, verdict, dueAt, at } = record
  return {
    event: kind,
    ...(message === undefined ? {} : { message, n }),
    tenant,
    recipient,
    ...(attempt === undefined ? {} : { attempt }),
    ...(reply === undefined ? {} : { reply: replyText(reply) }),
    ...(cause === undefined ? {} : { cause: causeText(cause) }),
    ...(way === undefined
      ? {}
      : {
          site: way.site,
          source: way.source,
          mx: way.mx,
          address: way.mxAddress,
          tls: way.tls,
          verified: way.tlsVerified,
          ms: Math.round(way.durationMs),
        }),
    ...(verdict === undefined ? {} : { category: verdict.category, code: verdict.code, rule: verdict.rule }),
    ...(dueAt === undefined ? {} : { retryInMs: dueAt - at }),
    ...(record.ambiguous === true ? { ambiguous: true } : {}),
    ...(record.pendingUntil === undefined ? {} : { pendingForMs: record.pendingUntil - at }),
    ...(record.target === undefined ? {} : { [record.target.kind]: record.target.name }),
    ...(record.alert === undefined ? {} : { alert: record.alert }),
    ...(record.suspendedUntil === undefined ? {} : { suspendedForMs: record.suspendedUntil - at }),
    ...pick(record, [
      'sender',
      'sizeBytes',
      'credential',
      'client',
      'messageId',
      'scope',
      'reason',
      'who',
      'why',
      'pace',
      'site',
    ]),
  }
}

function pick(record: StoredRecord, names: readonly (keyof StoredRecord)[]): Record<string, unknown> {
  return Object.fromEntries(names.flatMap((name) => (record[name] === undefined ? [] : [[name, record[name]]])))
}

function shown(address: string, privacy: AddressPrivacy, pepper: Buffer): string {
  if (privacy === 'full') return address
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  if (privacy === 'domain') return `*@${domain}`
  return `${createHmac('sha256', pepper).update(address.toLowerCase()).digest('hex').slice(0, 16)}@${domain}`
}
