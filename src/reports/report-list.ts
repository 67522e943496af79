// Lists of reports: newest first, filters combined. Walks down the narrowest index there is and looks at each entry; a
// page ends with its budget, not with its filter, so that a rare one never holds the event loop. The cursor is the id of
// the last report looked at.

import { decode } from '../store/codec.ts'
import { idKey, prefixRange, textKey } from '../store/keys.ts'
import type { Store, Table } from '../store/store.ts'
import { ID_BYTES, readId } from '../util/id.ts'
import type { ReportFilter } from './desk.ts'
import type { ReportEntry } from './report-entry.ts'

export interface ReportPage {
  readonly entries: readonly ReportEntry[]
  /** Where to go on; absent at the end. */
  readonly cursor?: string
}

/** In the place of an outcome: reports that wait for a person. */
export const OPEN_REVIEW = 'open-review'

/** Entries looked at for one page. */
const LOOK_AT_MOST = 2000
/** Bytes of entries read for one page, and as good as no more of them in one answer: an entry may have 200 KiB. */
const READ_AT_MOST = 4 * 1024 * 1024
const KEYS_PER_READ = 200
/** A message with more reports is found by walking along all of them. */
const SORTED_AT_MOST = 10_000

export function listReports(store: Store, filter: ReportFilter): ReportPage {
  const entries: ReportEntry[] = []
  let looked = 0
  let read = 0
  let cursor: string | undefined
  for (const id of candidates(store, filter)) {
    if (entries.length === filter.limit || looked === LOOK_AT_MOST || read >= READ_AT_MOST)
      return cursor === undefined ? { entries } : { entries, cursor }
    looked++
    cursor = id
    const value = store.get('report', idKey(id))
    // Pruned since its key was read.
    if (value === undefined) continue
    read += value.length
    const entry = decode<ReportEntry>(value)
    if (fits(entry, filter)) entries.push(entry)
  }
  return { entries }
}

function candidates(store: Store, { message, review, outcome, cursor }: ReportFilter): Iterable<string> {
  const before = cursor === undefined ? undefined : idKey(cursor)
  const ofMessage = message === undefined ? undefined : idsOfMessage(store, message)
  if (ofMessage !== undefined) return cursor === undefined ? ofMessage : ofMessage.filter((id) => id < cursor)
  if (review === true) return walk({ store, table: 'report-by-outcome', prefix: textKey(OPEN_REVIEW), before })
  if (outcome !== undefined) return walk({ store, table: 'report-by-outcome', prefix: textKey(outcome), before })
  return walk({ store, table: 'report', prefix: Buffer.alloc(0), before })
}

/** Newest first; undefined when there are too many to sort. Their index stands in the order of the recipients. */
function idsOfMessage(store: Store, message: string): string[] | undefined {
  const keys = store.keys('report-by-message', { ...prefixRange(idKey(message)), limit: SORTED_AT_MOST + 1 })
  if (keys.length > SORTED_AT_MOST) return undefined
  return keys
    .map((key) => readId(key, key.length - ID_BYTES))
    .sort()
    .reverse()
}

interface Walk {
  readonly store: Store
  readonly table: Table
  readonly prefix: Buffer
  /** Key of the id to begin below. */
  readonly before: Buffer | undefined
}

function* walk({ store, table, prefix, before }: Walk): Generator<string, void> {
  const { from, to: end } = prefixRange(prefix)
  let to = before === undefined ? end : Buffer.concat([prefix, before])
  for (;;) {
    const keys = store.keys(table, {
      from,
      ...(to === undefined ? {} : { to }),
      limit: KEYS_PER_READ,
      reverse: true,
    })
    for (const key of keys) yield readId(key, prefix.length)
    if (keys.length < KEYS_PER_READ) return
    to = keys.at(-1)
  }
}

function fits(entry: ReportEntry, { review, outcome, tenant, message, address }: ReportFilter): boolean {
  if (review === true && (entry.review === undefined || entry.review.decided !== undefined)) return false
  if (outcome !== undefined && entry.outcome !== outcome) return false
  if (tenant !== undefined && entry.about?.tenant !== tenant) return false
  if (message !== undefined && entry.about?.message !== message) return false
  return address === undefined || touches(entry, address.toLowerCase())
}

/** Whose recipient it is about, or whom it names. */
function touches({ about, report }: ReportEntry, address: string): boolean {
  if (about?.recipient.toLowerCase() === address) return true
  if (report.feedback?.originalRcptTo.some((named) => named.toLowerCase() === address)) return true
  return report.recipients.some(
    (named) => named.address.toLowerCase() === address || named.original?.toLowerCase() === address,
  )
}

/** How many reports wait for a person; counts no further than `limit`. */
export function openReviews(store: Store, limit: number): number {
  return store.keys('report-by-outcome', { ...prefixRange(textKey(OPEN_REVIEW)), limit }).length
}
