// The part about limits: how exactly they are kept, simulated and over real sockets, and what scheduling costs.

import type { Part, Stage } from './part.ts'
import { measureCost, measureLanes, measureShaping, type ShapingResult } from './shaping.ts'
import { measureWire, type WireResult } from './shaping-wire.ts'
import { table } from './table.ts'

const SIZES = [
  [1000, 10],
  [1_000_000, 10],
  [1_000_000, 1000],
  [1_000_000, 50_000],
] as const
/** So that no site runs out of mail before the end. */
const SECONDS_PER_MESSAGE = 60 / 200_000

export const SHAPING: Part = { title: 'Limits: 100 sites, two tenants', alone: true, run: shaping }

async function shaping({ lab, plan }: Stage): Promise<{ result: unknown; text: string }> {
  const rates = await measureShaping({ messages: plan.shaped, seconds: 60 })
  // What the compiler does belongs to no size.
  await measureCost({ waiting: 100_000, lanes: 100 })
  const costs = []
  for (const [waiting, lanes] of SIZES) costs.push(await measureCost({ waiting, lanes }))
  const heaps = [10, 1000, 50_000].map((lanes) => measureLanes({ lanes }))
  const wire = []
  const seconds = Math.round(plan.shaped * SECONDS_PER_MESSAGE)
  for (const isBlocked of [false, true])
    wire.push(await measureWire(lab, { node: plan, messages: plan.shaped, seconds, isBlocked }))
  const text = [
    simulatedTable(rates),
    ...wireTables(wire),
    table(
      ['waiting', 'lanes', 'µs a message', 'of the first of each lane'],
      costs.map(({ waiting, lanes, microseconds, firstMicroseconds }) => [
        waiting,
        lanes,
        microseconds,
        firstMicroseconds,
      ]),
    ),
    table(
      ['lanes in the heap', 'µs to take and park'],
      heaps.map(({ lanes, microseconds }) => [lanes, microseconds]),
    ),
  ].join('\n\n')
  return { result: { rates, wire, costs, heaps }, text }
}

function simulatedTable(rates: ShapingResult): string {
  return table(
    ['simulated: sites', 'sent', 'virtual s', 'least of limit', 'most of limit', 'second tenant', 'µs a message'],
    [
      [
        rates.sites,
        rates.messages,
        rates.seconds,
        percent(rates.least),
        percent(rates.most),
        percent(rates.shareOfSecondTenant),
        rates.microseconds,
      ],
    ],
  )
}

function wireTables(results: readonly WireResult[]): string[] {
  const named = (result: WireResult): string => (result.isBlocked ? 'one more, silent' : 'none blocked')
  return [
    table(
      [
        'real sockets',
        'paces',
        'waiting',
        'sent',
        's',
        'least of limit',
        'median',
        'most',
        'most in 1 s',
        'second tenant',
      ],
      results.map((each) => [
        named(each),
        String(each.paces),
        each.waiting,
        each.sent,
        each.seconds,
        percent(each.least),
        percent(each.median),
        percent(each.most),
        `limit + ${each.mostAbove}`,
        percent(each.shareOfSecondTenant),
      ]),
    ),
    table(
      ['real sockets', 'quotas by the minute', 'least of quota', 'most in any minute'],
      results.map((each) => [named(each), String(each.quotas), percent(each.quotaLeast), `quota + ${each.quotaAbove}`]),
    ),
  ]
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}
