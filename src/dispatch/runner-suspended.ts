// Lanes that wait for a suspension to end: which one binds them, and who is to be looked at again when any of them
// changes. The lanes themselves stay parked in Lanes; nothing is written to their recipients.

import type { Location, Site } from '../delivery/delivery.ts'
import type { Domain } from '../mail/address.ts'
import { nameAt, placesOf, type Suspension, type Suspensions } from '../throttle/suspensions.ts'
import { type Clock, type EpochMs, MINUTE } from '../util/clock.ts'
import type { Lane, Lanes } from './lanes.ts'

export interface SuspendedLanesParts {
  readonly lanes: Lanes
  readonly suspensions: Suspensions
  readonly clock: Clock
  /** A lane waits from now on. */
  readonly onPark: () => void
}

export class SuspendedLanes {
  readonly #parts: SuspendedLanesParts
  /** By tenant and domain. */
  readonly #waiting = new Map<string, { readonly lane: Lane; readonly by?: Suspension }>()

  constructor(parts: SuspendedLanesParts) {
    this.#parts = parts
  }

  /** The last to end of those that bind mail of a tenant to a domain. */
  of(tenant: string, domain: Domain, location: Location): Suspension | undefined {
    const { suspensions } = this.#parts
    // Asked for every lane that comes due: mostly there is none at all.
    if (suspensions.size === 0) return undefined
    const wide = [suspensions.get('tenant', tenant), suspensions.get('domain', domain)]
    if (location.kind !== 'site') return latest(wide)
    const { site, provider } = location
    return latest([
      ...wide,
      ...placesOf(location).map((place) => suspensions.get('tenant', nameAt(tenant, place))),
      suspensions.get('site', site),
      provider === undefined ? undefined : suspensions.get('provider', provider),
    ])
  }

  /** What a lane waits for. */
  by(lane: Lane): Suspension | undefined {
    return this.#waiting.get(laneName(lane))?.by
  }

  /** Whether it waits because no source may send there, and no suspension is why. */
  isWithoutSource(lane: Lane): boolean {
    const waiting = this.#waiting.get(laneName(lane))
    return waiting !== undefined && waiting.by === undefined
  }

  /** The lane waits, untouched, for the suspension to end or to be taken back. */
  park(lane: Lane, by: Suspension): void {
    const { lanes, clock } = this.#parts
    this.#waiting.set(laneName(lane), { lane, by })
    lanes.park(lane, Math.max(by.until, clock.now() + 1))
    this.#parts.onPark()
  }

  /** Nothing keeps it back any more. */
  goesOn(lane: Lane): void {
    this.#waiting.delete(laneName(lane))
  }

  /** Those that wait now. */
  *parked(): Iterable<Lane> {
    for (const { lane } of this.#waiting.values()) if (lane.place === 'timed') yield lane
  }

  /**
   * No source of the tenant's pool may send there: the lane waits for the first that is no longer suspended, or `until`
   * something else may have ended. What ends by itself at no known time wakes it.
   */
  parkResting(lane: Lane, place: Site, until?: EpochMs): void {
    const { lanes, suspensions, clock } = this.#parts
    const ends = placesOf(place).map((name) => nameAt('', name))
    const [first] = suspensions
      .list()
      .filter(({ kind, name }) => kind === 'source' && (!name.includes('@') || ends.some((end) => name.endsWith(end))))
    if (first !== undefined && first.until <= (until ?? first.until)) {
      this.park(lane, first)
      return
    }
    this.#waiting.set(laneName(lane), { lane })
    lanes.park(lane, Math.max(until ?? 0, clock.now() + (until === undefined ? MINUTE : 1)))
    this.#parts.onPark()
  }

  /** Suspensions have changed: lanes that waited for an end are due, to be looked at again. */
  wakeAll(): void {
    const { lanes, clock } = this.#parts
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    const now = clock.now()
    for (const { lane } of waiting) lanes.wake(lane.tenant, lane.domain, now)
  }
}

function latest(found: readonly (Suspension | undefined)[]): Suspension | undefined {
  return found.reduce(
    (one, other) => (other !== undefined && (one === undefined || other.until > one.until) ? other : one),
    undefined,
  )
}

function laneName({ tenant, domain }: Lane): string {
  return `${tenant}\0${domain}`
}
