// The limits of the queue, simulated: the real runner, lanes, turns, throttle and queue over a store in memory, a clock
// that jumps, and a receiver that always says yes after a while. So that a quarter of an hour of sending takes seconds, and
// what is measured is how exactly limits are kept and what scheduling costs, not disk and network.

import { type Settings, schema } from '../src/config/schema.ts'
import type { Rate } from '../src/config/units.ts'
import type { Delivery, Site } from '../src/delivery/delivery.ts'
import type { Domain } from '../src/mail/address.ts'
import { Lanes } from '../src/queue/lanes.ts'
import { Limits } from '../src/queue/limits.ts'
import { QuotaBook } from '../src/queue/quota-book.ts'
import { Throttle } from '../src/queue/throttle.ts'
import { SiteLine } from '../src/queue/turns.ts'
import { FakeClock } from '../test/support/fake-clock.ts'
import { memoryStore } from '../test/support/memory-store.ts'

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
  /** CPU of scheduling one message. */
  readonly microseconds: number
}

export interface CostResult {
  readonly waiting: number
  readonly lanes: number
  readonly microseconds: number
}

const TENANTS = ['bulk', 'shop'] as const
const LATENCY_MS = 50

interface Simulated {
  readonly lane: { readonly tenant: string; readonly domain: Domain }
  waiting: number
}

/** The scheduling parts as the runner puts them together, with counters instead of a store. */
class Simulation {
  readonly clock = new FakeClock()
  readonly sent = new Map<string, number>()
  readonly sentOf = new Map<string, number>()
  busyMs = 0
  readonly #limits: Limits
  readonly #throttle: Throttle
  readonly #lines = new Map<string, SiteLine>()
  readonly #lanes = new Map<string, Simulated>()
  readonly #ids = { last: 0 }

  constructor(settings: Settings) {
    const quotas = new QuotaBook({
      store: memoryStore(),
      clock: this.clock,
      onLease: (name) => this.#throttle.look(name),
      onError: () => undefined,
    })
    this.#throttle = new Throttle({ clock: this.clock, quotas })
    const delivery: Pick<Delivery, 'sourceOf' | 'sourcesOf'> = {
      sourceOf: () => 'default',
      sourcesOf: () => ['default'],
    }
    this.#limits = new Limits({ throttle: this.#throttle, delivery, settings: () => settings })
  }

  add(place: Site, tenant: string, messages: number): void {
    const line = this.#lines.get(place.line) ?? new SiteLine(place, (woken) => this.pump(woken))
    this.#lines.set(place.line, line)
    const domain = place.site as Domain
    this.#lanes.set(`${tenant} ${place.line}`, { lane: { tenant, domain }, waiting: messages })
    line.addLane({ tenant, domain, nextDue: 0, place: 'ready', entry: 0 })
  }

  start(): void {
    for (const line of this.#lines.values()) this.pump(line)
  }

  pump(line: SiteLine): void {
    const startedAt = performance.now()
    while (line.free > 0) {
      const turn = line.next()
      if (turn?.kind !== 'lane') break
      const { tenant } = turn.lane
      const budget = this.#limits.budget(line, tenant)
      if ('full' in budget) {
        line.addLane(turn.lane)
        line.block(tenant, budget.full)
        this.#throttle.wait(budget.full, tenant, line)
        continue
      }
      const lane = this.#lanes.get(`${tenant} ${line.name}`)
      if (lane === undefined || 'resting' in budget) continue
      const share = Math.ceil(line.free / (line.waitingTenants + 1))
      const count = Math.min(64, share, line.freeFor(tenant), budget.permits, lane.waiting)
      for (let n = 0; n < count; n++) this.#send(line, tenant)
      lane.waiting -= count
      if (lane.waiting > 0) line.addLane(turn.lane)
    }
    this.busyMs += performance.now() - startedAt
  }

  #send(line: SiteLine, tenant: string): void {
    const permit = this.#limits.admit(messageOf(tenant, String(++this.#ids.last)), line.place)
    if ('waitMs' in permit) throw new Error('a permit that was promised was not there')
    line.begin(tenant, 1)
    this.sent.set(line.name, (this.sent.get(line.name) ?? 0) + 1)
    const key = `${tenant} ${line.name}`
    this.sentOf.set(key, (this.sentOf.get(key) ?? 0) + 1)
    if (line.place.site === 'blocked') return // answers never: its slots stay taken
    this.clock.after(LATENCY_MS, () => {
      line.ended(tenant, 1)
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

function siteOf(name: string, rate: Rate | undefined, slots: number): Site {
  const limits = rate === undefined ? [] : [{ name: `path default ${name}`, rate }]
  return { kind: 'site', site: name, line: name, slots, limits: () => limits, validMs: 1 }
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
  const rates = new Map<string, Rate>()
  for (let n = 0; n < 100; n++) {
    const rate = n % 10 === 9 ? { count: 60 * (1 + (n % 50)), per: 60_000 } : { count: 1 + (n % 50), per: 1000 }
    rates.set(`site-${n}`, rate)
    for (const tenant of TENANTS) simulation.add(siteOf(`site-${n}`, rate, 20), tenant, Math.ceil(messages / 200))
  }
  for (const tenant of TENANTS) simulation.add(siteOf('blocked', { count: 1000, per: 1000 }, 10), tenant, 1000)
  simulation.start()
  await simulation.clock.advance(seconds * 1000)
  const ratios: number[] = []
  for (const [name, { count, per }] of rates) {
    const allowed = Math.min((count * seconds * 1000) / per, Math.ceil(messages / 200) * 2)
    ratios.push((simulation.sent.get(name) ?? 0) / allowed)
  }
  const total = [...simulation.sent.values()].reduce((sum, value) => sum + value, 0)
  const ofSecond = [...simulation.sentOf]
    .filter(([key]) => key.startsWith('shop '))
    .reduce((sum, [, value]) => sum + value, 0)
  return {
    sites: rates.size,
    messages: total,
    seconds,
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    shareOfSecondTenant: ofSecond / total,
    blockedSent: simulation.sent.get('blocked') ?? 0,
    microseconds: (simulation.busyMs * 1000) / total,
  }
}

/** What a message costs when so many wait, in so many lanes; each lane is a site with a rate of its own. */
export async function measureCost({ waiting, lanes }: { waiting: number; lanes: number }): Promise<CostResult> {
  const simulation = new Simulation(settingsOf())
  for (let n = 0; n < lanes; n++)
    simulation.add(siteOf(`site-${n}`, { count: 20, per: 1000 }, 20), 'bulk', Math.ceil(waiting / lanes))
  simulation.start()
  const wanted = 20_000
  while ([...simulation.sent.values()].reduce((sum, value) => sum + value, 0) < Math.min(wanted, waiting))
    await simulation.clock.advance(200)
  const total = [...simulation.sent.values()].reduce((sum, value) => sum + value, 0)
  return { waiting, lanes, microseconds: (simulation.busyMs * 1000) / total }
}

/** Lanes that come due and are parked again: the heap of the runner. */
export function measureLanes({ lanes }: { lanes: number }): { readonly lanes: number; readonly microseconds: number } {
  const heap = new Lanes()
  for (let n = 0; n < lanes; n++) heap.wake('bulk', `d${n}.test` as Domain, n)
  const rounds = 200_000
  const startedAt = performance.now()
  for (let n = 0; n < rounds; n++) {
    const lane = heap.takeDue(Number.MAX_SAFE_INTEGER)
    if (lane !== undefined) heap.park(lane, lanes + n)
  }
  return { lanes, microseconds: ((performance.now() - startedAt) * 1000) / rounds }
}
