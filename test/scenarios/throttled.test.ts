// A path that may not send as fast as mail comes in: what it cannot take is given back, waits, and loses nobody.

import { afterEach, expect, test } from 'vitest'
import { verify } from '../../src/queue/verify.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { systemClock } from '../../src/util/clock.ts'
import { startTestRelay, stopRelays } from '../support/relay.ts'

afterEach(stopRelays)

test('a path with a low rate delivers everything in the end, and the schedule fits at any moment', async () => {
  const relay = await startTestRelay({
    delivery: 'message_rate = "20/s"\nconnections = 2',
    queue: 'max_in_flight = 30',
  })
  for (let n = 0; n < 4; n++) await relay.send(Array.from({ length: 30 }, (_, at) => `ok+${n}.${at}@a.test`))
  await relay.record('delivered', { count: 120 })
  await relay.stop()
  const store = openStore({ directory: `${relay.directory}/data`, mapSize: 2 ** 30, clock: systemClock })
  expect(await verify(store)).toMatchObject({ problems: [], counts: { recipients: 120, waiting: 0 } })
  await store.close()
})
