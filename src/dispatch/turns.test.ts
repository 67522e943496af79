import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { memoryStore } from '../../test/support/memory-store.ts'
import type { Domain } from '../mail/address.ts'
import type { Limit } from '../throttle/limit.ts'
import { QuotaBook } from '../throttle/quota-book.ts'
import { Throttle } from '../throttle/throttle.ts'
import type { Lane } from './lanes.ts'
import { type Claimant, SiteLine, type Turn } from './turns.ts'

const lane = (tenant: string, domain = 'a.test'): Lane => ({
  tenant,
  domain: domain as Domain,
  nextDue: 0,
  place: 'ready',
  entry: 0,
  woken: 1,
})
const [bulk, shop, news, more] = ['bulk', 'shop', 'news', 'more'].map((tenant) => ({ tenant })) as [
  Claimant,
  Claimant,
  Claimant,
  Claimant,
]
const lineOf = (slots: number): SiteLine =>
  new SiteLine({ kind: 'site', site: 's', line: 's', slots, validMs: 1 }, () => undefined)
const tenantOf = (turn: Turn | undefined): string | undefined => (turn?.kind === 'lane' ? turn.lane.tenant : undefined)

test('tenants take turns, however many lanes each has', () => {
  const line = lineOf(10)
  for (let n = 0; n < 5; n++) line.addLane(lane('bulk', `${n}.test`))
  line.addLane(lane('shop'))
  expect([line.next(), line.next(), line.next()].map(tenantOf)).toEqual(['bulk', 'shop', 'bulk'])
})

test('a tenant that fills its share leaves room for the next', () => {
  const line = lineOf(4)
  line.addLane(lane('bulk'))
  line.begin(bulk, line.freeFor(bulk))
  expect(line.free).toBeGreaterThan(0)
  expect(line.next()).toBeUndefined()
  line.addLane(lane('shop'))
  expect(tenantOf(line.next())).toBe('shop')
  line.ended(bulk, 1)
  expect(tenantOf(line.next())).toBe('bulk')
})

test('one slot is enough for one tenant at a time', () => {
  const line = lineOf(1)
  line.addLane(lane('bulk'))
  expect(line.freeFor(bulk)).toBe(1)
  line.begin(bulk, 1)
  expect(line.isIdle).toBe(false)
  line.ended(bulk, 1)
  line.next()
  expect(line.isIdle).toBe(true)
})

test('tenants of two pools: those who fill theirs leave all of the other', () => {
  const shareOf = (tenant: string) => (tenant === 'shop' ? { pool: 'quick', slots: 2 } : { pool: 'slow', slots: 4 })
  const line = new SiteLine({ kind: 'site', site: 's', line: 's', slots: 6, shareOf, validMs: 1 }, () => undefined)
  // 4 slots and 2 in reserve: three quarters for one tenant, the rest for the others of the pool.
  line.begin(bulk, line.freeFor(bulk))
  expect([line.inFlight, line.freeFor(bulk), line.freeFor(news)]).toEqual([4, 0, 2])
  line.begin(news, line.freeFor(news))
  expect([line.freeFor(bulk), line.freeFor(news), line.freeFor(more)]).toEqual([0, 0, 0])
  expect(line.freeFor(shop)).toBe(2)
  line.addLane(lane('bulk'))
  line.addLane(lane('shop'))
  expect(tenantOf(line.next())).toBe('shop')
  line.begin(shop, 2)
  expect([line.next(), line.freeFor(shop)]).toEqual([undefined, 0])
  line.ended(news, 2)
  expect([line.freeFor(bulk), line.freeFor(news), line.freeFor(shop)]).toEqual([0, 2, 0])
  line.ended(bulk, 4)
  line.ended(shop, 2)
  expect([line.inFlight, line.freeFor(bulk), line.freeFor(shop)]).toEqual([0, 4, 2])
})

test('a pool that a reload changes under way is counted back where it was counted', () => {
  let pool = 'old'
  const shareOf = () => ({ pool, slots: 2 })
  const line = new SiteLine({ kind: 'site', site: 's', line: 's', slots: 2, shareOf, validMs: 1 }, () => undefined)
  line.begin(bulk, 2)
  pool = 'new'
  line.ended(bulk, 2)
  pool = 'old'
  expect([line.freeFor(bulk), line.inFlight]).toEqual([2, 0])
})

describe('mail of a tenant that names a pool', () => {
  const shareOf = (_: string, pool = 'own') => ({ pool, slots: pool === 'own' ? 4 : 2 })
  const named = { tenant: 'bulk', pool: 'other' }
  const placed = (): SiteLine =>
    new SiteLine({ kind: 'site', site: 's', line: 's', slots: 6, shareOf, validMs: 1 }, () => undefined)
  const limit = {} as Limit
  const next = (line: SiteLine): string[] => {
    const turn = line.next()
    return turn?.kind === 'lane' ? [turn.lane.tenant, turn.lane.pool ?? '-', turn.lane.domain] : []
  }

  test('a tenant has one turn in a round, however many pools it names', () => {
    const line = placed()
    for (const pool of [undefined, 'other', 'third', 'fourth'])
      for (const domain of ['1.test', '2.test']) line.addLane({ ...lane('bulk', domain), ...(pool && { pool }) })
    for (const domain of ['1.test', '2.test']) line.addLane(lane('shop', domain))
    expect([1, 2, 3, 4, 5, 6].map(() => next(line).join(' '))).toEqual([
      'bulk - 1.test',
      'shop - 1.test',
      'bulk other 1.test',
      'shop - 2.test',
      'bulk third 1.test',
      'bulk fourth 1.test',
    ])
  })

  test('what one pool waits for keeps no other back, and wakes only its own', () => {
    const line = placed()
    const blocked = lane('bulk')
    line.addLane(blocked)
    const waiter = line.block(bulk, limit)
    line.addLane({ ...lane('bulk'), ...named })
    expect([line.blockedOn(bulk), line.blockedOn(named), [...line.blockedLanes()]]).toEqual([
      limit,
      undefined,
      [blocked],
    ])
    expect([next(line), next(line)]).toEqual([['bulk', 'other', 'a.test'], []])
    line.block(named, limit)
    // Where it waits it stands once, however often it is told to.
    expect(line.block(bulk, limit)).toBe(waiter)
    waiter.wake('bulk', 0)
    expect([line.blockedOn(bulk), line.blockedOn(named), next(line)]).toEqual([
      undefined,
      limit,
      ['bulk', '-', 'a.test'],
    ])
  })

  test('what a limit gave to one pool is not taken by another', () => {
    const grants: (number | undefined)[] = []
    const line: SiteLine = new SiteLine({ kind: 'site', site: 's', line: 's', slots: 6, shareOf, validMs: 1 }, () => {
      grants.push(line.takeGrant(bulk), line.takeGrant(named), line.takeGrant(named))
    })
    line.block(named, limit).wake('bulk', 3)
    expect([grants, line.takeGrant(named)]).toEqual([[undefined, 3, undefined], undefined])
  })

  test('counts to the pool that it leaves from, and to one tenant', () => {
    const line = placed()
    // 4 slots and 2 in reserve, 2 and 1: three quarters for one tenant.
    expect([line.freeFor(bulk), line.freeFor(named)]).toEqual([4, 2])
    line.begin(named, 2)
    expect([line.freeFor(bulk), line.freeFor(named), line.freeFor({ tenant: 'shop', pool: 'other' })]).toEqual([
      4, 0, 1,
    ])
    // By name or not, it is the same pool and the same tenant.
    line.begin({ tenant: 'bulk', pool: 'own' }, 3)
    expect([line.freeFor(bulk), line.freeFor({ tenant: 'bulk', pool: 'own' })]).toEqual([1, 1])
    line.ended(named, 2)
    line.ended({ tenant: 'bulk', pool: 'own' }, 3)
    expect([line.freeFor(bulk), line.freeFor(named), line.inFlight]).toEqual([4, 2, 0])
  })

  test('permits of a limit that all share go to tenants, an equal share to each', async () => {
    const clock = new FakeClock()
    const quotas = new QuotaBook({
      store: memoryStore(),
      clock,
      onLease: () => undefined,
      onError: () => undefined,
    })
    const throttle = new Throttle({ clock, quotas })
    const rate = throttle.rate({ name: 'provider big', rate: { count: 50, per: 1000 } })
    const taken = { bulk: 0, shop: 0 }
    const all = [bulk, named, { tenant: 'bulk', pool: 'third' }, { tenant: 'bulk', pool: 'fourth' }, shop]
    const line: SiteLine = new SiteLine({ kind: 'site', site: 's', line: 's', slots: 6, validMs: 1 }, () => {
      for (const claimant of all) {
        const granted = line.takeGrant(claimant)
        if (granted === undefined) continue
        for (let n = 0; n < granted; n++)
          if (!('waitMs' in throttle.take([rate]))) taken[claimant.tenant as 'bulk' | 'shop']++
        throttle.wait(rate, claimant.tenant, line.block(claimant, rate))
      }
    })
    for (const claimant of all) throttle.wait(rate, claimant.tenant, line.block(claimant, rate))
    await clock.advance(20_000)
    throttle.close()
    expect(taken.bulk + taken.shop).toBeGreaterThan(900)
    expect(Math.abs(taken.bulk - taken.shop)).toBeLessThan(20)
  })
})

test('who went elsewhere is not found here when somebody comes again', () => {
  const line = lineOf(10)
  line.addLane(lane('bulk'))
  line.next()
  line.addLane(lane('bulk', 'b.test'))
  expect(line.leave()).toHaveLength(1)
  expect([line.isIdle, line.next()]).toEqual([true, undefined])
  line.addLane(lane('bulk', 'c.test'))
  expect([line.next(), line.next()]).toMatchObject([{ lane: { domain: 'c.test' } }, undefined])
})
