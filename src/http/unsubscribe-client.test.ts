import { describe, expect, test } from 'vitest'
import { MINUTE, systemClock } from '../util/clock.ts'
import { clientAddress, RequestCount } from './unsubscribe-client.ts'

describe('whose request it is', () => {
  test.each([
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['::1', '203.0.113.9', '203.0.113.9'],
    ['::ffff:127.0.0.1', '2001:db8::9', '2001:db8::9'],
    ['172.18.0.5', '203.0.113.9', '203.0.113.9'],
    ['127.0.0.1', 'forged, 198.51.100.1 , 203.0.113.9 ', '203.0.113.9'],
    ['127.0.0.1', '203.0.113.9, unknown', '127.0.0.1'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['2001:db8::1', '203.0.113.9', '2001:db8::1'],
  ])('%s says %s: %s', (peer, forwardedFor, expected) => {
    expect(clientAddress(peer, forwardedFor)).toBe(expected)
  })
})

describe('how often', () => {
  test('all of a /64 are one client, and addresses are not remembered without end', () => {
    const count = new RequestCount(systemClock, { count: 2, per: MINUTE })
    expect(['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map((at) => count.isTooMany(at))).toEqual([
      false,
      false,
      true,
      false,
    ])
    for (let n = 0; n < 10_000; n++) count.isTooMany(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)
    expect(count.isTooMany('2001:db8::1')).toBe(false)
  })
})
