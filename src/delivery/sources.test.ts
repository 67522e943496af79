import { describe, expect, test } from 'vitest'
import { createSources, localAddressFor } from './sources.ts'

const settings = {
  source: [
    { name: 'one', ipv4: '192.0.2.1', ehlo: 'one.example.com' },
    { name: 'two', ipv6: '2001:db8::2' },
    { name: 'three' },
  ],
  pool: [
    {
      name: 'default',
      sources: [
        { source: 'one', weight: 3 },
        { source: 'two', weight: 1 },
        { source: 'three', weight: 0 },
      ],
    },
    { name: 'single', sources: [{ source: 'three', weight: 1 }] },
    { name: 'off', sources: [{ source: 'one', weight: 0 }] },
    { name: 'lost', sources: [{ source: 'gone', weight: 1 }] },
  ],
}
const sources = createSources(settings, 'host.example.com')
const ids = Array.from({ length: 20_000 }, (_, n) => `0d${n.toString(32).padStart(11, '0')}`)

describe('choice', () => {
  test('follows the weights, also for ids that differ only in their end', () => {
    const chosen = ids.map((id) => sources.choose('default', id)?.name)
    const share = chosen.filter((name) => name === 'one').length / ids.length
    expect(share).toBeGreaterThan(0.73)
    expect(share).toBeLessThan(0.77)
    expect(chosen).not.toContain('three')
  })

  test('is the same for the same message', () => {
    const again = createSources(settings, 'host.example.com')
    for (const id of ids.slice(0, 200)) expect(again.choose('default', id)).toEqual(sources.choose('default', id))
  })

  test('only what must moves: when a source goes, its own; when one comes, what becomes its own', () => {
    const poolOf = (...names: string[]) =>
      createSources(
        {
          source: names.map((name) => ({ name })),
          pool: [{ name: 'default', sources: names.map((source, at) => ({ source, weight: at + 1 })) }],
        },
        'host.example.com',
      )
    const [all, one] = [poolOf('a', 'b', 'c', 'd'), poolOf('a', 'b', 'c')]
    let moved = 0
    for (const id of ids) {
      const was = all.choose('default', id)!.name
      const isWithout = one.choose('default', id)!.name
      const resting = all.choose('default', id, (name) => name !== 'd')!.name
      expect([isWithout === was || was === 'd', resting]).toEqual([true, isWithout])
      if (isWithout !== was) moved++
      // A second one that goes moves nothing of the third.
      if (was === 'a') expect(all.choose('default', id, (name) => name === 'a' || name === 'b')!.name).toBe('a')
    }
    expect(moved / ids.length).toBeGreaterThan(0.38)
    expect(moved / ids.length).toBeLessThan(0.42)
  })

  test('what may send is asked in the order of the message, and not more often than needed', () => {
    const asked: string[] = []
    const may = (name: string): boolean => asked.push(name) > 1
    const own = sources.choose('default', ids[7]!)!.name
    expect(sources.choose('default', ids[7]!, may)?.name).not.toBe(own)
    expect(asked[0]).toBe(own)
    expect(sources.choose('default', ids[7]!, () => false)).toBeUndefined()
    expect(sources.choose('single', ids[7]!, () => false)).toBeUndefined()
  })

  test('a source without any of its addresses is none; with one of two it has that one only', () => {
    const lost = new Set(['192.0.2.1', '2001:db8::1'])
    const own = (source: readonly { name: string; ipv4?: string; ipv6?: string }[]) =>
      createSources(
        { source, pool: [{ name: 'default', sources: source.map(({ name }) => ({ source: name, weight: 1 })) }] },
        'h',
        (address) => !lost.has(address),
      )
    const gone = own([
      { name: 'a', ipv4: '192.0.2.1' },
      { name: 'b', ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
    ])
    expect([gone.names('default'), gone.choose('default', 'x'), gone.find('default', 'a')]).toEqual([
      [],
      undefined,
      undefined,
    ])
    const half = own([{ name: 'a', ipv4: '192.0.2.1', ipv6: '2001:db8::2' }, { name: 'any' }])
    expect(half.names('default')).toEqual(['a', 'any'])
    expect(localAddressFor(half.find('default', 'a')!, '198.51.100.1')).toBe('unusable')
  })

  test.each(['off', 'lost', 'unknown'])('pool %s has nothing to send from', (pool) => {
    expect(sources.choose(pool, 'x')).toBeUndefined()
    expect(sources.names(pool)).toEqual([])
  })

  test('counts the sources that carry mail', () => {
    expect(sources.names('default').length).toBe(2)
  })

  test('a source without a name of its own says the name of the node', () => {
    expect(sources.choose('single', 'x')).toEqual({ name: 'three', ehlo: 'host.example.com' })
  })
})

test.each([
  [{ ipv4: '192.0.2.1' }, '198.51.100.1', '192.0.2.1'],
  [{ ipv4: '192.0.2.1' }, '2001:db8::9', 'unusable'],
  [{ ipv6: '2001:db8::2' }, '198.51.100.1', 'unusable'],
  [{ ipv6: '2001:db8::2' }, '2001:db8::9', '2001:db8::2'],
  [{ ipv4: '192.0.2.1', ipv6: '2001:db8::2' }, '2001:db8::9', '2001:db8::2'],
  [{}, '198.51.100.1', undefined],
  [{}, '2001:db8::9', undefined],
])('from %j to %s', (addresses, to, local) => {
  expect(localAddressFor({ name: 's', ehlo: 'h', ...addresses }, to)).toBe(local)
})
