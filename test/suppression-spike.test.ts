// The spike breaker on the real store: outages, old lists, closed domains, full hours, restarts and clocks that step.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Cause, Way } from '../src/mail/outcome.ts'
import { hourOf, readTally } from '../src/suppression/tally.ts'
import { DAY, HOUR, MINUTE } from '../src/util/clock.ts'
import { FULL, Learning, SETTINGS, SITE, said, UNKNOWN_USER, WAY } from './support/learning.ts'

let learning: Learning
beforeEach(() => {
  learning = new Learning()
})
afterEach(() => learning.close())

const user = (n: number): string => `user${n}@example.net`
const users = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => user(from + n))

async function failAll(addresses: readonly string[], more: Parameters<Learning['fail']>[1] = {}): Promise<void> {
  for (const each of addresses) await learning.fail(each, more)
}
const pendingOf = (addresses: readonly string[], scope = 'a'): number =>
  addresses.filter((each) => learning.entry(each, scope)?.pendingUntil !== undefined).length

describe('an outage that refuses everybody', () => {
  test('is seen at the minimum; what it suppressed until then becomes pending, and mail goes on', async () => {
    await failAll(users(0, 9))
    expect(users(0, 9).every((each) => !learning.isFree(each))).toBe(true)
    await failAll(users(9, 15))
    expect(pendingOf(users(0, 15))).toBe(15)
    expect(users(0, 15).every((each) => learning.isFree(each))).toBe(true)
    expect(learning.entry(user(12))).toMatchObject({
      reason: 'hard_bounce',
      pendingUntil: learning.clock.now() + SETTINGS.spikeHold,
      evidence: { category: 'bad-mailbox', cause: UNKNOWN_USER },
    })
    expect(learning.alerts()).toEqual([
      {
        tenant: 'a',
        site: SITE,
        why: expect.stringMatching(/10 hard bounces .* of 10 answers .* usual are 0\..* 72 h\. The 9 /),
      },
    ])
  })

  test('is seen although none of its failures is committed yet', async () => {
    const all = users(0, 30).map((each) => learning.failing(each))
    await Promise.all(all.map(({ written }) => written))
    expect(pendingOf(users(0, 30))).toBe(30)
    expect(learning.alerts()).toHaveLength(1)
  })

  test('a second refusal while it goes on confirms nothing', async () => {
    await failAll(users(0, 12))
    await learning.clock.advance(10 * MINUTE)
    await failAll(users(0, 12))
    expect(pendingOf(users(0, 12))).toBe(12)
  })

  test('when it is over a further failure confirms, a delivery drops, and time makes void', async () => {
    await failAll(users(0, 12))
    await learning.clock.advance(3 * HOUR)
    const { suppression, records } = await learning.fail(user(0))
    expect(suppression).toMatchObject({ reason: 'hard_bounce' })
    expect(suppression?.pendingUntil).toBeUndefined()
    expect(records).toMatchObject([{ kind: 'alert', site: SITE, why: expect.stringContaining('is over') }])
    expect(learning.isFree(user(0))).toBe(false)
    await learning.deliver(user(1))
    expect(learning.entry(user(1))).toBeUndefined()
    await learning.clock.advance(SETTINGS.spikeHold)
    expect(users(0, 12).filter((each) => !learning.isFree(each))).toEqual([user(0)])
    await learning.clock.advance(SETTINGS.strikeMemory)
    expect(await learning.upkeep()).toMatchObject({ pending: 10 })
    expect(users(0, 12).filter((each) => learning.entry(each) !== undefined)).toEqual([user(0)])
    expect(learning.store.count('suppression-pending')).toBe(0)
  })

  test('what is void but not yet removed is written anew', async () => {
    await failAll(users(0, 12))
    await learning.clock.advance(SETTINGS.spikeHold)
    await learning.fail(user(3))
    expect(learning.isFree(user(3))).toBe(false)
    await learning.upkeep()
    expect(learning.isFree(user(3))).toBe(false)
  })

  test('is told to be over without another bounce, once', async () => {
    await failAll(users(0, 12))
    await learning.upkeep()
    expect(learning.alerts()).toHaveLength(1)
    await learning.clock.advance(2 * HOUR)
    await learning.upkeep()
    await learning.upkeep()
    expect(learning.alerts().map(({ why }) => why?.includes('is over'))).toEqual([false, true])
  })

  test('is over when the site answers well again', async () => {
    await failAll(users(0, 12))
    for (const each of users(100, 160)) await learning.deliver(each)
    await learning.fail(user(50))
    expect(learning.isFree(user(50))).toBe(false)
    expect(learning.alerts()).toHaveLength(2)
  })

  test('soft failures are no part of it', async () => {
    await failAll(users(0, 12), { cause: FULL })
    expect(learning.alerts()).toEqual([])
    expect(learning.strikes.read('a', user(0))).toMatchObject({ count: 1 })
  })

  test('nor does it touch other sites, other tenants, or what people asked for', async () => {
    const elsewhere: Way = { ...WAY, site: 'mx.other.example' }
    await learning.fail('joe@other.example', { way: elsewhere })
    await failAll(users(0, 12))
    const { recipient } = { recipient: user(5) as Parameters<typeof learning.recorder.recordComplaint>[0]['recipient'] }
    const complaint = { tenant: 'a', message: 'm1', n: 0, recipient, feedbackType: 'abuse' }
    await learning.store.write(learning.recorder.recordComplaint(complaint).writes)
    await failAll([user(5)])
    expect(learning.entry(user(5))).toMatchObject({ reason: 'complaint' })
    expect(learning.isFree(user(5))).toBe(false)
    expect(learning.isFree('joe@other.example')).toBe(false)
  })

  test('does not bring back what an operator has taken away meanwhile', async () => {
    await failAll(users(0, 9))
    await learning.list.remove({ scope: 'a', target: user(0), who: 'cli:ops', why: 'known to live', forget: true })
    await learning.clock.advance(2 * MINUTE)
    await failAll(users(9, 12))
    expect(learning.entry(user(0))).toBeUndefined()
    expect(pendingOf(users(0, 12))).toBe(11)
  })
})

describe('no surge', () => {
  test('an old list: dead addresses among living ones are suppressed at once', async () => {
    for (let n = 0; n < 60; n++) {
      if (n % 5 < 3) await learning.deliver(user(1000 + n))
      else await learning.fail(user(n))
    }
    expect(learning.alerts()).toEqual([])
    expect(users(0, 60).filter((each) => !learning.isFree(each))).toHaveLength(24)
  })

  test('a temporary answer is an answer too', async () => {
    for (let n = 0; n < 40; n++) {
      await learning.fail(user(1000 + n), { cause: said(451, '4.7.1 try later'), ending: 'deferred' })
    }
    await failAll(users(0, 20))
    expect(learning.alerts()).toEqual([])
  })

  test('what happens at this hour every day', async () => {
    for (let day = 0; day < 7; day++) {
      // Enough gets through that none of these days is a surge by itself.
      for (const each of users(0, 12)) await learning.deliver(`ok-${each}`)
      await failAll(users(day * 100, day * 100 + 10))
      await learning.clock.advance(DAY)
    }
    expect(learning.alerts()).toEqual([])
    await failAll(users(1000, 1049))
    expect(learning.alerts()).toEqual([])
    await failAll(users(1049, 1051))
    expect(learning.alerts()).toMatchObject([{ why: expect.stringContaining('usual are 10') }])
    // Only the last hour's, not those of the other days.
    expect(pendingOf(users(0, 700))).toBe(0)
    expect(pendingOf(users(1000, 1051))).toBe(51)
  })
})

describe('time', () => {
  test.each([
    ['a full hour', Date.UTC(2026, 0, 1, 10, 57)],
    ['midnight', Date.UTC(2026, 0, 1, 23, 57)],
  ])('a surge is not cut in two by %s', async (_what, start) => {
    await learning.close()
    learning = new Learning({ start })
    await failAll(users(0, 6))
    await learning.clock.advance(4 * MINUTE)
    await failAll(users(6, 12))
    expect(pendingOf(users(0, 12))).toBe(12)
    expect(learning.alerts()).toHaveLength(1)
  })

  test('a restart in the middle forgets neither the count nor the entries', async () => {
    await failAll(users(0, 6))
    await learning.restart()
    await failAll(users(6, 11))
    expect(pendingOf(users(0, 11))).toBe(11)
    await learning.restart()
    await failAll(users(11, 13))
    expect(pendingOf(users(0, 13))).toBe(13)
    await learning.clock.advance(HOUR)
    await failAll(users(13, 20))
    expect(learning.alerts()).toHaveLength(1)
    await learning.restart()
    await learning.clock.advance(2 * HOUR)
    await failAll([user(99)])
    expect(learning.isFree(user(99))).toBe(false)
  })

  test('a surge of before a restart is told to be over by the upkeep', async () => {
    await failAll(users(0, 12))
    await learning.restart()
    await learning.clock.advance(100 * MINUTE)
    await learning.upkeep()
    expect(learning.alerts().map(({ why }) => why?.includes('is over'))).toEqual([false, true])
  })

  test.each([3 * DAY, -3 * DAY, 30 * MINUTE, -30 * MINUTE])(
    'a clock that steps by %i ms makes no surge last',
    async (step) => {
      await failAll(users(0, 12))
      await learning.clock.advance(step)
      await learning.fail(user(20))
      await learning.clock.advance(4 * HOUR)
      await learning.fail(user(21))
      expect(learning.isFree(user(21))).toBe(false)
      expect(learning.alerts().at(-1)?.why).toContain('is over')
    },
  )

  test('the tally is kept for eight days', async () => {
    await failAll(users(0, 3))
    const hour = hourOf(learning.clock.now())
    expect(readTally(learning.store, 'a', SITE, hour)).toMatchObject({ answered: 3, hard: { 10: 3 } })
    await learning.clock.advance(8 * DAY)
    expect(await learning.upkeep()).toMatchObject({ tallies: 0 })
    await learning.clock.advance(HOUR)
    expect(await learning.upkeep()).toMatchObject({ tallies: 1 })
    expect(learning.store.count('tally')).toBe(0)
  })
})

describe('a closed domain', () => {
  const NULL_MX: Cause = { kind: 'dns', code: '5.1.10', detail: 'null MX' }
  const noWay = { cause: NULL_MX, way: undefined } as never as Parameters<Learning['fail']>[1]

  test('is held back at first and confirmed by the next mailing, on another day', async () => {
    await failAll(users(0, 12), noWay)
    expect(pendingOf(users(0, 12))).toBe(12)
    expect(learning.alerts()).toMatchObject([{ site: 'example.net' }])
    await learning.clock.advance(5 * HOUR)
    await failAll(users(0, 12), noWay)
    // The first few were confirmed before the second surge showed, and are held back again with it.
    expect(pendingOf(users(0, 12))).toBe(12)
    await learning.clock.advance(2 * DAY)
    await failAll(users(0, 12), noWay)
    expect(users(0, 12).filter((each) => !learning.isFree(each))).toHaveLength(12)
  })

  test.each([
    ['refused in the dialogue', {}],
    ['bounced later', { ending: 'bounced' as const }],
  ])('that is mailed once a week is confirmed by the second mailing: %s', async (_what, how) => {
    await failAll(users(0, 12), how)
    expect(pendingOf(users(0, 12))).toBe(12)
    await learning.clock.advance(7 * DAY)
    await learning.upkeep()
    expect(users(0, 12).every((each) => learning.isFree(each))).toBe(true)
    await failAll(users(0, 12), how)
    expect(users(0, 12).filter((each) => learning.isFree(each))).toEqual([])
    expect(learning.entry(user(3))).not.toHaveProperty('pendingUntil')
  })

  test('two outages are none: whose mail got through in between begins anew', async () => {
    await failAll(users(0, 12))
    await learning.clock.advance(7 * DAY)
    await learning.upkeep()
    for (const each of users(0, 6)) await learning.deliver(each)
    await learning.clock.advance(7 * DAY)
    await failAll(users(0, 12))
    expect(pendingOf(users(0, 6))).toBe(6)
    expect(users(0, 12).filter((each) => !learning.isFree(each))).toEqual(users(6, 12))
  })

  test('where everything is taken at first, a mail that never came back lies in between', async () => {
    const late = { ending: 'bounced' as const }
    await failAll(users(0, 12), late)
    for (let week = 0; week < 2; week++) {
      await learning.clock.advance(7 * DAY)
      await learning.upkeep()
      for (const each of users(0, 12)) await learning.deliver(each)
    }
    await learning.clock.advance(7 * DAY)
    for (const each of users(0, 12)) {
      await learning.deliver(each, { message: `third-${each}` })
      await learning.fail(each, { ...late, message: `third-${each}` })
    }
    expect(pendingOf(users(0, 12))).toBe(12)
  })

  test('what is void is forgotten with the strikes of its time', async () => {
    await failAll(users(0, 12))
    await learning.clock.advance(SETTINGS.spikeHold + SETTINGS.strikeMemory - HOUR)
    expect(await learning.upkeep()).toMatchObject({ pending: 0 })
    await learning.clock.advance(HOUR)
    expect(await learning.upkeep()).toMatchObject({ pending: 12 })
    expect(learning.entry(user(0))).toBeUndefined()
  })
})

describe('a site that takes everything and bounces it later', () => {
  test('is refused by its bounces alone', async () => {
    for (const each of users(0, 30)) await learning.deliver(each)
    await learning.clock.advance(2 * HOUR)
    await failAll(users(0, 12), { ending: 'bounced' })
    expect(pendingOf(users(0, 12))).toBe(12)
    // A 250 proves nothing there.
    await learning.deliver(user(0))
    expect(learning.entry(user(0))?.pendingUntil).toBeDefined()
  })
})

describe('several tenants', () => {
  beforeEach(async () => {
    await learning.close()
    learning = new Learning({ tenants: ['a', 'b', 'c', 'd'].map((name) => ({ name })) })
  })

  test('small ones are protected by what all of them see together', async () => {
    for (const tenant of ['a', 'b', 'c']) {
      const own = users(0, 4).map((each) => `${tenant}-${each}`)
      await failAll(own, { tenant })
    }
    for (const tenant of ['a', 'b', 'c']) {
      expect(
        pendingOf(
          users(0, 4).map((each) => `${tenant}-${each}`),
          tenant,
        ),
      ).toBe(4)
    }
    expect(learning.alerts()).toMatchObject([{ tenant: '*', why: expect.stringContaining('over all tenants') }])
  })

  test('one whose mail gets through is not affected by the surge of another', async () => {
    for (const each of users(100, 120)) await learning.deliver(each, { tenant: 'd' })
    await learning.fail('gone@example.net', { tenant: 'd' })
    await failAll(users(0, 40), { tenant: 'a' })
    await learning.fail('gone2@example.net', { tenant: 'd' })
    expect(learning.alerts().map(({ tenant }) => tenant)).toEqual(['a'])
    expect(learning.isFree('gone@example.net', 'd')).toBe(false)
    expect(learning.isFree('gone2@example.net', 'd')).toBe(false)
    expect(pendingOf(users(0, 40))).toBe(40)
  })

  test('one that is refused as well is, however small', async () => {
    await learning.fail('first@example.net', { tenant: 'b' })
    await failAll(users(0, 40), { tenant: 'a' })
    expect(learning.isFree('first@example.net', 'b')).toBe(false)
    await learning.fail('second@example.net', { tenant: 'b' })
    expect(learning.alerts().map(({ tenant }) => tenant)).toEqual(['a', '*'])
    expect(pendingOf(['first@example.net', 'second@example.net'], 'b')).toBe(2)
  })

  test('what all learned from it is taken back', async () => {
    for (const tenant of ['a', 'b', 'c']) await learning.fail('jane@example.net', { tenant })
    expect(learning.isFree('jane@example.net', 'd')).toBe(false)
    for (const tenant of ['a', 'b', 'c']) {
      const own = users(0, 3).map((each) => `${tenant}-${each}`)
      await failAll(own, { tenant })
    }
    expect(learning.isFree('jane@example.net', 'd')).toBe(true)
    expect(learning.entry('jane@example.net', '*')).toBeUndefined()
  })

  test('what is pending teaches nobody', async () => {
    for (const tenant of ['a', 'b', 'c']) {
      const own = users(0, 12).map((each) => `${tenant}-${each}`)
      await failAll([...own, 'jane@example.net'], { tenant })
    }
    expect(learning.entry('jane@example.net', '*')).toBeUndefined()
  })
})
