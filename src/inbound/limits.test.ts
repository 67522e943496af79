import { expect, test } from 'vitest'
import { OpenConnections } from './limits.ts'

const limits = { maxConnections: 5, maxConnectionsPerIp: 2 }

test('an IPv6 network counts as one client, an IPv4 client as one in both its forms', () => {
  const open = new OpenConnections()
  const closing = [open.open('2001:db8::1'), open.open('2001:db8::2'), open.open('2001:db8::3')]
  expect(open.exceeded('2001:db8::4', limits)).toBe('address')
  expect(open.exceeded('2001:db8:0:1::4', limits)).toBeUndefined()
  closing[0]?.()
  closing[0]?.()
  expect(open.exceeded('2001:db8::4', limits)).toBeUndefined()
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201']) open.open(address)
  expect(open.exceeded('192.0.2.1', limits)).toBe('address')
  expect(open.exceeded('192.0.2.2', { ...limits, maxConnections: 4 })).toBe('total')
})
