// The reports in the store: the entry, the mail as it came (compressed, in chunks) and the indexes by outcome, by open
// review and by recipient. Composes the writes, which the desk puts into the transaction of what the report led to, and
// reads them back; decides nothing. Invariant: an index names a report exactly while its entry says the same.

import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { firstIdAt } from '../queue/prune.ts'
import { decodeOptional, EMPTY, encode } from '../store/codec.ts'
import { idKey, partKey, prefixRange, textKey } from '../store/keys.ts'
import { CHUNK_BYTES, type Store, type Write } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'
import { isId } from '../util/id.ts'
import type { ReportFilter } from './desk.ts'
import type { ReportEntry } from './report-entry.ts'
import { listReports, OPEN_REVIEW, type ReportPage } from './report-list.ts'
import { type PrunedReports, pruneReports, type ReportLimits } from './report-prune.ts'

export interface ReportBook {
  /** The writes that store a new entry; the caller commits them. `raw` undefined: the mail is not kept. */
  compose(entry: ReportEntry, raw: Buffer | undefined): Write[]
  /** The writes that put `after` in the place of `before`, the same report; the mail stays as it is. */
  recompose(before: ReportEntry, after: ReportEntry): Write[]
  get(id: string): ReportEntry | undefined
  /** The mail as it was kept; undefined when it is not or no longer. */
  raw(id: string): Buffer | undefined
  /** Newest first. A page may be short, even empty, and still have a cursor. Throws a RangeError for a cursor that is no id. */
  list(filter: ReportFilter): ReportPage
  /**
   * Reports that are certainly about recipient (message, n) and came since; counts no further than COUNTED_AT_MOST. What
   * anybody can write about a message does not count: it would use up what its own return path may report.
   */
  countSince(message: string, n: number, since: EpochMs): number
  prune(limits: ReportLimits, signal: AbortSignal): Promise<PrunedReports>
}

/** More is no news: whoever counts compares with a cap far below. Bounds what a flood costs at each RCPT. */
export const COUNTED_AT_MOST = 10_000

export function createReportBook({ store }: { readonly store: Store }): ReportBook {
  return {
    compose: (entry, raw) => [
      { table: 'report', key: idKey(entry.id), value: encode(entry) },
      ...indexWrites(entry),
      ...(raw === undefined ? [] : rawWrites(entry.id, raw)),
    ],
    recompose: (before, after) => [
      { table: 'report', key: idKey(after.id), value: encode(after) },
      ...indexKeys(before).map((index) => ({ ...index, value: undefined })),
      ...indexWrites(after),
    ],
    get: (id) => (isId(id) ? decodeOptional<ReportEntry>(store.get('report', idKey(id))) : undefined),
    raw: (id) => {
      const chunks = isId(id) ? store.range('report-raw', prefixRange(idKey(id))) : []
      return chunks.length === 0 ? undefined : zstdDecompressSync(Buffer.concat(chunks.map(({ value }) => value)))
    },
    list: (filter) => listReports(store, filter),
    countSince: (message, n, since) => {
      const recipient = partKey(message, n)
      const { to } = prefixRange(recipient)
      const range = { from: Buffer.concat([recipient, firstIdAt(since)]), ...(to === undefined ? {} : { to }) }
      const found = store.range('report-by-message', { ...range, limit: COUNTED_AT_MOST })
      return found.filter(({ value }) => !value.equals(UNCERTAIN)).length
    },
    prune: (limits, signal) => pruneReports({ store, limits, signal, indexKeys }),
  }
}

/** Every index key of an entry, without saying whether it is put or removed. */
function indexKeys({ id, outcome, review, about }: ReportEntry): Omit<Write, 'value'>[] {
  const keys: Omit<Write, 'value'>[] = [{ table: 'report-by-outcome', key: textKey(outcome, idKey(id)) }]
  if (review !== undefined && review.decided === undefined)
    keys.push({ table: 'report-by-outcome', key: textKey(OPEN_REVIEW, idKey(id)) })
  if (about !== undefined)
    keys.push({ table: 'report-by-message', key: Buffer.concat([partKey(about.message, about.n), idKey(id)]) })
  return keys
}

/** What stands in the index by message of a report that only seems to be about it. */
const UNCERTAIN = Buffer.from('?')

function indexWrites(entry: ReportEntry): Write[] {
  const isUncertain = entry.about !== undefined && entry.about.confidence !== 'certain'
  return indexKeys(entry).map((index) => ({
    ...index,
    value: index.table === 'report-by-message' && isUncertain ? UNCERTAIN : EMPTY,
  }))
}

/** Reports quote what they are about, mostly as text: compressed they take a third or less. */
function rawWrites(id: string, raw: Buffer): Write[] {
  const packed = zstdCompressSync(raw)
  return Array.from({ length: Math.ceil(packed.length / CHUNK_BYTES) }, (_, chunk) => ({
    table: 'report-raw',
    key: partKey(id, chunk),
    value: packed.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES),
  }))
}
