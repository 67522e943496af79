import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { JournalRecord, RecordKind } from '../journal/record.ts'
import { SECOND } from '../util/clock.ts'
import { ACTIVITY_SECONDS, createActivityMeter } from './activity.ts'

const record = (kind: RecordKind): JournalRecord => ({ kind, at: 0, tenant: 'default', recipient: 'jane@example.net' })

test('counts per second, complete seconds only, newest last', async () => {
  const clock = new FakeClock()
  const meter = createActivityMeter({ clock })
  meter.count(record('delivered'))
  meter.count(record('delivered'))
  expect(meter.read().seconds.delivered.at(-1)).toBe(0)
  await clock.advance(SECOND)
  meter.count(record('delivered'))
  expect(meter.read().seconds.delivered.slice(-2)).toEqual([0, 2])
  await clock.advance(SECOND)
  expect(meter.read().seconds.delivered.slice(-2)).toEqual([2, 1])
  expect(meter.read().totals.delivered).toBe(3)
})

test('forgets what is older than a minute, also after a long silence, but keeps the totals', async () => {
  const clock = new FakeClock()
  const meter = createActivityMeter({ clock })
  meter.count(record('deferred'))
  await clock.advance(ACTIVITY_SECONDS * SECOND)
  expect(meter.read().seconds.deferred[0]).toBe(1)
  await clock.advance(SECOND)
  expect(meter.read().seconds.deferred).toEqual(new Array(ACTIVITY_SECONDS).fill(0))
  meter.count(record('deferred'))
  await clock.advance(3600 * SECOND)
  expect(meter.read()).toMatchObject({
    seconds: { deferred: new Array(ACTIVITY_SECONDS).fill(0) },
    totals: { deferred: 2 },
  })
})

test('an expired message counts as failed; what no counter knows counts nowhere', () => {
  const meter = createActivityMeter({ clock: new FakeClock() })
  meter.count(record('expired'))
  meter.count(record('held'))
  expect(meter.read().totals).toEqual({
    accepted: 0,
    delivered: 0,
    deferred: 0,
    failed: 1,
    bounced: 0,
    complained: 0,
    unsubscribed: 0,
    reported: 0,
    suppressed: 0,
  })
})
