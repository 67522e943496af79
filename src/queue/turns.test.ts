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
