// Keeps the MTA-STS policies of recipient domains in the store, so that a restart is no chance to take one away
// (RFC 8461 §5.1). Delivery knows no store: it gets these two functions.

import { ExpiringMap } from '../delivery/expiring-map.ts'
import type { PolicyMemory, StsPolicy } from '../delivery/mta-sts.ts'
import type { Logger } from '../observe/logger.ts'
import { decode, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'

interface Stored extends StsPolicy {
  readonly domain: string
}

const TABLE = 'tls-policy'
const PAGE = 1000
const MAX_UNWRITTEN = 10_000

export function storedPolicies({
  store,
  clock,
  logger,
}: {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
}): PolicyMemory {
  /** Not yet durable, or not to be for want of room: what was fetched counts all the same. */
  const unwritten = new ExpiringMap<StsPolicy>(clock, MAX_UNWRITTEN)
  return {
    load(domain) {
      const value = store.get(TABLE, textKey(domain))
      return unwritten.get(domain) ?? (value === undefined ? undefined : decode<Stored>(value))
    },
    save(domain, policy) {
      unwritten.set(domain, policy, policy.expiresAt - clock.now())
      const value = encode({ domain, ...policy } satisfies Stored)
      store
        .write([{ table: TABLE, key: textKey(domain), value }], 'soon')
        .then(() => {
          if (unwritten.get(domain) === policy) unwritten.delete(domain)
        })
        .catch((err: unknown) =>
          logger.warn(
            { event: 'tls-policy-not-kept', domain, err },
            'an MTA-STS policy could not be kept for a restart',
          ),
        )
    },
  }
}

/** Removes the policies that are over. */
export async function forgetOldPolicies(store: Store, now: EpochMs): Promise<void> {
  let from: Buffer = Buffer.alloc(0)
  for (;;) {
    const entries = store.range(TABLE, { from, limit: PAGE })
    const writes = entries
      .filter(({ value }) => decode<Stored>(value).expiresAt <= now)
      .map(({ key }): Write => ({ table: TABLE, key, value: undefined }))
    if (writes.length > 0) await store.write(writes, 'soon')
    const last = entries.at(-1)
    if (last === undefined || entries.length < PAGE) return
    from = Buffer.concat([last.key, Buffer.from([0])])
  }
}
