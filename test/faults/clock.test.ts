// A wall clock that is a year ahead or behind between two lives (a dead battery, a wrong NTP server): no waiting mail is
// lost, ids stay unique and in order, and only what has outlived its life expires.

import { afterEach, expect, test } from 'vitest'
import { ChildRelay, endChildren } from '../support/child-relay.ts'
import { clockAt, noFaketime } from '../support/faketime.ts'
import { readRemains } from './dead-store.ts'
import { RecordingMx } from './recording-mx.ts'
import { sendOne } from './submit.ts'

afterEach(() => endChildren())

const NAMES = ['then', 'later', 'now'] as const

test.for<[string, string, string]>([
  ['back by a year', '+0', '-365d'],
  ['a year ahead, and back again', '+365d', '+0'],
])(
  '%s: waiting mail stays, ids stay unique, new mail goes out',
  { timeout: 60_000 },
  async ([, first, second], { skip }) => {
    skip(noFaketime !== undefined, noFaketime)
    await using mx = await RecordingMx.start()
    mx.answer = (id) => (id.startsWith('then') ? 'defer' : 'take')
    const relay = await ChildRelay.start({ mxPort: mx.port, env: clockAt(first), queue: 'retry = ["1s"]' })
    const ids: string[] = []
    const send = async (port: number, name: string, count: number): Promise<void> => {
      for (let n = 0; n < count; n++) ids.push(queueId(await sendOne(port, `${name}${n}`)))
    }
    await send(relay.port, NAMES[0], 30)
    await send(relay.port, NAMES[1], 5)
    while (relay.count('delivered') < 5) await relay.loggedMore()
    await relay.kill()

    const back = await ChildRelay.start({ mxPort: mx.port, env: clockAt(second), folder: relay.folder })
    await send(back.port, NAMES[2], 30)
    while (back.count('delivered') < 30) await back.loggedMore()
    expect(new Set(ids).size).toBe(ids.length)
    expect([...ids].sort()).toEqual(ids)
    mx.answer = () => 'take'
    // Due by a clock that was another one: an operator need not wait for a year.
    await back.retryAll()
    expect(
      await mx.arrived(
        Array.from({ length: 30 }, (_, n) => `then${n}`),
        10_000,
      ),
    ).toEqual([])
    await back.stop()
    const { records, problems } = await readRemains(back.data)
    expect(problems).toEqual([])
    expect(records.filter(({ kind }) => kind === 'expired' || kind === 'failed')).toEqual([])
    expect([...mx.copies.values()].filter(({ length }) => length > 1)).toEqual([])
  },
)

test('a year ahead: what is past its life expires by name, what is not goes out, nothing vanishes', {
  timeout: 60_000,
}, async ({ skip }) => {
  skip(noFaketime !== undefined, noFaketime)
  await using mx = await RecordingMx.start()
  mx.answer = () => 'defer'
  const options = { mxPort: mx.port, queue: 'retry = ["1s"]\nlifetime = "72h"' }
  const long = { ...options, queue: 'retry = ["1s"]\nlifetime = "1000d"' }
  const first = await ChildRelay.start({ ...options, env: clockAt('+0') })
  for (let n = 0; n < 10; n++) expect(await sendOne(first.port, `short${n}`)).toMatch(/^250 /)
  await first.kill()
  const second = await ChildRelay.start({ ...long, folder: first.folder, env: clockAt('+0') })
  for (let n = 0; n < 10; n++) expect(await sendOne(second.port, `long${n}`)).toMatch(/^250 /)
  await second.kill()

  mx.answer = () => 'take'
  const ahead = await ChildRelay.start({ ...options, folder: first.folder, env: clockAt('+365d') })
  const longIds = Array.from({ length: 10 }, (_, n) => `long${n}`)
  expect(await mx.arrived(longIds, 10_000)).toEqual([])
  while (ahead.count('expired') + ahead.count('delivered') < 20) await ahead.loggedMore()
  await ahead.stop()
  const { problems } = await readRemains(ahead.data)
  expect(problems).toEqual([])
  const endings = ahead.log.filter(({ event }) => event === 'expired' || event === 'delivered')
  const short = endings.filter(({ recipient }) => String(recipient).startsWith('short'))
  expect(short.map(({ event }) => event)).toEqual(Array(10).fill('expired'))
})

function queueId(reply: string | undefined): string {
  const id = /^250 2\.0\.0 queued as (\w{13})/.exec(reply ?? '')?.[1]
  if (id === undefined) throw new Error(`not accepted: ${reply}`)
  return id
}
