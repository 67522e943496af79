// The life of an entry as tables: every standing at every event.

import { describe, expect, test } from 'vitest'
import { DAY, HOUR } from '../util/clock.ts'
import {
  afterMail,
  type EntryFailure,
  isOnTrial,
  onceMore,
  onTrial,
  outranks,
  reactivate,
  type Turn,
  turnOf,
} from './life.ts'
import { REASONS, type Reason, type Suppression, standingOf } from './suppression.ts'

const NOW = 1_700_000_000_000
const given = { at: NOW - 2 * DAY, who: 'cli:ops', why: 'asked us' }

function entry(more: Partial<Suppression> = {}): Suppression {
  return {
    scope: 'shop',
    target: 'jane@example.com',
    reason: 'hard_bounce',
    createdAt: NOW - 30 * HOUR,
    who: 'studs',
    evidence: { rule: 'test@1', category: 'bad-mailbox', code: 10, message: 'm1' },
    ...more,
  }
}
const late = (more: Partial<Suppression> = {}): Suppression =>
  entry({ evidence: { rule: 'test@1', category: 'bad-mailbox', code: 10, message: 'm1', bounced: true }, ...more })

const inForce = entry()
const pending = entry({ pendingUntil: NOW + DAY })
const halfOpen = entry({ reactivated: given })
const isVoid = entry({ pendingUntil: NOW })
const expired = entry({ expiresAt: NOW })

test('every entry stands in one of four ways', () => {
  expect([inForce, pending, halfOpen, isVoid, expired].map((each) => standingOf(each, NOW))).toEqual([
    'in-force',
    'pending',
    'half-open',
    'over',
    'over',
  ])
})

describe('a failure that suppresses', () => {
  const turn = (there: Suppression | undefined, more: Partial<EntryFailure> = {}): Turn =>
    turnOf({ there, surgeSince: undefined, message: 'm9', strikeSpacing: DAY, now: NOW, ...more })
  const inSurge = { surgeSince: NOW - HOUR }

  test.each<[string, Suppression | undefined, Turn, Turn]>([
    ['nothing there', undefined, 'add', 'hold'],
    ['in force', inForce, 'keep', 'keep'],
    ['in force, of a complaint', entry({ reason: 'complaint' }), 'keep', 'keep'],
    ['half-open', halfOpen, 'again', 'keep'],
    ['void', isVoid, 'add', 'add'],
    ['void, of another surge on the same day', entry({ pendingUntil: NOW, createdAt: NOW - 5 * HOUR }), 'add', 'hold'],
    ['expired', expired, 'again', 'hold'],
    ['expired, put in by hand', entry({ expiresAt: NOW, who: 'cli:ops', reason: 'manual' }), 'add', 'hold'],
    ['pending, of a surge that is over', pending, 'add', 'add'],
    [
      'pending, of the surge that goes on',
      entry({ pendingUntil: NOW + DAY, createdAt: NOW - 90 * 60_000 }),
      'add',
      'keep',
    ],
    [
      'pending since before that surge showed',
      entry({ pendingUntil: NOW + DAY, createdAt: NOW - 119 * 60_000 }),
      'add',
      'keep',
    ],
    [
      'pending, of another surge on the same day',
      entry({ pendingUntil: NOW + DAY, createdAt: NOW - 5 * HOUR }),
      'add',
      'keep',
    ],
  ])('%s: otherwise %s, in a surge %s', (_what, there, calm, surge) => {
    expect(turn(there)).toBe(calm)
    expect(turn(there, inSurge)).toBe(surge)
  })

  test('a surge of many days confirms nothing by itself', () => {
    const old = entry({ pendingUntil: NOW + DAY, createdAt: NOW - 2 * DAY })
    expect(turn(old, { surgeSince: NOW - 2 * DAY })).toBe('keep')
  })

  test('the same message twice confirms nothing', () => {
    expect(turn(pending, { message: 'm1' })).toBe('keep')
  })

  test('a report about mail from before the reactivation is old news', () => {
    expect(turn(halfOpen, { sentAt: given.at - 1 })).toBe('keep')
    expect(turn(halfOpen, { sentAt: given.at })).toBe('again')
  })
})

describe('a delivery', () => {
  const mail = (there: Suppression, now = NOW): ReturnType<typeof afterMail> => afterMail(there, 'm9', now)

  test.each<[string, Suppression, 'keep' | 'remove']>([
    ['in force', inForce, 'keep'],
    ['pending', pending, 'remove'],
    ['pending, learned from a report', late({ pendingUntil: NOW + DAY }), 'keep'],
    ['half-open', halfOpen, 'remove'],
    ['void', isVoid, 'remove'],
    ['expired', expired, 'keep'],
  ])('%s: %s', (_what, there, expected) => expect(mail(there)).toBe(expected))

  test('void and learned from reports: noted, and cleared by one after the bounce window', () => {
    const noted = mail(late({ pendingUntil: NOW })) as Suppression
    expect(noted.accepted).toEqual({ message: 'm9', at: NOW })
    expect(mail(noted, NOW + 6 * DAY)).toBe('keep')
    expect(mail(noted, NOW + 6 * DAY + 1)).toBe('remove')
  })

  test('half-open and learned from reports: noted, and cleared by one after the bounce window', () => {
    const noted = mail(late({ reactivated: given })) as Suppression
    expect(noted.accepted).toEqual({ message: 'm9', at: NOW })
    expect(isOnTrial(noted, NOW)).toBe(false)
    expect(mail(noted, NOW + DAY)).toBe('keep')
    expect(mail(noted, NOW + 6 * DAY + 1)).toBe('remove')
  })
})

describe('again', () => {
  test('counts, keeps who gave the last chance, and does not make the endless shorter', () => {
    expect(onceMore(halfOpen, NOW)).toEqual({ again: { times: 2, reactivated: given } })
    const third = onceMore(entry({ again: { times: 2, reactivated: given } }), NOW)
    expect(third).toEqual({ again: { times: 3, reactivated: given } })
    expect(onceMore(undefined, NOW)).toEqual({})
  })

  test('where entries expire, for twice as long, up to five years', () => {
    const first = entry({ createdAt: NOW - 180 * DAY, expiresAt: NOW })
    expect(onceMore(first, NOW).expiresAt).toBe(NOW + 360 * DAY)
    const long = entry({ createdAt: NOW - 2000 * DAY, expiresAt: NOW })
    expect(onceMore(long, NOW).expiresAt).toBe(NOW + 5 * 365 * DAY)
  })

  test('reactivated anew, what was noted of the chance before is forgotten', () => {
    const noted = late({ reactivated: given, accepted: { message: 'm9', at: NOW } })
    expect(reactivate(noted, { ...given, at: NOW }).accepted).toBeUndefined()
    expect(isOnTrial(reactivate(inForce, given), NOW)).toBe(true)
    expect(isOnTrial(inForce, NOW)).toBe(false)
  })
})

describe('on trial', () => {
  const strike = { count: 1, first: NOW, last: NOW, messages: ['m9'] }
  test('one soft failure is enough for what three of them suppressed', () => {
    const soft = entry({ reason: 'soft_bounce_limit', reactivated: given })
    expect(onTrial({ strike }, soft, NOW).suppress).toEqual({ reason: 'soft_bounce_limit' })
    expect(onTrial({}, soft, NOW)).toEqual({})
  })
  test.each([undefined, inForce, halfOpen, entry({ reason: 'soft_bounce_limit' })])(
    'but not otherwise (%#)',
    (there) => {
      expect(onTrial({ strike }, there, NOW)).toEqual({ strike })
    },
  )
})

describe('what a person asked for', () => {
  const others = REASONS.filter((reason) => reason !== 'complaint' && reason !== 'unsubscribe')
  const beats = (reason: 'complaint' | 'unsubscribe', there: Partial<Suppression> | undefined): boolean =>
    outranks(reason, there === undefined ? undefined : entry(there), NOW)

  test.each<Reason>(others)('takes the place of %s', (reason) => {
    expect(beats('complaint', { reason })).toBe(true)
    expect(beats('unsubscribe', { reason })).toBe(true)
  })
  test('a complaint is the stronger of the two, and the first of its kind stays', () => {
    expect(beats('complaint', { reason: 'unsubscribe' })).toBe(true)
    expect(beats('unsubscribe', { reason: 'complaint' })).toBe(false)
    expect(beats('complaint', { reason: 'complaint' })).toBe(false)
    expect(beats('unsubscribe', { reason: 'unsubscribe' })).toBe(false)
  })
  test('what ends by itself does not stand in the way', () => {
    expect(beats('complaint', { reason: 'complaint', expiresAt: NOW + DAY })).toBe(true)
    expect(beats('unsubscribe', { reason: 'complaint', expiresAt: NOW + DAY })).toBe(false)
    expect(beats('unsubscribe', { reason: 'complaint', expiresAt: NOW })).toBe(true)
    expect(beats('unsubscribe', undefined)).toBe(true)
  })
})
