// Time from the final dot to 250, as the app sees it: p50 and p99, by turns over the systems.

import { messageOf, SmtpClient } from './smtp-client.ts'
import { quantile } from './stats.ts'
import type { System } from './system.ts'

export interface Latency {
  readonly system: string
  readonly sessions: number
  readonly messages: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

const BODY = messageOf(4096)
const WARM_UP = 50

export async function measureLatency(
  systems: readonly System[],
  plan: { readonly sessions: number; readonly rounds: number; readonly perSession: number },
): Promise<Latency[]> {
  const times = new Map(systems.map((system) => [system, [] as number[]]))
  for (const system of systems) await sendBy(system, { ...plan, perSession: WARM_UP })
  for (let round = 0; round < plan.rounds; round++) {
    for (const system of systems) times.get(system)!.push(...(await sendBy(system, plan)))
  }
  return systems.map((system) => {
    const all = times.get(system)!
    return {
      system: system.name,
      sessions: plan.sessions,
      messages: all.length,
      p50: quantile(all, 0.5),
      p99: quantile(all, 0.99),
    }
  })
}

/** Every session sends one message after the other. */
async function sendBy(
  system: System,
  { sessions, perSession }: { sessions: number; perSession: number },
): Promise<number[]> {
  const times: number[] = []
  const session = async (): Promise<void> => {
    const client = await SmtpClient.open(system)
    for (let sent = 0; sent < perSession; sent++) times.push(await client.send(BODY))
    await client.quit()
  }
  await Promise.all(Array.from({ length: sessions }, session))
  return times
}
