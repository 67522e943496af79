// Lines of messages before limits that stack, one life of the relay after the other over the same store, and beside it a ledger
// of what was really sent: what no window may hold, and who waits for ever.

import type { Rate } from '../../src/config/units.ts'
import type { Store } from '../../src/store/store.ts'
import type { Limit, Permit, Waiter } from '../../src/throttle/limit.ts'
import { QuotaBook } from '../../src/throttle/quota-book.ts'
import { Throttle } from '../../src/throttle/throttle.ts'
import { HOUR } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'

const CATCH_UP = 250
export const QUOTAS = ['quota a', 'quota b'] as const
export const PACE = 'pace'
const SLOTS = 'places'
/** What the messages of each line count against. */
const STACKS: readonly (readonly string[])[] = [
  [QUOTAS[0]],
  [PACE],
  [QUOTAS[0], PACE],
  [SLOTS, QUOTAS[0], QUOTAS[1], PACE],
  [SLOTS, QUOTAS[1]],
]
const TENANTS = ['shop', 'bulk']

interface Sent {
  readonly at: number
  /** When it came back untried. */
  backAt?: number
}
export interface UnderWay {
  readonly permit: Permit
  readonly line: Line
  readonly sent: Sent
}

/** One life after the other over the same store. */
export class World {
  readonly clock = new FakeClock()
  readonly rates: Map<string, Rate>
  slots: number
  /** What was sent, by limit; of paces only since the last change, which they do not outlive. */
  readonly ledger = new Map<string, Sent[]>()
  underWay: UnderWay[] = []
  readonly lines: readonly Line[]
  throttle: Throttle
  endsAtOnce = false
  /** The runner ends before what it counts with. */
  isStopping = false
  /** Some are found where nobody could hear an exception. */
  readonly faults: string[] = []
  readonly #disk = memoryStore()
  #quotas: QuotaBook
  #crash: () => void

  constructor(rates: Map<string, Rate>, slots: number) {
    this.rates = rates
    this.slots = slots
    this.lines = STACKS.flatMap((names) => TENANTS.map((tenant) => new Line(this, names, tenant)))
    ;[this.throttle, this.#quotas, this.#crash] = this.#begin()
  }

  #begin(): [Throttle, QuotaBook, () => void] {
    let isAlive = true
    // What is written after the crash never arrives, and nobody hears of it.
    const store: Store = {
      ...this.#disk,
      write: (...given) => (isAlive ? this.#disk.write(...given) : new Promise(() => undefined)),
    }
    const quotas = new QuotaBook({
      store,
      clock: this.clock,
      onLease: (name) => isAlive && throttle.look(name),
      onError: (error) => this.faults.push(String(error)),
    })
    const throttle = new Throttle({ clock: this.clock, quotas })
    const crash = (): void => {
      isAlive = false
      throttle.close()
    }
    return [throttle, quotas, crash]
  }

  limit(name: string): Limit {
    if (name === SLOTS) return this.throttle.slots({ name, slots: this.slots })
    return this.throttle.rate({ name, rate: this.rates.get(name)! })
  }

  /** The ledger after each message that is sent. */
  note(names: readonly string[], sent: Sent): void {
    for (const name of names) {
      if (name === SLOTS) continue
      const all = this.ledger.get(name) ?? []
      this.ledger.set(name, [...all, sent])
      const rate = this.rates.get(name)!
      if (name === PACE) this.#checkPace(rate)
      else this.#checkQuota(name, rate)
    }
    const places = this.underWay.filter(({ permit }) => permit.limits.some((limit) => limit.name === SLOTS)).length
    if (names.includes(SLOTS) && places >= this.slots) this.faults.push(`${places + 1} of ${this.slots} places`)
  }

  #checkQuota(name: string, { count, per }: Rate): void {
    const now = this.clock.monotonic()
    const inSpan = this.ledger.get(name)!.filter(({ at, backAt }) => backAt === undefined && at > now - per)
    if (inSpan.length > count) this.faults.push(`${now}: ${inSpan.length} at the ${name} of ${count} in ${per} ms`)
  }

  /** Of every window that ends now; one that came back leaves its place to another. */
  #checkPace({ count, per }: Rate): void {
    const now = this.clock.monotonic()
    const all = this.ledger.get(PACE)!
    for (const { at: from } of all) {
      const sent = all.filter(({ at }) => at >= from).length
      const back = all.filter(({ backAt = -1 }) => backAt >= from).length
      if (sent - back > 1 + ((now - from + CATCH_UP) * count) / per + 1e-6)
        this.faults.push(`${now}: ${sent - back} since ${from} at the pace of ${count} in ${per} ms`)
    }
  }

  end(one: UnderWay | undefined): void {
    if (one === undefined) return
    this.underWay = this.underWay.filter((each) => each !== one)
    this.throttle.ended(one.permit)
  }

  giveBack(one: UnderWay | undefined): void {
    if (one === undefined) return
    this.underWay = this.underWay.filter((each) => each !== one)
    one.sent.backAt = this.clock.monotonic()
    this.throttle.giveBack(one.permit)
    one.line.add(1)
  }

  reload(name: string, rate: Rate, slots: number): void {
    const before = this.rates.get(name)!
    const now = this.clock.monotonic()
    const remembered = name === PACE ? [] : this.ledger.get(name)?.filter(({ at }) => at > now - before.per)
    this.ledger.set(name, remembered ?? [])
    this.rates.set(name, rate)
    this.slots = slots
    // A longer span knows of what came before only what the shorter one still knew.
    this.limit(name)
    this.throttle.wakeAll()
  }

  async restart(how: 'clean' | 'crash'): Promise<void> {
    this.isStopping = true
    if (how === 'clean') await this.#quotas.close()
    this.#crash()
    this.isStopping = false
    this.underWay = []
    this.ledger.set(PACE, [])
    ;[this.throttle, this.#quotas, this.#crash] = this.#begin()
    for (const line of this.lines) line.begin()
  }

  /** Until everybody has sent everything, or cannot. Says what was wrong. */
  async finish(): Promise<readonly string[]> {
    this.endsAtOnce = true
    for (const one of [...this.underWay]) this.end(one)
    for (let hour = 0; hour < 100 && this.lines.some(({ left }) => left > 0); hour++) await this.clock.advance(HOUR)
    const waiting = this.lines.filter(({ left }) => left > 0).length
    this.throttle.close()
    return waiting === 0 ? this.faults : [...this.faults, `${waiting} lines wait for ever`]
  }
}

/** As the runner does: asks what all give, takes, waits where nothing is to be had; whoever was woken passes the others. */
class Line implements Waiter {
  left = 0
  #isWaiting = false
  readonly #world: World
  readonly #names: readonly string[]
  readonly #tenant: string

  constructor(world: World, names: readonly string[], tenant: string) {
    this.#world = world
    this.#names = names
    this.#tenant = tenant
  }

  add(messages: number): void {
    this.left += messages
    if (!this.#isWaiting) this.#go(0)
  }

  begin(): void {
    this.#isWaiting = false
    this.#go(0)
  }

  wake(_tenant: string, permits: number): void {
    this.#isWaiting = false
    this.#go(permits)
  }

  #go(granted: number): void {
    const { throttle, isStopping } = this.#world
    if (isStopping) return
    for (let n = 0; this.left > 0; n++) {
      const limits = this.#names.map((name) => this.#world.limit(name))
      const queued = n < granted ? undefined : limits.find(({ waiting }) => waiting.size > 0)
      if (queued !== undefined) {
        this.#wait(queued)
        return
      }
      const budget = throttle.budget(limits)
      if ('full' in budget) {
        this.#wait(budget.full)
        return
      }
      const permit = throttle.take(limits)
      if ('waitMs' in permit) throw new Error('there was a permit of each')
      this.left--
      const sent: Sent = { at: permit.takenAt }
      this.#world.note(this.#names, sent)
      if (this.#world.endsAtOnce) throttle.ended(permit)
      else this.#world.underWay.push({ permit, line: this, sent })
    }
  }

  #wait(limit: Limit): void {
    this.#isWaiting = true
    this.#world.throttle.wait(limit, this.#tenant, this)
  }
}
