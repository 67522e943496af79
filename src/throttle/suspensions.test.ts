import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { memoryStore } from '../../test/support/memory-store.ts'
import { createJournal } from '../journal/journal.ts'
import type { Store } from '../store/store.ts'
import { DAY, HOUR, MINUTE } from '../util/clock.ts'
import { createSuspensions } from './suspensions.ts'

const NOW = Date.UTC(2026, 0, 1)
const start = (store: Store, clock: FakeClock) => {
  const made = createSuspensions({ store, journal: createJournal({ store, clock }), clock })
  made.onChange(() => undefined)
  return made
}
const given = (clock: FakeClock, forMs: number) =>
  ({ kind: 'domain', name: 'a.test', who: 'rule x:1', why: 'busy', until: clock.now() + forMs }) as const

test('made by a clock that was years ahead, it lasts no longer than it was meant to', async () => {
  const store = memoryStore()
  const ahead = new FakeClock(NOW + 1000 * DAY)
  const first = start(store, ahead)
  await first.add(given(ahead, 2 * HOUR))
  first.close()
  const clock = new FakeClock(NOW)
  const again = start(store, clock)
  expect(again.list()).toMatchObject([{ since: NOW, until: NOW + 2 * HOUR }])
  await clock.advance(2 * HOUR + MINUTE)
  expect(again.list()).toEqual([])
  again.close()
})

test('the same when the clock goes back while it holds', async () => {
  const clock = new FakeClock(NOW + 1000 * DAY)
  let backMs = 0
  const stepping = new Proxy(clock, {
    get: (of, key) => {
      if (key === 'now') return () => of.now() - backMs
      const value: unknown = Reflect.get(of, key, of)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
  const suspensions = start(memoryStore(), stepping)
  await suspensions.add(given(clock, 2 * HOUR))
  await clock.advance(HOUR)
  backMs = 1000 * DAY
  await clock.advance(3 * HOUR)
  expect(suspensions.list()).toEqual([])
  suspensions.close()
})
