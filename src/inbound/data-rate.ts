// Whether a client brings its message fast enough to be waited for: a bound on how long one DATA can hold a connection.

import { SECOND } from '../util/clock.ts'

/** A client may be slow at first: TCP slow start, a virus scanner at its end. */
const SLOW_START_MS = 10 * SECOND

interface Progress {
  readonly elapsedMs: number
  readonly receivedBytes: number
}

export function isTooSlow({ elapsedMs, receivedBytes }: Progress, minBytesPerSecond: number): boolean {
  return elapsedMs > SLOW_START_MS && receivedBytes < (minBytesPerSecond * elapsedMs) / SECOND
}
