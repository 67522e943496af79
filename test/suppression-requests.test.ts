// What a person asks for: complaints and unsubscribe requests, on the real store.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Suppression } from '../src/suppression/suppression.ts'
import { DAY } from '../src/util/clock.ts'
import { address, FULL, Learning } from './support/learning.ts'

const JANE = 'jane@example.net'
const about = { tenant: 'a', message: 'm1', n: 0, recipient: address('Jane@Example.net'), report: 'r1' }

let learning: Learning
beforeEach(() => {
  learning = new Learning()
})
afterEach(() => learning.close())

async function complain(feedbackType = 'abuse') {
  const recorded = learning.recorder.recordComplaint({ ...about, feedbackType })
  await learning.store.write(recorded.writes)
  return recorded
}
async function unsubscribe() {
  const recorded = learning.recorder.recordUnsubscribe(about)
  await learning.store.write(recorded.writes)
  return recorded
}
const put = (more: Partial<Suppression>) =>
  learning.store.write(
    learning.list.put({ scope: 'a', target: JANE, reason: 'manual', createdAt: 1, who: 'cli:ops', ...more }),
  )

test('a complaint suppresses at once, for its tenant, with the evidence', async () => {
  const { verdict, suppression } = await complain()
  expect(verdict).toMatchObject({ category: 'spam-complaint', code: 200 })
  expect(learning.entry(JANE)).toEqual(suppression)
  expect(suppression).toMatchObject({
    scope: 'a',
    reason: 'complaint',
    who: 'studs',
    evidence: { category: 'spam-complaint', code: 200, message: 'm1', report: 'r1', feedback: 'abuse' },
  })
  expect(learning.isFree(JANE)).toBe(false)
  expect(learning.isFree(JANE, 'b')).toBe(true)
})

test('an unsubscribe request does the same', async () => {
  const { verdict, suppression } = await unsubscribe()
  expect(verdict).toMatchObject({ category: 'unsubscribe', code: 90 })
  expect(suppression).toMatchObject({ reason: 'unsubscribe', evidence: { code: 90, report: 'r1' } })
})

test.each([
  ['fraud', 200],
  ['virus', 200],
  ['other', 200],
  ['opt-out', 90],
])('feedback of the type %s has code %i', async (type, code) => {
  expect((await complain(type)).verdict.code).toBe(code)
})

test.each(['not-spam', 'auth-failure', 'Not-Spam'])('feedback of the type %s changes nothing', async (type) => {
  const { verdict, suppression, writes } = await complain(type)
  expect([verdict.code, suppression, writes]).toEqual([0, undefined, []])
})

describe('strength', () => {
  test('a failure learned before gives way, pending and half-open ones too', async () => {
    await learning.fail(JANE)
    await unsubscribe()
    expect(learning.entry(JANE)).toMatchObject({ reason: 'unsubscribe' })
    await put({ reason: 'hard_bounce', who: 'studs', pendingUntil: learning.clock.now() + DAY })
    await complain()
    expect(learning.entry(JANE)?.pendingUntil).toBeUndefined()
    await put({ reason: 'hard_bounce', who: 'studs', reactivated: { at: 1, who: 'cli:ops', why: 'x' } })
    await complain()
    expect(learning.isFree(JANE)).toBe(false)
  })

  test('a complaint takes the place of an unsubscribe request, never the other way round', async () => {
    await unsubscribe()
    await complain()
    expect(learning.entry(JANE)?.reason).toBe('complaint')
    expect((await unsubscribe()).writes).toEqual([])
    expect((await complain()).writes).toEqual([])
    expect(learning.entry(JANE)?.reason).toBe('complaint')
  })

  test('what would end by itself does not end any more', async () => {
    await put({ reason: 'complaint', expiresAt: learning.clock.now() + DAY })
    await complain()
    expect(learning.entry(JANE)?.expiresAt).toBeUndefined()
  })

  test('no failure and no delivery ever touches them', async () => {
    await complain()
    const before = learning.entry(JANE)
    await learning.fail(JANE)
    await learning.deliver(JANE)
    for (let strike = 0; strike < 4; strike++) {
      await learning.fail(JANE, { cause: FULL })
      await learning.clock.advance(2 * DAY)
    }
    expect(learning.entry(JANE)).toEqual(before)
  })

  test('only force takes them away, wholly', async () => {
    await complain()
    const removal = { scope: 'a', target: JANE, who: 'cli:ops', why: 'she wrote to us' }
    expect(await learning.list.remove(removal)).toBe('protected')
    expect(await learning.list.remove({ ...removal, force: true })).toBe('removed')
    expect(learning.entry(JANE)).toBeUndefined()
  })
})
