// How long reports are kept: the mail for some weeks, the entry as long as the journal. A pass goes along the keys in
// small pieces, so that mail goes on between them; a crash in the middle leaves whole reports only.

import { firstIdAt } from '../queue/prune.ts'
import { decodeOptional } from '../store/codec.ts'
import { idKey, prefixRange } from '../store/keys.ts'
import type { Store, Table, Write } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'
import type { ReportEntry } from './report-entry.ts'

export interface ReportLimits {
  /** Mails that came back before this go. */
  readonly keepRawFrom: EpochMs
  /** Whole reports from before this go, also those nobody has looked at. */
  readonly keepFrom: EpochMs
}

export interface PrunedReports {
  readonly raws: number
  readonly entries: number
}

interface Pass {
  readonly store: Store
  readonly limits: ReportLimits
  readonly signal: AbortSignal
  readonly indexKeys: (entry: ReportEntry) => readonly Omit<Write, 'value'>[]
}

const PIECE = 200

export async function pruneReports({ store, limits, signal, indexKeys }: Pass): Promise<PrunedReports> {
  let raws = 0
  let entries = 0
  await eachPiece({ store, table: 'report-raw', to: firstIdAt(limits.keepRawFrom), signal }, (key) => {
    // Chunk 0 stands for its mail.
    if (key.readUInt32BE(key.length - 4) === 0) raws++
    return [{ table: 'report-raw', key }]
  })
  await eachPiece({ store, table: 'report', to: firstIdAt(limits.keepFrom), signal }, (key) => {
    const entry = decodeOptional<ReportEntry>(store.get('report', key))
    if (entry === undefined) return []
    entries++
    const raw = store.keys('report-raw', prefixRange(idKey(entry.id)))
    return [
      { table: 'report', key },
      ...indexKeys(entry),
      ...raw.map((at) => ({ table: 'report-raw' as const, key: at })),
    ]
  })
  return { raws, entries }
}

/** Keys only: the values of a piece could be large. */
async function eachPiece(
  along: { readonly store: Store; readonly table: Table; readonly to: Buffer; readonly signal: AbortSignal },
  goneWith: (key: Buffer) => readonly Omit<Write, 'value'>[],
): Promise<void> {
  const { store, table, to, signal } = along
  let from: Buffer | undefined
  while (!signal.aborted) {
    const keys = store.keys(table, { ...(from === undefined ? {} : { from }), to, limit: PIECE })
    const last = keys.at(-1)
    if (last === undefined) return
    const writes = keys.flatMap(goneWith).map((gone) => ({ ...gone, value: undefined }))
    if (writes.length > 0) await store.write(writes)
    from = Buffer.concat([last, Buffer.from([0])])
    await new Promise((resolve) => setImmediate(resolve))
  }
}
