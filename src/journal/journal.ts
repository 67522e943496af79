// The journal: appends records, reads them back, tells those who follow. Records are composed as writes, so that they
// stand or fall with the change they tell of; `publish` runs after the commit.

import type { Message } from '../mail/message.ts'
import { causeStatus } from '../mail/outcome.ts'
import { decode, decodeOptional, EMPTY, encode } from '../store/codec.ts'
import { idKey, journalKey, prefixRange, readJournalKey, readPartKey, textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'
import type { JournalRecord, RecordKind, StoredRecord } from './record.ts'

/** The two kinds nearly every message has: an index by kind would only repeat the journal. */
const KINDS_WITHOUT_INDEX: ReadonlySet<RecordKind> = new Set(['accepted', 'delivered'])
const SEQUENCE_LIMIT = 2 ** 32

export interface ComposedRecord {
  readonly record: StoredRecord
  readonly writes: readonly Write[]
}

export interface Journal {
  /** The writes that append `record`; put them into the transaction of the change, then `publish`. */
  compose(record: JournalRecord): ComposedRecord
  /** After the commit: tells the followers. */
  publish(records: readonly StoredRecord[]): void
  /** Called for every published record, in order. Returns the way to stop. */
  follow(listener: (record: StoredRecord) => void): () => void
  /** All records of one message, oldest first. */
  ofMessage(id: string): StoredRecord[]
  /** Records after `position` (or from the oldest), oldest first. */
  since(position: string | undefined, options: { limit: number; kinds?: readonly RecordKind[] }): StoredRecord[]
  /** The newest records, newest first. */
  latest(options: { limit: number; kinds?: readonly RecordKind[] }): StoredRecord[]
  /** What was changed by hand about an address or @domain, newest first. */
  changesOf(target: string, limit: number): StoredRecord[]
  /** Messages that went to an address, or carry a Message-ID header; newest first. */
  messagesTo(address: string, limit: number): string[]
  messagesWithHeader(messageId: string, limit: number): string[]
}

export function createJournal({ store, clock }: { store: Store; clock: Clock }): Journal {
  return new StoreJournal(store, clock)
}

/** The writes by which a message is found by its recipients and its Message-ID header. */
export function messageIndexes(message: Message, addresses: readonly string[]): Write[] {
  return [
    { table: 'message-by-header', key: textKey(message.headers.messageId, idKey(message.id)), value: EMPTY },
    ...addresses.map((address) => addressIndex(message.id, address)),
  ]
}

export function addressIndex(id: string, address: string): Write {
  return { table: 'recipient-by-address', key: textKey(address.toLowerCase(), idKey(id)), value: EMPTY }
}

/** Found by no message; a whole list (`*`) by nothing but its time. */
export function isChangeByHand({ kind, message, recipient }: JournalRecord): boolean {
  const isChange = kind === 'suppression-added' || kind === 'suppression-removed'
  return isChange && message === undefined && recipient !== '*'
}

class StoreJournal implements Journal {
  readonly #store: Store
  readonly #clock: Clock
  readonly #followers = new Set<(record: StoredRecord) => void>()
  #lastTime: number
  #sequence = 0

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
    const newest = store.keys('journal', { reverse: true, limit: 1 })[0]
    this.#lastTime = newest === undefined ? 0 : readJournalKey(newest).time + 1
  }

  compose(given: JournalRecord): ComposedRecord {
    const record = withStatus(given)
    // Never back, also when the clock steps back: a cursor must not miss what comes later.
    this.#lastTime = Math.max(this.#lastTime, Math.floor(this.#clock.now()))
    this.#sequence = (this.#sequence + 1) % SEQUENCE_LIMIT
    const key = journalKey(this.#lastTime, this.#sequence)
    const writes: Write[] = [{ table: 'journal', key, value: encode(record) }]
    if (record.message !== undefined) {
      writes.push({ table: 'journal-by-message', key: Buffer.concat([idKey(record.message), key]), value: EMPTY })
    }
    if (!KINDS_WITHOUT_INDEX.has(record.kind)) {
      writes.push({ table: 'journal-by-kind', key: textKey(record.kind, key), value: EMPTY })
    }
    if (isChangeByHand(record)) {
      writes.push({ table: 'journal-by-target', key: textKey(record.recipient, key), value: EMPTY })
    }
    return { record: { ...record, position: positionOf(this.#lastTime, this.#sequence) }, writes }
  }

  publish(records: readonly StoredRecord[]): void {
    for (const record of records) for (const listener of this.#followers) listener(record)
  }

  follow(listener: (record: StoredRecord) => void): () => void {
    this.#followers.add(listener)
    return () => this.#followers.delete(listener)
  }

  ofMessage(id: string): StoredRecord[] {
    const prefix = idKey(id)
    const keys = this.#store.keys('journal-by-message', prefixRange(prefix))
    return keys.flatMap((key) => this.#read(key.subarray(prefix.length)) ?? [])
  }

  since(position: string | undefined, options: { limit: number; kinds?: readonly RecordKind[] }): StoredRecord[] {
    const start = position === undefined ? undefined : parsePosition(position)
    const from = start === undefined ? undefined : journalKey(start.time, start.sequence + 1)
    const range = { ...(from === undefined ? {} : { from }), limit: options.limit }
    if (options.kinds === undefined) return this.#scan(range)
    return options.kinds
      .flatMap((kind) => this.#scanKind(kind, range))
      .sort((a, b) => comparePositions(a.position, b.position))
      .slice(0, options.limit)
  }

  latest(options: { limit: number; kinds?: readonly RecordKind[] }): StoredRecord[] {
    const range = { limit: options.limit, reverse: true }
    if (options.kinds === undefined) return this.#scan(range)
    return options.kinds
      .flatMap((kind) => this.#scanKind(kind, range))
      .sort((a, b) => comparePositions(b.position, a.position))
      .slice(0, options.limit)
  }

  changesOf(target: string, limit: number): StoredRecord[] {
    const prefix = textKey(target)
    const keys = this.#store.keys('journal-by-target', { ...prefixRange(prefix), limit, reverse: true })
    return keys.flatMap((key) => this.#read(key.subarray(prefix.length)) ?? [])
  }

  messagesTo(address: string, limit: number): string[] {
    return this.#messages('recipient-by-address', address.toLowerCase(), limit)
  }

  messagesWithHeader(messageId: string, limit: number): string[] {
    return this.#messages('message-by-header', messageId, limit)
  }

  #messages(table: 'recipient-by-address' | 'message-by-header', text: string, limit: number): string[] {
    const prefix = textKey(text)
    const keys = this.#store.keys(table, { ...prefixRange(prefix), limit, reverse: true })
    return keys.map((key) => readPartKey(Buffer.concat([key.subarray(prefix.length), Buffer.alloc(4)])).id)
  }

  #scan(range: { from?: Buffer; limit: number; reverse?: boolean }): StoredRecord[] {
    return this.#store
      .range('journal', range)
      .map(({ key, value }) => ({ ...decode<JournalRecord>(value), position: formatPosition(key) }))
  }

  #scanKind(kind: RecordKind, range: { from?: Buffer; limit: number; reverse?: boolean }): StoredRecord[] {
    if (KINDS_WITHOUT_INDEX.has(kind)) return this.#scanUnindexed(kind, range)
    const { from: first, to } = prefixRange(textKey(kind))
    const from = range.from === undefined ? first : textKey(kind, range.from)
    const keys = this.#store.keys('journal-by-kind', { ...range, from, ...(to === undefined ? {} : { to }) })
    return keys.flatMap((key) => this.#read(key.subarray(first.length)) ?? [])
  }

  /** Frequent kinds: reading along the journal finds them soon enough. */
  #scanUnindexed(kind: RecordKind, range: { from?: Buffer; limit: number; reverse?: boolean }): StoredRecord[] {
    const found: StoredRecord[] = []
    let cursor = { ...range, limit: 1000 } as { from?: Buffer; to?: Buffer; limit: number; reverse?: boolean }
    for (;;) {
      const entries = this.#store.range('journal', cursor)
      for (const { key, value } of entries) {
        const record = decode<JournalRecord>(value)
        if (record.kind === kind) found.push({ ...record, position: formatPosition(key) })
        if (found.length === range.limit) return found
      }
      const last = entries.at(-1)?.key
      if (last === undefined || entries.length < 1000) return found
      cursor = range.reverse ? { ...cursor, to: last } : { ...cursor, from: Buffer.concat([last, Buffer.from([0])]) }
    }
  }

  #read(key: Buffer): StoredRecord | undefined {
    const record = decodeOptional<JournalRecord>(this.#store.get('journal', key))
    return record === undefined ? undefined : { ...record, position: formatPosition(key) }
  }
}

/** A report may quote words without any code: then none is told. */
function withStatus(record: JournalRecord): JournalRecord {
  if (record.cause === undefined) return record
  const status = causeStatus(record.cause, false)
  return status.startsWith('0') ? record : { ...record, status }
}

function formatPosition(key: Buffer): string {
  const { time, sequence } = readJournalKey(key)
  return positionOf(time, sequence)
}

function positionOf(time: number, sequence: number): string {
  return `${time}-${sequence}`
}

/** Throws a RangeError for anything formatPosition did not make. */
export function parsePosition(position: string): { time: number; sequence: number } {
  const match = /^(\d{1,16})-(\d{1,10})$/.exec(position)
  if (match === null) throw new RangeError(`not a journal position: ${position}`)
  return { time: Number(match[1]), sequence: Number(match[2]) }
}

function comparePositions(a: string, b: string): number {
  const left = parsePosition(a)
  const right = parsePosition(b)
  return left.time - right.time || left.sequence - right.sequence
}
