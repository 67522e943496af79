// Reports through a running relay: mail is really delivered first, so that genuine return paths exist; then a report for
// each of them comes in over SMTP. A figure counts only when every report has become a record.

import { request } from 'node:http'
import { join } from 'node:path'
import { deliveryReport } from '../test/support/report-samples.ts'
import { type Captured, startCapturingSink } from './capture.ts'
import { type CpuTimes, cpuBetween, cpuOf } from './cpu.ts'
import { freePort, type Lab, until } from './lab.ts'
import { messageOf, SmtpClient } from './smtp-client.ts'
import { quantile } from './stats.ts'
import { greets, type Node, startStuds } from './studs.ts'
import type { Upstream } from './system.ts'

export interface ListenerResult {
  readonly load: string
  readonly reports: number
  readonly perSecond: number
  /** Milliseconds from the final dot to 250. */
  readonly p50: number
  readonly p99: number
  /** Milliseconds per report, by thread of the relay. */
  readonly cpu: CpuTimes
}

export interface ListenerPlan {
  readonly node: Node
  /** Per load. */
  readonly reports: number
  readonly connections: number
}

interface Load {
  readonly name: string
  readonly reports: readonly Captured[]
  readonly connections: number
  /** Reports per connection. */
  readonly perConnection: number
}

const WARM_UP = 500
const DOMAINS = 100
/** Below what a listener takes over one connection (1,000). */
const REUSED = 500
const PAGE = 1000

/** Default settings but for those that hold one client back: in life the reports come from everywhere. */
const settings = (port: number): string => `
[[domain]]
name = "sender.test"
return_path = "bounce.sender.test"
[[bounce_listener]]
name = "bounces"
port = ${port}
tls = "none"
[bounce]
max_connections_per_ip = 100
rate_per_ip = "1000000/min"
`

export async function measureListener(lab: Lab, plan: ListenerPlan): Promise<ListenerResult[]> {
  const { node, reports: count, connections } = plan
  const sink = await startCapturingSink(lab)
  const port = await freePort()
  const directory = join(lab.folder('studs-bounces'), 'data')
  const studs = await startStuds(lab, { node, name: 'studs-bounces', sink, directory, more: settings(port) })
  await until('the bounce listener greets', () => greets(port))
  const total = WARM_UP + 2 * count
  await deliver(studs, total, connections)
  await until(`${total} mails at the sink`, () => sink.captured.length >= total)
  const at: Upstream = { host: '127.0.0.1', port }
  const results: ListenerResult[] = []
  const loads: Load[] = [
    { name: 'warm-up', reports: sink.captured.slice(0, WARM_UP), connections, perConnection: REUSED },
    { name: 'reused', reports: sink.captured.slice(WARM_UP, WARM_UP + count), connections, perConnection: REUSED },
    { name: 'a new one each', reports: sink.captured.slice(WARM_UP + count), connections, perConnection: 1 },
  ]
  for (const load of loads) results.push(await measure(studs.pid, at, load))
  const bounced = await recordsOf(join(directory, 'studs.sock'), 'bounced')
  if (bounced.size !== total) throw new Error(`${total} reports were taken, but ${bounced.size} became records`)
  await studs.stop()
  return results.slice(1)
}

async function measure(pid: number, at: Upstream, load: Load): Promise<ListenerResult> {
  const before = cpuOf(pid)
  const startedAt = performance.now()
  const times = await report(at, load)
  const seconds = (performance.now() - startedAt) / 1000
  const spent = cpuBetween(before, cpuOf(pid))
  const count = load.reports.length
  return {
    load: load.name,
    reports: count,
    perSecond: count / seconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpu: new Map([...spent].map(([name, ms]) => [name, ms / count])),
  }
}

/** Each mail to somebody else, at some hundred domains. */
async function deliver(at: Upstream, count: number, connections: number): Promise<void> {
  const body = messageOf(1024)
  await inTurns({ at, count, connections, perConnection: REUSED }, async (client, number) => {
    const recipient = `user-${number}@domain-${number % DOMAINS}.test`
    await client.send(body, { sender: 'bench@sender.test', recipient })
  })
}

/** Milliseconds to 250 of each. */
async function report(at: Upstream, { reports, connections, perConnection }: Load): Promise<number[]> {
  const bodies = reports.map(({ returnPath, recipient }) => Buffer.from(deliveryReport({ returnPath, recipient })))
  const times: number[] = []
  await inTurns({ at, count: reports.length, connections, perConnection }, async (client, number) => {
    const { returnPath } = reports[number]!
    times.push(await client.send(bodies[number]!, { sender: '', recipient: returnPath }))
  })
  return times
}

interface Turns {
  readonly at: Upstream
  readonly count: number
  readonly connections: number
  readonly perConnection: number
}

/** Whichever connection is free takes the next number. */
async function inTurns(turns: Turns, send: (client: SmtpClient, number: number) => Promise<void>): Promise<void> {
  const { at, count, connections, perConnection } = turns
  let next = 0
  const connection = async (): Promise<void> => {
    while (next < count) {
      const client = await SmtpClient.open(at)
      for (let sent = 0; sent < perConnection && next < count; sent++) await send(client, next++)
      await client.quit()
    }
  }
  await Promise.all(Array.from({ length: connections }, connection))
}

/** Recipients (message and number) of the records of a kind, as the API tells. */
async function recordsOf(socket: string, kind: string): Promise<Set<string>> {
  const recipients = new Set<string>()
  let since: string | undefined
  for (;;) {
    const query = new URLSearchParams({ kind, limit: String(PAGE), ...(since === undefined ? {} : { since }) })
    const lines = (await get(socket, `/api/v1/events?${query}`)).split('\n').filter((line) => line !== '')
    const records = lines.map((line) => JSON.parse(line) as { message: string; n: number; position: string })
    for (const { message, n } of records) recipients.add(`${message} ${n}`)
    since = records.at(-1)?.position
    if (records.length < PAGE) return recipients
  }
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (text: string) => {
        body += text
      })
      answer.on('end', () => (answer.statusCode === 200 ? resolve(body) : reject(new Error(body))))
    })
    asked.on('error', reject)
    asked.end()
  })
}
