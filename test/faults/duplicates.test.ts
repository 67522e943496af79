// Where a second copy comes from: an MX that takes the mail and never says so. Each such copy has its record, marked
// ambiguous; without one there is none.

import { afterEach, expect, test } from 'vitest'
import { ChildRelay, endChildren } from '../support/child-relay.ts'
import { readRemains } from './dead-store.ts'
import { RecordingMx } from './recording-mx.ts'
import { randomOf, sendOne } from './submit.ts'

afterEach(() => endChildren())

const MAILS = 300

test('an MX that is silent or resets after one dot in ten: copies = 1 + ambiguous records', {
  timeout: 60_000,
}, async ({ annotate }) => {
  const random = randomOf(10)
  await using mx = await RecordingMx.start()
  mx.answer = () => {
    const chance = random()
    return chance < 0.05 ? 'silent' : chance < 0.1 ? 'reset' : 'take'
  }
  const relay = await ChildRelay.start({
    mxPort: mx.port,
    delivery: 'dot_timeout = "500ms"',
    queue: 'retry = ["500ms"]',
  })
  const ids = Array.from({ length: MAILS }, (_, n) => `d${n}`)
  for (let n = 0; n < MAILS; n += 20) {
    const replies = await Promise.all(ids.slice(n, n + 20).map((id) => sendOne(relay.port, id)))
    for (const reply of replies) expect(reply).toMatch(/^250 /)
  }
  while (relay.count('delivered') < MAILS) await relay.loggedMore()
  await relay.stop()
  const { records, problems } = await readRemains(relay.data)
  expect(problems).toEqual([])
  let ambiguousCount = 0
  for (const id of ids) {
    const own = records.filter(({ recipient }) => recipient === `${id}@dest.test`)
    const ambiguous = own.filter((record) => record.ambiguous === true)
    ambiguousCount += ambiguous.length
    expect(mx.copies.get(id), id).toHaveLength(1 + ambiguous.length)
    expect(
      ambiguous.every(({ kind, cause }) => kind === 'deferred' && cause?.kind === 'ambiguous'),
      id,
    ).toBe(true)
    expect(
      own.filter(({ kind }) => kind === 'delivered'),
      id,
    ).toHaveLength(1)
    expect(
      own.some(({ kind }) => kind === 'failed' || kind === 'suppression-added'),
      id,
    ).toBe(false)
  }
  await annotate(`${MAILS} mails, ${ambiguousCount} second copies, each with its ambiguous record`)
  expect(ambiguousCount).toBeGreaterThan(MAILS / 30)
})
