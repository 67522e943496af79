// The runner: takes due recipients lane by lane, fairly between tenants, hands them to delivery, and has the outcome
// settled. It decides only who goes next; states change in queue.ts. Memory: lanes, sites and what is in flight.

import type { Attempt, Delivery, Site } from '../delivery/delivery.ts'
import { domainOf } from '../mail/address.ts'
import type { LaneName } from '../mail/message.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Logger } from '../observe/logger.ts'
import type { Flight } from '../queue/flight.ts'
import type { Queue } from '../queue/queue.ts'
import type { Store } from '../store/store.ts'
import type { Limit, Permit } from '../throttle/limit.ts'
import type { Suspension, Suspensions } from '../throttle/suspensions.ts'
import type { Throttle } from '../throttle/throttle.ts'
import type { Clock } from '../util/clock.ts'
import { leavingOf } from './in-flight.ts'
import { type Lane, Lanes } from './lanes.ts'
import type { Limits } from './limits.ts'
import type { Pacer } from './pacer.ts'
import { Attempts, LIMITED } from './runner-attempts.ts'
import { DueTimer } from './runner-due.ts'
import { CLAIM_LIMIT, CLAIM_PAUSE, settleLane } from './runner-nowhere.ts'
import { OverdueLook } from './runner-overdue.ts'
import { KnownPlaces } from './runner-places.ts'
import { type LaneStanding, laneStanding } from './runner-standing.ts'
import { isWholeSource, restingSources, SuspendedLanes } from './runner-suspended.ts'
import { type Claimant, SiteLine } from './turns.ts'

export interface RunnerParts {
  readonly queue: Queue
  readonly delivery: Delivery
  readonly store: Store
  readonly attemptOf: (flight: Flight) => Attempt
  readonly maxInFlight: () => number
  readonly limits: Limits
  readonly throttle: Throttle
  readonly suspensions: Suspensions
  readonly pacer?: Pacer
  readonly clock: Clock
  readonly logger: Logger
}

const SUSPENDED: Outcome = { kind: 'returned', reason: 'suspended', retryAfterMs: 0 }

export class Runner {
  readonly #parts: RunnerParts
  readonly #lanes = new Lanes()
  readonly #sites = new Map<string, SiteLine>()
  readonly #places: KnownPlaces
  readonly #suspended: SuspendedLanes
  readonly #overdue: OverdueLook
  readonly #due: DueTimer
  #stopping = false
  readonly #attempts: Attempts

  constructor(parts: RunnerParts) {
    this.#parts = parts
    this.#places = new KnownPlaces(parts)
    this.#suspended = new SuspendedLanes({ ...parts, lanes: this.#lanes, onPark: () => this.#overdue.arm() })
    this.#attempts = new Attempts(parts)
    this.#due = new DueTimer({ lanes: this.#lanes, clock: parts.clock, onDue: (lane) => void this.#enter(lane) })
    this.#overdue = new OverdueLook({ ...parts, attempts: this.#attempts, lanes: () => this.#keptBack() })
    parts.queue.listen({
      claimed: (flights) => {
        for (const flight of flights) void this.#dispatch(flight)
      },
      due: (lane, dueAt) => this.#due.wake(lane, dueAt),
    })
  }

  /** Finds the lanes in the store; before `start`. */
  load(): void {
    this.#lanes.load(this.#parts.store)
  }

  start(): void {
    this.#parts.suspensions.onChange((changed) => this.#reconsider(changed))
    this.#parts.pacer?.onChange(() => this.#parts.throttle.wakeAll())
    // Whoever waits at the old rate waits at the new one.
    this.#parts.pacer?.onPace?.((limit) => void this.#parts.throttle.rate(limit))
    this.#reconsider(this.#parts.suspensions.list())
  }

  get lanes(): number {
    return this.#lanes.size
  }

  /** Claims nothing any more; what is claimed goes on. */
  takeNothingMore(): void {
    this.#stopping = true
    this.#overdue.close()
    this.#parts.throttle.close()
    this.#due.close()
  }

  /** Waits until what is under way is settled, `graceMs` at most; delivery.close() sees to it that it ends. */
  async stop(graceMs: number): Promise<void> {
    this.takeNothingMore()
    await this.#attempts.end(graceMs)
  }

  /** Forgets where domains live (routes or resolvers changed). */
  forgetPlaces(): void {
    this.#places.forget()
    // What waits may have another limit now, or none, or belong elsewhere.
    for (const line of this.#sites.values())
      for (const turn of line.leave()) {
        if (turn.kind === 'flight') void this.#place(turn.flight)
        else void this.#enter(turn.lane)
      }
    this.#parts.throttle.wakeAll()
  }

  /** Sources may send again, or no longer: whoever waits for one looks again. */
  lookAgain(): void {
    this.#suspended.wakeAll()
    this.#parts.throttle.wakeAll()
    this.#due.arm()
  }

  /** What binds a lane right now; undefined when nobody waits in it. */
  standing(named: LaneName): LaneStanding | undefined {
    const lane = this.#lanes.find(named)
    if (lane === undefined) return undefined
    const place = this.#places.last(lane.domain)
    // One that waits at a limit, or for another suspension, meets it when it is woken.
    const suspension = (place && this.#suspended.of(lane.tenant, lane.domain, place)) ?? this.#suspended.by(lane)
    const line = place?.kind === 'site' ? this.#sites.get(place.line) : undefined
    const limit = lane.place === 'ready' ? line?.blockedOn(lane) : undefined
    const isWithoutSource = this.#suspended.isWithoutSource(lane)
    return laneStanding({ lane, line, suspension, limit, isWithoutSource }, this.#parts)
  }

  /** These have changed: sources rest or wake, and lanes that waited for an end are looked at again. */
  #reconsider(changed: readonly Suspension[]): void {
    const { delivery, suspensions } = this.#parts
    if (changed.some(isWholeSource)) delivery.rest(restingSources(suspensions))
    this.#suspended.wake(changed)
    // A source that is back may have room for who waits at the limit of another.
    if (changed.some(({ kind }) => kind === 'source')) this.#parts.throttle.wakeAll()
    this.#due.arm()
  }

  // ---- turns

  #siteLine(place: Site): SiteLine {
    const found = this.#sites.get(place.line)
    if (found !== undefined) {
      found.place = place
      return found
    }
    const line = new SiteLine(place, (woken) => this.#pump(woken))
    this.#sites.set(place.line, line)
    return line
  }

  /** A recipient that is claimed already takes its place in its site's line. */
  async #dispatch(flight: Flight): Promise<void> {
    this.#attempts.begin(1)
    await this.#place(flight)
  }

  async #place(flight: Flight): Promise<void> {
    const location = await this.#places.locate(domainOf(flight.recipient.address))
    const { tenant, address } = flight.recipient
    if (this.#suspended.of(tenant, domainOf(address), location) !== undefined)
      return this.#attempts.settle(flight, SUSPENDED)
    if (location.kind === 'nowhere') return this.#attempts.settle(flight, location.outcome)
    const line = this.#siteLine(location)
    // Its tenant waits here at a limit: it waits with the rest of its lane, in the store.
    const limit = line.blockedOn(flight.recipient)
    if (limit !== undefined && !this.#parts.throttle.isBrief(limit)) return this.#attempts.settle(flight, LIMITED)
    line.addFlight(flight)
    this.#pump(line)
  }

  /** A lane that is due takes its place in its site's line, or is settled where it stands when it leads nowhere. */
  async #enter(lane: Lane): Promise<void> {
    const location = await this.#places.locate(lane.domain)
    if (this.#stopping) return
    const suspension = this.#suspended.of(lane.tenant, lane.domain, location)
    if (suspension !== undefined) {
      this.#suspended.park(lane, suspension)
      return this.#due.arm()
    }
    this.#suspended.goesOn(lane)
    if (location.kind === 'nowhere') {
      await settleLane(lane, location.outcome, { ...this.#parts, lanes: this.#lanes, attempts: this.#attempts })
      return this.#due.arm()
    }
    const line = this.#siteLine(location)
    line.addLane(lane)
    this.#pump(line)
  }

  #pump(line: SiteLine): void {
    while (line.free > 0) {
      const turn = line.next()
      if (turn === undefined) break
      if (turn.kind === 'flight') this.#flightTurn(line, turn.flight)
      else if (!this.#stopping) this.#laneTurn(line, turn.lane)
    }
    if (line.isIdle && this.#sites.get(line.name) === line) this.#sites.delete(line.name)
  }

  #flightTurn(line: SiteLine, flight: Flight): void {
    const { limits } = this.#parts
    const { recipient } = flight
    const budget = limits.budget(line, recipient)
    // Others were here before, or there is nothing to be had: it goes back to its lane and waits with the rest of it.
    if (!('permits' in budget)) {
      if ('full' in budget && this.#parts.throttle.isBrief(budget.full)) {
        line.addFlight(flight)
        this.#wait(line, recipient, budget.full)
      } else void this.#attempts.settle(flight, LIMITED)
      return
    }
    const admitted = limits.admit(flight.message, line.place, recipient.lastWay?.source)
    if ('waitMs' in admitted) {
      void this.#attempts.settle(flight, { ...LIMITED, retryAfterMs: Math.ceil(admitted.waitMs) })
      return
    }
    flight.permit = admitted
    void this.#run(line, flight)
  }

  #laneTurn(line: SiteLine, lane: Lane): void {
    const suspension = this.#suspended.of(lane.tenant, lane.domain, line.place)
    if (suspension !== undefined) {
      this.#suspended.park(lane, suspension)
      this.#due.arm()
      return
    }
    const budget = this.#parts.limits.budget(line, lane)
    if ('resting' in budget) {
      this.#suspended.parkResting(lane, line.place, budget.resting)
      this.#due.arm()
      return
    }
    if ('full' in budget) {
      line.addLane(lane)
      this.#wait(line, lane, budget.full)
      return
    }
    const share = Math.ceil(line.free / (line.waitingTenants + 1))
    const count = Math.min(CLAIM_LIMIT, share, line.freeFor(lane), this.#room(), budget.permits)
    line.begin(lane, count)
    void this.#claim(line, lane, count)
  }

  #wait(line: SiteLine, claimant: Claimant, limit: Limit): void {
    this.#parts.throttle.wait(limit, claimant.tenant, line.block(claimant, limit))
    this.#overdue.arm()
  }

  /** Lanes that wait at a limit, for a suspension to end or for a source. */
  *#keptBack(): Iterable<Lane> {
    for (const line of this.#sites.values()) yield* line.blockedLanes()
    yield* this.#suspended.parked()
  }

  /** Room under max_in_flight; one at least, so that a full relay still goes on. */
  #room(): number {
    return Math.max(1, this.#parts.maxInFlight() - this.#parts.queue.inFlight)
  }

  async #claim(line: SiteLine, lane: Lane, count: number): Promise<void> {
    const { queue, clock, logger, limits, throttle } = this.#parts
    const { place } = line
    const { forgotten } = this.#places
    const permits: Permit[] = []
    let taken = 0
    try {
      const { flights, firstDue } = await queue.claim(lane, count, (message, { lastWay }) => {
        const admitted = limits.admit(message, place, lastWay?.source)
        if (!('waitMs' in admitted)) permits.push(admitted)
        return admitted
      })
      taken = flights.length
      this.#attempts.begin(taken)
      line.ended(lane, taken)
      for (const flight of flights) void this.#run(line, flight)
      if (firstDue === undefined || firstDue > clock.now() || this.#stopping) this.#lanes.park(lane, firstDue)
      else if (forgotten === this.#places.forgotten) line.addLane(lane)
      else void this.#enter(lane)
    } catch (error) {
      logger.warn({ event: 'runner.claim-failed', err: error }, 'claiming recipients failed')
      for (const permit of permits) throttle.giveBack(permit)
      this.#lanes.park(lane, clock.now() + CLAIM_PAUSE)
    }
    line.ended(lane, count - taken)
    this.#due.arm()
    this.#pump(line)
  }

  async #run(line: SiteLine, flight: Flight): Promise<void> {
    const leaving = leavingOf(flight)
    line.begin(leaving, 1)
    const outcome = await this.#attempts.make(flight, line.place)
    // The slot is free as soon as delivery has answered; what follows is between the store and us.
    line.ended(leaving, 1)
    this.#pump(line)
    if (outcome !== undefined) await this.#attempts.settle(flight, outcome, line.place.retry)
  }
}
