// One suppression look-up in a list of ten million: the question asked at every RCPT and before every attempt.

import { rmSync } from 'node:fs'
import type { Recipient } from '../src/mail/message.ts'
import { openStore } from '../src/store/lmdb.ts'
import type { Write } from '../src/store/store.ts'
import { createSuppressionList, type SuppressionList } from '../src/suppression/list.ts'
import { createStrikeBook } from '../src/suppression/strikes.ts'
import { systemClock } from '../src/util/clock.ts'
import type { Lab } from './lab.ts'
import { quantile } from './stats.ts'

export interface SuppressionResult {
  readonly entries: number
  readonly loadSeconds: number
  readonly lookups: number
  /** Microseconds per look-up, building the key included. */
  readonly hit: { readonly p50: number; readonly p99: number }
  readonly miss: { readonly p50: number; readonly p99: number }
}

const TENANT = 'default'
const BATCH = 20_000
const DOMAINS = 1000
const MAP_SIZE = 64 * 2 ** 30
const SETTINGS: ReturnType<Parameters<typeof createSuppressionList>[0]['settings']> = {
  softStrikes: 3,
  strikeSpacing: 0,
  strikeMemory: 0,
  lowerCaseLocalPart: true,
  globalTenants: 3,
  globalDecay: 0,
  roles: [],
  spikeMinimum: 50,
  spikeFactor: 5,
  spikeShare: 0.5,
  spikeHold: 0,
}

export async function measureSuppression(
  lab: Lab,
  { entries, lookups }: { entries: number; lookups: number },
): Promise<SuppressionResult> {
  const directory = lab.folder('suppression')
  const store = openStore({ directory, mapSize: MAP_SIZE, clock: systemClock })
  const list = createSuppressionList({
    store,
    strikes: createStrikeBook({ store }),
    settings: () => SETTINGS,
    clock: systemClock,
    record: () => ({ writes: [], publish: () => undefined }),
  })
  try {
    const startedAt = performance.now()
    for (let from = 0; from < entries; from += BATCH)
      await store.write(batch(list, from, Math.min(entries, from + BATCH)))
    const loadSeconds = (performance.now() - startedAt) / 1000
    const { hits, misses } = ask(list, entries, lookups)
    return { entries, loadSeconds, lookups, hit: spread(hits), miss: spread(misses) }
  } finally {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** In the order of their keys: filling is not what is measured. */
function batch(list: SuppressionList, from: number, to: number): Write[] {
  const createdAt = systemClock.now()
  return Array.from({ length: to - from }, (_, at) =>
    list.put({
      scope: TENANT,
      target: target(from + at),
      reason: 'hard_bounce',
      createdAt,
      who: 'bench',
      note: '550 5.1.1 no such user',
    }),
  ).flat()
}

/** Half of the questions find nobody, each at a random place of the list. */
function ask(list: SuppressionList, entries: number, lookups: number): { hits: number[]; misses: number[] } {
  const hits: number[] = []
  const misses: number[] = []
  for (let asked = 0; asked < lookups; asked++) {
    const isThere = asked % 2 === 0
    const number = Math.floor(Math.random() * entries)
    const address = (isThere ? target(number) : `${target(number)}.example`) as Recipient['address']
    const startedAt = performance.now()
    const found = list.find(TENANT, address)
    const took = (performance.now() - startedAt) * 1000
    if ((found !== undefined) !== isThere) throw new Error(`${address} was ${isThere ? 'not found' : 'found'}`)
    ;(isThere ? hits : misses).push(took)
  }
  return { hits, misses }
}

const target = (number: number): string => `user-${String(number).padStart(9, '0')}@domain-${number % DOMAINS}.test`

function spread(values: readonly number[]): { p50: number; p99: number } {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99) }
}
