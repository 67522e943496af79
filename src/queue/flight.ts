// What is in flight: recipients claimed and not settled yet. In memory only, bounded by max_in_flight.

import type { Verdict } from '../bounce/verdict.ts'
import type { JournalRecord } from '../journal/record.ts'
import type { Message, Recipient } from '../mail/message.ts'
import type { Cause } from '../mail/outcome.ts'
import type { Permit } from '../throttle/limit.ts'
import type { EpochMs } from '../util/clock.ts'

/** A claimed recipient on its way: from claim (or acceptance) to settlement. */
export interface Flight {
  readonly message: Message
  /** As it stands now: operators may hold or cancel it while the attempt is under way. */
  recipient: Recipient
  /** The body, when it was accepted a moment ago and is small; else it is read from the store. */
  content: Buffer | undefined
  /** Claimed by acceptance, not by the runner. */
  readonly hot: boolean
  /** What it took of its limits. */
  permit?: Permit | undefined
  /** When it was handed to delivery. */
  triedSince?: EpochMs
  /** Claimed only because its life is over: a limit has nothing for it for so long. */
  readonly throttledMs?: number
  /** A report said that it bounced while we still wait for the reply to the dot. */
  cameBack?: CameBack
}

export interface CameBack {
  readonly cause: Cause
  readonly verdict: Verdict
  /** Which report, and who accepted it. */
  readonly record: Partial<JournalRecord>
}

export const flightKey = (id: string, n: number): string => `${id}.${n}`

const KEPT_CONTENT_BYTES = 32 * 2 ** 20

export class Flights {
  readonly #flights = new Map<string, Flight>()
  readonly #hot = new Map<string, number>()
  #contentBytes = 0

  get size(): number {
    return this.#flights.size
  }

  get(id: string, n: number): Flight | undefined {
    return this.#flights.get(flightKey(id, n))
  }

  /** Whether a body of this size may wait in memory for its first attempt instead of being read back from the store. */
  mayKeep(bytes: number): boolean {
    return this.#contentBytes + bytes <= KEPT_CONTENT_BYTES
  }

  /** The attempt is over: the body is not needed any more. */
  dropContent(flight: Flight): void {
    this.#contentBytes -= flight.content?.length ?? 0
    flight.content = undefined
  }

  /** Whether acceptance may claim one more: one tenant never takes more than half of the room. */
  hasRoom(tenant: string, maxInFlight: number): boolean {
    return this.#flights.size < maxInFlight && (this.#hot.get(tenant) ?? 0) < maxInFlight / 2
  }

  begin(flight: Flight): void {
    const { id, n, tenant } = flight.recipient
    this.#contentBytes += flight.content?.length ?? 0
    this.#flights.set(flightKey(id, n), flight)
    if (flight.hot) this.#hot.set(tenant, (this.#hot.get(tenant) ?? 0) + 1)
  }

  land(flight: Flight): void {
    const { id, n, tenant } = flight.recipient
    this.dropContent(flight)
    if (!this.#flights.delete(flightKey(id, n)) || !flight.hot) return
    const left = (this.#hot.get(tenant) ?? 1) - 1
    if (left === 0) this.#hot.delete(tenant)
    else this.#hot.set(tenant, left)
  }
}
