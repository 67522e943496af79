// The end of mail that an operator holds past its life: nothing is due, so nobody meets it. A pass walks along the held,
// a bounded piece per turn of the event loop, and ends what is over. There is no timer for each: a pass remembers when
// the next life ends, and none looks at the store before that, unless somebody was held since.

import type { Message } from '../mail/message.ts'
import { decodeOptional } from '../store/codec.ts'
import { idKey, readPartKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import type { Queue } from './queue.ts'

export interface HeldExpiryParts {
  readonly store: Store
  readonly queue: Pick<Queue, 'expireHeld' | 'holds'>
  readonly clock: Pick<Clock, 'now'>
}

/** Ended at once, each perhaps with a report to its sender: they share a commit, and memory stays bounded. */
const PIECE = 100

export class HeldExpiry {
  readonly #parts: HeldExpiryParts
  /** What the last whole pass found: nobody who was held by then ends before. */
  #known: { readonly holds: number; readonly nextEnd: EpochMs } | undefined

  constructor(parts: HeldExpiryParts) {
    this.#parts = parts
  }

  /** How many ended. Rejects with StoreError; then the next pass begins anew. */
  async pass(signal: AbortSignal): Promise<number> {
    const { store, queue, clock } = this.#parts
    const { holds } = queue
    if (this.#known?.holds === holds && clock.now() <= this.#known.nextEnd) return 0
    let ended = 0
    let nextEnd = Number.POSITIVE_INFINITY
    let from: Buffer | undefined
    while (!signal.aborted) {
      const keys = store.keys('held', { ...(from === undefined ? {} : { from }), limit: PIECE })
      for (const left of await Promise.all(keys.map((key) => this.#endOf(key)))) {
        if (left === 'ended') ended++
        else nextEnd = Math.min(nextEnd, left)
      }
      const last = keys.at(-1)
      if (last === undefined || keys.length < PIECE) {
        this.#known = { holds, nextEnd }
        return ended
      }
      from = Buffer.concat([last, Buffer.from([0])])
      await new Promise((resolve) => setImmediate(resolve))
    }
    return ended
  }

  /** Ends it if its life is over; else when that will be. */
  async #endOf(key: Buffer): Promise<'ended' | EpochMs> {
    const { store, queue, clock } = this.#parts
    const { id, n } = readPartKey(key)
    const message = decodeOptional<Message>(store.get('message', idKey(id)))
    if (message === undefined) return Number.POSITIVE_INFINITY
    return clock.now() > message.expiresAt && (await queue.expireHeld(id, n)) ? 'ended' : message.expiresAt
  }
}
