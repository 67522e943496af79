// The adaptive pace, simulated beside the ways of others: how much of what a receiver would take each of them delivers,
// how much is put off for it, and how soon they are back when the receiver takes more again.

import { writeFileSync } from 'node:fs'
import { createPaceController } from '../src/pacing/controller.ts'
import { DROP, draw, type Model, NAMED } from './pacing-models.ts'
import { picture } from './pacing-picture.ts'
import { SENDERS } from './pacing-senders.ts'
import { type Figures, figuresOf, randomFrom, simulate } from './pacing-simulation.ts'
import type { Part } from './part.ts'
import { quantile } from './stats.ts'
import { type Cell, table } from './table.ts'

interface Row {
  readonly model: string
  readonly settledAt: number
  readonly figures: Readonly<Record<string, Figures>>
}

const DRAWN = 24
/** Far from the seeds that noise is made of. */
const DRAW_SEED = 3_000_017

export const PACING: Part = {
  title:
    'The adaptive pace, simulated: of what receivers would take / put off / seconds until 90 % after it takes more',
  run: async ({ plan }) => {
    const seeds = Array.from({ length: plan.rounds }, (_, n) => plan.seed + n)
    const named = NAMED.map((model) => measure(model, seeds))
    const drawn = draw(DRAWN, randomFrom(plan.seed * DRAW_SEED)).map((model) => measure(model, [plan.seed]))
    const cost = nanosecondsASignal()
    // Of the documents; always the same one.
    writeFileSync(PICTURE, picture(DROP, 1))
    const text = [
      tableOf(named),
      'Drawn by seed, not looked at while the law was made:',
      tableOf(drawn, ['Studs']),
      summary(drawn),
      `${Math.round(cost)} ns a signal`,
    ].join('\n\n')
    return { result: { named, drawn, nanosecondsASignal: cost }, text }
  },
}

const PICTURE = new URL('../docs/pace.svg', import.meta.url)

/** The run with the median share: parts of different runs make no whole. */
function measure(model: Model, seeds: readonly number[]): Row {
  const figures = Object.entries(SENDERS).map(([name, make]) => {
    const runs = seeds.map((seed) => figuresOf(model, simulate(model, make, seed)))
    const median = runs.sort((a, b) => a.share - b.share)[Math.floor(runs.length / 2)]
    if (median === undefined) throw new RangeError('no rounds')
    return [name, median] as const
  })
  return { model: model.name, settledAt: model.settledAt, figures: Object.fromEntries(figures) }
}

function tableOf(rows: readonly Row[], senders: readonly string[] = Object.keys(SENDERS)): string {
  return table(
    ['receiver', 'settled', ...senders],
    rows.map(({ model, settledAt, figures }) => [
      model,
      `${(settledAt / 3_600_000).toFixed(1)} h`,
      ...senders.map((name) => said(figures[name])),
    ]),
  )
}

function said(figures: Figures | undefined): Cell {
  if (figures === undefined) return '–'
  const { share, putOff, recoverySeconds } = figures
  const recovery =
    recoverySeconds === undefined ? '' : ` / ${recoverySeconds === 'never' ? 'never' : `${recoverySeconds} s`}`
  return `${percent(share)} / ${percent(putOff)}${recovery}`
}

function summary(rows: readonly Row[]): string {
  return table(
    ['sender', 'median share', 'least share', 'median put off', 'most put off'],
    Object.keys(SENDERS).map((name) => {
      const figures = rows.flatMap((row) => row.figures[name] ?? [])
      const shares = figures.map(({ share }) => share)
      const putOff = figures.map((each) => each.putOff)
      return [
        name,
        percent(quantile(shares, 0.5)),
        percent(Math.min(...shares)),
        percent(quantile(putOff, 0.5)),
        percent(Math.max(...putOff)),
      ]
    }),
  )
}

/** To the tenth of a per cent where it is small. */
function percent(value: number): string {
  return `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`
}

function nanosecondsASignal(): number {
  const controller = createPaceController()
  const signals = 2_000_000
  const startedAt = performance.now()
  for (let n = 0; n < signals; n++) controller.heard(n % 40 === 0 ? 'deferred' : 'accepted', n * 3, n * 3 - 200)
  return ((performance.now() - startedAt) * 1_000_000) / signals
}
