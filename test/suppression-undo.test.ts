// Rollback on the real store: what fits goes, in bounded pieces, and nothing else.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Suppression } from '../src/suppression/suppression.ts'
import { type UndoFilter, type UndoReport, undoSuppressions } from '../src/suppression/undo.ts'
import { DAY, HOUR } from '../src/util/clock.ts'
import { Learning } from './support/learning.ts'

let learning: Learning
beforeEach(() => {
  learning = new Learning()
})
afterEach(() => learning.close())

function entry(
  target: string,
  more: Partial<Suppression> = {},
  evidence: Partial<Suppression['evidence']> = {},
): Suppression {
  return {
    scope: 'a',
    target,
    reason: 'hard_bounce',
    createdAt: learning.clock.now(),
    who: 'studs',
    evidence: {
      rule: 'wrong-rule@3',
      category: 'bad-mailbox',
      code: 10,
      message: 'm1',
      site: 'mx.example.net',
      ...evidence,
    },
    ...more,
  }
}
const put = (...entries: readonly Suppression[]): Promise<void> =>
  learning.store.write(entries.flatMap((each) => learning.list.put(each)))
const left = (): string[] => [...learning.list.scan({})].map(({ scope, target }) => `${scope} ${target}`)
const undo = (filter: UndoFilter, isReal = true): Promise<UndoReport> =>
  undoSuppressions({ list: learning.list, who: 'cli:ops', why: 'rule 3 was wrong', isReal, ...filter })
const removals = () => learning.journal.since(undefined, { limit: 100, kinds: ['suppression-removed'] })

test('looks first: says how many by rule and site, shows twenty, changes nothing', async () => {
  await put(
    ...Array.from({ length: 30 }, (_, n) => entry(`u${String(n).padStart(2, '0')}@example.net`)),
    entry('x@other.example', {}, { site: 'mx.other.example', rule: 'wrong-rule@2' }),
  )
  const report = await undo({ rule: 'wrong-rule' }, false)
  expect(report).toMatchObject({
    count: 31,
    rules: [
      { name: 'wrong-rule@3', count: 30 },
      { name: 'wrong-rule@2', count: 1 },
    ],
    sites: [
      { name: 'mx.example.net', count: 30 },
      { name: 'mx.other.example', count: 1 },
    ],
    scopes: [{ name: 'a', count: 31 }],
  })
  expect(report.first).toHaveLength(20)
  expect(left()).toHaveLength(31)
  expect(removals()).toEqual([])
})

describe('takes back what fits', () => {
  beforeEach(async () => {
    await put(
      entry('old@example.net', { createdAt: learning.clock.now() - 2 * DAY }),
      entry('new@example.net'),
      entry('pending@example.net', { pendingUntil: learning.clock.now() + DAY }),
      entry('chance@example.net', { reactivated: { at: 1, who: 'cli:ops', why: 'x' } }),
      entry('full@example.net', { reason: 'soft_bounce_limit' }, { rule: 'full@1', category: 'quota-issues' }),
      entry('far@other.example', {}, { site: 'mx.other.example' }),
      entry('shared@example.net', { scope: '*' }),
      entry('b@example.net', { scope: 'b' }),
      entry('complained@example.net', { reason: 'complaint' }),
      entry('gone@example.net', { reason: 'unsubscribe' }),
      entry('hand@example.net', { reason: 'manual', who: 'cli:ops' }),
      entry('list@example.net', { who: 'import:list.csv' }),
      entry('app@example.net', { who: 'api:app' }),
    )
  })
  const never = [
    'a app@example.net',
    'a complained@example.net',
    'a gone@example.net',
    'a hand@example.net',
    'a list@example.net',
  ]

  test.each<[string, (now: number) => UndoFilter, string[]]>([
    ['everything learned', () => ({ since: 0 }), []],
    ['a rule', () => ({ rule: 'wrong-rule@3' }), ['a full@example.net']],
    ['another version of it', () => ({ rule: 'wrong-rule@2' }), ['*']],
    ['a site', () => ({ site: 'MX.example.net' }), ['a far@other.example']],
    ['a category', () => ({ category: 'quota-issues' }), ['all but full']],
    ['since', (now) => ({ since: now - HOUR }), ['a old@example.net']],
    ['until', (now) => ({ since: 0, until: now }), ['all but old']],
    ['one tenant', () => ({ rule: 'wrong-rule', scope: 'b' }), ['all but b']],
    ['everybody', () => ({ rule: 'wrong-rule', scope: '*' }), ['all but shared']],
  ])('%s', async (_what, filterAt, expected) => {
    const before = left()
    const { count } = await undo(filterAt(learning.clock.now()))
    const [first = ''] = expected
    const kept =
      first === '*'
        ? before
        : first.startsWith('all but ')
          ? before.filter((each) => !each.includes(` ${first.slice(8)}@`))
          : [...never, ...expected]
    expect(left().sort()).toEqual([...kept].sort())
    expect(count).toBe(before.length - kept.length)
  })

  test('and the strikes of those addresses; others keep theirs', async () => {
    const strikes = { count: 1, first: 1, last: 1, messages: ['m1'] }
    await learning.store.write([
      ...learning.strikes.put('a', 'new@example.net', strikes),
      ...learning.strikes.put('a', 'hand@example.net', strikes),
    ])
    await undo({ rule: 'wrong-rule' })
    expect(learning.strikes.read('a', 'new@example.net')).toBeUndefined()
    expect(learning.strikes.read('a', 'hand@example.net')).toEqual(strikes)
  })

  test('by the name of a host, of its domain and of the provider', async () => {
    await put(entry('host@far.example', {}, { site: 'mx.far.example', mx: 'mx7.far.example' }))
    const count = async (site: string): Promise<number> => {
      const providerOf = (mx: string) => (mx === 'mx7.far.example' ? 'faraway' : undefined)
      const given = { list: learning.list, who: 'x', why: 'x', isReal: false, site, providerOf }
      return (await undoSuppressions(given)).count
    }
    expect(await count('MX7.far.example')).toBe(1)
    expect(await count('far.example')).toBe(1)
    expect(await count('faraway')).toBe(1)
    expect(await count('ar.example')).toBe(0)
  })

  test('with a record for each address, by which it is found again', async () => {
    await undo({ rule: 'wrong-rule' })
    expect(removals().map(({ tenant, recipient }) => `${tenant} ${recipient}`)).toEqual([
      '* shared@example.net',
      'a chance@example.net',
      'a far@other.example',
      'a new@example.net',
      'a old@example.net',
      'a pending@example.net',
      'b b@example.net',
    ])
    expect(learning.journal.changesOf('shared@example.net', 10)).toMatchObject([
      { kind: 'suppression-removed', who: 'cli:ops', why: 'taken back: rule 3 was wrong', scope: '*' },
    ])
    expect(learning.journal.changesOf('hand@example.net', 10)).toEqual([])
  })
})

test('many go, each with its record', async () => {
  for (let at = 0; at < 3; at++)
    await put(...Array.from({ length: 1000 }, (_, n) => entry(`u${at * 1000 + n}@example.net`)))
  expect(await undo({ rule: 'wrong-rule' })).toMatchObject({ count: 3000 })
  expect(left()).toEqual([])
  expect(learning.journal.since(undefined, { limit: 5000, kinds: ['suppression-removed'] })).toHaveLength(3000)
})
