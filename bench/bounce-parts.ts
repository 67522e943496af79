// The parts about what comes back: reports parsed, replies judged, reports over SMTP, reports that are damaged.

import { measureClassify } from './classify.ts'
import { corpusMails } from './corpus.ts'
import { totalOf } from './cpu.ts'
import { measureListener } from './listener.ts'
import { LIMIT_MS, mutationsInChild } from './mutations.ts'
import { measureNdr, type Timed } from './ndr.ts'
import type { Part, Stage } from './part.ts'
import { type Cell, table } from './table.ts'

interface Measured {
  readonly result: unknown
  readonly text: string
}

const CONNECTIONS = 20
/** Threads that take less per report are not shown. */
const LEAST_MS = 0.002
/** The whole part stays below a minute. */
const MUTATIONS_SECONDS = 50

export const BOUNCE_PARTS: Readonly<Record<string, Part>> = {
  ndr: { title: 'Reports parsed and classified, one thread', alone: true, run: ndr },
  classify: { title: 'Replies classified per second, one thread', alone: true, run: classify },
  listener: { title: 'Reports over SMTP into records', alone: true, run: listener },
  mutations: { title: 'Mutated reports', alone: true, run: mutations },
}

async function ndr({ plan }: Stage): Promise<Measured> {
  const result = measureNdr(corpusMails(plan.corpusList), plan)
  const { mails, meanBytes, first, rate, p50, p99, max, slowest, malformed } = result
  const rates = table(
    ['reports', 'mean bytes', 'per second', 'min–max', 'first round', 'p50 ms', 'p99 ms', 'max ms'],
    [[whole(mails), whole(meanBytes), whole(rate.median), span(rate), whole(first), p50, p99, max]],
  )
  return {
    result,
    text: [
      rates,
      slowTable('slowest (median of its rounds)', slowest),
      slowTable(`slowest of ${malformed.count} malformed multiparts`, malformed.slowest),
    ].join('\n\n'),
  }
}

function slowTable(title: string, mails: readonly Timed[]): string {
  return table(
    [title, 'bytes', 'ms'],
    mails.map(({ name, bytes, ms }) => [name, whole(bytes), ms]),
  )
}

async function classify({ plan }: Stage): Promise<Measured> {
  const result = measureClassify(plan)
  const { source, texts, warm, cold } = result
  const rows: Cell[][] = [
    ['remembered', whole(texts), whole(warm.median), span(warm)],
    ['never seen', whole(texts), whole(cold.median), span(cold)],
  ]
  return { result, text: `${table(['replies', 'texts', 'per second', 'min–max'], rows)}\n  texts: ${source}` }
}

async function listener({ lab, plan }: Stage): Promise<Measured> {
  const results = await measureListener(lab, { node: plan, reports: plan.reports, connections: CONNECTIONS })
  const busy = results.flatMap(({ cpu }) => [...cpu].filter(([, ms]) => ms >= LEAST_MS))
  const threads = [...new Set(busy.map(([thread]) => thread))]
  const rows = results.map(({ load, reports, perSecond, p50, p99 }) => [
    load,
    whole(reports),
    whole(perSecond),
    p50,
    p99,
  ])
  const cpu = results.map(({ load, cpu: times }) => [
    load,
    whole(totalOf(times) * 1000),
    ...threads.map((thread) => whole((times.get(thread) ?? 0) * 1000)),
  ])
  return {
    result: results.map((one) => ({ ...one, cpu: Object.fromEntries(one.cpu) })),
    text: [
      table([`${CONNECTIONS} connections`, 'reports', 'per second', 'p50 ms to 250', 'p99 ms'], rows),
      table(['µs of CPU per report', 'all', ...threads], cpu),
    ].join('\n\n'),
  }
}

async function mutations({ plan }: Stage): Promise<Measured> {
  const { seed, corpusList, mutations: count, nodeOptions } = plan
  const asked = { seed, corpusList, count, withinSeconds: MUTATIONS_SECONDS }
  const result = await mutationsInChild(asked, nodeOptions)
  const { bases, done, meanBytes, crashed, p50, p99, max, slowest, overLimit, before, after, peakRss } = result
  const times = table(
    ['seed', 'bases', 'mutated', 'mean bytes', 'crashed', 'p50 ms', 'p99 ms', 'max ms', `over ${LIMIT_MS} ms`],
    [[...[seed, bases, done, meanBytes, crashed.length].map(whole), p50, p99, max, whole(overLimit)]],
  )
  const memory = table(
    ['MiB', 'after the warm-up', 'peak', 'at the end'],
    [
      ['RSS', whole(before.rss), whole(peakRss), whole(after.rss)],
      ['heap', whole(before.heap), '–', whole(after.heap)],
    ],
  )
  const slow = `  slowest: number ${slowest.number}, ${whole(slowest.bytes)} bytes (${slowest.by.join(', ')})`
  const broken = crashed.length === 0 ? [] : [`  crashed: numbers ${crashed.slice(0, 20).join(', ')}`]
  const early = done < count ? [`  ended after ${MUTATIONS_SECONDS} s`] : []
  return { result, text: [times, slow, ...broken, ...early, '', memory].join('\n') }
}

const whole = (value: number): string => Math.round(value).toLocaleString('en')

function span({ min, max }: { min: number; max: number }): string {
  return `${whole(min)}–${whole(max)}`
}
