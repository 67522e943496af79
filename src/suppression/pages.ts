// The list read along its keys: pages for people, everything for exports. A page bounds how long a rare filter holds
// the event loop.

import { decode } from '../store/codec.ts'
import { prefixRange, textKey } from '../store/keys.ts'
import type { Range, Store } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'
import { type Reason, type Scope, type Standing, type Suppression, standingOf } from './suppression.ts'

export interface SuppressionFilter {
  readonly scope?: Scope
  readonly reason?: Reason
  /** Addresses of this domain, and the domain itself. */
  readonly domain?: string
  /** Part of the target. */
  readonly query?: string
  readonly since?: EpochMs
  readonly standing?: Standing
}

export type PageQuery = SuppressionFilter & { readonly limit: number; readonly cursor?: string }

export interface SuppressionPage {
  readonly entries: readonly Suppression[]
  /** Where to go on; absent at the end. A page may be short, even empty, and still have one. */
  readonly cursor?: string
}

const READ_AT_ONCE = 500
/** Entries looked at for one page. */
const PAGE_BUDGET = 5000

export function pageOf(store: Store, query: PageQuery, now: EpochMs): SuppressionPage {
  const entries: Suppression[] = []
  let looked = 0
  let last: Buffer | undefined
  for (const [key, entry] of walk(store, query, query.cursor)) {
    if (entries.length >= query.limit || looked >= PAGE_BUDGET) {
      return { entries, ...(last === undefined ? {} : { cursor: last.toString('base64url') }) }
    }
    looked++
    last = key
    if (fits(entry, query, now)) entries.push(entry)
  }
  return { entries }
}

export function* scanOf(store: Store, filter: SuppressionFilter, now: EpochMs): Generator<Suppression, void> {
  for (const [, entry] of walk(store, filter, undefined)) if (fits(entry, filter, now)) yield entry
}

function* walk(
  store: Store,
  filter: SuppressionFilter,
  cursor: string | undefined,
): Generator<[Buffer, Suppression], void> {
  const bounds: Range = filter.scope === undefined ? {} : prefixRange(textKey(filter.scope))
  let from = cursor === undefined ? bounds.from : laterOf(bounds.from, justAfter(Buffer.from(cursor, 'base64url')))
  for (;;) {
    const page = store.range('suppression', {
      ...bounds,
      ...(from === undefined ? {} : { from }),
      limit: READ_AT_ONCE,
    })
    for (const { key, value } of page) yield [key, decode<Suppression>(value)]
    const last = page.at(-1)
    if (last === undefined || page.length < READ_AT_ONCE) return
    from = justAfter(last.key)
  }
}

function fits(entry: Suppression, filter: SuppressionFilter, now: EpochMs): boolean {
  const { scope, reason, domain, query, since, standing } = filter
  if (scope !== undefined && entry.scope !== scope) return false
  if (reason !== undefined && entry.reason !== reason) return false
  if (since !== undefined && entry.createdAt < since) return false
  if (standing !== undefined && standingOf(entry, now) !== standing) return false
  if (domain !== undefined && entry.target.slice(entry.target.lastIndexOf('@') + 1) !== domain.toLowerCase())
    return false
  return query === undefined || entry.target.toLowerCase().includes(query.toLowerCase())
}

function justAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}

function laterOf(a: Buffer | undefined, b: Buffer): Buffer {
  return a !== undefined && Buffer.compare(a, b) > 0 ? a : b
}
