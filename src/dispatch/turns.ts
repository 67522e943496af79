// Whose turn it is at a site. Tenants take turns; within a tenant its pools do, and there what was just accepted goes
// first, then its lanes take turns. So a tenant with a million waiting delays another's mail by one turn at most, and
// what waits at a limit of one pool keeps no other back. In memory only, and bounded: by lanes, by sites, and by what is
// in flight.

import type { PoolShare, Site } from '../delivery/delivery.ts'
import type { Flight } from '../queue/flight.ts'
import type { Limit, Waiter } from '../throttle/limit.ts'
import type { Lane } from './lanes.ts'

/** A slot at a site is given to a claimed recipient, or to a lane that has to claim one first. */
export type Turn = { readonly kind: 'flight'; readonly flight: Flight } | { readonly kind: 'lane'; readonly lane: Lane }

/** Whose mail, and of which pool when it names one: what is one in both waits at the same limits. */
export interface Claimant {
  readonly tenant: string
  readonly pool?: string
}

interface PoolLine extends Claimant {
  readonly claimed: Flight[]
  readonly lanes: Lane[]
}

interface TenantLine {
  readonly tenant: string
  /** In turn; none of them is empty. */
  readonly pools: PoolLine[]
}

/** What is in flight of a claimant, and the pool that it was counted to. */
interface InFlight {
  readonly pool: string
  count: number
}

/** The place of a line, as far as it was found out last. */
type Place = Site

export class SiteLine {
  readonly name: string
  place: Place
  inFlight = 0
  readonly #onWake: (line: SiteLine) => void
  /** Claimants that wait at a limit, and at which one. */
  readonly #blocked = new Map<string, { readonly limit: Limit; readonly waiter: Waiter }>()
  /** What a limit gave when it woke the claimant; to be used at once. */
  readonly #granted = new Map<string, number>()
  readonly #tenants: TenantLine[] = []
  /** By tenant, then by claimant. */
  readonly #inFlightOf = new Map<string, Map<string, InFlight>>()
  readonly #inFlightFrom = new Map<string, number>()

  constructor(place: Place, onWake: (line: SiteLine) => void) {
    this.name = place.line
    this.place = place
    this.#onWake = onWake
  }

  /**
   * Handed over at one time: the site's slots, and half as many that wait in delivery so that a connection which has
   * just become free need not wait for this thread.
   */
  get free(): number {
    return withReserve(this.place.slots) - this.inFlight
  }

  get isIdle(): boolean {
    return this.inFlight === 0 && this.#tenants.length === 0
  }

  /** How many tenants wait here: what a lane may take in one turn is divided by it. */
  get waitingTenants(): number {
    return this.#tenants.length
  }

  addFlight(flight: Flight): void {
    this.#lineOf(flight.recipient).claimed.push(flight)
  }

  addLane(lane: Lane): void {
    this.#lineOf(lane).lanes.push(lane)
  }

  // ---- limits

  /** The claimant waits at the limit; its turns are the others' until the waiter is woken. */
  block(claimant: Claimant, limit: Limit): Waiter {
    const name = nameOf(claimant)
    const waiter = this.#blocked.get(name)?.waiter ?? { wake: (_, permits) => this.#wake(name, permits) }
    this.#blocked.set(name, { limit, waiter })
    return waiter
  }

  blockedOn(claimant: Claimant): Limit | undefined {
    return this.#blocked.get(nameOf(claimant))?.limit
  }

  /** All lanes of claimants that wait at a limit. */
  *blockedLanes(): Iterable<Lane> {
    if (this.#blocked.size === 0) return
    for (const { pools } of this.#tenants)
      for (const line of pools) if (this.#blocked.has(nameOf(line))) yield* line.lanes
  }

  #wake(name: string, permits: number): void {
    this.#blocked.delete(name)
    if (permits > 0) this.#granted.set(name, permits)
    this.#onWake(this)
    this.#granted.delete(name)
  }

  /** Undefined: nobody gave it anything, so that it has to wait where others wait. */
  takeGrant(claimant: Claimant): number | undefined {
    if (this.#granted.size === 0) return undefined
    const name = nameOf(claimant)
    const granted = this.#granted.get(name)
    this.#granted.delete(name)
    return granted
  }

  // ---- what is in flight

  /** Counts what was handed over; `ended` counts it back. */
  begin(claimant: Claimant, count: number): void {
    const { tenant } = claimant
    const all = this.#inFlightOf.get(tenant) ?? new Map<string, InFlight>()
    this.#inFlightOf.set(tenant, all)
    const name = nameOf(claimant)
    const its = all.get(name) ?? { pool: this.#shareOf(claimant).pool, count: 0 }
    all.set(name, its)
    its.count += count
    this.inFlight += count
    this.#inFlightFrom.set(its.pool, (this.#inFlightFrom.get(its.pool) ?? 0) + count)
  }

  ended(claimant: Claimant, count: number): void {
    const { tenant } = claimant
    const all = this.#inFlightOf.get(tenant)
    const its = all?.get(nameOf(claimant))
    this.inFlight -= count
    if (all === undefined || its === undefined) return
    its.count -= count
    if (its.count <= 0) all.delete(nameOf(claimant))
    if (all.size === 0) this.#inFlightOf.delete(tenant)
    const left = (this.#inFlightFrom.get(its.pool) ?? 0) - count
    if (left > 0) this.#inFlightFrom.set(its.pool, left)
    else this.#inFlightFrom.delete(its.pool)
  }

  /**
   * What a claimant may still hand over: no more than the sources of its pool can take, so that those who stand still
   * keep nobody from the sources of another pool; and a tenant never all of that, so that its own slow mail does not keep
   * out the others of the pool.
   */
  freeFor(claimant: Claimant): number {
    const { pool, slots } = this.#shareOf(claimant)
    const capacity = withReserve(slots)
    const share = Math.max(1, Math.floor((capacity * 3) / 4))
    const left = capacity - (this.#inFlightFrom.get(pool) ?? 0)
    // Whether its mail names the pool or has it from the tenant: it is one tenant.
    let taken = 0
    for (const its of this.#inFlightOf.get(claimant.tenant)?.values() ?? []) if (its.pool === pool) taken += its.count
    return Math.min(this.free, left, share - taken)
  }

  #shareOf({ tenant, pool }: Claimant): PoolShare {
    return this.place.shareOf?.(tenant, pool) ?? { pool: '', slots: this.place.slots }
  }

  // ---- turns

  /** Everybody who waits here goes somewhere else. */
  leave(): Turn[] {
    this.#blocked.clear()
    return this.#tenants
      .splice(0)
      .flatMap(({ pools }) => pools)
      .flatMap(({ claimed, lanes }): Turn[] => [
        ...claimed.map((flight): Turn => ({ kind: 'flight', flight })),
        ...lanes.map((lane): Turn => ({ kind: 'lane', lane })),
      ])
  }

  next(): Turn | undefined {
    for (const [at, { pools }] of this.#tenants.entries()) {
      const first = pools.findIndex((line) => this.#mayGo(line))
      if (first === -1) continue
      const hot = pools.findIndex((line) => line.claimed.length > 0 && this.#mayGo(line))
      return this.#take(at, hot === -1 ? first : hot)
    }
    return undefined
  }

  #mayGo(line: PoolLine): boolean {
    return !this.#blocked.has(nameOf(line)) && this.freeFor(line) > 0
  }

  /** Whoever had a turn goes to the end: the tenant of the tenants, the pool of its pools. */
  #take(tenantAt: number, poolAt: number): Turn | undefined {
    const [tenant] = this.#tenants.splice(tenantAt, 1)
    const [line] = tenant?.pools.splice(poolAt, 1) ?? []
    if (tenant === undefined || line === undefined) return undefined
    const flight = line.claimed.shift()
    const turn: Turn | undefined = flight === undefined ? laneTurn(line.lanes.shift()) : { kind: 'flight', flight }
    if (line.claimed.length > 0 || line.lanes.length > 0) tenant.pools.push(line)
    if (tenant.pools.length > 0) this.#tenants.push(tenant)
    return turn
  }

  #lineOf({ tenant, pool }: Claimant): PoolLine {
    let its = this.#tenants.find((each) => each.tenant === tenant)
    if (its === undefined) {
      its = { tenant, pools: [] }
      this.#tenants.push(its)
    }
    const found = its.pools.find((each) => each.pool === pool)
    if (found !== undefined) return found
    const line: PoolLine = { tenant, ...(pool !== undefined && { pool }), claimed: [], lanes: [] }
    its.pools.push(line)
    return line
  }
}

/** What may be handed over for so many slots: half as many again wait in delivery. */
function withReserve(slots: number): number {
  return slots + Math.ceil(slots / 2)
}

function laneTurn(lane: Lane | undefined): Turn | undefined {
  return lane === undefined ? undefined : { kind: 'lane', lane }
}

function nameOf({ tenant, pool = '' }: Claimant): string {
  return `${tenant}\0${pool}`
}
