import { describe, expect, test } from 'vitest'
import type { RouteSettings } from '../config/schema.ts'
import { createRoutes, parseNextHop } from './routes.ts'

const route = (domain: string, to: string): RouteSettings => ({
  domain,
  to,
  tls: 'opportunistic',
  verify: true,
  allowPrivate: false,
})

describe('next hop', () => {
  test.each([
    ['smtp://relay.example.com', 'relay.example.com', 25, false, 'route:relay.example.com:25'],
    ['smtp://Relay.Example.com:2525', 'relay.example.com', 2525, false, 'route:relay.example.com:2525'],
    ['smtps://relay.example.com', 'relay.example.com', 465, true, 'route:relay.example.com:465'],
    ['smtp://127.0.0.1:1025', '127.0.0.1', 1025, false, 'route:127.0.0.1:1025'],
    ['smtp://[127.0.0.1]:1025', '127.0.0.1', 1025, false, 'route:127.0.0.1:1025'],
    ['smtp://[::1]:25', '::1', 25, false, 'route:[::1]:25'],
    ['smtp://[IPv6:2001:db8::1]', '2001:db8::1', 25, false, 'route:[2001:db8::1]:25'],
  ])('%s', (to, host, port, implicitTls, site) => {
    expect(parseNextHop(route('*', to))).toMatchObject({ host, port, implicitTls, site })
  })

  test.each([
    'smtp://',
    'http://relay.example.com',
    'smtp://relay:0',
    'smtp://relay:65536',
    'smtp://a:b:c',
    'relay.example.com:25',
    'smtp://user@relay:25:1',
  ])('%s is not understood', (to) => {
    expect(parseNextHop(route('*', to))).toBeUndefined()
    expect(() => createRoutes([route('*', to)])).toThrow(/cannot understand/)
  })
})

describe('which route', () => {
  const routes = createRoutes([
    route('*', 'smtp://all'),
    route('*.example.com', 'smtp://under'),
    route('*.deep.example.com', 'smtp://deep'),
    route('Example.com', 'smtp://exact'),
    route('example.com', 'smtp://second'),
  ])
  test.each([
    ['example.com', 'exact'],
    ['a.example.com', 'under'],
    ['b.a.example.com', 'under'],
    ['a.deep.example.com', 'deep'],
    ['deep.example.com', 'under'],
    ['notexample.com', 'all'],
    ['[192.0.2.1]', 'all'],
  ])('%s goes to %s', (domain, host) => {
    expect(routes(domain)?.host).toBe(host)
  })

  test('without a matching route there is none', () => {
    expect(createRoutes([route('*.example.com', 'smtp://under')])('example.com')).toBeUndefined()
    expect(createRoutes([])('example.com')).toBeUndefined()
  })
})
