import { expect, test } from 'vitest'
import type { Domain } from '../mail/address.ts'
import type { Lane } from './lanes.ts'
import { SiteLine, type Turn } from './turns.ts'

const lane = (tenant: string, domain = 'a.test'): Lane => ({
  tenant,
  domain: domain as Domain,
  nextDue: 0,
  place: 'ready',
  entry: 0,
})
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
  line.begin('bulk', line.freeFor('bulk'))
  expect(line.free).toBeGreaterThan(0)
  expect(line.next()).toBeUndefined()
  line.addLane(lane('shop'))
  expect(tenantOf(line.next())).toBe('shop')
  line.ended('bulk', 1)
  expect(tenantOf(line.next())).toBe('bulk')
})

test('one slot is enough for one tenant at a time', () => {
  const line = lineOf(1)
  line.addLane(lane('bulk'))
  expect(line.freeFor('bulk')).toBe(1)
  line.begin('bulk', 1)
  expect(line.isIdle).toBe(false)
  line.ended('bulk', 1)
  line.next()
  expect(line.isIdle).toBe(true)
})

test('tenants of two pools: those who fill theirs leave all of the other', () => {
  const shareOf = (tenant: string) => (tenant === 'shop' ? { pool: 'quick', slots: 2 } : { pool: 'slow', slots: 4 })
  const line = new SiteLine({ kind: 'site', site: 's', line: 's', slots: 6, shareOf, validMs: 1 }, () => undefined)
  // 4 slots and 2 in reserve: three quarters for one tenant, the rest for the others of the pool.
  line.begin('bulk', line.freeFor('bulk'))
  expect([line.inFlight, line.freeFor('bulk'), line.freeFor('news')]).toEqual([4, 0, 2])
  line.begin('news', line.freeFor('news'))
  expect([line.freeFor('bulk'), line.freeFor('news'), line.freeFor('more')]).toEqual([0, 0, 0])
  expect(line.freeFor('shop')).toBe(2)
  line.addLane(lane('bulk'))
  line.addLane(lane('shop'))
  expect(tenantOf(line.next())).toBe('shop')
  line.begin('shop', 2)
  expect([line.next(), line.freeFor('shop')]).toEqual([undefined, 0])
  line.ended('news', 2)
  expect([line.freeFor('bulk'), line.freeFor('news'), line.freeFor('shop')]).toEqual([0, 2, 0])
  line.ended('bulk', 4)
  line.ended('shop', 2)
  expect([line.inFlight, line.freeFor('bulk'), line.freeFor('shop')]).toEqual([0, 4, 2])
})

test('a pool that a reload changes under way is counted back where it was counted', () => {
  let pool = 'old'
  const shareOf = () => ({ pool, slots: 2 })
  const line = new SiteLine({ kind: 'site', site: 's', line: 's', slots: 2, shareOf, validMs: 1 }, () => undefined)
  line.begin('bulk', 2)
  pool = 'new'
  line.ended('bulk', 2)
  pool = 'old'
  expect([line.freeFor('bulk'), line.inFlight]).toEqual([2, 0])
})
