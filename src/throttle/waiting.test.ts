import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Waiting } from './waiting.ts'

const lines = Array.from({ length: 4 }, (_, at) => ({ line: at }))
const tenants = ['bulk', 'shop', 'news']

test('tenants take turns, each with its lines in the order in which they came', () => {
  const waiting = new Waiting<object>()
  for (const waiter of lines) waiting.add('bulk', waiter)
  waiting.add('shop', lines[3]!)
  expect(waiting.size).toBe(2)
  const told = Array.from({ length: 6 }, () => waiting.next())
  expect(told).toEqual([
    { tenant: 'bulk', waiter: lines[0] },
    { tenant: 'shop', waiter: lines[3] },
    { tenant: 'bulk', waiter: lines[1] },
    { tenant: 'bulk', waiter: lines[2] },
    { tenant: 'bulk', waiter: lines[3] },
    undefined,
  ])
  expect(waiting.size).toBe(0)
})

test('agrees with a table of sets, whoever comes, comes again, and goes', () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ tenant: fc.constantFrom(...tenants), waiter: fc.constantFrom(...lines) }) },
      { weight: 3, arbitrary: fc.constant('next' as const) },
      { weight: 1, arbitrary: fc.constant('drain' as const) },
    ),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const waiting = new Waiting<object>()
      const model = new Map<string, Set<object>>()
      for (const step of all) {
        if (step === 'drain') {
          expect(waiting.drain()).toEqual(
            [...model].flatMap(([tenant, its]) => [...its].map((waiter) => ({ tenant, waiter }))),
          )
          model.clear()
        } else if (step === 'next') expect(waiting.next()).toEqual(nextIn(model))
        else {
          waiting.add(step.tenant, step.waiter)
          model.set(step.tenant, (model.get(step.tenant) ?? new Set()).add(step.waiter))
        }
        expect(waiting.size).toBe(model.size)
      }
    }),
  )
})

function nextIn(model: Map<string, Set<object>>): { readonly tenant: string; readonly waiter: object } | undefined {
  const [first] = model
  if (first === undefined) return undefined
  const [tenant, its] = first
  const [waiter] = its
  model.delete(tenant)
  its.delete(waiter!)
  if (its.size > 0) model.set(tenant, its)
  return { tenant, waiter: waiter! }
}
