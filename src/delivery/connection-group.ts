// Connections that paths share: a provider takes so many at one time, whichever of its sites they lead to. A permit is
// held from before the connection is opened until it is closed, idle time included, because the receiver counts so.
// Invariant: permits given out never exceed the limit; whoever waits is served in turn.

import type { Clock } from '../util/clock.ts'

/** A path, as far as its group asks something of it. */
export interface Member {
  /** Ends the connection that has been idle longest; false when there is none. */
  dropIdle(): boolean
}

interface Waiter {
  readonly member: Member
  readonly wake: () => void
}

export class ConnectionGroup {
  limit: number
  readonly #members = new Set<Member>()
  readonly #waiters = new Set<Waiter>()
  #open = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get open(): number {
    return this.#open
  }

  get hasRoom(): boolean {
    return this.#open < this.limit
  }

  get isForgettable(): boolean {
    return this.#members.size === 0 && this.#open === 0
  }

  join(member: Member): void {
    this.#members.add(member)
  }

  leave(member: Member): void {
    this.#members.delete(member)
  }

  take(): void {
    this.#open++
  }

  release(): void {
    this.#open--
    // All of them, the first first: who comes first may not be able to use the room (its own rate of connections).
    for (const { wake } of [...this.#waiters]) wake()
  }

  /** Whether another path waits: a connection that has carried its share should then make way. */
  isWantedBeside(member: Member): boolean {
    for (const waiter of this.#waiters) if (waiter.member !== member) return true
    return false
  }

  /** Asks the others for an idle connection. */
  askForRoom(): void {
    for (const member of this.#members) if (member.dropIdle()) return
  }

  /** Resolves when it is worth looking again, or after `waitMs`, or when `until` does. */
  async wait(member: Member, waitMs: number, clock: Clock, until: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel()
        this.#waiters.delete(waiter)
        resolve()
      }
      const waiter: Waiter = { member, wake: done }
      const timer = clock.after(waitMs, done)
      this.#waiters.add(waiter)
      until.then(done, done)
    })
  }
}
