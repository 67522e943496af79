// Following the journal: reads it from a position and waits for more. The journal itself is the buffer, so a slow reader
// costs no memory and a reader that comes back with its last position misses nothing.

import type { Journal } from '../journal/journal.ts'
import type { RecordKind, StoredRecord } from '../journal/record.ts'
import { type Clock, SECOND } from '../util/clock.ts'

const BATCH = 200
const IDLE_MS = 15 * SECOND

type ReadableJournal = Pick<Journal, 'follow' | 'since' | 'latest'>

export interface Following {
  readonly journal: ReadableJournal
  readonly clock: Clock
  /** Absent: only what comes from now on. */
  readonly since: string | undefined
  readonly kinds: readonly RecordKind[] | undefined
  readonly signal: AbortSignal
}

/** Yields records in order; `idle` after each 15 s without one, so that a reader that is gone gets noticed. */
export async function* follow({
  journal,
  clock,
  since,
  kinds,
  signal,
}: Following): AsyncGenerator<StoredRecord | 'idle'> {
  let more = Promise.withResolvers<void>()
  const stop = journal.follow(() => more.resolve())
  try {
    let position = since ?? newest(journal)
    while (!signal.aborted) {
      // In this order: what is published between the read and the wait must wake us.
      more = Promise.withResolvers()
      const head = newest(journal)
      const records = journal.since(position, { limit: BATCH, ...(kinds === undefined ? {} : { kinds }) })
      for (const record of records) {
        yield record
        position = record.position
      }
      if (records.length === BATCH) continue
      // Records of other kinds up to the head need not be looked at again.
      if (records.length === 0) position = head ?? position
      if (!(await wakes(more.promise, clock, signal))) yield 'idle'
    }
  } finally {
    stop()
  }
}

function newest(journal: ReadableJournal): string | undefined {
  return journal.latest({ limit: 1 })[0]?.position
}

/** False when nothing came in time. */
async function wakes(more: Promise<void>, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const won = await Promise.race([more.then(() => true), clock.sleep(IDLE_MS, either).then(() => signal.aborted)])
  over.abort()
  return won
}
