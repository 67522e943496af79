// What was learned, from one run to the next, while the wall clock is set.

import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { memoryStore } from '../../test/support/memory-store.ts'
import { createJournal } from '../journal/journal.ts'
import { silentLogger } from '../observe/logger.ts'
import type { Store } from '../store/store.ts'
import { DAY, MINUTE, SECOND } from '../util/clock.ts'
import { PaceBook } from './pace-book.ts'

const NOW = Date.UTC(2026, 0, 1)
const PATH = 'mta1@mx.example.net'
const bookOf = (store: Store, clock: FakeClock) =>
  new PaceBook({
    store,
    clock,
    journal: createJournal({ store, clock }),
    logger: silentLogger(),
    options: () => ({}),
    onPace: () => undefined,
  })

async function learned() {
  const store = memoryStore()
  const clock = machine('a', 0)
  const book = bookOf(store, clock)
  for (let n = 0; n < 400; n++) {
    const signal = n % 4 === 0 ? 'deferred' : 'accepted'
    book.heard({ name: PATH, signal, durationMs: 20, why: () => '421 slow down' })
    await clock.advance(SECOND / 5)
  }
  await book.close()
  const pace = book.get(PATH)!
  return { store, elapsed: clock.monotonic(), rate: pace.rate, ageMs: clock.now() - pace.since }
}

/** The next process on the machine, `ms` after its start; its wall clock is wrong by `stepMs`. */
function machine(boot: string, ms: number, stepMs = 0): FakeClock {
  const clock: FakeClock = new FakeClock(NOW + ms + stepMs)
  return Object.assign(clock, { sinceBoot: () => ({ boot, ms: ms + clock.monotonic() }) })
}

test.each([
  ['as ever', 'a', 0],
  ['set ahead', 'a', 2 * DAY],
  ['set back', 'a', -2 * DAY],
  ['right, and the machine was started', 'b', 0],
])('the clock %s: as slow as a minute before', async (_, boot, stepMs) => {
  const { store, elapsed, rate, ageMs } = await learned()
  const clock = machine(boot, elapsed + MINUTE, stepMs)
  const found = bookOf(store, clock).get(PATH)!
  expect(found.rate / rate).toBeGreaterThan(0.9)
  expect(found.rate / rate).toBeLessThan(2)
  expect(clock.now() - found.since).toBe(ageMs + MINUTE)
})

test('only a start of the machine makes the wall clock count', async () => {
  const { store, elapsed } = await learned()
  expect(bookOf(store, machine('b', elapsed + MINUTE, 2 * DAY)).get(PATH)).toBeUndefined()
})
