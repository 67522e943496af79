// Who asks the unsubscribe endpoint, and how often. Behind a proxy of ours the address stands in X-Forwarded-For;
// anybody else's word for it is not believed.

import { isIP } from 'node:net'
import { isPrivate } from '../config/network.ts'
import type { Rate } from '../config/units.ts'
import { ExpiringMap } from '../delivery/expiring-map.ts'
import { blockOf } from '../inbound/address-block.ts'
import type { Clock } from '../util/clock.ts'

/** `peer`: the address of the connection. A proxy adds the address it saw at the end of what the client may have written. */
export function clientAddress(peer: string, forwardedFor: string | undefined): string {
  if (forwardedFor === undefined || !isPrivate(peer)) return peer
  const last = forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim()
  return isIP(last) === 0 ? peer : last
}

const MAX_CLIENTS = 10_000

/** Counts requests per client address (IPv6: per /64) in windows of fixed length; what it remembers is bounded. */
export class RequestCount {
  readonly #rate: Rate
  readonly #counts: ExpiringMap<{ requests: number }>

  constructor(clock: Clock, rate: Rate) {
    this.#rate = rate
    this.#counts = new ExpiringMap(clock, MAX_CLIENTS)
  }

  /** Counts one more; whether it is one too many. */
  isTooMany(address: string): boolean {
    const block = blockOf(address)
    let count = this.#counts.get(block)
    if (count === undefined) {
      count = { requests: 0 }
      this.#counts.set(block, count, this.#rate.per)
    }
    return ++count.requests > this.#rate.count
  }
}
