// Twenty seconds of mail coming and going: no error, nothing lost, and a store that uses its room again instead of
// growing with every message. (A nightly run of hours is another thing: bench/.)

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { TABLES } from '../../src/store/store.ts'
import { ChildRelay, endChildren } from '../support/child-relay.ts'
import { readRemains, withDeadStore } from './dead-store.ts'
import { RecordingMx } from './recording-mx.ts'
import { randomOf, startLoad } from './submit.ts'

afterEach(() => endChildren())

const SOAK_MS = 20_000
const MIB = 2 ** 20
const CLIENTS = 8

test('20 s of churn: no error, every mail once, the store stays small', { timeout: 90_000 }, async ({ annotate }) => {
  const random = randomOf(20)
  await using mx = await RecordingMx.start()
  // A few are deferred once or twice, so that not all mail takes the short way.
  const deferred = new Map<string, number>()
  mx.answer = (id) => {
    const tries = deferred.get(id) ?? 0
    if (random() > 0.1 || tries > 1) return 'take'
    deferred.set(id, tries + 1)
    return 'defer'
  }
  const relay = await ChildRelay.start({ mxPort: mx.port, queue: 'retry = ["1s"]' })
  const acked = new Set<string>()
  let count = 0
  let bytes = 0
  const nextMail = () => {
    const sizeBytes = random() < 0.9 ? 60_000 * random() : 700_000 * random()
    bytes += sizeBytes
    return { ids: [`k${count++}`], sizeBytes }
  }
  const load = startLoad({ port: relay.port, clients: CLIENTS, acked, nextMail })
  await new Promise((resolve) => setTimeout(resolve, SOAK_MS))
  load.stop()
  await load.ended
  expect([...load.refusals]).toEqual([])
  while (relay.count('delivered') < acked.size) await relay.loggedMore()
  const fileBytes = statSync(join(relay.data, 'store', 'data.mdb')).size
  expect((await relay.stop()).code).toBe(0)
  expect(relay.stderr).toBe('')
  expect(
    relay.log.filter(
      ({ level, event }) =>
        level === 'error' || (level === 'warn' && event !== 'config-warning' && event !== 'certificate-made'),
    ),
  ).toEqual([])
  expect(await readRemains(relay.data)).toMatchObject({ problems: [], orphans: 0, bodies: 0 })
  const liveBytes = await withDeadStore(relay.data, (store) =>
    TABLES.flatMap((table) => store.range(table, {})).reduce(
      (sum, { key, value }) => sum + key.length + value.length,
      0,
    ),
  )
  const mib = (size: number): string => `${(size / MIB).toFixed(0)} MiB`
  await annotate(
    `${acked.size} mails of ${mib(bytes)} went through; ${mib(liveBytes)} live, the file has ${mib(fileBytes)}`,
  )
  expect([...acked].filter((id) => mx.copies.get(id)?.length !== 1)).toEqual([])
  // Journal and indexes with half-filled pages, and the bodies that were there at one time: those under way, and those
  // that waited for a second. Five times as much went through.
  expect(fileBytes).toBeLessThan(3 * liveBytes + bytes / 5 + 32 * MIB)
  expect(bytes).toBeGreaterThan(100 * MIB)
})
