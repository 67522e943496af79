// Whose turn it is at a site. Tenants take turns; within a tenant what was just accepted goes first, then its lanes take
// turns. So a tenant with a million waiting delays another's mail by one turn at most. In memory only, and bounded:
// by lanes, by sites, and by what is in flight.

import type { PoolShare, Site } from '../delivery/delivery.ts'
import type { Flight } from '../queue/flight.ts'
import type { Limit, Waiter } from '../throttle/limit.ts'
import type { Lane } from './lanes.ts'

/** A slot at a site is given to a claimed recipient, or to a lane that has to claim one first. */
export type Turn = { readonly kind: 'flight'; readonly flight: Flight } | { readonly kind: 'lane'; readonly lane: Lane }

interface TenantLine {
  readonly tenant: string
  readonly claimed: Flight[]
  readonly lanes: Lane[]
}

/** The place of a line, as far as it was found out last. */
type Place = Site

export class SiteLine implements Waiter {
  readonly name: string
  place: Place
  inFlight = 0
  readonly #onWake: (line: SiteLine) => void
  /** Tenants that wait at a limit, and at which one. */
  readonly #blocked = new Map<string, Limit>()
  /** What a limit gave when it woke the tenant; to be used at once. */
  readonly #granted = new Map<string, number>()
  readonly #tenants: TenantLine[] = []
  readonly #inFlightOf = new Map<string, { readonly pool: string; count: number }>()
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
    this.#lineOf(flight.recipient.tenant).claimed.push(flight)
  }

  addLane(lane: Lane): void {
    this.#lineOf(lane.tenant).lanes.push(lane)
  }

  // ---- limits

  /** The tenant waits at the limit; its turns are the others' until it is woken. */
  block(tenant: string, limit: Limit): void {
    this.#blocked.set(tenant, limit)
  }

  blockedOn(tenant: string): Limit | undefined {
    return this.#blocked.get(tenant)
  }

  /** All lanes of tenants that wait at a limit. */
  *blockedLanes(): Iterable<Lane> {
    if (this.#blocked.size === 0) return
    for (const { tenant, lanes } of this.#tenants) if (this.#blocked.has(tenant)) yield* lanes
  }

  wake(tenant: string, permits: number): void {
    this.#blocked.delete(tenant)
    if (permits > 0) this.#granted.set(tenant, permits)
    this.#onWake(this)
    this.#granted.delete(tenant)
  }

  /** Undefined: nobody gave it anything, so that it has to wait where others wait. */
  takeGrant(tenant: string): number | undefined {
    const granted = this.#granted.get(tenant)
    this.#granted.delete(tenant)
    return granted
  }

  /** Counts what was handed over; `ended` counts it back. */
  begin(tenant: string, count: number): void {
    const its = this.#inFlightOf.get(tenant) ?? { pool: this.#shareOf(tenant).pool, count: 0 }
    its.count += count
    this.#inFlightOf.set(tenant, its)
    this.inFlight += count
    this.#inFlightFrom.set(its.pool, (this.#inFlightFrom.get(its.pool) ?? 0) + count)
  }

  ended(tenant: string, count: number): void {
    const its = this.#inFlightOf.get(tenant)
    this.inFlight -= count
    if (its === undefined) return
    its.count -= count
    if (its.count <= 0) this.#inFlightOf.delete(tenant)
    const left = (this.#inFlightFrom.get(its.pool) ?? 0) - count
    if (left > 0) this.#inFlightFrom.set(its.pool, left)
    else this.#inFlightFrom.delete(its.pool)
  }

  /**
   * What a tenant may still hand over: no more than the sources of its pool can take, so that those who stand still keep
   * nobody from the sources of another pool; and never all of that, so that its own slow mail does not keep out the
   * others of its pool. Mail that names another pool counts here all the same.
   */
  freeFor(tenant: string): number {
    const { pool, slots } = this.#shareOf(tenant)
    const capacity = withReserve(slots)
    const share = Math.max(1, Math.floor((capacity * 3) / 4))
    const left = capacity - (this.#inFlightFrom.get(pool) ?? 0)
    return Math.min(this.free, left, share - (this.#inFlightOf.get(tenant)?.count ?? 0))
  }

  #shareOf(tenant: string): PoolShare {
    return this.place.shareOf?.(tenant) ?? { pool: '', slots: this.place.slots }
  }

  /** Everybody who waits here goes somewhere else. */
  leave(): Turn[] {
    this.#blocked.clear()
    return this.#tenants
      .splice(0)
      .flatMap(({ claimed, lanes }): Turn[] => [
        ...claimed.map((flight): Turn => ({ kind: 'flight', flight })),
        ...lanes.map((lane): Turn => ({ kind: 'lane', lane })),
      ])
  }

  next(): Turn | undefined {
    const at = this.#tenants.findIndex(({ tenant }) => !this.#blocked.has(tenant) && this.freeFor(tenant) > 0)
    const [line] = at === -1 ? [] : this.#tenants.splice(at, 1)
    if (line === undefined) return undefined
    const flight = line.claimed.shift()
    const turn: Turn | undefined = flight === undefined ? laneTurn(line.lanes.shift()) : { kind: 'flight', flight }
    if (line.claimed.length > 0 || line.lanes.length > 0) this.#tenants.push(line)
    return turn
  }

  #lineOf(tenant: string): TenantLine {
    const found = this.#tenants.find((line) => line.tenant === tenant)
    if (found !== undefined) return found
    const line: TenantLine = { tenant, claimed: [], lanes: [] }
    this.#tenants.push(line)
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
