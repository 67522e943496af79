// `npm run bench`: measures Studs beside Postfix and Haraka on this machine and prints medians and ratios. No test: nothing
// fails when a figure is bad. Figures of one machine under one load mean little; the ratios in one run are the result.

import { cpus, loadavg, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { Fleet } from './fleet.ts'
import { Lab, Missing } from './lab.ts'
import type { Plan } from './part.ts'
import { PARTS } from './parts.ts'

const USAGE = `npm run bench -- [options]
  --only a,b      only these parts: ${Object.keys(PARTS).join(', ')}
  --quick         short rounds and small stores (about 2 minutes): for trying out, not for figures
  --rounds N      rounds per system and load (default 5)
  --entries N     entries of the suppression list (default 10,000,000)
  --waiting N     waiting recipients (default 1,000,000)
  --reports N     reports sent to the bounce listener per load (default 5,000)
  --mutations N   mutated reports (default 100,000)
  --seed N        of the mutations (default 1)
  --corpus FILE   takes only the mails of the corpus that this file names, one a line
  --main FILE     what node runs as Studs (default src/main.ts; dist/main.js measures the built package)
  --node="OPTIONS"  options of node for Studs, like --node="--cpu-prof --cpu-prof-dir=profile"
  --json          JSON on standard output instead of tables`

const FULL: Omit<Plan, 'main' | 'nodeOptions' | 'seed' | 'corpusList'> = {
  rounds: 5,
  seconds: 3,
  latencyMessages: 200,
  bigMessages: 50,
  waiting: 1_000_000,
  entries: 10_000_000,
  lookups: 200_000,
  reports: 5000,
  mutations: 100_000,
  shaped: 200_000,
}
const QUICK: typeof FULL = {
  rounds: 3,
  seconds: 1,
  latencyMessages: 60,
  bigMessages: 10,
  waiting: 20_000,
  entries: 200_000,
  lookups: 50_000,
  reports: 1000,
  mutations: 10_000,
  shaped: 40_000,
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    entries: { type: 'string' },
    waiting: { type: 'string' },
    reports: { type: 'string' },
    mutations: { type: 'string' },
    seed: { type: 'string' },
    corpus: { type: 'string' },
    main: { type: 'string', default: new URL('../src/main.ts', import.meta.url).pathname },
    // As the installed command starts itself.
    node: { type: 'string', default: '--max-semi-space-size=4 --no-memory-reducer' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

function planOf(): Plan {
  const base = values.quick ? QUICK : FULL
  const number = (text: string | undefined, otherwise: number): number => {
    const given = text === undefined ? otherwise : Number(text)
    if (!Number.isInteger(given) || given < 1) throw new RangeError(`not a number of things: ${text}`)
    return given
  }
  return {
    ...base,
    main: values.main,
    nodeOptions: values.node.split(' ').filter((option) => option !== ''),
    rounds: number(values.rounds, base.rounds),
    entries: number(values.entries, base.entries),
    waiting: number(values.waiting, base.waiting),
    reports: number(values.reports, base.reports),
    mutations: number(values.mutations, base.mutations),
    seed: number(values.seed, 1),
    corpusList: values.corpus,
  }
}

function partsOf(): string[] {
  const names = values.only?.split(',') ?? Object.keys(PARTS)
  for (const name of names)
    if (!(name in PARTS)) throw new RangeError(`no part "${name}"; there are: ${Object.keys(PARTS).join(', ')}`)
  return names
}

function say(text: string): void {
  if (!values.json) console.log(text)
}

const machine = {
  processors: cpus().length,
  model: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${process.platform} ${release()}`,
  node: process.version,
}

async function measure(lab: Lab): Promise<Record<string, unknown>> {
  const plan = planOf()
  const fleet = new Fleet(lab, plan)
  const results: Record<string, unknown> = {}
  say(`${machine.processors} × ${machine.model}, ${machine.memoryGiB} GiB, ${machine.system}, node ${machine.node}`)
  for (const name of partsOf()) {
    const part = PARTS[name]!
    if (part.alone) await fleet.stop()
    const [load = 0] = loadavg()
    say(`\n${part.title}   [${name}; load before: ${load.toFixed(1)}]`)
    try {
      const { result, text } = await part.run({ lab, fleet, plan })
      results[name] = result
      say(text)
    } catch (error) {
      // One part that fails must not take the others' figures along.
      const reason = error instanceof Error ? error.message : String(error)
      results[name] = { failed: reason }
      say(`  ${error instanceof Missing ? 'left out' : 'failed'}: ${reason}`)
    }
    for (const sentence of fleet.missing.splice(0)) {
      results.missing = [...((results.missing as string[] | undefined) ?? []), sentence]
      say(`  ${sentence}`)
    }
  }
  return results
}

async function main(): Promise<void> {
  const lab = new Lab()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void lab.end().finally(() => process.exit(130)))
  }
  try {
    const results = await measure(lab)
    if (values.json) console.log(JSON.stringify({ machine, results }, undefined, 2))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.error(`bench: ${error.message}`)
    process.exitCode = 2
  } finally {
    await lab.end()
  }
}

if (values.help) console.log(USAGE)
else await main()
