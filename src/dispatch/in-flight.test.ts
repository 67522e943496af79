import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InFlight, type Leaving } from './in-flight.ts'

const SOURCES = ['a', 'b', 'c']

test('whatever begins and ends while sources come and go, those that carry mail are counted, and they only', () => {
  const leaving = fc.record({
    tenant: fc.constantFrom('bulk', 'shop'),
    pool: fc.constantFrom('quick', 'slow'),
    source: fc.constantFrom(undefined, ...SOURCES),
  })
  const step = fc.oneof(
    fc.record({ do: fc.constant('begin' as const), leaving, count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('end' as const), at: fc.nat(50) }),
    fc.record({ do: fc.constant('carried' as const), by: fc.option(fc.subarray(SOURCES), { nil: undefined }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const inFlight = new InFlight()
      const model: { tenant: string; pool: string; source: string | undefined }[] = []
      let by: readonly string[] | undefined
      for (const each of steps) {
        if (each.do === 'begin') {
          inFlight.begin(leavingOf(each.leaving), each.leaving.pool, each.count)
          for (let n = 0; n < each.count; n++) model.push(each.leaving)
        } else if (each.do === 'end') {
          const [ended] = model.splice(each.at, 1)
          if (ended !== undefined) inFlight.ended(leavingOf(ended), 1)
        } else {
          by = each.by
          inFlight.carriedBy(by)
        }
        const counted = model.filter(({ source }) => source === undefined || by === undefined || by.includes(source))
        expect(inFlight.total).toBe(counted.length)
        for (const pool of ['quick', 'slow']) {
          const ofPool = counted.filter((one) => one.pool === pool)
          expect(inFlight.ofPool(pool)).toBe(ofPool.length)
          for (const tenant of ['bulk', 'shop'])
            expect(inFlight.ofTenant(tenant, pool)).toBe(ofPool.filter((one) => one.tenant === tenant).length)
        }
      }
    }),
    { seed: 4, numRuns: 300 },
  )
})

function leavingOf({ tenant, pool, source }: { tenant: string; pool: string; source: string | undefined }): Leaving {
  return { tenant, pool, ...(source !== undefined && { source }) }
}
