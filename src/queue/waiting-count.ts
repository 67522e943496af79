// How many recipients wait per tenant, for tenant.max_queued. Counted from the schedule when first asked, kept up to date
// from then on; tenants without a limit are never counted.

import { prefixRange, textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'

export class WaitingCount {
  readonly #store: Store
  readonly #counts = new Map<string, number>()

  constructor(store: Store) {
    this.#store = store
  }

  of(tenant: string): number {
    const known = this.#counts.get(tenant)
    if (known !== undefined) return known
    const count = this.#store.keys('due', prefixRange(textKey(tenant))).length
    this.#counts.set(tenant, count)
    return count
  }

  add(tenant: string, by: 1 | -1): void {
    const known = this.#counts.get(tenant)
    if (known !== undefined) this.#counts.set(tenant, known + by)
  }
}
