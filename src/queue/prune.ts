// What is kept only for a time: finished messages with their recipients and indexes, old records, used-up idempotency
// keys. A pass goes along the keys in small pieces, so that mail goes on between them; a crash in the middle leaves
// whole messages only.

import { addressIndex, isChangeByHand, messageIndexes } from '../journal/journal.ts'
import type { JournalRecord } from '../journal/record.ts'
import { isFinal, type Message, type Recipient } from '../mail/message.ts'
import { decode } from '../store/codec.ts'
import { idKey, journalKey, partKey, prefixRange, textKey } from '../store/keys.ts'
import type { Store, Table, Write } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'
import { formatId } from '../util/id.ts'
import { hasBody, removeBody } from './spool.ts'
import type { Subscriber } from './unsubscribe.ts'

export interface PruneLimits {
  /** Finished messages and records from before this go. */
  readonly keepFrom: EpochMs
  /** Bodies of finished messages from before this go. */
  readonly keepBodyFrom: EpochMs
  readonly now: EpochMs
}

export interface Pruned {
  messages: number
  bodies: number
  records: number
  idempotencyKeys: number
  subscribers: number
}

const PIECE = 200

export async function prune(store: Store, limits: PruneLimits, signal: AbortSignal): Promise<Pruned> {
  const pruned: Pruned = { messages: 0, bodies: 0, records: 0, idempotencyKeys: 0, subscribers: 0 }
  const newest = Math.max(limits.keepFrom, limits.keepBodyFrom)
  await eachPiece({ store, table: 'message', to: firstIdAt(newest), signal }, ({ value }) => {
    const message = decode<Message>(value)
    const recipients = recipientsOf(store, message)
    if (!recipients.every(({ state }) => isFinal(state))) return []
    if (message.receivedAt < limits.keepFrom) {
      pruned.messages++
      return forget(store, message, recipients)
    }
    if (message.receivedAt >= limits.keepBodyFrom || !hasBody(store, message)) return []
    pruned.bodies++
    return removeBody(store, message)
  })
  await eachPiece({ store, table: 'journal', to: journalKey(limits.keepFrom, 0), signal }, ({ key, value }) => {
    pruned.records++
    const record = decode<JournalRecord>(value)
    const writes: Write[] = [
      { table: 'journal', key, value: undefined },
      { table: 'journal-by-kind', key: textKey(record.kind, key), value: undefined },
    ]
    if (record.message !== undefined) {
      writes.push({ table: 'journal-by-message', key: Buffer.concat([idKey(record.message), key]), value: undefined })
    }
    if (isChangeByHand(record))
      writes.push({ table: 'journal-by-target', key: textKey(record.recipient, key), value: undefined })
    return writes
  })
  await eachPiece({ store, table: 'idempotency', to: undefined, signal }, ({ key, value }) => {
    if (decode<{ expiresAt: EpochMs }>(value).expiresAt >= limits.now) return []
    pruned.idempotencyKeys++
    return [{ table: 'idempotency', key, value: undefined }]
  })
  // A year's worth of rows would be long to walk every hour. They lie in the order in which they were accepted and so
  // nearly in that in which they expire: where a whole piece is still good, the rest may wait.
  await eachPiece({ store, table: 'unsubscribe', to: undefined, signal, untilIdle: true }, ({ key, value }) => {
    if (decode<Subscriber>(value).expiresAt >= limits.now) return []
    pruned.subscribers++
    return [{ table: 'unsubscribe', key, value: undefined }]
  })
  return pruned
}

async function eachPiece(
  along: { store: Store; table: Table; to: Buffer | undefined; signal: AbortSignal; untilIdle?: boolean },
  writesFor: (entry: { key: Buffer; value: Buffer }) => Write[],
): Promise<void> {
  const { store, table, to, signal } = along
  let from: Buffer | undefined
  while (!signal.aborted) {
    const entries = store.range(table, {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      limit: PIECE,
    })
    const last = entries.at(-1)
    if (last === undefined) return
    const writes = entries.flatMap(writesFor)
    if (writes.length > 0) await store.write(writes)
    else if (along.untilIdle === true) return
    from = Buffer.concat([last.key, Buffer.from([0])])
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function recipientsOf(store: Store, message: Message): Recipient[] {
  return store.range('recipient', prefixRange(idKey(message.id))).map(({ value }) => decode<Recipient>(value))
}

function forget(store: Store, message: Message, recipients: readonly Recipient[]): Write[] {
  return [
    { table: 'message', key: idKey(message.id), value: undefined },
    ...removeBody(store, message),
    ...recipients.map(({ id, n }) => ({ table: 'recipient' as const, key: partKey(id, n), value: undefined })),
    ...messageIndexes(message, []).map(removed),
    ...recipients.map(({ id, address }) => removed(addressIndex(id, address))),
  ]
}

function removed({ table, key }: Write): Write {
  return { table, key, value: undefined }
}

export function firstIdAt(time: EpochMs): Buffer {
  const ms = Math.max(0, time)
  return idKey(formatId(Math.floor(ms / 1024), ((ms % 1024) << 22) >>> 0))
}
