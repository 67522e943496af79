// What is in flight at a line: of whom, out of which pool, and from which source as soon as that is known. What leaves from
// a source that carries mail there no more takes no place of those that do: it does not count until the source is back.
// Memory: bounded by what is in flight, and a few.

import type { Flight } from '../queue/flight.ts'

/** Mail of a claimant that leaves from a source. */
export interface Leaving {
  readonly tenant: string
  /** As its mail names it. */
  readonly pool?: string
  /** Not known yet: it counts in any case. */
  readonly source?: string
}

export function leavingOf({ recipient: { tenant, pool }, permit }: Flight): Leaving {
  const source = permit?.source
  return { tenant, ...(pool !== undefined && { pool }), ...(source !== undefined && { source }) }
}

interface Group {
  readonly tenant: string
  /** The one that it was counted to when the first of it began. */
  pool: string
  readonly source: string | undefined
  count: number
}

/** So many are kept though nothing is in flight of them: most lines are of one claimant, who comes again with each message. */
const KEPT = 4

export class InFlight {
  readonly #groups = new Map<string, Group>()
  /** Those that carry mail here; undefined: all do. */
  #sources: readonly string[] | undefined
  #total = 0
  readonly #ofPool = new Map<string, number>()
  readonly #ofTenant = new Map<string, number>()

  get total(): number {
    return this.#total
  }

  ofPool(pool: string): number {
    return this.#ofPool.get(pool) ?? 0
  }

  /** Whether its mail names the pool or has it from the tenant: it is one tenant. */
  ofTenant(tenant: string, pool: string): number {
    return this.#ofTenant.get(tenantKey(tenant, pool)) ?? 0
  }

  begin(leaving: Leaving, pool: string, count: number): void {
    const key = keyOf(leaving)
    const group = this.#groups.get(key) ?? { tenant: leaving.tenant, pool, source: leaving.source, count: 0 }
    this.#groups.set(key, group)
    if (group.count === 0) group.pool = pool
    group.count += count
    if (this.#counts(group)) this.#add(group, count)
  }

  ended(leaving: Leaving, count: number): void {
    const key = keyOf(leaving)
    const group = this.#groups.get(key)
    if (group === undefined) return
    group.count -= count
    if (this.#counts(group)) this.#add(group, -count)
    if (group.count <= 0 && this.#groups.size > KEPT) this.#groups.delete(key)
  }

  /** Others carry mail here from now on. */
  carriedBy(sources: readonly string[] | undefined): void {
    if (isSame(sources, this.#sources)) return
    for (const group of this.#groups.values()) if (this.#counts(group)) this.#add(group, -group.count)
    this.#sources = sources
    for (const group of this.#groups.values()) if (this.#counts(group)) this.#add(group, group.count)
  }

  #counts({ source }: Group): boolean {
    return source === undefined || (this.#sources?.includes(source) ?? true)
  }

  #add({ tenant, pool }: Group, count: number): void {
    this.#total += count
    addTo(this.#ofPool, pool, count)
    addTo(this.#ofTenant, tenantKey(tenant, pool), count)
  }
}

/** The domains of a site each have a list of their own, mostly the same one. */
function isSame(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  if (one === other) return true
  return one?.length === other?.length && one?.every((source, at) => source === other?.[at]) === true
}

function addTo(counts: Map<string, number>, key: string, count: number): void {
  const sum = (counts.get(key) ?? 0) + count
  if (sum === 0 && counts.size > KEPT) counts.delete(key)
  else counts.set(key, sum)
}

function keyOf({ tenant, pool = '', source = '' }: Leaving): string {
  return `${tenant}\0${pool}\0${source}`
}

function tenantKey(tenant: string, pool: string): string {
  return `${tenant}\0${pool}`
}
