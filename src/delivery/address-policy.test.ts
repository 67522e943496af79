import { describe, expect, test } from 'vitest'
import { createAddressPolicy, prohibition } from './address-policy.ts'

const PROHIBITED: readonly (readonly [address: string, reason: string])[] = [
  ['0.0.0.0', 'this network'],
  ['0.255.255.255', 'this network'],
  ['10.0.0.1', 'private'],
  ['10.255.255.255', 'private'],
  ['100.64.0.1', 'shared by a carrier'],
  ['100.127.255.255', 'shared by a carrier'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.8', 'protocol assignments'],
  ['192.0.2.1', 'documentation'],
  ['192.88.99.1', 'protocol assignments'],
  ['192.168.1.1', 'private'],
  ['198.18.0.1', 'benchmarking'],
  ['198.19.255.255', 'benchmarking'],
  ['198.51.100.7', 'documentation'],
  ['203.0.113.9', 'documentation'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'reserved'],
  ['::', 'this network'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['::7f00:1', 'reserved'],
  ['::ffff:127.0.0.1', 'IPv4-mapped'],
  ['::ffff:7f00:1', 'IPv4-mapped'],
  ['::ffff:8.8.8.8', 'IPv4-mapped'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['64:ff9b::10.1.2.3', 'private'],
  ['64:ff9b:1::1', 'reserved'],
  ['100::1', 'reserved'],
  ['2001::1', 'protocol assignments'],
  ['2001:2::1', 'protocol assignments'],
  ['2001:db8::1', 'documentation'],
  ['3fff::1', 'documentation'],
  ['2002:7f00:1::1', 'loopback'],
  ['2002:c0a8:101::1', 'private'],
  ['5f00::1', 'protocol assignments'],
  ['4000::1', 'reserved'],
  ['fc00::1', 'private'],
  ['fd12:3456::1', 'private'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['fec0::1', 'private'],
  ['ff02::1', 'multicast'],
  ['2130706433', 'not an address'],
  ['0x7f.1', 'not an address'],
  ['', 'not an address'],
]

const PUBLIC = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.1',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2606:4700::1111',
  '2a00:1450:4010:c0e::1b',
  '64:ff9b::8.8.8.8',
  '64:ff9b::808:808',
  '2002:808:808::1',
]

test.each(PROHIBITED)('%s is refused: %s', (address, reason) => {
  expect(prohibition(address)).toBe(reason)
})

test.each(PUBLIC)('%s is public', (address) => {
  expect(prohibition(address)).toBeUndefined()
})

describe('own addresses', () => {
  const policy = createAddressPolicy({
    interfaces: ['127.0.0.1', '::1', '5.9.0.1', '2a01:4f8::0:1'],
    listening: [
      { address: '0.0.0.0', port: 25 },
      { address: '127.0.0.1', port: 2587 },
    ],
  })
  const port25 = { port: 25, allowPrivate: false }

  test('a public address of this machine is a loop on a port where Studs listens', () => {
    expect(policy.judge('5.9.0.1', port25)).toEqual({ kind: 'loop' })
    expect(policy.judge('2a01:4f8:0:0::1', port25)).toEqual({ kind: 'loop' })
  })

  test('and is not mailed on other ports either, unless that is allowed', () => {
    expect(policy.judge('5.9.0.1', { port: 2525, allowPrivate: false })).toEqual({
      kind: 'prohibited',
      reason: 'our own',
    })
    expect(policy.judge('5.9.0.1', { port: 2525, allowPrivate: true })).toEqual({ kind: 'allowed' })
  })

  test('allow_private opens loopback, but never the way back to our own listener', () => {
    expect(policy.judge('127.0.0.1', { port: 2526, allowPrivate: true })).toEqual({ kind: 'allowed' })
    expect(policy.judge('127.0.0.1', { port: 2587, allowPrivate: true })).toEqual({ kind: 'loop' })
    expect(policy.judge('::ffff:127.0.0.1', { port: 2587, allowPrivate: true })).toEqual({ kind: 'loop' })
    expect(policy.judge('127.9.9.9', { port: 25, allowPrivate: true })).toEqual({ kind: 'loop' })
  })

  test('a record for loopback is prohibited, not a loop: its owner means any machine', () => {
    expect(policy.judge('127.0.0.1', port25)).toEqual({ kind: 'prohibited', reason: 'loopback' })
    expect(policy.judge('::1', port25)).toEqual({ kind: 'prohibited', reason: 'loopback' })
  })

  test('other addresses are judged by the table', () => {
    expect(policy.judge('8.8.8.8', port25)).toEqual({ kind: 'allowed' })
    expect(policy.judge('10.0.0.1', port25)).toEqual({ kind: 'prohibited', reason: 'private' })
    expect(policy.judge('10.0.0.1', { port: 25, allowPrivate: true })).toEqual({ kind: 'allowed' })
  })

  test('an exception opens its own network and no other', () => {
    const sandboxed = createAddressPolicy({
      interfaces: ['127.0.0.1'],
      listening: [{ address: '127.0.0.1', port: 2525 }],
      allowed: ['127.0.0.0/8'],
    })
    expect(sandboxed.judge('127.0.0.7', { port: 2526, allowPrivate: false })).toEqual({ kind: 'allowed' })
    expect(sandboxed.judge('127.0.0.1', { port: 2525, allowPrivate: false })).toEqual({ kind: 'loop' })
    expect(sandboxed.judge('10.0.0.1', { port: 2526, allowPrivate: false })).toEqual({
      kind: 'prohibited',
      reason: 'private',
    })
    expect(sandboxed.judge('192.0.2.25', { port: 2526, allowPrivate: false })).toEqual({
      kind: 'prohibited',
      reason: 'documentation',
    })
  })
})
