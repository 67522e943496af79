// Lanes that wait for a suspension to end: which one binds them, and who is to be looked at again when one changes. The
// lanes themselves stay parked in Lanes; nothing is written to their recipients. A change costs as much as it concerns:
// lanes are found by what they wait for, however many others wait.

import type { Location, Site } from '../delivery/delivery.ts'
import type { Domain } from '../mail/address.ts'
import { suspensionName } from '../throttle/held-suspensions.ts'
import { nameAt, placesOf, type Suspension, type Suspensions } from '../throttle/suspensions.ts'
import { type Clock, type EpochMs, MINUTE } from '../util/clock.ts'
import { type Lane, type Lanes, textOf } from './lanes.ts'
import type { Resting } from './limits.ts'

export interface SuspendedLanesParts {
  readonly lanes: Lanes
  readonly suspensions: Suspensions
  readonly clock: Clock
  /** A lane waits from now on. */
  readonly onPark: () => void
}

interface Waiting {
  readonly lane: Lane
  readonly by?: Suspension | undefined
  /** What changes for it: names in `#waitingFor`. */
  readonly causes: readonly string[]
}

/** Sources rest, wherever. */
const ANY_SOURCE = 'source'

export class SuspendedLanes {
  readonly #parts: SuspendedLanesParts
  /** By lane. */
  readonly #waiting = new Map<string, Waiting>()
  /** By what they wait for: lanes by their names. */
  readonly #waitingFor = new Map<string, Set<string>>()

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

  /** What a lane waits for, as it stands now: its end may have moved with the clock. */
  by(lane: Lane): Suspension | undefined {
    const by = this.#waiting.get(textOf(lane))?.by
    return by && this.#parts.suspensions.get(by.kind, by.name)
  }

  /** Whether it waits because no source may send there, and no suspension is why. */
  isWithoutSource(lane: Lane): boolean {
    const waiting = this.#waiting.get(textOf(lane))
    return waiting !== undefined && waiting.by === undefined
  }

  /** The lane waits, untouched, for the suspension to end or to be taken back. */
  park(lane: Lane, by: Suspension): void {
    this.#park({ lane, by, causes: [suspensionName(by)] }, by.until)
  }

  /** Nothing keeps it back any more. */
  goesOn(lane: Lane): void {
    this.#forget(textOf(lane))
  }

  /** Those that wait now. */
  *parked(): Iterable<Lane> {
    for (const { lane } of this.#waiting.values()) if (lane.place === 'timed') yield lane
  }

  /**
   * No source of the lane's pool may send there: it waits for the first that is no longer suspended, or `until`
   * something else may have ended. What ends by itself at no known time wakes it.
   */
  parkResting(lane: Lane, place: Site, { sources, until }: Resting): void {
    const { suspensions, clock } = this.#parts
    const places = placesOf(place)
    const causes = [ANY_SOURCE, ...places.map((name) => sourceAt(name))]
    const first = sources
      .flatMap((source) => [source, ...places.map((name) => nameAt(source, name))])
      .map((name) => suspensions.get('source', name))
      .reduce((one, other) => (other !== undefined && (one === undefined || other.until < one.until) ? other : one))
    if (first !== undefined && first.until <= (until ?? first.until))
      this.#park({ lane, by: first, causes }, first.until)
    else this.#park({ lane, causes }, until ?? clock.now() + MINUTE)
  }

  /** These have begun, changed or ended: lanes that waited for them are due, to be looked at again. */
  wake(changed: readonly Suspension[]): void {
    for (const each of changed) for (const name of [...(this.#waitingFor.get(causeOf(each)) ?? [])]) this.#wake(name)
  }

  /** Other reasons than suspensions have changed. */
  wakeAll(): void {
    for (const name of [...this.#waiting.keys()]) this.#wake(name)
  }

  #park(waiting: Waiting, until: EpochMs): void {
    const { lanes, clock, onPark } = this.#parts
    const name = textOf(waiting.lane)
    this.#forget(name)
    this.#waiting.set(name, waiting)
    for (const cause of waiting.causes) {
      const those = this.#waitingFor.get(cause) ?? new Set()
      this.#waitingFor.set(cause, those)
      those.add(name)
    }
    lanes.park(waiting.lane, Math.max(until, clock.now() + 1))
    onPark()
  }

  #wake(name: string): void {
    const { lanes, clock } = this.#parts
    const waiting = this.#waiting.get(name)
    if (waiting === undefined) return
    this.#forget(name)
    lanes.wake(waiting.lane, clock.now())
  }

  #forget(name: string): void {
    const waiting = this.#waiting.get(name)
    if (waiting === undefined) return
    this.#waiting.delete(name)
    for (const cause of waiting.causes) {
      const those = this.#waitingFor.get(cause)
      those?.delete(name)
      if (those?.size === 0) this.#waitingFor.delete(cause)
    }
  }
}

/** Of a source wherever it sends to. */
export function isWholeSource({ kind, name }: Suspension): boolean {
  return kind === 'source' && !name.includes('@')
}

export function restingSources(suspensions: Pick<Suspensions, 'list'>): ReadonlySet<string> {
  return new Set(
    suspensions
      .list()
      .filter(isWholeSource)
      .map(({ name }) => name),
  )
}

/** What a suspension is to lanes that wait: of a source, all that may rest because of it. */
function causeOf(suspension: Suspension): string {
  if (suspension.kind !== 'source') return suspensionName(suspension)
  const at = suspension.name.indexOf('@')
  return at === -1 ? ANY_SOURCE : sourceAt(suspension.name.slice(at + 1))
}

function sourceAt(place: string): string {
  return `${ANY_SOURCE} @${place}`
}

function latest(found: readonly (Suspension | undefined)[]): Suspension | undefined {
  return found.reduce(
    (one, other) => (other !== undefined && (one === undefined || other.until > one.until) ? other : one),
    undefined,
  )
}
