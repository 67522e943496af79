// Mutated reports in masses: each is parsed and judged; what counts is that none crashes, none takes long, and nothing
// of them stays in memory. A seed repeats them all.

import { execFile } from 'node:child_process'
import { createClassifier } from '../src/bounce/classify.ts'
import { parseReport } from '../src/bounce/parse.ts'
import { shippedRules } from '../src/bounce/rules.ts'
import { summaryOf } from '../src/bounce/summary.ts'
import { type Mutated, mutated, pick, type Random, randomFrom } from '../test/support/mutations.ts'
import { REPORT_SAMPLES } from '../test/support/report-samples.ts'
import { corpusMails } from './corpus.ts'
import { Missing } from './lab.ts'
import { quantile } from './stats.ts'

export interface MutationsResult {
  readonly seed: number
  readonly bases: number
  /** Fewer than asked for where time ran out. */
  readonly done: number
  readonly meanBytes: number
  /** Errors of ours: the number of each, to be found again with the seed. */
  readonly crashed: readonly number[]
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** How the slowest was made. */
  readonly slowest: { readonly number: number; readonly bytes: number; readonly by: readonly string[] }
  readonly overLimit: number
  /** After the warm-up and at the end, garbage collected before each. */
  readonly before: MutationsMemory
  readonly after: MutationsMemory
  readonly peakRss: number
}

/** MiB. */
export interface MutationsMemory {
  readonly rss: number
  /** What the process itself still holds on to. */
  readonly heap: number
}

export interface MutationsPlan {
  readonly corpusList: string | undefined
  readonly count: number
  readonly seed: number
  readonly withinSeconds: number
}

/** The deadline of the parser thread. */
export const LIMIT_MS = 250
const WARM_UP_SHARE = 0.1
const LOOK_EVERY = 500
/** A start, and one report that takes long; then it hangs. */
const GRACE_SECONDS = 8
/** The kernel's account of the time on the processor may be so much too short. */
const TICK_MS = 4

/** In a process of its own, run as the relay is: what other parts left behind is no growth, nor is a young generation. */
export async function mutationsInChild(plan: MutationsPlan, nodeOptions: readonly string[]): Promise<MutationsResult> {
  const file = new URL(import.meta.url).pathname
  const words = [...nodeOptions, '--expose-gc', file, JSON.stringify(plan)]
  return new Promise((resolve, reject) => {
    const limits = { timeout: (plan.withinSeconds + GRACE_SECONDS) * 1000, killSignal: 'SIGKILL' as const }
    execFile(process.execPath, words, limits, (error, out, said) => {
      if (error === null) resolve(JSON.parse(out) as MutationsResult)
      else if (error.killed !== true) reject(error)
      else
        reject(
          new Error(`a report is read without end: seed ${plan.seed}, one of the ${LOOK_EVERY} from ${lastOf(said)}`),
        )
    })
  })
}

function lastOf(said: string): string {
  return said.trim().split('\n').at(-1) ?? ''
}

function measureMutations({ corpusList, count, seed, withinSeconds }: MutationsPlan): MutationsResult {
  const bases = [...REPORT_SAMPLES, ...corpusTexts(corpusList)]
  const run = new Run(bases, seed, count)
  const end = performance.now() + withinSeconds * 1000
  while (run.done < count * WARM_UP_SHARE) run.next()
  const before = settled()
  let peakRss = before.rss
  while (run.done < count && performance.now() < end) {
    run.next()
    if (run.done % LOOK_EVERY === 0) peakRss = Math.max(peakRss, process.memoryUsage.rss() / 2 ** 20)
  }
  const after = settled()
  return { ...run.result(), seed, bases: bases.length, before, after, peakRss }
}

function corpusTexts(list: string | undefined): string[] {
  try {
    return corpusMails(list).map(({ raw }) => raw.toString('latin1'))
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    return []
  }
}

class Run {
  done = 0
  readonly #bases: readonly string[]
  readonly #random: Random
  readonly #classifier = createClassifier(shippedRules())
  // All of it at once: what a benchmark keeps must not count as growth.
  readonly #times: Float64Array
  readonly #crashed: number[] = []
  #slowest: MutationsResult['slowest'] = { number: 0, bytes: 0, by: [] }
  #max = 0
  #bytes = 0

  constructor(bases: readonly string[], seed: number, count: number) {
    this.#bases = bases
    this.#random = randomFrom(seed)
    this.#times = new Float64Array(count).fill(1)
  }

  next(): void {
    // The last one says where a run stood still.
    if (this.done % LOOK_EVERY === 0) console.error(this.done)
    const given = mutated(pick(this.#random, this.#bases), this.#random)
    const startedAt = performance.now()
    const before = process.threadCpuUsage()
    const isFine = this.#read(given.mail)
    const { user, system } = process.threadCpuUsage(before)
    const ms = performance.now() - startedAt
    // What else the machine does must not look like a slow report.
    this.#note(given, Math.min(ms, (user + system) / 1000 + TICK_MS))
    if (!isFine) this.#crashed.push(this.done)
    this.done++
  }

  #read(mail: Buffer): boolean {
    try {
      const parsed = parseReport(mail)
      summaryOf(parsed, this.#classifier)
      // How parseReport says that an exception came out of it.
      return parsed.family !== 'unreadable'
    } catch {
      // Counted, not shown: the seed and its number find it again.
      return false
    }
  }

  #note({ mail, by }: Mutated, ms: number): void {
    this.#times[this.done] = ms
    this.#bytes += mail.length
    if (ms <= this.#max) return
    this.#max = ms
    this.#slowest = { number: this.done, bytes: mail.length, by }
  }

  result(): Omit<MutationsResult, 'seed' | 'bases' | 'before' | 'after' | 'peakRss'> {
    const times = [...this.#times.subarray(0, this.done)]
    return {
      done: this.done,
      meanBytes: Math.round(this.#bytes / this.done),
      crashed: this.#crashed,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      max: this.#max,
      slowest: this.#slowest,
      overLimit: times.filter((ms) => ms > LIMIT_MS).length,
    }
  }
}

/** What is left when nothing is garbage. */
function settled(): MutationsMemory {
  for (let times = 0; times < 3; times++) globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { rss: rss / 2 ** 20, heap: heapUsed / 2 ** 20 }
}

const [given] = process.argv.slice(2)
if (import.meta.main && given !== undefined) {
  const plan = JSON.parse(given) as MutationsPlan
  console.log(JSON.stringify(measureMutations(plan)))
}
