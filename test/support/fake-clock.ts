// A clock that moves only when the test says so. Timers that come due run in the order of their times.

import type { Clock, EpochMs } from '../../src/util/clock.ts'

const PATIENCE_MS = 500

export class FakeClock implements Clock {
  #now: EpochMs
  #elapsed = 0
  /** Under way on a disk. */
  readonly #works = new Set<Promise<unknown>>()
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  constructor(start: EpochMs = Date.UTC(2026, 0, 1)) {
    this.#now = start
  }

  /** Timers that have not run or been cancelled. */
  get pending(): number {
    return this.#timers.size
  }

  now(): EpochMs {
    return this.#now
  }

  monotonic(): number {
    return this.#elapsed
  }

  after(delayMs: number, callback: () => void): { cancel(): void } {
    const timer = { at: this.#elapsed + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = this.after(delayMs, done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  standStillFor(work: Promise<unknown>): void {
    const done = (): void => void this.#works.delete(work)
    this.#works.add(work)
    work.then(done, done)
  }

  /** Moves time on; after each timer that comes due, promises get their turn before the next one. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms
    for (;;) {
      if (this.#works.size > 0) await this.#quiet()
      const next = this.#earliest()
      if (next === undefined || next.at > end) break
      this.#timers.delete(next)
      this.#move(next.at)
      next.callback()
      await new Promise(setImmediate)
    }
    this.#move(end)
    await new Promise(setImmediate)
  }

  /** What hangs is not waited for: tests of that want the time to pass. */
  async #quiet(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS)
    })
    await Promise.race([Promise.allSettled(this.#works), patience])
    clearTimeout(timer)
    this.#works.clear()
    await new Promise(setImmediate)
  }

  #earliest(): { readonly at: number; readonly callback: () => void } | undefined {
    let earliest: { readonly at: number; readonly callback: () => void } | undefined
    for (const timer of this.#timers) if (earliest === undefined || timer.at < earliest.at) earliest = timer
    return earliest
  }

  #move(elapsed: number): void {
    this.#now += elapsed - this.#elapsed
    this.#elapsed = elapsed
  }
}
