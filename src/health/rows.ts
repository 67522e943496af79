// Health in the store: a row per scope and hour that had something (kept for eight days), and a row per scope with the
// five-minute pieces of the last hour, without which an alert would forget the last hour at every restart.

import { decode, decodeOptional, encode } from '../store/codec.ts'
import { afterPrefix, prefixRange, textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import { HOUR } from '../util/clock.ts'
import type { Cells } from './counts.ts'
import { SCOPE_KINDS, type Scope, type ScopeKind } from './scope.ts'
import { type Piece, RINGS, type Series } from './series.ts'

export const TABLE = 'health'
const HOURS = 'hour'
const RECENT = 'recent'
const HOUR_BYTES = 4
const HOUR_PREFIX = textKey(HOURS)
const KEPT_HOURS = 8 * 24
const AHEAD_HOURS = 48
const PIECE = 1000
export const DAYS = 7

/** The writes that make the store say what the series says. */
export function rowsOf(scope: Scope, series: Series, now: number): Write[] {
  const hours = series
    .pieces('day', now)
    .filter(({ step }) => step >= series.dirtyFrom)
    .map(({ step, cells }): Write => ({ table: TABLE, key: hourKey(step, scope), value: encode(trimmed(cells)) }))
  const recent = series.pieces('hour', now).map(({ step, cells }) => [step, ...trimmed(cells)])
  const stale = series.dirtyFrom === Number.NEGATIVE_INFINITY && series.isStored ? misnamed(scope, now) : []
  return [...stale, ...hours, { table: TABLE, key: recentKey(scope), value: encode(recent) }]
}

/** The clock stepped: rows of the last day stand under names that are wrong now, or still to come. */
function misnamed(scope: Scope, now: number): Write[] {
  const { count } = RINGS.day
  const first = Math.floor(now / HOUR) - count + 1
  return Array.from({ length: 2 * count }, (_, at) => ({
    table: TABLE,
    key: hourKey(first + at, scope),
    value: undefined,
  }))
}

/** The writes that take a scope out of the last day. */
export function removalOf(scope: Scope, series: Series, now: number): Write[] {
  const hours = series.pieces('day', now).map(({ step }) => hourKey(step, scope))
  return [...hours, recentKey(scope)].map((key) => ({ table: TABLE, key, value: undefined }))
}

export function readHour(store: Store, scope: Scope, hour: number): Cells | undefined {
  return decodeOptional<number[]>(store.get(TABLE, hourKey(hour, scope)))
}

/** What is stored of the last day and the last hour, a piece at a time. */
export async function* storedPieces(
  store: Store,
  now: number,
): AsyncGenerator<{ readonly scope: Scope; readonly ring: 'day' | 'hour'; readonly piece: Piece }[]> {
  const first = Math.floor(now / HOUR) - RINGS.day.count + 1
  for await (const entries of entriesOf(store, hourStart(first), hourStart(first + RINGS.day.count))) {
    yield entries.flatMap(({ key, value }) => {
      const scope = scopeIn(key, HOUR_PREFIX.length + HOUR_BYTES)
      if (scope === undefined) return []
      const step = key.readUInt32BE(HOUR_PREFIX.length)
      return [{ scope, ring: 'day' as const, piece: { step, cells: decode<number[]>(value) } }]
    })
  }
  const { from, to } = prefixRange(textKey(RECENT))
  for await (const entries of entriesOf(store, from, to)) {
    yield entries.flatMap(({ key, value }) => {
      const scope = scopeIn(key, from.length)
      if (scope === undefined) return []
      return decode<number[][]>(value).map(([step = 0, ...cells]) => ({
        scope,
        ring: 'hour' as const,
        piece: { step, cells },
      }))
    })
  }
}

/** Removes hours that nobody compares with any more, and the recent pieces of scopes that `isKnown` does not know. */
export async function pruneRows(store: Store, now: number, isKnown: (scope: Scope) => boolean): Promise<void> {
  const oldest = Math.max(0, Math.floor(now / HOUR) - KEPT_HOURS)
  for await (const entries of entriesOf(store, hourStart(0), hourStart(oldest))) {
    await store.write(entries.map(({ key }) => ({ table: TABLE, key, value: undefined })))
  }
  // Of a clock that was far ahead.
  const latest = Math.floor(now / HOUR) + AHEAD_HOURS
  for await (const entries of entriesOf(store, hourStart(latest), afterPrefix(HOUR_PREFIX))) {
    await store.write(entries.map(({ key }) => ({ table: TABLE, key, value: undefined })))
  }
  const { from, to } = prefixRange(textKey(RECENT))
  for await (const entries of entriesOf(store, from, to)) {
    const gone = entries.filter(({ key }) => {
      const scope = scopeIn(key, from.length)
      return scope === undefined || !isKnown(scope)
    })
    if (gone.length > 0) await store.write(gone.map(({ key }) => ({ table: TABLE, key, value: undefined })))
  }
}

async function* entriesOf(store: Store, first: Buffer, to: Buffer | undefined) {
  let from = first
  for (;;) {
    const entries = store.range(TABLE, { from, ...(to !== undefined && { to }), limit: PIECE })
    const last = entries.at(-1)
    if (last === undefined) return
    from = Buffer.concat([last.key, Buffer.from([0])])
    yield entries
    // Let mail through between two pieces.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function hourStart(hour: number): Buffer {
  const bytes = Buffer.allocUnsafe(HOUR_BYTES)
  bytes.writeUInt32BE(Math.max(0, hour))
  return Buffer.concat([HOUR_PREFIX, bytes])
}

function hourKey(hour: number, { kind, name }: Scope): Buffer {
  return textKey(hourStart(hour), kind, name)
}

function recentKey({ kind, name }: Scope): Buffer {
  return textKey(RECENT, kind, name)
}

function scopeIn(key: Buffer, at: number): Scope | undefined {
  const end = key.indexOf(0, at)
  const kind = key.toString('utf8', at, end)
  const name = key.toString('utf8', end + 1, key.length - 1)
  return isScopeKind(kind) ? { kind, name } : undefined
}

function isScopeKind(text: string): text is ScopeKind {
  return (SCOPE_KINDS as readonly string[]).includes(text)
}

function trimmed(cells: readonly number[]): readonly number[] {
  let end = cells.length
  while (end > 0 && cells[end - 1] === 0) end--
  return cells.slice(0, end)
}
