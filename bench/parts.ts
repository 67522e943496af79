// What is measured, one entry a part: which systems, which load, and how the result is said to people.

import { measureBig } from './big.ts'
import { BOUNCE_PARTS } from './bounce-parts.ts'
import type { SystemName } from './fleet.ts'
import { HEALTH } from './health.ts'
import { measureLatency } from './latency.ts'
import { PACING } from './pacing.ts'
import type { Part, Stage } from './part.ts'
import { SHAPING } from './shaping-part.ts'
import { measureSuppression } from './suppression.ts'
import { table } from './table.ts'
import { type Load, measureThroughput, type Throughput } from './throughput.ts'
import { measureWaiting } from './waiting.ts'

const RELAYS: readonly SystemName[] = ['studs', 'postfix', 'haraka']
const SLOW_DISKS: readonly SystemName[] = ['studs-1ms', 'postfix-1ms', 'studs-4ms', 'postfix-4ms']
const LOAD: Load = { sessions: 20, bytes: 4096, reuse: true }

export const PARTS: Readonly<Record<string, Part>> = {
  reuse: throughput('4 KiB, 20 sessions, sessions reused', [...RELAYS, 'studs-0', 'studs-quiet'], LOAD),
  new: throughput('4 KiB, 20 sessions, a new connection for each message', [...RELAYS, 'studs-0', 'studs-quiet'], {
    ...LOAD,
    reuse: false,
  }),
  dkim: throughput(
    '4 KiB, 20 sessions, reused, Studs signs (Postfix does not)',
    ['studs', 'studs-dkim', 'postfix'],
    LOAD,
  ),
  body: throughput('64 KiB, 20 sessions, reused', [...RELAYS, 'studs-0'], { ...LOAD, bytes: 64 * 1024 }),
  sessions: throughput('4 KiB, 100 sessions, reused', RELAYS, { ...LOAD, sessions: 100 }),
  disk: throughput('4 KiB, 20 sessions, reused, on disks that take longer to flush', SLOW_DISKS, LOAD),
  'disk-sessions': throughput('4 KiB, 100 sessions, reused, on disks that take longer to flush', SLOW_DISKS, {
    ...LOAD,
    sessions: 100,
  }),
  distance: throughput('4 KiB, receiver 40 ms away, 20 connections', ['studs-far', 'postfix-far'], {
    ...LOAD,
    sessions: 40,
  }),
  latency: { title: 'Time from the final dot to 250, 4 KiB (ms)', run: latency },
  big: { title: 'Large messages at one time', alone: true, run: big },
  waiting: { title: 'Start with waiting recipients', alone: true, run: waiting },
  shaping: SHAPING,
  pacing: PACING,
  health: HEALTH,
  suppression: { title: 'Suppression look-up', alone: true, run: suppression },
  ...BOUNCE_PARTS,
}

function throughput(title: string, systems: readonly SystemName[], load: Load): Part {
  return {
    title: `Messages per second: ${title}`,
    run: async ({ fleet, plan }) => {
      const result = await measureThroughput(await fleet.get(systems), load, plan)
      return { result: { load, systems: result }, text: throughputTable(result) }
    },
  }
}

function throughputTable(results: readonly Throughput[]): string {
  const rows = results.map(({ system, accepted, through }) => {
    const yardstick = yardstickOf(results, system)?.through.median
    return [
      system,
      Math.round(accepted.median),
      Math.round(through.median),
      `${Math.round(through.min)}–${Math.round(through.max)}`,
      yardstick === undefined ? '–' : `${(through.median / yardstick).toFixed(1)} ×`,
    ]
  })
  return table(
    ['system', 'accepted', 'through', 'min–max', 'to Postfix'],
    rows.map((row) => row.map(String)),
  )
}

/** Postfix on the same disk, or the only one. */
function yardstickOf(results: readonly Throughput[], system: string): Throughput | undefined {
  const disk = /, flush.*/.exec(system)?.[0] ?? ''
  return results.find((each) => each.system === `Postfix${disk}`)
}

async function latency({ fleet, plan }: Stage): Promise<{ result: unknown; text: string }> {
  const systems = (await fleet.get(RELAYS)).map(({ system }) => system)
  const few = await measureLatency(systems, { sessions: 1, rounds: plan.rounds, perSession: plan.latencyMessages })
  const many = await measureLatency(systems, {
    sessions: 20,
    rounds: plan.rounds,
    perSession: Math.ceil(plan.latencyMessages / 4),
  })
  const result = [...few, ...many]
  const rows = result.map(({ system, sessions, messages, p50, p99 }) => [
    system,
    String(sessions),
    String(messages),
    p50,
    p99,
  ])
  return { result, text: table(['system', 'sessions', 'messages', 'p50', 'p99'], rows) }
}

async function big({ lab, plan }: Stage): Promise<{ result: unknown; text: string }> {
  const result = await measureBig(lab, { node: plan, messages: plan.bigMessages, mebibytes: 25 })
  const { messages, mebibytes, before, peak, acceptedInSeconds, throughInSeconds } = result
  const text = table(
    ['messages', 'MiB each', 'memory before', 'memory peak', 'RSS peak', 'accepted in s', 'through in s'],
    [
      [
        String(messages),
        String(mebibytes),
        mib(before.own),
        mib(peak.own),
        mib(peak.resident),
        acceptedInSeconds,
        throughInSeconds,
      ],
    ],
  )
  return { result, text }
}

async function waiting({ lab, plan }: Stage): Promise<{ result: unknown; text: string }> {
  const result = await measureWaiting(lab, { node: plan, recipients: plan.waiting })
  const { recipients, lanes, readySeconds, peak, summarySeconds, fillSeconds } = result
  const text = table(
    ['waiting', 'lanes', 'ready in s', 'memory peak', 'RSS peak', 'queue summary in s', 'filled in s'],
    [[recipients, lanes, readySeconds, mib(peak.own), mib(peak.resident), summarySeconds, fillSeconds]],
  )
  return { result, text }
}

function mib(mebibytes: number): string {
  return `${Math.round(mebibytes)} MiB`
}

async function suppression({ lab, plan }: Stage): Promise<{ result: unknown; text: string }> {
  const result = await measureSuppression(lab, { entries: plan.entries, lookups: plan.lookups })
  const { entries, lookups, hit, miss, loadSeconds } = result
  const text = table(
    ['entries', 'look-ups', 'hit p50 µs', 'hit p99 µs', 'miss p50 µs', 'miss p99 µs', 'loaded in s'],
    [[entries, lookups, hit.p50, hit.p99, miss.p50, miss.p99, loadSeconds]],
  )
  return { result, text }
}
