// A quota of a day over kill -9 and over steps of the wall clock between two lives: the receiver never gets more than the
// quota, and little of it is lost to what was leased when the process died.

import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { MINUTE } from '../../src/util/clock.ts'
import { ChildRelay, endChildren, runStuds } from '../support/child-relay.ts'
import { clockAt, noFaketime } from '../support/faketime.ts'
import { RecordingMx } from './recording-mx.ts'
import { openSession, submit } from './submit.ts'

afterEach(() => endChildren())

const QUOTA = 200
const KILLS = 5
/** Two leases of a fiftieth of the quota each, at every kill. */
const LOST_BY_KILLS = KILLS * 2 * (QUOTA / 50)

test.for<[string, readonly string[]]>([
  ['the clock right', ['+0', '+0', '+0', '+0', '+0', '+0']],
  ['the clock an hour or a day ahead or behind', ['+0', '+1h', '-1h', '+1d', '-1d', '+2d']],
])('five kills, %s: no more than the quota', { timeout: 120_000 }, async ([, clocks], { skip, annotate }) => {
  skip(noFaketime !== undefined, noFaketime)
  await using mx = await RecordingMx.start()
  // Slow enough that a kill comes in the middle.
  mx.answer = () => ({ late: 20 })
  const options = {
    mxPort: mx.port,
    delivery: `message_rate = "${QUOTA}/d"`,
    queue: 'retry = ["1s"]\nlifetime = "30d"',
  }
  let relay = await ChildRelay.start({ ...options, env: clockAt(clocks[0]!) })
  await fill(relay.port, 2 * QUOTA)
  for (let kill = 1; kill <= KILLS; kill++) {
    await copies(mx, kill * 30)
    await relay.kill()
    relay = await ChildRelay.start({ ...options, folder: relay.folder, env: clockAt(clocks[kill]!) })
    // What was under way may be due by a clock that was another one; where it is not there is nothing to retry.
    await runStuds(['queue', 'retry', '--all', '--yes', '-c', relay.configFile])
  }
  while (!(await isUsedUp(relay))) await once(mx, 'copy', { signal: AbortSignal.timeout(500) }).catch(() => undefined)
  const taken = count(mx)
  await annotate(`${taken} of ${QUOTA} after ${KILLS} kills`)
  expect(taken).toBeLessThanOrEqual(QUOTA)
  expect(taken).toBeGreaterThanOrEqual(QUOTA - LOST_BY_KILLS)
  expect(await relay.stop()).toMatchObject({ code: 0 })
})

async function fill(port: number, messages: number): Promise<void> {
  const client = await openSession(port)
  if (client === undefined) throw new Error('no session')
  for (let n = 0; n < messages; n++) expect(await submit(client, { ids: [`m${n}`], sizeBytes: 500 })).toMatch(/^250 /)
  client.close()
}

const count = (mx: RecordingMx): number => [...mx.copies.values()].reduce((sum, { length }) => sum + length, 0)

async function copies(mx: RecordingMx, wanted: number): Promise<void> {
  while (count(mx) < wanted) await once(mx, 'copy')
}

/** The relay itself says that the limit binds for more than a minute. */
async function isUsedUp(relay: ChildRelay): Promise<boolean> {
  const { out, err, code } = await runStuds(['explain', 'dest.test', '--json', '-c', relay.configFile])
  if (code !== 0) throw new Error(err)
  const { lanes } = JSON.parse(out) as { lanes: { binding: { kind: string; since: string; until?: string } }[] }
  return lanes.every(({ binding: { kind, since, until } }) => {
    return kind === 'limit' && until !== undefined && Date.parse(until) - Date.parse(since) > MINUTE
  })
}
