// How many recipients wait per tenant, for tenant.max_queued. Counted along the schedule in pieces at start (or when first
// asked), moved with every change of state from then on; tenants without a limit are never counted.

import type { Recipient } from '../mail/message.ts'
import { prefixRange, textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'

const PIECE = 1000

export class WaitingCount {
  readonly #store: Store
  readonly #counts = new Map<string, number>()

  constructor(store: Store) {
    this.#store = store
  }

  of(tenant: string): number {
    const known = this.#counts.get(tenant)
    if (known !== undefined) return known
    let count = 0
    for (const piece of this.#pieces(tenant)) count += piece
    this.#counts.set(tenant, count)
    return count
  }

  /** Counts before anybody waits for the answer; nothing may change meanwhile. */
  async prepare(tenants: readonly string[]): Promise<void> {
    for (const tenant of tenants) {
      let count = 0
      for (const piece of this.#pieces(tenant)) {
        count += piece
        await new Promise((resolve) => setImmediate(resolve))
      }
      this.#counts.set(tenant, count)
    }
  }

  change(before: Recipient | undefined, after: Recipient): void {
    const known = this.#counts.get(after.tenant)
    if (known === undefined) return
    const by = Number(after.state.kind === 'waiting') - Number(before?.state.kind === 'waiting')
    this.#counts.set(after.tenant, known + by)
  }

  *#pieces(tenant: string): Generator<number> {
    const range = prefixRange(textKey(tenant))
    let { from } = range
    for (;;) {
      const keys = this.#store.keys('due', { ...range, from, limit: PIECE })
      yield keys.length
      const last = keys.at(-1)
      if (last === undefined || keys.length < PIECE) return
      from = Buffer.concat([last, Buffer.from([0])])
    }
  }
}
