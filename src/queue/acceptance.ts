// What acceptance writes: the message, its recipients in their first state, the records, the indexes; one transaction
// with the last chunk of the body. Composes, writes nothing.

import { type ComposedRecord, type Journal, messageIndexes } from '../journal/journal.ts'
import { domainOf } from '../mail/address.ts'
import type { LaneName, Message, Recipient } from '../mail/message.ts'
import { decodeOptional, EMPTY, encode } from '../store/codec.ts'
import { dueKey, idKey, partKey, textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import { verdictOfSuppression } from '../suppression/verdict.ts'
import { type EpochMs, HOUR } from '../util/clock.ts'
import type { Accepted, SubmittedRecipient } from './submission.ts'
import { subscriberWrites } from './unsubscribe.ts'

const IDEMPOTENCY_WINDOW = 24 * HOUR

/** The writes of an accepted message besides its body. `recipients[n]` was submitted as `to[n]`. */
export function acceptanceOf(given: {
  readonly message: Message
  readonly recipients: readonly Recipient[]
  readonly to: readonly SubmittedRecipient[]
  readonly journal: Journal
}): { readonly writes: readonly Write[]; readonly records: readonly ComposedRecord[] } {
  const { message, recipients, to, journal } = given
  const records = recipients.flatMap((recipient) => acceptedRecords(journal, message, recipient, to[recipient.n]))
  const writes = [
    { table: 'message' as const, key: idKey(message.id), value: encode(message) },
    ...recipients.flatMap((recipient) => recipientWrites(undefined, recipient)),
    ...messageIndexes(
      message,
      recipients.map(({ address }) => address),
    ),
    ...records.flatMap(({ writes: recordWrites }) => recordWrites),
    ...idempotencyWrites(message),
    ...subscriberWrites(message, recipients),
  ]
  return { writes, records }
}

function acceptedRecords(
  journal: Journal,
  message: Message,
  recipient: Recipient,
  submitted: SubmittedRecipient | undefined,
): ComposedRecord[] {
  const about = {
    at: message.receivedAt,
    tenant: message.tenant,
    message: message.id,
    n: recipient.n,
    recipient: recipient.address,
  }
  const accepted = journal.compose({
    ...about,
    kind: 'accepted',
    sender: message.sender,
    sizeBytes: message.sizeBytes,
    messageId: message.headers.messageId,
    client: message.client.address,
    ...(message.credential === undefined ? {} : { credential: message.credential }),
    ...(message.headers.subject === undefined ? {} : { subject: message.headers.subject }),
  })
  const suppression = submitted?.suppressed
  if (suppression === undefined) return [accepted]
  const { scope, reason } = suppression
  const verdict = verdictOfSuppression(suppression)
  return [
    accepted,
    journal.compose({ ...about, kind: 'suppressed', scope, reason, ...(verdict === undefined ? {} : { verdict }) }),
  ]
}

function idempotencyWrites({ id, tenant, idempotencyKey, receivedAt }: Message): Write[] {
  if (idempotencyKey === undefined) return []
  return [
    {
      table: 'idempotency',
      key: textKey(tenant, idempotencyKey),
      value: encode({ id, expiresAt: receivedAt + IDEMPOTENCY_WINDOW }),
    },
  ]
}

/** What a submission with the same idempotency key got, if that was within 24 h. */
export function acceptedBefore(store: Store, tenant: string, key: string, now: EpochMs): Accepted | undefined {
  const found = decodeOptional<{ id: string; expiresAt: EpochMs }>(store.get('idempotency', textKey(tenant, key)))
  return found === undefined || found.expiresAt < now ? undefined : { id: found.id, duplicate: true }
}

/** A recipient and its place in the schedule, from one state to the next. */
export function recipientWrites(before: Recipient | undefined, after: Recipient): Write[] {
  const writes: Write[] = [{ table: 'recipient', key: partKey(after.id, after.n), value: encode(after) }]
  if (before?.state.kind === 'waiting')
    writes.push({ table: 'due', key: placeOf(before, before.state.dueAt), value: undefined })
  if (before?.state.kind === 'held') writes.push({ table: 'held', key: partKey(before.id, before.n), value: undefined })
  if (after.state.kind === 'waiting')
    writes.push({ table: 'due', key: placeOf(after, after.state.dueAt), value: EMPTY })
  if (after.state.kind === 'held') writes.push({ table: 'held', key: partKey(after.id, after.n), value: EMPTY })
  return writes
}

/** The lane it stands in while it waits. */
export function laneOf({ tenant, address, pool }: Recipient): LaneName {
  return { tenant, domain: domainOf(address), ...(pool !== undefined && { pool }) }
}

/** Its key in the schedule, when it is due then. */
export function placeOf(recipient: Recipient, dueAt: EpochMs): Buffer {
  const { id, n } = recipient
  return dueKey({ ...laneOf(recipient), dueAt, id, n })
}
