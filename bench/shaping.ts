// The limits of the queue, simulated: the real runner, lanes, turns, throttle and queue over a store in memory, a clock
// that jumps, and a receiver that always says yes after a while. So that a quarter of an hour of sending takes seconds, and
// what is measured is how exactly limits are kept and what scheduling costs, not disk and network.

import { type Settings, schema } from '../src/config/schema.ts'
import type { Rate } from '../src/config/units.ts'
import type { Delivery, Site } from '../src/delivery/delivery.ts'
import { type Lane, Lanes } from '../src/dispatch/lanes.ts'
import { Limits } from '../src/dispatch/limits.ts'
import { SiteLine } from '../src/dispatch/turns.ts'
import type { Domain } from '../src/mail/address.ts'
import { QuotaBook } from '../src/throttle/quota-book.ts'
import { Throttle } from '../src/throttle/throttle.ts'
import type { Clock } from '../src/util/clock.ts'
import { memoryStore } from '../test/support/memory-store.ts'
import { rateOf } from './shaping-rates.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface ShapingResult {
  readonly sites: number
  readonly messages: number
  readonly seconds: number
  /** Sent rate against the limit, over all limited paths. */
  readonly least: number
  readonly most: number
  /** Of the mail of the smaller tenant while both had mail. */
  readonly shareOfSecondTenant: number
  readonly blockedSent: number
  /** Time in scheduling, for one message. */
  readonly microseconds: number
}

export interface CostResult {
  readonly waiting: number
  readonly lanes: number
  readonly microseconds: number
  /** Of the first message of each lane. */
  readonly firstMicroseconds: number
}

/** Messages that are measured at least, and of each lane; lanes whose first is. */
const MEASURED = 100_000
const MEASURED_FIRST = 5000
const MEASURED_OF_LANE = 8
/** Messages of a lane before that. */
const SETTLED_AFTER = 6
const TENANTS = ['bulk', 'shop'] as const
const LATENCY_MS = 50

/** A lane with its counter instead of rows in a store. */
interface SimulatedLane extends Lane {
  waiting: number
  sent: number
}

/** What is measured is the relay's: what a simulation needs to know of a site lies beside it, not behind look-ups of its own. */
interface SimulatedSite extends Site {
  /** When messages left for it. */
  readonly times: number[]
}

/** The scheduling parts as the runner puts them together. */
class Simulation {
  readonly clock = new VirtualClock()
  readonly lanes: SimulatedLane[] = []
  total = 0
  busyMs = 0
  readonly #limits: Limits
  readonly #throttle: Throttle
  readonly #lines = new Map<string, SiteLine>()
  readonly #ids = { last: 0 }
  #isTimed = false

  constructor(settings: Settings) {
    const quotas = new QuotaBook({
      store: memoryStore(),
      clock: this.clock,
      onLease: (name) => this.#throttle.look(name),
      onError: () => undefined,
    })
    const clock: Clock = {
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic(),
      after: (ms, work) => this.clock.after(ms, () => this.#timed(work)),
      sleep: (ms, signal) => this.clock.sleep(ms, signal),
    }
    this.#throttle = new Throttle({ clock, quotas })
    const delivery: Pick<Delivery, 'sourceOf' | 'sourcesOf'> = {
      sourceOf: () => 'default',
      sourcesOf: () => ['default'],
    }
    this.#limits = new Limits({ throttle: this.#throttle, delivery, settings: () => settings })
  }

  add(place: SimulatedSite, tenant: string, waiting: number): void {
    const line = this.#lines.get(place.line) ?? new SiteLine(place, (woken) => this.pump(woken))
    this.#lines.set(place.line, line)
    const domain = place.site as Domain
    const lane: SimulatedLane = { tenant, domain, nextDue: 0, place: 'ready', entry: 0, woken: 1, waiting, sent: 0 }
    this.lanes.push(lane)
    line.addLane(lane)
  }

  start(): void {
    for (const line of this.#lines.values()) this.pump(line)
  }

  /** Counts what scheduling takes, whoever began it. */
  #timed(work: () => void): void {
    if (this.#isTimed) {
      work()
      return
    }
    this.#isTimed = true
    const startedAt = performance.now()
    work()
    this.busyMs += performance.now() - startedAt
    this.#isTimed = false
  }

  pump(line: SiteLine): void {
    this.#timed(() => this.#pump(line))
  }

  #pump(line: SiteLine): void {
    while (line.free > 0) {
      const turn = line.next()
      if (turn?.kind !== 'lane') break
      const { tenant } = turn.lane
      const budget = this.#limits.budget(line, turn.lane)
      if ('full' in budget) {
        line.addLane(turn.lane)
        this.#throttle.wait(budget.full, tenant, line.block(turn.lane, budget.full))
        continue
      }
      if ('resting' in budget) continue
      const lane = turn.lane as SimulatedLane
      const share = Math.ceil(line.free / (line.waitingTenants + 1))
      const count = Math.min(64, share, line.freeFor(turn.lane), budget.permits, lane.waiting)
      for (let n = 0; n < count; n++) this.#send(line, tenant)
      lane.waiting -= count
      lane.sent += count
      if (lane.waiting > 0) line.addLane(lane)
    }
  }

  #send(line: SiteLine, tenant: string): void {
    const permit = this.#limits.admit(messageOf(tenant, String(++this.#ids.last)), line.place)
    if ('waitMs' in permit) throw new Error('a permit that was promised was not there')
    line.begin({ tenant }, 1)
    const { times } = line.place as SimulatedSite
    times.push(this.clock.monotonic())
    this.total++
    if (line.place.site === 'blocked') return // answers never: its slots stay taken
    this.clock.after(LATENCY_MS, () => {
      line.ended({ tenant }, 1)
      this.#throttle.ended(permit)
      this.pump(line)
    })
  }
}

function messageOf(tenant: string, id: string): Parameters<Limits['admit']>[0] {
  return {
    id,
    tenant,
    sender: '',
    recipients: 1,
    receivedAt: 0,
    expiresAt: 0,
    sizeBytes: 1,
    prefix: '',
    chunks: 1,
    body: '7bit',
    smtpUtf8: false,
    headers: { messageId: id },
    client: { address: '127.0.0.1', listener: 'x' },
  }
}

function siteOf(name: string, rate: Rate, slots: number): SimulatedSite {
  const limits = [{ name: `path default ${name}`, rate }]
  return { kind: 'site', site: name, line: name, slots, limits: () => limits, validMs: 1, times: [] }
}

function settingsOf(): Settings {
  const settings = schema.parse({}) as unknown as Settings
  return {
    ...settings,
    tenant: TENANTS.map((name) => ({ name })),
    tagLimit: [],
    pool: [{ name: 'default', sources: [{ source: 'default', weight: 1 }] }],
  } as unknown as Settings
}

/** 100 sites from 1/s to 50/s, a minute's quota among them, and one that takes mail and never answers. */
export async function measureShaping({
  messages,
  seconds,
}: {
  messages: number
  seconds: number
}): Promise<ShapingResult> {
  const simulation = new Simulation(settingsOf())
  const sites: { readonly site: SimulatedSite; readonly rate: Rate }[] = []
  const perSite = 2 * Math.ceil(messages / 200)
  for (let n = 0; n < 100; n++) {
    const rate = n % 10 === 9 ? { count: 60 * (1 + (n % 50)), per: 60_000 } : { count: 1 + (n % 50), per: 1000 }
    const site = siteOf(`site-${n}`, rate, 20)
    sites.push({ site, rate })
    for (const tenant of TENANTS) simulation.add(site, tenant, perSite / 2)
  }
  const blocked = siteOf('blocked', { count: 1000, per: 1000 }, 10)
  for (const tenant of TENANTS) simulation.add(blocked, tenant, 1000)
  simulation.start()
  await simulation.clock.advance(seconds * 1000)
  const ratios = sites.map(({ site: { times }, rate: { count: limit, per } }) => {
    // Where nothing is left to send, the measurement ends before.
    const last = times.length < perSite ? seconds : (times.at(-1) ?? 0) / 1000
    const count = per === 1000 ? limit : Math.min(limit, perSite)
    return rateOf(times, { count, per, seconds: last - 1 }).ratio
  })
  const ofSecond = simulation.lanes.filter(({ tenant }) => tenant === 'shop').reduce((sum, { sent }) => sum + sent, 0)
  return {
    sites: sites.length,
    messages: simulation.total,
    seconds,
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    shareOfSecondTenant: ofSecond / simulation.total,
    blockedSent: blocked.times.length,
    microseconds: (simulation.busyMs * 1000) / simulation.total,
  }
}

/**
 * What a message costs when so many wait, in so many lanes; each lane is a site with a rate of its own. The first message
 * of a lane makes its line and opens its limits: counted apart. Then each lane sends a few that are not counted, so that
 * what was made has found its place in memory, and what is left is what goes on for as long as mail waits.
 */
export async function measureCost({ waiting, lanes }: { waiting: number; lanes: number }): Promise<CostResult> {
  const first = { ms: 0, messages: 0 }
  const steady = { ms: 0, messages: 0 }
  const counted = Math.max(MEASURED, MEASURED_OF_LANE * lanes)
  while (steady.messages < counted) {
    const simulation = laneful({ waiting, lanes })
    await count(simulation, lanes, first)
    await runUntil(simulation, SETTLED_AFTER * lanes)
    await count(simulation, Math.min(simulation.total + counted, waiting), steady)
  }
  // A few lanes say little: as often as it takes.
  while (first.messages < MEASURED_FIRST) await count(laneful({ waiting, lanes }), lanes, first)
  const micro = ({ ms, messages }: typeof first): number => (ms * 1000) / messages
  return { waiting, lanes, microseconds: micro(steady), firstMicroseconds: micro(first) }
}

function laneful({ waiting, lanes }: { readonly waiting: number; readonly lanes: number }): Simulation {
  const simulation = new Simulation(settingsOf())
  for (let n = 0; n < lanes; n++)
    simulation.add(siteOf(`site-${n}`, { count: 20, per: 1000 }, 20), 'bulk', Math.ceil(waiting / lanes))
  return simulation
}

/** Runs until so many are sent, and adds what that took. */
async function count(simulation: Simulation, until: number, sum: { ms: number; messages: number }): Promise<void> {
  const before = { ms: simulation.busyMs, messages: simulation.total }
  if (simulation.total === 0) simulation.start()
  await runUntil(simulation, until)
  sum.ms += simulation.busyMs - before.ms
  sum.messages += simulation.total - before.messages
}

async function runUntil(simulation: Simulation, messages: number): Promise<void> {
  while (simulation.total < messages) await simulation.clock.advance(20)
}

/** Lanes that come due and are parked again: the heap of the runner. */
export function measureLanes({ lanes }: { lanes: number }): { readonly lanes: number; readonly microseconds: number } {
  const heap = new Lanes()
  for (let n = 0; n < lanes; n++) heap.wake({ tenant: 'bulk', domain: `d${n}.test` as Domain }, n)
  const rounds = 200_000
  const startedAt = performance.now()
  for (let n = 0; n < rounds; n++) {
    const lane = heap.takeDue(Number.MAX_SAFE_INTEGER)
    if (lane !== undefined) heap.park(lane, lanes + n)
  }
  return { lanes, microseconds: ((performance.now() - startedAt) * 1000) / rounds }
}
