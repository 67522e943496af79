// The only door to wall-clock time and timers. Everything that waits or dates something receives a Clock, so that
// tests can own time. Socket idle timeouts are the one exception (they belong to the socket).

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

export interface Clock {
  /** Wall-clock time; may step. Use it for dates that are stored or shown. */
  now(): EpochMs
  /** Monotonic milliseconds since an arbitrary start; use it for deadlines and durations. */
  monotonic(): number
  /** Runs `callback` once after `delayMs`. A pending timer keeps no process alive. */
  after(delayMs: number, callback: () => void): Timer
  /** Resolves after `delayMs`, or at once when `signal` aborts; never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

// setTimeout's own limit; a longer delay would fire at once.
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
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
