// A clock for simulations with many thousand timers: it jumps from one to the next, and finding that costs next to nothing, so
// that what is measured between two jumps finds its memory as it left it. Promises get their turn before time moves on.

import type { Clock, EpochMs, Timer } from '../src/util/clock.ts'
import { MinHeap } from '../src/util/heap.ts'

class Pending implements Timer {
  readonly at: number
  callback: (() => void) | undefined

  constructor(at: number, callback: () => void) {
    this.at = at
    this.callback = callback
  }

  cancel(): void {
    this.callback = undefined
  }
}

export class VirtualClock implements Clock {
  readonly #start: EpochMs = Date.UTC(2026, 0, 1)
  readonly #pending = new MinHeap<Pending>(({ at }) => at)
  #elapsed = 0

  now(): EpochMs {
    return this.#start + this.#elapsed
  }

  monotonic(): number {
    return this.#elapsed
  }

  after(delayMs: number, callback: () => void): Timer {
    const pending = new Pending(this.#elapsed + Math.max(0, delayMs), callback)
    this.#pending.push(pending)
    return pending
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms
    let isQuiet = false
    for (;;) {
      const at = this.#pending.firstKey
      if (at > end) break
      if (at > this.#elapsed && !isQuiet) {
        await new Promise(setImmediate)
        isQuiet = true
        continue
      }
      this.#elapsed = at
      isQuiet = false
      this.#pending.pop()?.callback?.()
    }
    this.#elapsed = end
    await new Promise(setImmediate)
  }
}
