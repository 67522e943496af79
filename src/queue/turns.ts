// Whose turn it is at a site. Tenants take turns; within a tenant what was just accepted goes first, then its lanes take
// turns. So a tenant with a million waiting delays another's mail by one turn at most. In memory only, and bounded:
// by lanes, by sites, and by what is in flight.

import type { Flight } from './flight.ts'
import type { Lane } from './lanes.ts'

/** A slot at a site is given to a claimed recipient, or to a lane that has to claim one first. */
export type Turn = { readonly kind: 'flight'; readonly flight: Flight } | { readonly kind: 'lane'; readonly lane: Lane }

interface TenantLine {
  readonly tenant: string
  readonly claimed: Flight[]
  readonly lanes: Lane[]
}

export class SiteLine {
  readonly site: string
  slots: number
  inFlight = 0
  readonly #tenants: TenantLine[] = []
  readonly #inFlightOf = new Map<string, number>()

  constructor(site: string, slots: number) {
    this.site = site
    this.slots = slots
  }

  /**
   * Handed over at one time: the site's slots, and half as many that wait in delivery so that a connection which has
   * just become free need not wait for this thread.
   */
  get free(): number {
    return this.#capacity - this.inFlight
  }

  get #capacity(): number {
    return this.slots + Math.ceil(this.slots / 2)
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

  /** Counts what was handed over; `ended` counts it back. */
  begin(tenant: string, count: number): void {
    this.inFlight += count
    this.#inFlightOf.set(tenant, (this.#inFlightOf.get(tenant) ?? 0) + count)
  }

  ended(tenant: string, count: number): void {
    this.inFlight -= count
    const left = (this.#inFlightOf.get(tenant) ?? 0) - count
    if (left > 0) this.#inFlightOf.set(tenant, left)
    else this.#inFlightOf.delete(tenant)
  }

  /** What a tenant may still hand over. It never gets everything: its own trouble here (a rested source) is not the others'. */
  freeFor(tenant: string): number {
    const share = Math.max(1, Math.floor((this.#capacity * 3) / 4))
    return Math.min(this.free, share - (this.#inFlightOf.get(tenant) ?? 0))
  }

  next(): Turn | undefined {
    const at = this.#tenants.findIndex(({ tenant }) => this.freeFor(tenant) > 0)
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

function laneTurn(lane: Lane | undefined): Turn | undefined {
  return lane === undefined ? undefined : { kind: 'lane', lane }
}
