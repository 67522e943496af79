// Limits over real sockets: the real relay with 200,000 mails of two tenants waiting for a hundred sites with different
// limits; the receiver notes when each comes. With and without a site that takes connections and never answers. The rate of
// a path is told by the distance of its mails, from the end of the first second on, so that neither the start nor where the
// measurement ends is part of it.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rate } from '../src/config/units.ts'
import { MINUTE, SECOND, systemClock } from '../src/util/clock.ts'
import { DnsServer, type Zones } from '../test/support/dns-server.ts'
import { fillStore, type Waiting } from './filled-store.ts'
import type { Lab } from './lab.ts'
import type { Arrivals } from './rate-sink.ts'
import { rateOf, shareOf } from './shaping-rates.ts'
import { quantile } from './stats.ts'
import { type Node, startStuds } from './studs.ts'

export interface WireResult {
  readonly paces: number
  readonly quotas: number
  readonly waiting: number
  readonly sent: number
  readonly seconds: number
  readonly isBlocked: boolean
  /** Sent rate against the limit, over all paced paths. */
  readonly least: number
  readonly median: number
  readonly most: number
  /** The most that any path had within a whole second, above its limit, in messages. */
  readonly mostAbove: number
  /** In the fullest minute, over all paths with a limit by the minute: least of the limit; and messages above it. */
  readonly quotaLeast: number
  readonly quotaAbove: number
  readonly shareOfSecondTenant: number
}

const ADDRESS = '127.0.0.1'
const TARPIT = '127.0.0.9'
const TENANTS = ['bulk', 'shop'] as const
const BLOCKED = 'blocked.test'

/** 90 paces from 1/s to 30/s, and 10 quotas by the minute; some 1,200 a second in all. */
const LIMITS: ReadonlyMap<string, Rate> = new Map(
  Array.from({ length: 100 }, (_, n) => [
    `d${n}.test`,
    n % 10 === 9 ? { count: 60 + 6 * n, per: MINUTE } : { count: 1 + (n % 30), per: SECOND },
  ]),
)

export async function measureWire(
  lab: Lab,
  given: { node: Node; messages: number; seconds: number; isBlocked: boolean },
): Promise<WireResult> {
  const { node, messages, seconds, isBlocked } = given
  const name = isBlocked ? 'shaping-blocked' : 'shaping'
  const directory = join(lab.folder(name), 'data')
  await fillStore(directory, { messages: waitingFor(messages, isBlocked), bodyBytes: 1024 })
  const sink = await startSink(lab)
  await using dns = await DnsServer.start(zones())
  const shaping = join(lab.folder(name), 'shaping.toml')
  writeFileSync(shaping, shapingFile())
  const delivery = `resolvers = ["${dns.address}"]\nport = ${sink.port}\nallow_private = true\ntls = "none"
dane = "off"\nmta_sts = false\nshaping = "${shaping}"`
  const more = TENANTS.map((tenant) => `[[tenant]]\nname = "${tenant}"\n`).join('')
  const studs = await startStuds(lab, { node, name, directory, delivery, more })
  // What comes in the second that the start takes is not counted.
  await systemClock.sleep((seconds + 3) * SECOND)
  const arrivals = await sink.arrivals()
  // The silent connections end with it, so that the relay has nothing to wait for.
  await sink.stop()
  await studs.stop()
  rmSync(directory, { recursive: true })
  return judge(arrivals, { waiting: messages, seconds, isBlocked })
}

function* waitingFor(messages: number, isBlocked: boolean): Generator<Waiting> {
  const domains = [...LIMITS.keys()]
  const about = (tenant: string, domain: string): Waiting => ({
    tenant,
    recipients: (id) => [`${tenant}-${id}@${domain}`],
    attempts: 0,
    dueAt: systemClock.now(),
  })
  if (isBlocked) for (let n = 0; n < 2000; n++) yield about(TENANTS[n % 2] ?? 'bulk', BLOCKED)
  for (let n = 0; n < messages; n++)
    yield about(TENANTS[n % 2] ?? 'bulk', domains[(n >> 1) % domains.length] ?? BLOCKED)
}

function zones(): Zones {
  const found: Zones = { [BLOCKED]: { mx: [[10, 'mx.blocked.test']] }, 'mx.blocked.test': { a: [TARPIT] } }
  for (const domain of LIMITS.keys()) {
    found[domain] = { mx: [[10, `mx.${domain}`]] }
    found[`mx.${domain}`] = { a: [ADDRESS] }
  }
  return found
}

function shapingFile(): string {
  const sections = [...LIMITS].map(
    ([domain, { count, per }]) => `[site."mx.${domain}"]\nmessage_rate = "${count}/${per === SECOND ? 's' : 'min'}"\n`,
  )
  return sections.join('')
}

async function startSink(lab: Lab): Promise<{
  readonly port: number
  arrivals(): Promise<Arrivals>
  stop(): Promise<void>
}> {
  const child = fork(new URL('./rate-sink.ts', import.meta.url), [ADDRESS, TARPIT])
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return
    child.disconnect()
    await once(child, 'exit')
  }
  lab.defer(async () => {
    if (child.connected) await stop()
  })
  const { port } = await told<{ port: number }>(child)
  const arrivals = async (): Promise<Arrivals> => {
    child.send('tell')
    return (await told<{ arrivals: Arrivals }>(child)).arrivals
  }
  return { port, arrivals, stop }
}

/** What the sink says next; rejects when it ends instead. */
async function told<T>(child: ChildProcess): Promise<T> {
  const done = new AbortController()
  const ended = once(child, 'exit', { signal: done.signal }).then(() => {
    throw new Error('the receiver of the measurement ended')
  })
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: done.signal }), ended])
    return message as T
  } finally {
    done.abort()
    ended.catch(() => undefined) // nobody waits for its end any more
  }
}

function judge(
  arrivals: Arrivals,
  { waiting, seconds, isBlocked }: { waiting: number; seconds: number; isBlocked: boolean },
): WireResult {
  const paces: number[] = []
  const quotas: number[] = []
  const above: number[] = []
  const quotasAbove: number[] = []
  const perSite = Math.floor(waiting / LIMITS.size)
  for (const [domain, { count, per }] of LIMITS) {
    const times = Object.values(arrivals[domain] ?? {})
      .flat()
      .sort((a, b) => a - b)
    const rate = rateOf(times, { count: per === SECOND ? count : Math.min(count, perSite), per, seconds })
    if (per === SECOND) {
      paces.push(rate.ratio)
      above.push(rate.mostInSecond - count)
    } else {
      quotas.push(rate.ratio)
      quotasAbove.push(Math.round((rate.ratio - 1) * Math.min(count, perSite)))
    }
  }
  const all = [...LIMITS.keys()].flatMap((domain) => Object.values(arrivals[domain] ?? {}))
  return {
    paces: paces.length,
    quotas: quotas.length,
    waiting,
    sent: all.reduce((sum, times) => sum + times.length, 0),
    seconds,
    isBlocked,
    least: Math.min(...paces),
    median: quantile(paces, 0.5),
    most: Math.max(...paces),
    mostAbove: Math.max(...above),
    quotaLeast: Math.min(...quotas),
    quotaAbove: Math.max(...quotasAbove),
    shareOfSecondTenant: shareOf(arrivals, 'shop', [...LIMITS.keys()]),
  }
}
