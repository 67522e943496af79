// The runner: takes due recipients lane by lane, fairly between tenants, hands them to delivery, and has the outcome
// settled. It decides only who goes next; states change in queue.ts. Memory: lanes, sites and what is in flight.

import type { Rate } from '../config/units.ts'
import type { Attempt, Delivery, Location } from '../delivery/delivery.ts'
import { type Domain, domainOf } from '../mail/address.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Logger } from '../observe/logger.ts'
import type { Store } from '../store/store.ts'
import { type Clock, type EpochMs, MINUTE, SECOND, type Timer } from '../util/clock.ts'
import type { Flight } from './flight.ts'
import { type Lane, Lanes } from './lanes.ts'
import type { Limits } from './limits.ts'
import type { Queue } from './queue.ts'
import type { Suspension, Suspensions } from './suspensions.ts'
import type { Limit, Permit, Throttle } from './throttle.ts'
import { SiteLine } from './turns.ts'

export interface RunnerParts {
  readonly queue: Queue
  readonly delivery: Delivery
  readonly store: Store
  readonly attemptOf: (flight: Flight) => Attempt
  readonly maxInFlight: () => number
  readonly limits: Limits
  readonly throttle: Throttle
  readonly suspensions: Suspensions
  readonly clock: Clock
  readonly logger: Logger
}

interface Place {
  readonly location: Location
  /** Monotonic. */
  readonly until: number
}

// One lane claims at most this many in one turn, so that claims are written together but turns stay short.
const CLAIM_LIMIT = 64
const PLACES_LIMIT = 50_000
const ERROR_PAUSE = SECOND
// A claim that could not be written (store full) is tried again after this.
const CLAIM_PAUSE = 5 * SECOND
const LIMITED = { kind: 'returned', reason: 'a limit is used up', retryAfterMs: 0, throttled: true } as const
const SUSPENDED: Outcome = { kind: 'returned', reason: 'suspended', retryAfterMs: 0 }

/** What binds a lane. */
export interface LaneStanding {
  readonly suspension?: Suspension
  readonly limit?: LimitStanding
  /** At its site, over all tenants. */
  readonly inFlight?: number
  readonly slots?: number
  /** When the first of it is due. */
  readonly nextDue?: EpochMs
  /** Stands in line at the site. */
  readonly isReady: boolean
}

export interface LimitStanding {
  readonly name: string
  readonly rate?: Rate
  readonly since: EpochMs
  /** When it gives the next permit. */
  readonly until?: EpochMs
}

export class Runner {
  readonly #parts: RunnerParts
  readonly #lanes = new Lanes()
  readonly #sites = new Map<string, SiteLine>()
  readonly #places = new Map<string, Place>()
  /** When the life of the first message of a lane that waits at a limit is over. */
  readonly #overAt = new WeakMap<Lane, EpochMs>()
  #overdueTimer: Timer | undefined
  /** Lanes that wait for a suspension to end, by tenant and domain. */
  readonly #suspended = new Map<string, { readonly lane: Lane; readonly by: Suspension }>()
  #timer: { readonly at: EpochMs; readonly timer: Timer } | undefined
  #stopping = false
  /** Flights handed over and not settled yet; stop() waits for them. */
  #running = 0
  #idle: (() => void)[] = []

  constructor(parts: RunnerParts) {
    this.#parts = parts
    parts.queue.listen({
      claimed: (flights) => {
        for (const flight of flights) void this.#dispatch(flight)
      },
      due: (tenant, domain, dueAt) => this.#wake(tenant, domain, dueAt),
    })
  }

  /** Finds the lanes in the store; before `start`. */
  load(): void {
    this.#lanes.load(this.#parts.store)
  }

  start(): void {
    this.#parts.suspensions.onChange(() => this.#reconsider())
    this.#rest()
    this.#arm()
  }

  get lanes(): number {
    return this.#lanes.size
  }

  /** Claims nothing any more; what is claimed goes on. */
  takeNothingMore(): void {
    this.#stopping = true
    this.#overdueTimer?.cancel()
    this.#parts.throttle.close()
    this.#timer?.timer.cancel()
  }

  /**
   * Waits until what is under way is settled; delivery.close() sees to it that it ends. An outcome that cannot be
   * written (no room) is given up after `graceMs` and logged: its recipient is tried again at the next start.
   */
  async stop(graceMs: number): Promise<void> {
    this.takeNothingMore()
    if (this.#running === 0) return
    const waited = new AbortController()
    const idle = new Promise<void>((resolve) => this.#idle.push(resolve))
    await Promise.race([idle, this.#parts.clock.sleep(graceMs, waited.signal)])
    waited.abort()
    if (this.#running > 0) {
      this.#parts.logger.error(
        { event: 'unsettled', count: this.#running },
        'stopping with attempts whose outcome is not recorded',
      )
    }
  }

  /** Forgets where domains live (routes or resolvers changed). */
  forgetPlaces(): void {
    this.#places.clear()
    // What waits at a limit may have another one now, or none.
    this.#parts.throttle.wakeAll()
  }

  /** What binds a lane right now; undefined when nobody waits in it. */
  standing(tenant: string, domain: Domain): LaneStanding | undefined {
    const lane = this.#lanes.find(tenant, domain)
    if (lane === undefined) return undefined
    const place = this.#places.get(domain)?.location
    // One that waits at a limit meets the suspension when it is woken.
    const suspension = this.#suspended.get(laneName(lane))?.by ?? (place && this.#suspensionOf(tenant, domain, place))
    const line = place?.kind === 'site' ? this.#sites.get(place.line) : undefined
    const limit = lane.place === 'ready' ? line?.blockedOn(tenant) : undefined
    return {
      ...(suspension !== undefined && { suspension }),
      ...(limit !== undefined && { limit: this.#shown(limit) }),
      ...(line !== undefined && { inFlight: line.inFlight, slots: line.place.slots }),
      ...(lane.nextDue < Number.POSITIVE_INFINITY && { nextDue: lane.nextDue }),
      isReady: lane.place === 'ready',
    }
  }

  #shown(limit: Limit): LimitStanding {
    const { clock, throttle } = this.#parts
    const elapsed = limit.waitingSince === undefined ? 0 : clock.monotonic() - limit.waitingSince
    const waitMs = throttle.waitMs(limit)
    return {
      name: limit.name,
      since: Math.round(clock.now() - elapsed),
      ...(limit.rate !== undefined && { rate: limit.rate }),
      ...(waitMs < Number.POSITIVE_INFINITY && { until: Math.ceil(clock.now() + waitMs) }),
    }
  }

  // ---- suspensions

  #suspensionOf(tenant: string, domain: Domain, location: Location): Suspension | undefined {
    const { suspensions } = this.#parts
    const provider = location.kind === 'site' ? location.provider : undefined
    const [first] = [
      suspensions.get('tenant', tenant),
      suspensions.get('domain', domain),
      provider === undefined ? undefined : suspensions.get('provider', provider),
    ]
      .filter((each) => each !== undefined)
      .sort((a, b) => b.until - a.until)
    return first
  }

  /** The lane waits, untouched, for the suspension to end or to be taken back. */
  #suspend(lane: Lane, by: Suspension): void {
    this.#suspended.set(laneName(lane), { lane, by })
    this.#lanes.park(lane, Math.max(by.until, this.#parts.clock.now() + 1))
    this.#arm()
  }

  /** Suspensions have changed: sources rest or wake, and lanes that waited for an end are looked at again. */
  #reconsider(): void {
    this.#rest()
    const lanes = [...this.#suspended.values()]
    this.#suspended.clear()
    const now = this.#parts.clock.now()
    for (const { lane } of lanes) this.#lanes.wake(lane.tenant, lane.domain, now)
    this.#arm()
  }

  #rest(): void {
    const resting = this.#parts.suspensions.list().filter(({ kind }) => kind === 'source')
    this.#parts.delivery.rest(new Set(resting.map(({ name }) => name)))
  }

  // ---- time

  #wake(tenant: string, domain: Domain, dueAt: EpochMs): void {
    this.#lanes.wake(tenant, domain, dueAt)
    if (this.#timer === undefined || dueAt < this.#timer.at) this.#arm()
  }

  /** One timer for all: at the time the first lane is due. */
  #arm(): void {
    this.#timer?.timer.cancel()
    this.#timer = undefined
    const dueAt = this.#lanes.nextDue
    if (dueAt === undefined || this.#stopping) return
    const { clock } = this.#parts
    // Woken at least once a minute, so that a step of the wall clock is noticed.
    const delay = Math.min(Math.max(0, dueAt - clock.now()), MINUTE)
    this.#timer = { at: dueAt, timer: clock.after(delay, () => this.#takeDue()) }
  }

  #takeDue(): void {
    if (this.#stopping) return
    const now = this.#parts.clock.now()
    for (;;) {
      const lane = this.#lanes.takeDue(now)
      if (lane === undefined) break
      void this.#enter(lane)
    }
    this.#arm()
  }

  // ---- places

  async #locate(domain: Domain): Promise<Location> {
    const { clock, delivery, logger } = this.#parts
    const known = this.#places.get(domain)
    if (known !== undefined && known.until > clock.monotonic()) return known.location
    let location: Location
    try {
      location = await delivery.locate(domain)
    } catch (error) {
      logger.error({ event: 'runner.locate-failed', domain, err: error }, 'finding the site of a domain failed')
      const detail = 'finding the site failed; see the log'
      location = {
        kind: 'nowhere',
        outcome: { kind: 'deferred', cause: { kind: 'local', code: '4.3.0', detail } },
        validMs: ERROR_PAUSE,
      }
    }
    if (this.#places.size >= PLACES_LIMIT) this.#places.clear()
    this.#places.set(domain, { location, until: clock.monotonic() + location.validMs })
    return location
  }

  #siteLine(place: Extract<Location, { kind: 'site' }>): SiteLine {
    const found = this.#sites.get(place.line)
    if (found !== undefined) {
      found.place = place
      return found
    }
    const line = new SiteLine(place, (woken) => this.#pump(woken))
    this.#sites.set(place.line, line)
    return line
  }

  // ---- turns

  /** A recipient that is claimed already takes its place in its site's line. */
  async #dispatch(flight: Flight): Promise<void> {
    this.#running++
    const location = await this.#locate(domainOf(flight.recipient.address))
    const { tenant, address } = flight.recipient
    if (this.#suspensionOf(tenant, domainOf(address), location) !== undefined) return this.#settle(flight, SUSPENDED)
    if (location.kind === 'nowhere') return this.#settle(flight, location.outcome)
    const line = this.#siteLine(location)
    // Its tenant waits here at a limit: it waits with the rest of its lane, in the store.
    const limit = line.blockedOn(tenant)
    if (limit !== undefined && !this.#parts.throttle.isBrief(limit)) return this.#settle(flight, LIMITED)
    line.addFlight(flight)
    this.#pump(line)
  }

  /** A lane that is due takes its place in its site's line, or is settled where it stands when it leads nowhere. */
  async #enter(lane: Lane): Promise<void> {
    const location = await this.#locate(lane.domain)
    if (this.#stopping) return
    const suspension = this.#suspensionOf(lane.tenant, lane.domain, location)
    if (suspension !== undefined) return this.#suspend(lane, suspension)
    if (location.kind === 'nowhere') return this.#settleLane(lane, location.outcome)
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
    const { tenant } = flight.recipient
    const budget = limits.budget(line, tenant)
    // Others were here before, or there is nothing to be had: it goes back to its lane and waits with the rest of it.
    if (!('permits' in budget)) {
      if ('full' in budget && this.#parts.throttle.isBrief(budget.full)) {
        line.addFlight(flight)
        this.#wait(line, tenant, budget.full)
      } else void this.#settle(flight, LIMITED)
      return
    }
    const admitted = limits.admit(flight.message, line.place)
    if ('waitMs' in admitted) {
      void this.#settle(flight, { ...LIMITED, retryAfterMs: Math.ceil(admitted.waitMs) })
      return
    }
    flight.permit = admitted
    line.begin(tenant, 1)
    void this.#run(line, flight)
  }

  #laneTurn(line: SiteLine, lane: Lane): void {
    const suspension = this.#suspensionOf(lane.tenant, lane.domain, line.place)
    if (suspension !== undefined) {
      this.#suspend(lane, suspension)
      return
    }
    const budget = this.#parts.limits.budget(line, lane.tenant)
    if ('resting' in budget) {
      this.#rests(lane)
      return
    }
    if ('full' in budget) {
      line.addLane(lane)
      this.#wait(line, lane.tenant, budget.full)
      return
    }
    const share = Math.ceil(line.free / (line.waitingTenants + 1))
    const count = Math.min(CLAIM_LIMIT, share, line.freeFor(lane.tenant), this.#room(), budget.permits)
    line.begin(lane.tenant, count)
    void this.#claim(line, lane, count)
  }

  #wait(line: SiteLine, tenant: string, limit: Limit): void {
    line.block(tenant, limit)
    this.#parts.throttle.wait(limit, tenant, line)
    this.#overdueTimer ??= this.#parts.clock.after(MINUTE, () => this.#lookForOverdue())
  }

  /** A limit must not keep a message beyond its life: every minute those at the head of lanes that wait are ended. */
  #lookForOverdue(): void {
    this.#overdueTimer = undefined
    const now = this.#parts.clock.now()
    let isAnyBlocked = false
    for (const line of this.#sites.values()) {
      for (const lane of line.blockedLanes()) {
        isAnyBlocked = true
        if ((this.#overAt.get(lane) ?? 0) <= now) void this.#endOverdue(line, lane)
      }
    }
    if (isAnyBlocked && !this.#stopping)
      this.#overdueTimer = this.#parts.clock.after(MINUTE, () => this.#lookForOverdue())
  }

  async #endOverdue(line: SiteLine, lane: Lane): Promise<void> {
    const { queue, clock, logger } = this.#parts
    try {
      const { flights } = await queue.claim(lane, CLAIM_LIMIT, ({ expiresAt }) => {
        this.#overAt.set(lane, expiresAt)
        return clock.now() < expiresAt ? 'stop' : { waitMs: MINUTE }
      })
      this.#running += flights.length
      line.begin(lane.tenant, flights.length)
      for (const flight of flights) void this.#run(line, flight)
    } catch (error) {
      logger.warn({ event: 'runner.claim-failed', err: error }, 'claiming recipients failed')
    }
  }

  /** Every source of the tenant's pool is suspended: the lane waits for the first of them. */
  #rests(lane: Lane): void {
    const [first] = this.#parts.suspensions.list().filter(({ kind }) => kind === 'source')
    // It has ended this very moment.
    if (first === undefined) this.#lanes.park(lane, this.#parts.clock.now() + 1)
    else this.#suspend(lane, first)
    this.#arm()
  }

  /** Room under max_in_flight; one at least, so that a full relay still goes on. */
  #room(): number {
    return Math.max(1, this.#parts.maxInFlight() - this.#parts.queue.inFlight)
  }

  async #claim(line: SiteLine, lane: Lane, count: number): Promise<void> {
    const { queue, clock, logger, limits, throttle } = this.#parts
    const { place } = line
    const permits: Permit[] = []
    let taken = 0
    try {
      const { flights, firstDue } = await queue.claim(lane, count, (message) => {
        const admitted = limits.admit(message, place)
        if (!('waitMs' in admitted)) permits.push(admitted)
        return admitted
      })
      taken = flights.length
      this.#running += taken
      for (const flight of flights) void this.#run(line, flight)
      if (firstDue !== undefined && firstDue <= clock.now() && !this.#stopping) line.addLane(lane)
      else this.#lanes.park(lane, firstDue)
    } catch (error) {
      logger.warn({ event: 'runner.claim-failed', err: error }, 'claiming recipients failed')
      for (const permit of permits) throttle.giveBack(permit)
      this.#lanes.park(lane, clock.now() + CLAIM_PAUSE)
    }
    line.ended(lane.tenant, count - taken)
    this.#arm()
    this.#pump(line)
  }

  async #run(line: SiteLine, flight: Flight): Promise<void> {
    const outcome = await this.#attempt(flight)
    this.#release(flight, outcome)
    // The slot is free as soon as delivery has answered; what follows is between the store and us.
    line.ended(flight.recipient.tenant, 1)
    this.#pump(line)
    if (outcome === undefined) this.#ended()
    else await this.#settle(flight, outcome, line.place.retry)
  }

  /** What was not sent did not use up any limit. */
  #release(flight: Flight, outcome: Outcome | undefined): void {
    const { permit } = flight
    if (permit === undefined) return
    flight.permit = undefined
    if (outcome === undefined || outcome.kind === 'returned') this.#parts.throttle.giveBack(permit)
    else this.#parts.throttle.ended(permit)
  }

  /** Undefined when there was nothing (left) to try, or the store failed us. */
  async #attempt(flight: Flight): Promise<Outcome | undefined> {
    const { queue, delivery, attemptOf } = this.#parts
    try {
      if (await queue.refuseBeforeAttempt(flight)) return undefined
      if (flight.throttledMs !== undefined) return { ...LIMITED, retryAfterMs: flight.throttledMs }
      return await delivery.deliver(attemptOf(flight))
    } catch (error) {
      this.#abandon(flight, error)
      return undefined
    }
  }

  async #settle(flight: Flight, outcome: Outcome, retry?: readonly number[]): Promise<void> {
    try {
      await this.#parts.queue.settle(flight, outcome, retry)
    } catch (error) {
      this.#abandon(flight, error)
    }
    this.#ended()
  }

  /** Nothing is lost: the claim has stored when the recipient is due again. */
  #abandon(flight: Flight, error: unknown): void {
    const { queue, logger } = this.#parts
    const { id, n } = flight.recipient
    logger.error(
      { event: 'runner.attempt-abandoned', message: id, n, err: error },
      'an attempt broke off and is made again later',
    )
    queue.abandon(flight)
  }

  /** Claims and settles a lane that leads nowhere (no such domain, resolver down), a claim's worth at a time. */
  async #settleLane(lane: Lane, outcome: Outcome): Promise<void> {
    const { queue, clock, logger } = this.#parts
    try {
      const { flights, firstDue } = await queue.claim(lane, CLAIM_LIMIT)
      this.#running += flights.length
      await Promise.all(flights.map((flight) => this.#settle(flight, outcome)))
      this.#lanes.park(lane, firstDue)
    } catch (error) {
      logger.warn({ event: 'runner.claim-failed', err: error }, 'claiming recipients failed')
      this.#lanes.park(lane, clock.now() + CLAIM_PAUSE)
    }
    this.#arm()
  }

  #ended(): void {
    this.#running--
    if (this.#running === 0 && this.#stopping) for (const resolve of this.#idle.splice(0)) resolve()
  }
}

function laneName({ tenant, domain }: Lane): string {
  return `${tenant}\0${domain}`
}
