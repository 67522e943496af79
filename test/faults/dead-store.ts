// What a relay that is gone left in its store: the records since the last look, and whether the tables agree.

import { createJournal } from '../../src/journal/journal.ts'
import type { StoredRecord } from '../../src/journal/record.ts'
import { verify } from '../../src/queue/verify.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { systemClock } from '../../src/util/clock.ts'

export interface Remains {
  readonly records: readonly StoredRecord[]
  /** Without the bodies of messages that were coming when it died: the next start sweeps those. */
  readonly problems: readonly string[]
  readonly orphans: number
  /** Messages whose body is still there. */
  readonly bodies: number
}

const PIECE = 10_000

export async function withDeadStore<T>(directory: string, use: (store: Store) => T | Promise<T>): Promise<T> {
  const store = openStore({ directory, mapSize: 2 ** 30, clock: systemClock })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

export function readRemains(directory: string, since?: string): Promise<Remains> {
  return withDeadStore(directory, async (store) => {
    const journal = createJournal({ store, clock: systemClock })
    const records: StoredRecord[] = []
    for (;;) {
      const piece = journal.since(records.at(-1)?.position ?? since, { limit: PIECE })
      records.push(...piece)
      if (piece.length < PIECE) break
    }
    const { counts, problems, problemCount } = await verify(store)
    const orphans = problems.filter((problem) => /^body \w+ has no message/.test(problem))
    if (problemCount > problems.length) throw new Error(`more problems than are told: ${problemCount}, ${problems[0]}`)
    return {
      records,
      problems: problems.filter((problem) => !orphans.includes(problem)),
      orphans: orphans.length,
      bodies: counts.bodies,
    }
  })
}
