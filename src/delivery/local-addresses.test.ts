import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { MINUTE, SECOND } from '../util/clock.ts'
import { type AddressChange, LocalAddresses } from './local-addresses.ts'

function start(missing: Set<string>) {
  const clock = new FakeClock()
  const looks: string[] = []
  const changes: AddressChange[] = []
  const addresses = new LocalAddresses({
    clock,
    isUsable: async (address) => {
      looks.push(address)
      return !missing.has(address)
    },
  })
  addresses.onChange((change) => changes.push(change))
  return { clock, looks, changes, addresses }
}

test('what is there is looked at once, and no timer runs', async () => {
  const { clock, looks, changes, addresses } = start(new Set())
  await addresses.watch(['192.0.2.1', '2001:db8::1', '192.0.2.1'])
  await clock.advance(10 * MINUTE)
  expect([looks, changes, clock.pending]).toEqual([['192.0.2.1', '2001:db8::1'], [], 0])
})

test('what is missing is looked at once a minute by one timer, and found again', async () => {
  const missing = new Set(['192.0.2.1', '192.0.2.2'])
  const { clock, looks, changes, addresses } = start(missing)
  await addresses.watch(['192.0.2.1', '192.0.2.2', '192.0.2.3'])
  expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((each) => addresses.isThere(each))).toEqual([false, false, true])
  await clock.advance(3 * MINUTE + SECOND)
  expect([looks.length, clock.pending]).toEqual([3 + 3 * 2, 1])
  missing.clear()
  await clock.advance(MINUTE)
  expect(changes.map(({ address, isThere }) => `${address} ${isThere}`)).toEqual([
    '192.0.2.1 false',
    '192.0.2.2 false',
    '192.0.2.1 true',
    '192.0.2.2 true',
  ])
  expect(clock.pending).toBe(0)
})

test('a doubt is looked into at once; many at the same time are one look', async () => {
  const missing = new Set<string>()
  const { looks, addresses } = start(missing)
  await addresses.watch(['192.0.2.1'])
  missing.add('192.0.2.1')
  await Promise.all(Array.from({ length: 100 }, () => addresses.look('192.0.2.1')))
  expect([looks.length, addresses.isThere('192.0.2.1')]).toEqual([2, false])
  await addresses.look('203.0.113.1')
  expect(looks.length).toBe(2)
})

test('what nobody configures any more is forgotten', async () => {
  const { clock, addresses } = start(new Set(['192.0.2.1']))
  await addresses.watch(['192.0.2.1'])
  await addresses.watch([])
  await clock.advance(2 * MINUTE)
  expect([addresses.isThere('192.0.2.1'), clock.pending]).toEqual([true, 0])
})

test('by binding: loopback that stands on no interface, and what this machine does not have', async () => {
  const addresses = new LocalAddresses({ clock: new FakeClock() })
  await addresses.watch(['127.0.0.77', '::1', '198.51.100.99', '2001:db8::99'])
  expect(['127.0.0.77', '::1', '198.51.100.99', '2001:db8::99'].map((each) => addresses.isThere(each))).toEqual([
    true,
    true,
    false,
    false,
  ])
  addresses.close()
})
