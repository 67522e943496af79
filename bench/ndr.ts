// Reports parsed and classified, on one thread: how many a second, how long each takes, and how long the multiparts take
// whose boundaries do not hold, on which parsers have hung.

import { createClassifier } from '../src/bounce/classify.ts'
import { parseReport } from '../src/bounce/parse.ts'
import type { Rules } from '../src/bounce/rules.ts'
import { shippedRules } from '../src/bounce/rules.ts'
import { summaryOf } from '../src/bounce/summary.ts'
import type { CorpusMail } from './corpus.ts'
import { quantile, type Spread, spreadOf } from './stats.ts'

export interface Timed {
  readonly name: string
  readonly bytes: number
  /** Median over the rounds. */
  readonly ms: number
}

export interface NdrResult {
  readonly mails: number
  readonly meanBytes: number
  /** Per second: of the very first round, and of the rounds after the warm-up. */
  readonly first: number
  readonly rate: Spread
  /** Milliseconds of one report, over all rounds. */
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly slowest: readonly Timed[]
  readonly malformed: { readonly count: number; readonly slowest: readonly Timed[] }
}

const WARM_UP_ROUNDS = 5
const SHOWN = 5

export function measureNdr(mails: readonly CorpusMail[], { seconds }: { seconds: number }): NdrResult {
  const rules = shippedRules()
  const [first = []] = Array.from({ length: WARM_UP_ROUNDS }, () => round(mails, rules))
  const rounds: number[][] = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end || rounds.length < 3) rounds.push(round(mails, rules))
  const all = rounds.flat()
  const timed = mails.map(({ name, raw }, at) => ({
    name,
    bytes: raw.length,
    ms: quantile(
      rounds.map((times) => times[at] ?? 0),
      0.5,
    ),
  }))
  const slowest = timed.toSorted((one, other) => other.ms - one.ms)
  const bad = new Set(mails.filter(({ raw }) => isMalformed(raw)).map(({ name }) => name))
  const malformed = slowest.filter(({ name }) => bad.has(name))
  return {
    mails: mails.length,
    meanBytes: Math.round(mails.reduce((sum, { raw }) => sum + raw.length, 0) / mails.length),
    first: rateOf(first),
    rate: spreadOf(rounds.map(rateOf)),
    p50: quantile(all, 0.5),
    p99: quantile(all, 0.99),
    max: Math.max(...timed.map((_, at) => Math.max(...rounds.map((times) => times[at] ?? 0)))),
    slowest: slowest.slice(0, SHOWN),
    malformed: { count: malformed.length, slowest: malformed.slice(0, SHOWN) },
  }
}

/** Milliseconds per mail. The classifier is a new one: no verdict of the round before is remembered. */
function round(mails: readonly CorpusMail[], rules: Rules): number[] {
  const classifier = createClassifier(rules)
  return mails.map(({ raw }) => {
    const startedAt = performance.now()
    summaryOf(parseReport(raw), classifier)
    return performance.now() - startedAt
  })
}

function rateOf(times: readonly number[]): number {
  return (times.length * 1000) / times.reduce((sum, ms) => sum + ms, 0)
}

/** A multipart whose boundary is missing, never used or never closed. */
function isMalformed(raw: Buffer): boolean {
  const text = raw.toString('latin1').replace(/\r\n?/g, '\n')
  if (!/^content-type:\s*multipart\//im.test(text)) return false
  const declared = [...text.matchAll(/\bboundary\s*=\s*(?:"([^"\n]+)"|([^\s;"]+))/gi)]
  const boundaries = declared.map(([, quoted, plain]) => quoted ?? plain ?? '')
  return boundaries.length === 0 || boundaries.some((boundary) => !text.includes(`\n--${boundary}--`))
}
