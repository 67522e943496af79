// The runner: takes due recipients lane by lane, fairly between tenants, hands them to delivery, and has the outcome
// settled. It decides only who goes next; states change in queue.ts. Memory: lanes, sites and what is in flight.

import type { Attempt, Delivery, Location } from '../delivery/delivery.ts'
import { type Domain, domainOf } from '../mail/address.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Logger } from '../observe/logger.ts'
import type { Store } from '../store/store.ts'
import { type Clock, type EpochMs, MINUTE, SECOND, type Timer } from '../util/clock.ts'
import type { Flight } from './flight.ts'
import { type Lane, Lanes } from './lanes.ts'
import type { Queue } from './queue.ts'
import { SiteLine } from './turns.ts'

export interface RunnerParts {
  readonly queue: Queue
  readonly delivery: Delivery
  readonly store: Store
  readonly attemptOf: (flight: Flight) => Attempt
  readonly maxInFlight: () => number
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

export class Runner {
  readonly #parts: RunnerParts
  readonly #lanes = new Lanes()
  readonly #sites = new Map<string, SiteLine>()
  readonly #places = new Map<string, Place>()
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
    this.#arm()
  }

  get lanes(): number {
    return this.#lanes.size
  }

  /** Claims nothing any more; what is claimed goes on. */
  takeNothingMore(): void {
    this.#stopping = true
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

  #siteLine({ site, slots }: Extract<Location, { kind: 'site' }>): SiteLine {
    const found = this.#sites.get(site)
    if (found !== undefined) {
      found.slots = slots
      return found
    }
    const line = new SiteLine(site, slots)
    this.#sites.set(site, line)
    return line
  }

  // ---- turns

  /** A recipient that is claimed already takes its place in its site's line. */
  async #dispatch(flight: Flight): Promise<void> {
    this.#running++
    const location = await this.#locate(domainOf(flight.recipient.address))
    if (location.kind === 'nowhere') return this.#settle(flight, location.outcome)
    const line = this.#siteLine(location)
    line.addFlight(flight)
    this.#pump(line)
  }

  /** A lane that is due takes its place in its site's line, or is settled where it stands when it leads nowhere. */
  async #enter(lane: Lane): Promise<void> {
    const location = await this.#locate(lane.domain)
    if (this.#stopping) return
    if (location.kind === 'nowhere') return this.#settleLane(lane, location.outcome)
    const line = this.#siteLine(location)
    line.addLane(lane)
    this.#pump(line)
  }

  #pump(line: SiteLine): void {
    while (line.free > 0) {
      const turn = line.next()
      if (turn === undefined) break
      if (turn.kind === 'flight') {
        line.begin(turn.flight.recipient.tenant, 1)
        void this.#run(line, turn.flight)
      } else if (!this.#stopping) {
        const share = Math.ceil(line.free / (line.waitingTenants + 1))
        const count = Math.min(CLAIM_LIMIT, share, line.freeFor(turn.lane.tenant), this.#room())
        line.begin(turn.lane.tenant, count)
        void this.#claim(line, turn.lane, count)
      }
    }
    if (line.isIdle && this.#sites.get(line.site) === line) this.#sites.delete(line.site)
  }

  /** Room under max_in_flight; one at least, so that a full relay still goes on. */
  #room(): number {
    return Math.max(1, this.#parts.maxInFlight() - this.#parts.queue.inFlight)
  }

  async #claim(line: SiteLine, lane: Lane, count: number): Promise<void> {
    const { queue, clock, logger } = this.#parts
    let taken = 0
    try {
      const { flights, firstDue } = await queue.claim(lane, count)
      taken = flights.length
      this.#running += taken
      for (const flight of flights) void this.#run(line, flight)
      if (firstDue !== undefined && firstDue <= clock.now() && !this.#stopping) line.addLane(lane)
      else this.#lanes.park(lane, firstDue)
    } catch (error) {
      logger.warn({ event: 'runner.claim-failed', err: error }, 'claiming recipients failed')
      this.#lanes.park(lane, clock.now() + CLAIM_PAUSE)
    }
    line.ended(lane.tenant, count - taken)
    this.#arm()
    this.#pump(line)
  }

  async #run(line: SiteLine, flight: Flight): Promise<void> {
    const outcome = await this.#attempt(flight)
    // The slot is free as soon as delivery has answered; what follows is between the store and us.
    line.ended(flight.recipient.tenant, 1)
    this.#pump(line)
    if (outcome === undefined) this.#ended()
    else await this.#settle(flight, outcome)
  }

  /** Undefined when there was nothing (left) to try, or the store failed us. */
  async #attempt(flight: Flight): Promise<Outcome | undefined> {
    const { queue, delivery, attemptOf } = this.#parts
    try {
      return (await queue.refuseBeforeAttempt(flight)) ? undefined : await delivery.deliver(attemptOf(flight))
    } catch (error) {
      this.#abandon(flight, error)
      return undefined
    }
  }

  async #settle(flight: Flight, outcome: Outcome): Promise<void> {
    try {
      await this.#parts.queue.settle(flight, outcome)
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
