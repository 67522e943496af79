// Whose turn it is at a site. Tenants take turns; within a tenant its pools do, and there what was just accepted goes
// first, then its lanes take turns. So a tenant with a million waiting delays another's mail by one turn at most, and
// what waits at a limit of one pool keeps no other back. In memory only, and bounded: by lanes, by sites, and by what is
// in flight.

import type { PoolShare, Site } from '../delivery/delivery.ts'
import type { Flight } from '../queue/flight.ts'
import type { Limit, Waiter } from '../throttle/limit.ts'
import { InFlight, type Leaving } from './in-flight.ts'
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

/** How a claimant is woken, and the limit that it waits at, if it does. */
interface Wait {
  readonly waiter: Waiter
  limit: Limit | undefined
}

/** The place of a line, as far as it was found out last. */
type Place = Site

export class SiteLine {
  readonly name: string
  #place: Place
  readonly #inFlight = new InFlight()
  readonly #onWake: (line: SiteLine) => void
  // For every message somebody comes, waits, is woken and goes. What was made for a claimant stays as long as the line, so
  // that with tens of thousands of lines not each message leaves something behind that has grown old.
  /** Claimants that have waited at a limit. */
  readonly #waits = new Map<string, Wait>()
  /** What a limit gave when it woke the claimant; to be used at once. */
  #granted: { readonly name: string; readonly permits: number } | undefined
  readonly #tenants: TenantLine[] = []
  /** Emptied last: most lines are of one claimant. */
  #spareTenant: TenantLine | undefined
  #spareLine: PoolLine | undefined

  constructor(place: Place, onWake: (line: SiteLine) => void) {
    this.name = place.line
    this.#place = place
    this.#inFlight.carriedBy(place.sources)
    this.#onWake = onWake
  }

  get place(): Place {
    return this.#place
  }

  /** As it was found out anew. */
  set place(place: Place) {
    this.#place = place
    this.#inFlight.carriedBy(place.sources)
  }

  /** From the sources that carry mail here. */
  get inFlight(): number {
    return this.#inFlight.total
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
    const known = this.#waits.get(name)
    if (known !== undefined) {
      known.limit = limit
      return known.waiter
    }
    const waiter: Waiter = { wake: (_, permits) => this.#wake(name, permits) }
    this.#waits.set(name, { waiter, limit })
    return waiter
  }

  blockedOn(claimant: Claimant): Limit | undefined {
    return this.#waits.get(nameOf(claimant))?.limit
  }

  /** All lanes of claimants that wait at a limit. */
  *blockedLanes(): Iterable<Lane> {
    if (this.#waits.size === 0) return
    for (const { pools } of this.#tenants)
      for (const line of pools) if (this.blockedOn(line) !== undefined) yield* line.lanes
  }

  #wake(name: string, permits: number): void {
    const wait = this.#waits.get(name)
    if (wait !== undefined) wait.limit = undefined
    const outer = this.#granted
    this.#granted = permits > 0 ? { name, permits } : undefined
    this.#onWake(this)
    this.#granted = outer
  }

  /** Undefined: nobody gave it anything, so that it has to wait where others wait. */
  takeGrant(claimant: Claimant): number | undefined {
    if (this.#granted?.name !== nameOf(claimant)) return undefined
    const { permits } = this.#granted
    this.#granted = undefined
    return permits
  }

  // ---- what is in flight

  /** Counts what was handed over, from a source if that is known; `ended` counts it back. */
  begin(leaving: Leaving, count: number): void {
    this.#inFlight.begin(leaving, this.#shareOf(leaving).pool, count)
  }

  ended(leaving: Leaving, count: number): void {
    this.#inFlight.ended(leaving, count)
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
    const left = capacity - this.#inFlight.ofPool(pool)
    return Math.min(this.free, left, share - this.#inFlight.ofTenant(claimant.tenant, pool))
  }

  #shareOf({ tenant, pool }: Claimant): PoolShare {
    return this.place.shareOf?.(tenant, pool) ?? { pool: '', slots: this.place.slots }
  }

  // ---- turns

  /** Everybody who waits here goes somewhere else. */
  leave(): Turn[] {
    for (const wait of this.#waits.values()) wait.limit = undefined
    // They may be among those who go, with all that waits in them.
    this.#spareTenant = undefined
    this.#spareLine = undefined
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
    return this.blockedOn(line) === undefined && this.freeFor(line) > 0
  }

  /** Whoever had a turn goes to the end: the tenant of the tenants, the pool of its pools. */
  #take(tenantAt: number, poolAt: number): Turn | undefined {
    const tenant = taken(this.#tenants, tenantAt)
    const line = tenant && taken(tenant.pools, poolAt)
    if (tenant === undefined || line === undefined) return undefined
    const flight = taken(line.claimed, 0)
    const turn: Turn | undefined = flight === undefined ? laneTurn(taken(line.lanes, 0)) : { kind: 'flight', flight }
    if (line.claimed.length > 0 || line.lanes.length > 0) tenant.pools.push(line)
    else this.#spareLine = line
    if (tenant.pools.length > 0) this.#tenants.push(tenant)
    else this.#spareTenant = tenant
    return turn
  }

  #lineOf(claimant: Claimant): PoolLine {
    const { tenant, pool } = claimant
    let its = this.#tenants.find((each) => each.tenant === tenant)
    if (its === undefined) {
      its = this.#spareTenant?.tenant === tenant ? this.#spareTenant : { tenant, pools: [] }
      this.#tenants.push(its)
    }
    const found = its.pools.find((each) => each.pool === pool)
    if (found !== undefined) return found
    const spare = this.#spareLine
    const isIts = spare?.tenant === tenant && spare.pool === pool
    const line: PoolLine = isIts ? spare : { tenant, ...(pool !== undefined && { pool }), claimed: [], lanes: [] }
    its.pools.push(line)
    return line
  }
}

/** Taken out of a list; of a list of one without giving back its memory, which the next one needs. */
function taken<Item>(list: Item[], at: number): Item | undefined {
  if (at > 0) return list.splice(at, 1)[0]
  return list.length === 1 ? list.pop() : list.shift()
}

/** What may be handed over for so many slots: half as many again wait in delivery. */
function withReserve(slots: number): number {
  return slots + Math.ceil(slots / 2)
}

function laneTurn(lane: Lane | undefined): Turn | undefined {
  return lane === undefined ? undefined : { kind: 'lane', lane }
}

function nameOf({ tenant, pool }: Claimant): string {
  return pool === undefined ? tenant : `${tenant}\0${pool}`
}
