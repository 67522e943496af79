// Mails per second, accepted and through: smtp-source → relay → smtp-sink. The systems stand side by side and take
// turns, round by round, so that whatever else the machine does hits all of them.

import { spawn } from 'node:child_process'
import { until } from './lab.ts'
import type { Sink } from './sink.ts'
import { type Spread, spreadOf } from './stats.ts'
import type { System } from './system.ts'

export interface Load {
  readonly sessions: number
  readonly bytes: number
  /** Several messages per session instead of a new connection for each. */
  readonly reuse: boolean
  readonly sender?: string
}

export interface Contender {
  readonly system: System
  readonly sink: Sink
}

export interface Throughput {
  readonly system: string
  /** Messages per second until the last was accepted. */
  readonly accepted: Spread
  /** Messages per second until the last was at the sink. */
  readonly through: Spread
}

interface Round {
  readonly accepted: number
  readonly through: number
}

const FIRST_LOOK = 500
// A relay runs for months. What the compiler and the garbage collector do in the first seconds of a process is no part of
// that: each system gets the same time to warm up in, as long as it has something to gain from it.
const WARM_UP_MS = 8_000
const WARM_UP_MESSAGES = 20_000
const DRAIN_MS = 120_000

export async function measureThroughput(
  contenders: readonly Contender[],
  load: Load,
  plan: { rounds: number; seconds: number },
): Promise<Throughput[]> {
  const runs = contenders.map((contender) => ({ contender, count: 0, rounds: [] as Round[] }))
  for (const run of runs) {
    const first = await round(run.contender, load, FIRST_LOOK)
    const warmUp = Math.min(WARM_UP_MESSAGES, Math.round((first.through * WARM_UP_MS) / 1000))
    // And it says how many messages make a round of the wanted length.
    const warm = await round(run.contender, load, Math.max(load.sessions, warmUp))
    run.count = Math.max(load.sessions * 5, Math.round((warm.through * plan.seconds) / 100) * 100)
  }
  for (let turn = 0; turn < plan.rounds; turn++) {
    for (const run of runs) run.rounds.push(await round(run.contender, load, run.count))
  }
  return runs.map(({ contender, rounds }) => ({
    system: contender.system.name,
    accepted: spreadOf(rounds.map(({ accepted }) => accepted)),
    through: spreadOf(rounds.map(({ through }) => through)),
  }))
}

async function round({ system, sink }: Contender, load: Load, count: number): Promise<Round> {
  const before = sink.received()
  const startedAt = performance.now()
  await send(system, load, count)
  const acceptedAt = performance.now()
  await until(`${count} messages of ${system.name} at the sink`, () => isThere(system, sink, before + count), {
    withinMs: DRAIN_MS,
    everyMs: 5,
  })
  const endedAt = performance.now()
  return { accepted: (count * 1000) / (acceptedAt - startedAt), through: (count * 1000) / (endedAt - startedAt) }
}

function isThere(system: System, sink: Sink, count: number): boolean {
  if (!system.isRunning()) throw new Error(`${system.name} ended during a round`)
  return sink.received() >= count
}

/** smtp-source takes `-d` for sessions that are kept. */
function send(system: System, load: Load, count: number): Promise<void> {
  const { sessions, bytes, reuse, sender = 'bench@sender.test' } = load
  const args = [
    '-s',
    String(Math.min(sessions, count)),
    '-m',
    String(count),
    '-l',
    String(bytes),
    ...(reuse ? ['-d'] : []),
  ]
  const child = spawn('smtp-source', [
    ...args,
    '-f',
    sender,
    '-t',
    'someone@receiver.test',
    `${system.host}:${system.port}`,
  ])
  let said = ''
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString('latin1')
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`smtp-source against ${system.name}: ${said.trim()}`)),
    )
  })
}
