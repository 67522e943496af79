// The only door to wall-clock time and timers. Everything that waits or dates something receives a Clock, so that
// tests can own time. Socket idle timeouts are the one exception (they belong to the socket).

import { readFileSync } from 'node:fs'

export const MILLISECOND = 1
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Milliseconds since 1970-01-01 UTC. */
export type EpochMs = number

export interface Timer {
  cancel(): void
}

export interface SinceBoot {
  /** Which start of the machine. */
  readonly boot: string
  /** Monotonic. */
  readonly ms: number
}

export interface Clock {
  /** Wall-clock time; may step. Use it for dates that are stored or shown. */
  now(): EpochMs
  /** Monotonic milliseconds since an arbitrary start; use it for deadlines and durations. */
  monotonic(): number
  /** Time since the machine was started, the same for one process and the next; absent where nobody can tell. */
  sinceBoot?(): SinceBoot | undefined
  /** Work of the disk, which takes its own time: a clock that is moved by hand stands still meanwhile. */
  standStillFor?(work: Promise<unknown>): void
  /** Runs `callback` once after `delayMs`. A pending timer keeps no process alive. */
  after(delayMs: number, callback: () => void): Timer
  /** Resolves after `delayMs`, or at once when `signal` aborts; never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

const boot = bootId()

/** Linux gives each start of the machine a name; elsewhere there is only the wall clock. */
function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined // no Linux
  }
}

// setTimeout's own limit; a longer delay would fire at once.
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sinceBoot: () => (boot === undefined ? undefined : { boot, ms: Number(process.hrtime.bigint() / 1_000_000n) }),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), LONGEST_TIMEOUT_MS))
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = systemClock.after(delayMs, done)
      signal?.addEventListener('abort', done, { once: true })
    }),
}
