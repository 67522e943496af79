// A relay with a million waiting recipients: how soon it is ready after a start, and what that takes of memory.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DAY, systemClock } from '../src/util/clock.ts'
import { fillStore, type Waiting } from './filled-store.ts'
import { command, type Lab, type Memory, memoryOf, peakMemoryDuring } from './lab.ts'
import { type Node, startStuds } from './studs.ts'

export interface WaitingResult {
  readonly recipients: number
  readonly lanes: number
  readonly fillSeconds: number
  /** From starting the process to the first greeting. */
  readonly readySeconds: number
  /** Of the first seconds, and after them. */
  readonly peak: Memory
  readonly memory: Memory
  /** `studs queue summary`, the CLI's own start included. */
  readonly summarySeconds: number
}

const PER_MESSAGE = 1000
const DOMAINS = 1000
const TENANTS = 10
const SETTLE_MS = 5000

export async function measureWaiting(
  lab: Lab,
  { node, recipients }: { node: Node; recipients: number },
): Promise<WaitingResult> {
  const directory = join(lab.folder('studs-waiting'), 'data')
  const fillStart = performance.now()
  await fillStore(directory, { messages: waitingFor(recipients), bodyBytes: 4096 })
  const startedAt = performance.now()
  const tenants = Array.from({ length: TENANTS }, (_, t) => `[[tenant]]\nname = "${tenantName(t)}"\n`).join('')
  const studs = await startStuds(lab, {
    node,
    name: 'studs-waiting',
    sink: { host: '127.0.0.1', port: 9 },
    directory,
    more: tenants,
  })
  const readyAt = performance.now()
  // What runs after the start (housekeeping) belongs to it.
  const peak = await peakMemoryDuring(studs.pid, () => systemClock.sleep(SETTLE_MS))
  const memory = memoryOf(studs.pid)
  const askedAt = performance.now()
  await command(process.execPath, node.main, 'queue', 'summary', '-c', studs.config)
  const answeredAt = performance.now()
  await studs.stop()
  rmSync(directory, { recursive: true })
  return {
    recipients,
    lanes: Math.min(recipients, DOMAINS * Math.min(TENANTS, Math.ceil(recipients / PER_MESSAGE))),
    fillSeconds: (startedAt - fillStart) / 1000,
    readySeconds: (readyAt - startedAt) / 1000,
    peak,
    memory,
    summarySeconds: (answeredAt - askedAt) / 1000,
  }
}

const tenantName = (t: number): string => `tenant-${t}`

/** As if every recipient had been deferred until tomorrow: nothing is tried while the relay is looked at. */
function* waitingFor(recipients: number): Generator<Waiting> {
  const dueAt = systemClock.now() + DAY
  for (let filled = 0; filled < recipients; filled += PER_MESSAGE) {
    const count = Math.min(PER_MESSAGE, recipients - filled)
    yield {
      tenant: tenantName((filled / PER_MESSAGE) % TENANTS),
      recipients: (id) => Array.from({ length: count }, (_, n) => `someone-${id}-${n}@domain-${n % DOMAINS}.test`),
      attempts: 1,
      dueAt,
    }
  }
}
