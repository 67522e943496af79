// Against a model: whatever begins, is replaced, taken back or ends, the same hold as in a plain map.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeldSuspensions, suspensionName } from './held-suspensions.ts'

const KINDS = ['source', 'domain']

test('agrees with a plain map', () => {
  const one = fc.record({
    kind: fc.constantFrom(...KINDS),
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    forMs: fc.nat(50),
  })
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), one }),
    fc.record({ do: fc.constant('drop' as const), one }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: -60, max: 30 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const held = new HeldSuspensions()
      const model = new Map<string, { kind: string; name: string; since: number; until: number }>()
      let now = 0
      for (const each of steps) {
        if (each.do === 'put') {
          const { kind, name, forMs } = each.one
          const made = { kind, name, since: now, until: now + 1 + forMs }
          held.put(made)
          model.set(suspensionName(made), made)
        } else if (each.do === 'drop') {
          const found = held.get(suspensionName(each.one))
          if (found !== undefined) held.drop(found)
          model.delete(suspensionName(each.one))
        } else {
          now += each.ms
          // A clock that goes back has been set: what holds goes with it, and lasts as long.
          if (each.ms < 0) {
            held.shift(each.ms)
            for (const [name, { since, until, ...rest }] of model)
              model.set(name, { ...rest, since: since + each.ms, until: until + each.ms })
          }
          const over = [...model.values()].filter(({ until }) => until <= now)
          for (const ended of over) model.delete(suspensionName(ended))
          expect(held.takeOver(now).map(suspensionName).sort()).toEqual(over.map(suspensionName).sort())
        }
        const all = [...model.values()]
        const list = held.list(now)
        expect([...list].sort(byName)).toEqual(all.sort(byName))
        expect(list.map(({ until }) => until)).toEqual(all.map(({ until }) => until).sort((a, b) => a - b))
        expect(held.size).toBe(all.length)
        expect(held.firstEnd).toBe(list[0]?.until)
        for (const kind of KINDS) expect(held.count(kind)).toBe(all.filter((other) => other.kind === kind).length)
      }
    }),
    { seed: 5, numRuns: 500 },
  )
})

test('those whose end has come and that nobody has taken yet hold no more', () => {
  const held = new HeldSuspensions()
  for (const [name, until] of [
    ['a', 10],
    ['b', 20],
    ['c', 30],
  ] as const)
    held.put({ kind: 'domain', name, since: 0, until })
  const names = (now: number): string[] => held.list(now).map(({ name }) => name)
  expect([names(0), names(10), names(29), names(30)]).toEqual([['a', 'b', 'c'], ['b', 'c'], ['c'], []])
  expect(held.size).toBe(3)
})

function byName(one: { kind: string; name: string }, other: { kind: string; name: string }): number {
  return suspensionName(one) < suspensionName(other) ? -1 : 1
}
