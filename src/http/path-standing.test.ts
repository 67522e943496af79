import { expect, test } from 'vitest'
import { pathStanding } from './path-standing.ts'
import type { ListedSuspension } from './suspension-list.ts'

const path = { source: 'x', site: 'mx.a.test', connections: 10, idle: 0, active: 0, queued: 0 }
const slow = (name: string, connections?: number): ListedSuspension => ({
  kind: 'slow',
  name,
  who: 'rule presets.toml:9',
  why: '421 slow down',
  since: 0,
  ...(connections !== undefined && { connections }),
})
const byRule = (connections: number) => ({ connections, by: 'slow', why: 'slowed down by rule presets.toml:9' })

test.each([
  ['nothing binds it', path, [], undefined],
  ['a rule leaves it one', path, [slow('x@mx.a.test', 1)], byRule(1)],
  ['a rule binds its rate only', path, [slow('x@mx.a.test')], undefined],
  ['a rule allows more than it has', path, [slow('x@mx.a.test', 20)], undefined],
  ['another source is slow', path, [slow('y@mx.a.test', 1)], undefined],
  [
    'a domain with a path of its own is slow',
    { ...path, domain: 'a.test' },
    [slow('x@mx.a.test a.test', 2)],
    byRule(2),
  ],
  ['only the path of another domain is', path, [slow('x@mx.a.test a.test', 2)], undefined],
] as const)('%s', (_, given, bound, allowed) => {
  expect(pathStanding({ path: given, bound }).allowed).toEqual(allowed)
})

test('the least of what rules and the provider leave', () => {
  const effective = { values: { providerConnections: 5, providerConnectionsPerSource: 3 } }
  const resolved = [{ source: 'x', effective }] as never
  expect(pathStanding({ path, bound: [], resolved }).allowed).toEqual({
    connections: 3,
    by: 'provider',
    why: 'provider_connections_per_source',
  })
  expect(pathStanding({ path, bound: [slow('x@mx.a.test', 1)], resolved }).allowed).toEqual(byRule(1))
})
