import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { MINUTE } from '../util/clock.ts'
import { candidates, DeadHosts } from './candidates.ts'
import { type Destination, endpoint, type Host } from './destination.ts'

const destination = (...hosts: readonly Host[]): Destination => ({
  site: 's',
  hosts,
  port: 25,
  implicitTls: false,
  tls: 'none',
  verify: false,
  connections: 1,
})
const host = (name: string, preference: number, ...addresses: readonly string[]): Host => ({
  name,
  preference,
  addresses,
})
const clock = new FakeClock()
const usual = { source: { name: 'one', ehlo: 'h' }, dead: new DeadHosts(clock), ipv6: true, random: () => 0.5 }
const order = (options: Partial<Parameters<typeof candidates>[0]> & { destination: Destination }) =>
  candidates({ ...usual, ...options }).map(({ address }) => address)

test('preference first, IPv6 before IPv4 on each host', () => {
  const two = destination(host('b', 20, '2001:db8::b', '192.0.2.2'), host('a', 10, '192.0.2.1', '2001:db8::a'))
  expect(order({ destination: two })).toEqual(['2001:db8::a', '192.0.2.1', '2001:db8::b', '192.0.2.2'])
})

test('equal preferences are tried in random order', () => {
  const two = destination(host('a', 10, '192.0.2.1'), host('b', 10, '192.0.2.2'))
  const firsts = Array.from({ length: 200 }, () => order({ destination: two, random: Math.random })[0])
  expect(new Set(firsts)).toEqual(new Set(['192.0.2.1', '192.0.2.2']))
})

test('five addresses at most, and never only IPv6 ones where there are others', () => {
  const six = Array.from({ length: 8 }, (_, n) => `2001:db8::${n + 1}`)
  const tried = order({ destination: destination(host('a', 10, ...six, '192.0.2.1')) })
  expect(tried).toHaveLength(5)
  expect(tried[1]).toBe('192.0.2.1')
})

test('only families that the source and the settings allow', () => {
  const both = destination(host('a', 10, '2001:db8::a', '192.0.2.1'))
  expect(order({ destination: both, source: { name: 'v4', ehlo: 'h', ipv4: '198.51.100.1' } })).toEqual(['192.0.2.1'])
  expect(order({ destination: both, source: { name: 'v6', ehlo: 'h', ipv6: '2001:db8::1' } })).toEqual(['2001:db8::a'])
  expect(order({ destination: both, ipv6: false })).toEqual(['192.0.2.1'])
  const [only] = candidates({ ...usual, destination: both, source: { name: 'v4', ehlo: 'h', ipv4: '198.51.100.1' } })
  expect(only).toMatchObject({ host: 'a', address: '192.0.2.1', localAddress: '198.51.100.1' })
})

test('addresses that did not answer come last: 2 min when unreachable, 15 min when silent; by source', async () => {
  const dead = new DeadHosts(clock)
  const two = destination(host('a', 10, '192.0.2.1'), host('b', 20, '192.0.2.2'), host('c', 30, '192.0.2.3'))
  dead.note('one', endpoint('192.0.2.1', two), { kind: 'connect', detail: 'refused' })
  dead.note('one', endpoint('192.0.2.2', two), { kind: 'timeout', detail: 'silent' })
  dead.note('one', endpoint('192.0.2.3', two), { kind: 'tls', detail: 'broken' })
  expect(order({ destination: two, dead })).toEqual(['192.0.2.3', '192.0.2.1', '192.0.2.2'])
  expect(order({ destination: two, dead, source: { name: 'two', ehlo: 'h' } })[0]).toBe('192.0.2.1')
  await clock.advance(2 * MINUTE)
  expect(order({ destination: two, dead })).toEqual(['192.0.2.1', '192.0.2.3', '192.0.2.2'])
  await clock.advance(13 * MINUTE)
  expect(order({ destination: two, dead })).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3'])
})
