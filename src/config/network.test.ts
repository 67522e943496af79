import { describe, expect, test } from 'vitest'
import { isLoopback, isLoopbackNetwork, isPrivate, isPublicAtLarge, overlaps } from './network.ts'
import { type Cidr, parseCidr } from './units.ts'

const network = (text: string): Cidr => parseCidr(text)!

describe('isPublicAtLarge', () => {
  test.each([
    '0.0.0.0/0',
    '::/0',
    '0.0.0.0/1',
    '128.0.0.0/1',
    '10.0.0.0/7',
    '64.0.0.0/2',
    '2000::/3',
    '2001::/16',
    '2a00::/12',
    '::/1',
    '8000::/1',
    '::ffff:0:0/96',
    '::ffff:0.0.0.0/96',
    '::ffff:10.0.0.0/100',
    '::/64',
    '::/80',
    '64:ff9b::/96',
    '64:ff9b::/97',
    '64:ff9b:0:0:0:0:8000:0/97',
    '2002::/16',
    '2001::/32',
    'fc00::/6',
  ])('%s is everybody', (text) => expect(isPublicAtLarge(network(text))).toBe(true))

  test.each([
    '127.0.0.0/8',
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '203.0.113.0/24',
    '198.51.100.7',
    '::1',
    'fc00::/7',
    'fd00::/8',
    'fe80::/10',
    '2001:db8::/32',
    '2001::/64',
    '2002:cb00:7100::/40',
    '64:ff9b::cb00:7100/120',
    '2a00::/32',
    '2001:db8:1::/48',
    '::ffff:10.0.0.0/104',
    '::ffff:a00:0/104',
  ])('%s is somebody', (text) => expect(isPublicAtLarge(network(text))).toBe(false))
})

test.each([
  ['127.0.0.0/8', true],
  ['127.0.0.1', true],
  ['::1', true],
  ['::ffff:127.0.0.0/104', true],
  ['::ffff:7f00:1', true],
  ['127.0.0.0/7', false],
  ['10.0.0.0/8', false],
  ['::/0', false],
])('%s within loopback: %s', (text, expected) => expect(isLoopbackNetwork(network(text))).toBe(expected))

test.each(['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1'])('%s is loopback', (text) =>
  expect(isLoopback(text)).toBe(true),
)
test.each(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '::2', 'localhost', ''])('%s is not loopback', (text) =>
  expect(isLoopback(text)).toBe(false),
)
test.each([
  '10.1.2.3',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  'fd00::1',
  'fe80::1',
  '::ffff:10.0.0.1',
])('%s is private', (text) => expect(isPrivate(text)).toBe(true))
test.each(['192.0.2.1', '8.8.8.8', '172.32.0.1', '2001:db8::1', '100.128.0.1'])('%s is not private', (text) =>
  expect(isPrivate(text)).toBe(false),
)

test.each([
  ['127.0.0.1', '127.0.0.1', true],
  ['0.0.0.0', '127.0.0.1', true],
  ['127.0.0.1', '::', true],
  ['::', '0.0.0.0', true],
  ['::', '::1', true],
  ['127.0.0.1', '127.0.0.2', false],
  ['0.0.0.0', '::1', false],
  ['::1', '127.0.0.1', false],
])('%s and %s collide: %s', (one, other, expected) => expect(overlaps(one, other)).toBe(expected))
