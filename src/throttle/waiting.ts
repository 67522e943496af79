// Who waits at a limit: lines of sites, by tenant, the tenants in turn. At the limit of a path there is mostly one line of one
// tenant, and there may be tens of thousands of such limits, each left and entered again for every message: who waits alone
// stands in a field, and only a second one opens a table.

export interface Waited<Waiter> {
  readonly tenant: string
  readonly waiter: Waiter
}

export class Waiting<Waiter extends object> {
  #tenant = ''
  #alone: Waiter | undefined
  /** Used as long as it has anybody. A tenant with one waiter, which most have, needs no set. */
  #tenants: Map<string, Waiter | Set<Waiter>> | undefined

  /** Tenants. */
  get size(): number {
    return this.#alone === undefined ? (this.#tenants?.size ?? 0) : 1
  }

  /** Whoever waits already keeps the place. */
  add(tenant: string, waiter: Waiter): void {
    if (this.size === 0) {
      this.#tenant = tenant
      this.#alone = waiter
      return
    }
    this.#tenants ??= new Map()
    if (this.#alone !== undefined) {
      this.#tenants.set(this.#tenant, this.#alone)
      this.#alone = undefined
    }
    const its = this.#tenants.get(tenant)
    if (its === undefined) this.#tenants.set(tenant, waiter)
    else if (its instanceof Set) its.add(waiter)
    else if (its !== waiter) this.#tenants.set(tenant, new Set([its, waiter]))
  }

  /** Takes the first waiter of the tenant whose turn it is; the tenant goes to the end. */
  next(): Waited<Waiter> | undefined {
    if (this.#alone !== undefined) {
      const waiter = this.#alone
      this.#alone = undefined
      return { tenant: this.#tenant, waiter }
    }
    const [first] = this.#tenants ?? []
    if (first === undefined || this.#tenants === undefined) return undefined
    const [tenant, its] = first
    this.#tenants.delete(tenant)
    if (!(its instanceof Set)) return { tenant, waiter: its }
    const [waiter] = its
    if (waiter === undefined) return undefined
    its.delete(waiter)
    if (its.size > 0) this.#tenants.set(tenant, its)
    return { tenant, waiter }
  }

  /** Takes everybody. */
  drain(): readonly Waited<Waiter>[] {
    const all: Waited<Waiter>[] = []
    if (this.#alone !== undefined) all.push({ tenant: this.#tenant, waiter: this.#alone })
    for (const [tenant, its] of this.#tenants ?? [])
      for (const waiter of its instanceof Set ? its : [its]) all.push({ tenant, waiter })
    this.#alone = undefined
    this.#tenants?.clear()
    return all
  }
}
