// The policy as tables: every category at every ending, and the life of strikes.

import { describe, expect, test } from 'vitest'
import { CATEGORIES, type Category, type Verdict } from '../bounce/verdict.ts'
import { DAY, HOUR } from '../util/clock.ts'
import { afterDelivery, decide, type Ending } from './policy.ts'
import type { Strikes } from './strikes.ts'

const settings = { softStrikes: 3, strikeSpacing: DAY, strikeMemory: 180 * DAY }
const NOW = 1_700_000_000_000
const ENDINGS: readonly Ending[] = ['deferred', 'failed', 'expired', 'bounced']

function verdict(category: Category): Verdict {
  return { ...CATEGORIES[category], category, action: 'fail', rule: 'test@1' }
}

function decided(
  category: Category,
  ending: Ending,
  more: { strikes?: Strikes; now?: number; message?: string; isTemporary?: boolean; mayBeOurs?: boolean } = {},
) {
  const { strikes, now = NOW, message = 'm9', isTemporary = ending === 'expired', mayBeOurs = false } = more
  return decide({ verdict: verdict(category), ending, isTemporary, mayBeOurs, strikes, message, settings, now })
}

/** What the policy promises: the only categories that may ever touch an address. */
const HARD: readonly Category[] = ['bad-mailbox', 'inactive-mailbox', 'bad-domain', 'unsubscribe']
const SOFT: readonly Category[] = [
  'transient',
  'routing-issues',
  'bad-connection',
  'dns-failure',
  'quota-issues',
  'no-answer-from-host',
]

function promised(category: Category, ending: Ending): 'suppress' | 'strike' | 'nothing' {
  if (ending === 'deferred') return 'nothing'
  if (HARD.includes(category)) return ending === 'expired' ? 'strike' : 'suppress'
  return SOFT.includes(category) ? 'strike' : 'nothing'
}

describe('every category at every ending', () => {
  const cases = (Object.keys(CATEGORIES) as Category[]).flatMap((category) =>
    ENDINGS.map((ending) => ({ category, ending })),
  )

  test.each(cases)('$category $ending', ({ category, ending }) => {
    const { suppress, strike } = decided(category, ending)
    const did = suppress !== undefined ? 'suppress' : strike !== undefined ? 'strike' : 'nothing'
    expect(did).toBe(promised(category, ending))
  })

  test.each(cases.filter(({ category }) => !HARD.includes(category) && !SOFT.includes(category)))(
    '$category $ending never suppresses, however often',
    ({ category, ending }) => {
      const strikes = { count: 99, first: 0, last: NOW - 2 * DAY, messages: ['m1'] }
      expect(decided(category, ending, { strikes })).toEqual({})
    },
  )

  test.each(cases)('$category $ending is nothing where our own side may be the reason', ({ category, ending }) => {
    const strikes = { count: 99, first: 0, last: NOW - 2 * DAY, messages: ['m1'] }
    expect(decided(category, ending, { strikes, mayBeOurs: true })).toEqual({})
  })

  test('a hard verdict whose last word was temporary is a strike', () => {
    expect(decided('bad-mailbox', 'bounced', { isTemporary: true })).toMatchObject({ strike: { count: 1 } })
    expect(decided('bad-mailbox', 'bounced', { isTemporary: true }).suppress).toBeUndefined()
  })
})

describe('strikes', () => {
  const one: Strikes = { count: 1, first: NOW - 30 * HOUR, last: NOW - 30 * HOUR, messages: ['m1'] }

  test('the first begins the count', () => {
    expect(decided('quota-issues', 'failed').strike).toEqual({ count: 1, first: NOW, last: NOW, messages: ['m9'] })
  })

  test('a second one a day later counts, one within the day does not', () => {
    expect(decided('quota-issues', 'failed', { strikes: one }).strike).toMatchObject({
      count: 2,
      last: NOW,
      messages: ['m1', 'm9'],
    })
    expect(decided('quota-issues', 'failed', { strikes: { ...one, last: NOW - DAY + 1 } }).strike).toMatchObject({
      count: 1,
      messages: ['m1'],
    })
  })

  test('a message counts once', () => {
    expect(decided('quota-issues', 'bounced', { strikes: one, message: 'm1' }).strike).toMatchObject({ count: 1 })
  })

  test('the third suppresses, with the messages that counted', () => {
    const two = { ...one, count: 2, messages: ['m1', 'm2'] }
    expect(decided('transient', 'expired', { strikes: two })).toEqual({
      suppress: { reason: 'soft_bounce_limit' },
      strike: { count: 3, first: two.first, last: NOW, messages: ['m1', 'm2', 'm9'] },
    })
  })

  test('spacing 0 lets every message count', () => {
    const strikes = { ...one, count: 2, last: NOW }
    const decision = decide({
      verdict: verdict('transient'),
      ending: 'failed',
      isTemporary: false,
      mayBeOurs: false,
      strikes,
      message: 'm9',
      settings: { ...settings, strikeSpacing: 0 },
      now: NOW,
    })
    expect(decision.suppress).toEqual({ reason: 'soft_bounce_limit' })
  })

  test('old ones are forgotten', () => {
    const strikes = { count: 2, first: 0, last: NOW - 181 * DAY, messages: ['m1', 'm2'] }
    expect(decided('transient', 'failed', { strikes }).strike).toMatchObject({ count: 1, messages: ['m9'] })
  })
})

describe('a domain that does not exist', () => {
  test('is a strike the first time, and again within a day', () => {
    const first = decided('dns-failure', 'failed')
    expect(first).toEqual({ strike: { count: 1, first: NOW, last: NOW, messages: ['m9'], domainGoneAt: NOW } })
    const soon = decided('dns-failure', 'failed', { strikes: first.strike!, now: NOW + DAY - 1, message: 'm10' })
    expect(soon.suppress).toBeUndefined()
  })

  test('is a bad domain on the second occasion a day later', () => {
    const strikes = decided('dns-failure', 'failed').strike!
    expect(decided('dns-failure', 'failed', { strikes, now: NOW + DAY, message: 'm10' })).toMatchObject({
      suppress: { reason: 'hard_bounce' },
      category: 'bad-domain',
      strike: { messages: ['m9', 'm10'] },
    })
  })

  test('DNS trouble that only outlived the message says nothing of the domain', () => {
    const strikes = decided('dns-failure', 'expired').strike!
    expect(strikes.domainGoneAt).toBeUndefined()
    expect(decided('dns-failure', 'failed', { strikes, now: NOW + DAY }).suppress).toBeUndefined()
  })
})

describe('a delivery', () => {
  const strikes: Strikes = { count: 2, first: NOW - 3 * DAY, last: NOW - 2 * DAY, messages: ['m1', 'm2'] }
  const learnedLate: Strikes = { ...strikes, afterAcceptance: true }

  test('removes strikes that were said in the dialogue', () => {
    expect(afterDelivery({ strikes, message: 'm3', now: NOW })).toBe('remove')
  })

  test('where bounces taught them, the first message accepted since is noted', () => {
    const noted = afterDelivery({ strikes: learnedLate, message: 'm3', now: NOW })
    expect(noted).toEqual({ ...learnedLate, accepted: { message: 'm3', at: NOW } })
    expect(afterDelivery({ strikes: noted as Strikes, message: 'm4', now: NOW + DAY })).toBe('keep')
    expect(afterDelivery({ strikes: noted as Strikes, message: 'm5', now: NOW + 7 * DAY })).toBe('remove')
  })

  test('they stand if that very message comes back, and are void for any other', () => {
    const noted: Strikes = { ...learnedLate, accepted: { message: 'm3', at: NOW } }
    expect(decided('quota-issues', 'bounced', { strikes: noted, message: 'm3' }).suppress).toEqual({
      reason: 'soft_bounce_limit',
    })
    expect(decided('quota-issues', 'bounced', { strikes: noted, message: 'm4' }).strike).toMatchObject({
      count: 1,
      messages: ['m4'],
    })
  })
})
