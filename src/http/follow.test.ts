import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { memoryStore } from '../../test/support/memory-store.ts'
import { createJournal } from '../journal/journal.ts'
import { SECOND } from '../util/clock.ts'
import { type Following, follow } from './follow.ts'

/** A journal on a store in memory that counts who follows it. */
function watchedJournal(): {
  clock: FakeClock
  journal: Following['journal']
  followers: () => number
  append: (recipient: string) => Promise<void>
} {
  const clock = new FakeClock()
  const store = memoryStore()
  const journal = createJournal({ store, clock })
  let followers = 0
  return {
    clock,
    followers: () => followers,
    journal: {
      since: (position, options) => journal.since(position, options),
      latest: (options) => journal.latest(options),
      follow: (listener) => {
        followers++
        const stop = journal.follow(listener)
        return () => {
          followers--
          stop()
        }
      },
    },
    append: async (recipient) => {
      const { writes, record } = journal.compose({ kind: 'accepted', at: clock.now(), tenant: 'default', recipient })
      await store.write(writes)
      journal.publish([record])
    },
  }
}

test('yields what comes, and lets go of journal and clock when it is left', async () => {
  const { clock, journal, followers, append } = watchedJournal()
  await append('before@example.net')
  const records = follow({ journal, clock, since: undefined, kinds: undefined, signal: new AbortController().signal })
  const first = records.next()
  await append('jane@example.net')
  expect((await first).value).toMatchObject({ recipient: 'jane@example.net' })
  expect(followers()).toBe(1)
  await records.return(undefined)
  expect([followers(), clock.pending]).toEqual([0, 0])
})

test('ends when the signal aborts while it waits', async () => {
  const { clock, journal, followers } = watchedJournal()
  const stop = new AbortController()
  const records = follow({ journal, clock, since: undefined, kinds: undefined, signal: stop.signal })
  const next = records.next()
  stop.abort()
  expect(await next).toEqual({ done: true, value: undefined })
  expect([followers(), clock.pending]).toEqual([0, 0])
})

test('says that it is idle, and then goes on', async () => {
  const { clock, journal, append } = watchedJournal()
  const records = follow({ journal, clock, since: undefined, kinds: undefined, signal: new AbortController().signal })
  const idle = records.next()
  await clock.advance(15 * SECOND)
  expect((await idle).value).toBe('idle')
  const next = records.next()
  await append('jane@example.net')
  expect((await next).value).toMatchObject({ recipient: 'jane@example.net' })
  await records.return(undefined)
})
