// Lanes against a model: whatever is woken, taken and parked, the lane that is due first comes first and none is lost.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Domain } from '../mail/address.ts'
import { type Lane, Lanes } from './lanes.ts'

const name = (lane: Lane): string => lane.domain

test('agrees with a plain list', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('wake' as const), domain: fc.integer({ min: 0, max: 5 }), at: fc.nat(100) }),
    fc.record({ kind: fc.constant('take' as const), now: fc.nat(100) }),
    fc.record({ kind: fc.constant('park' as const), firstDue: fc.option(fc.nat(100), { nil: undefined }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const lanes = new Lanes()
      /** domain → due, as it should be; ready lanes stand apart with what woke them meanwhile. */
      const timed = new Map<string, number>()
      const ready: { lane: Lane; woken: number }[] = []
      for (const each of steps) {
        if (each.kind === 'wake') {
          const domain = `d${each.domain}`
          lanes.wake({ tenant: 't', domain: domain as Domain }, each.at)
          const taken = ready.find(({ lane }) => name(lane) === domain)
          if (taken !== undefined) taken.woken = Math.min(taken.woken, each.at)
          else timed.set(domain, Math.min(timed.get(domain) ?? Infinity, each.at))
        } else if (each.kind === 'take') {
          const earliest = Math.min(...timed.values())
          const lane = lanes.takeDue(each.now)
          expect(lane !== undefined).toBe(earliest <= each.now)
          if (lane === undefined) continue
          expect(timed.get(name(lane))).toBe(earliest)
          timed.delete(name(lane))
          ready.push({ lane, woken: Infinity })
        } else {
          const taken = ready.shift()
          if (taken === undefined) continue
          lanes.park(taken.lane, each.firstDue)
          const due = Math.min(taken.woken, each.firstDue ?? Infinity)
          if (due < Infinity) timed.set(name(taken.lane), due)
        }
        const next = Math.min(...timed.values())
        expect(lanes.nextDue).toBe(next === Infinity ? undefined : next)
        expect(lanes.size).toBe(timed.size + ready.length)
      }
    }),
    { seed: 7, numRuns: 500 },
  )
})

test('entries that no longer count do not pile up', () => {
  const lanes = new Lanes()
  for (let n = 0; n < 10_000; n++) {
    lanes.wake({ tenant: 't', domain: 'a.test' as Domain }, n)
    const lane = lanes.takeDue(n)!
    lanes.park(lane, 1e12)
  }
  expect(lanes.entries).toBeLessThan(200)
})
