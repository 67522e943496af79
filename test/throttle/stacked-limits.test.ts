// Limits that stack, under whatever may happen: messages that are sent, come back untried, end, wait; limits that a reload
// changes; restarts, clean and by a crash in the middle of a write. No window ever has more than its limit, and whoever
// waits is woken.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Rate } from '../../src/config/units.ts'
import { MINUTE, SECOND } from '../../src/util/clock.ts'
import { PACE, QUOTAS, type UnderWay, World } from './world.ts'

const quotaRate = fc.record({
  count: fc.integer({ min: 1, max: 30 }),
  per: fc.integer({ min: MINUTE, max: 5 * MINUTE }),
})
const paceRate = fc.record({
  count: fc.integer({ min: 1, max: 60 }),
  per: fc.integer({ min: SECOND, max: 30 * SECOND }),
})
const slotCount = fc.integer({ min: 1, max: 4 })
const which = fc.nat(1000)

type Step =
  | { readonly send: number; readonly line: number }
  | { readonly end: number }
  | { readonly giveBack: number }
  | { readonly waitMs: number }
  | { readonly reload: string; readonly rate: Rate; readonly slots: number }
  | { readonly restart: 'clean' | 'crash' }

const reload = (name: fc.Arbitrary<string>, rate: fc.Arbitrary<Rate>) =>
  fc.record({ reload: name, rate, slots: slotCount })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 15 }), line: which }) },
  { weight: 3, arbitrary: fc.record({ end: which }) },
  { weight: 2, arbitrary: fc.record({ giveBack: which }) },
  { weight: 2, arbitrary: fc.record({ waitMs: fc.integer({ min: 1, max: 500 }) }) },
  { weight: 2, arbitrary: fc.record({ waitMs: fc.integer({ min: 500, max: 30 * SECOND }) }) },
  { weight: 2, arbitrary: fc.record({ waitMs: fc.integer({ min: MINUTE, max: 6 * MINUTE }) }) },
  { weight: 1, arbitrary: reload(fc.constantFrom<string>(...QUOTAS), quotaRate) },
  { weight: 1, arbitrary: reload(fc.constant(PACE), paceRate) },
  { weight: 1, arbitrary: fc.record({ restart: fc.constantFrom('clean', 'crash') }) },
)

async function run(world: World, step: Step): Promise<void> {
  const chosen = (at: number): UnderWay | undefined => world.underWay[at % world.underWay.length]
  if ('send' in step) world.lines[step.line % world.lines.length]?.add(step.send)
  else if ('end' in step) world.end(chosen(step.end))
  else if ('giveBack' in step) world.giveBack(chosen(step.giveBack))
  else if ('waitMs' in step) await world.clock.advance(step.waitMs)
  else if ('reload' in step) world.reload(step.reload, step.rate, step.slots)
  else await world.restart(step.restart)
}

interface Given {
  readonly a: Rate
  readonly b: Rate
  readonly pace: Rate
  readonly slots: number
}

/** What was wrong with it. */
async function faultsOf({ a, b, pace, slots }: Given, steps: readonly Step[]): Promise<readonly string[]> {
  const rates: [string, Rate][] = [
    [QUOTAS[0], a],
    [QUOTAS[1], b],
    [PACE, pace],
  ]
  const world = new World(new Map(rates), slots)
  for (const each of steps) await run(world, each)
  return world.finish()
}

test('no window has more than its limit, and nobody waits for ever', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ a: quotaRate, b: quotaRate, pace: paceRate, slots: slotCount }),
      fc.array(step, { minLength: 5, maxLength: 60 }),
      async (given, steps) => {
        expect(await faultsOf(given, steps)).toEqual([])
      },
    ),
    { seed: 4, numRuns: 500 },
  )
})

const NARROW: Given = {
  a: { count: 3, per: MINUTE },
  b: { count: 1, per: MINUTE },
  pace: { count: 1, per: SECOND },
  slots: 1,
}

test.each<[string, readonly Step[]]>([
  [
    'what came back and was sent again',
    [{ send: 1, line: 0 }, { waitMs: 500 }, { send: 3, line: 0 }, { giveBack: 0 }, { waitMs: 2 }],
  ],
  [
    'what was sent after a reload, when the quota of before would have had permits again',
    [
      { send: 4, line: 0 },
      { waitMs: 500 },
      { reload: QUOTAS[0], rate: { count: 4, per: MINUTE + 481 }, slots: 1 },
      { waitMs: MINUTE },
      { send: 3, line: 0 },
    ],
  ],
])('a crash forgets nothing of %s', async (_, steps) => {
  expect(await faultsOf(NARROW, [...steps, { restart: 'crash' }, { send: 4, line: 0 }])).toEqual([])
})
