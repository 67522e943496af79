// What counting costs: one record into its five scopes, by the number of paths; with more paths than are kept apart; then
// storing and restoring them. One thread, a real store.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HealthBook } from '../src/health/book.ts'
import type { JournalRecord } from '../src/journal/record.ts'
import { openStore } from '../src/store/lmdb.ts'
import type { Store } from '../src/store/store.ts'
import { systemClock } from '../src/util/clock.ts'
import { idMaker } from '../src/util/id.ts'
import type { Part } from './part.ts'
import { type Spread, spreadOf } from './stats.ts'
import { table } from './table.ts'

export interface CountingResult {
  readonly paths: number
  readonly kept: number
  /** CPU for each record, of all threads. */
  readonly microseconds: Spread
  /** Of the rings. */
  readonly mebibytes: number
}

const ROUND = 100_000
const ROUNDS = 7
const KEPT = 5000
const MIB = 2 ** 20

export const HEALTH: Part = {
  title: 'Health: a record counted, counts stored and restored',
  alone: true,
  run: async () => {
    // Held until all are measured: what is collected meanwhile would be taken off the next.
    const books: HealthBook[] = []
    const counting = [10, 1000, 5000, 100_000].map((paths) => measureCounting({ paths, books }))
    const storing = await measureStoring()
    const text = [
      table(
        ['paths', 'kept apart', 'CPU µs a record', 'min–max', 'MiB'],
        counting.map(({ paths, kept, microseconds: { median, min, max }, mebibytes }) => [
          paths,
          kept,
          median.toFixed(2),
          `${min.toFixed(2)}–${max.toFixed(2)}`,
          Math.round(mebibytes),
        ]),
      ),
      table(
        ['paths', 'stored in ms', 'longest turn in ms', 'restored in ms'],
        [
          [
            storing.paths,
            Math.round(storing.savedMs),
            storing.longestTurnMs.toFixed(1),
            Math.round(storing.restoredMs),
          ],
        ],
      ),
    ].join('\n\n')
    return { result: { counting, storing }, text }
  },
}

/** Records go round over the paths: with more paths than are kept apart, nearly every one is of a path not known. */
function measureCounting({ paths, books }: { readonly paths: number; readonly books: HealthBook[] }): CountingResult {
  const records = recordsOf(paths)
  const atStart = memory()
  const book = bookOn(undefined)
  books.push(book)
  const rounds: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let at = 0; at < ROUND; at++) book.count(records[(round * ROUND + at) % records.length]!)
    // The first compiles.
    const { user, system } = process.cpuUsage(before)
    if (round > 0) rounds.push((user + system) / ROUND)
  }
  return { paths, kept: book.size, microseconds: spreadOf(rounds), mebibytes: (memory() - atStart) / MIB }
}

/** All of them changed: the dearest save there is. */
async function measureStoring(): Promise<{
  readonly paths: number
  readonly savedMs: number
  readonly longestTurnMs: number
  readonly restoredMs: number
}> {
  const directory = mkdtempSync(join(tmpdir(), 'studs-bench-'))
  const store = openStore({ directory, mapSize: 2 ** 30, clock: systemClock })
  try {
    const book = bookOn(store)
    for (const record of recordsOf(KEPT)) book.count(record)
    const turns = watchTurns()
    const savedMs = await timed(() => book.save())
    const longestTurnMs = turns()
    const restoredMs = await timed(() => bookOn(store).restore())
    return { paths: KEPT, savedMs, longestTurnMs, restoredMs }
  } finally {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** The longest time that the event loop did not turn, up to the call. */
function watchTurns(): () => number {
  let longest = 0
  let last = performance.now()
  let isOn = true
  const look = (): void => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
    if (isOn) setImmediate(look)
  }
  setImmediate(look)
  return () => {
    isOn = false
    return longest
  }
}

function bookOn(store: Store | undefined): HealthBook {
  return new HealthBook({
    // Counting alone touches no store.
    store: store ?? (undefined as unknown as Store),
    clock: systemClock,
    maxScopes: () => KEPT,
    providerOf: (mx) => (mx.startsWith('mx1') ? 'provider' : undefined),
    lastWay: () => undefined,
  })
}

function recordsOf(paths: number): JournalRecord[] {
  const makeId = idMaker(systemClock, 0)
  const at = Date.now()
  return Array.from({ length: paths }, (_, each): JournalRecord => {
    const site = `mx${each}.example`
    const way = { site, source: each % 2 === 0 ? 'a' : 'b', mx: site, durationMs: 100 }
    const recipient = `x@d${each}.example`
    return { kind: 'delivered', at: at + (each % 5000), tenant: 'default', message: makeId(), n: 0, recipient, way }
  })
}

function memory(): number {
  return process.memoryUsage().arrayBuffers
}
