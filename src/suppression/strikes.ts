// Strikes: how many messages to an address ended in a soft failure since one last got through. This file owns their
// stored shape and reads and composes their writes; policy.ts alone decides what counts.

import { decodeOptional, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'

export interface Strikes {
  readonly count: number
  readonly first: EpochMs
  readonly last: EpochMs
  /** The messages that counted, oldest first. */
  readonly messages: readonly string[]
  /** Since when the recipient's domain has been found not to exist; absent when it never was. */
  readonly domainGoneAt?: EpochMs
  /** Some of them were learned from a bounce: the site says 250 before it knows. */
  readonly afterAcceptance?: true
  /** The first message accepted since, which clears the strikes unless it comes back too; see policy.ts. */
  readonly accepted?: { readonly message: string; readonly at: EpochMs }
}

export interface StrikeBook {
  /** Committed state only. Costs nothing while no address has any. */
  read(tenant: string, target: string): Strikes | undefined
  put(tenant: string, target: string, strikes: Strikes): Write[]
  reset(tenant: string, target: string): Write[]
}

export function createStrikeBook({ store }: { readonly store: Store }): StrikeBook {
  // False means certainly none. It turns true when the first write is composed, never back: at worst a get is wasted.
  let mayHold = store.keys('strike', { limit: 1 }).length > 0
  return {
    read: (tenant, target) =>
      mayHold ? decodeOptional<Strikes>(store.get('strike', textKey(tenant, target))) : undefined,
    put: (tenant, target, strikes) => {
      mayHold = true
      return [{ table: 'strike', key: textKey(tenant, target), value: encode(strikes) }]
    },
    reset: (tenant, target) => [{ table: 'strike', key: textKey(tenant, target), value: undefined }],
  }
}
