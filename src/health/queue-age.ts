// How old the mail is that waits, by tenant. The schedule's keys have the ids in them, and an id says when it was made, so
// that nothing is read for most. One recipient at a dead host waits for days and means nothing: the age is that of the
// `minimum`-th oldest. What waits because its sender wished so (X-Studs-Send-At) does not wait.

import type { Recipient } from '../mail/message.ts'
import { decodeOptional } from '../store/codec.ts'
import { partKey, readDueKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { idTime } from '../util/id.ts'

const PIECE = 1000

/** The oldest of a tenant, oldest first; never more than `minimum`. */
class Oldest {
  readonly times: EpochMs[] = []
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  wants(time: EpochMs): boolean {
    return this.times.length < this.#most || time < (this.times.at(-1) ?? 0)
  }

  add(time: EpochMs): void {
    let at = this.times.length
    while (at > 0 && (this.times[at - 1] ?? 0) > time) at--
    this.times.splice(at, 0, time)
    if (this.times.length > this.#most) this.times.pop()
  }
}

/** When the `minimum`-th oldest of each tenant was accepted; tenants with fewer are absent. Walks in pieces. */
export async function agesOf(
  { store, clock }: { readonly store: Store; readonly clock: Pick<Clock, 'now'> },
  { minimum, signal }: { readonly minimum: number; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, EpochMs>> {
  const tenants = new Map<string, Oldest>()
  const now = clock.now()
  let from: Buffer | undefined
  while (!signal.aborted) {
    const keys = store.keys('due', { ...(from !== undefined && { from }), limit: PIECE })
    for (const key of keys) {
      const { tenant, id, n, dueAt } = readDueKey(key)
      const oldest = tenants.get(tenant) ?? new Oldest(minimum)
      tenants.set(tenant, oldest)
      const time = idTime(id)
      if (oldest.wants(time) && (dueAt <= now || wasTried(store, id, n))) oldest.add(time)
    }
    const last = keys.at(-1)
    if (last === undefined || keys.length < PIECE) break
    from = Buffer.concat([last, Buffer.from([0])])
    await new Promise((resolve) => setImmediate(resolve))
  }
  return new Map(
    [...tenants].flatMap(([tenant, { times }]) => {
      const time = times[minimum - 1]
      return time === undefined ? [] : [[tenant, time] as const]
    }),
  )
}

function wasTried(store: Store, id: string, n: number): boolean {
  const state = decodeOptional<Recipient>(store.get('recipient', partKey(id, n)))?.state
  return state?.kind === 'waiting' && state.attempts > 0
}
