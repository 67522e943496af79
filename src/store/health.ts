// What the store knows of its disk, and the one place where an error of it gets its meaning: no room (it passes), or
// failed (for good: what was flushed is then unknown, and the process must stop).

import { statfsSync } from 'node:fs'
import { type Clock, SECOND } from '../util/clock.ts'
import { StoreError, type StoreHealth } from './store.ts'

type Listener = (health: StoreHealth, reason: string) => void

const TIMEOUT_MS = 30 * SECOND
// ext4 reports a short write as EIO; with less room than this it was the room.
const NO_ROOM_BYTES = 4 * 1024 * 1024
// LMDB gives numbers, Node gives names.
const NO_ROOM: ReadonlySet<unknown> = new Set([28, 'ENOSPC', 122, 'EDQUOT'])
const IO_ERROR: ReadonlySet<unknown> = new Set([5, 'EIO'])

export class Health {
  readonly #directory: string
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #listeners: Listener[] = []
  #state: StoreHealth = 'ok'

  constructor({ directory, clock, timeoutMs }: { directory: string; clock: Clock; timeoutMs?: number | undefined }) {
    this.#directory = directory
    this.#clock = clock
    this.#timeoutMs = timeoutMs ?? TIMEOUT_MS
  }

  get state(): StoreHealth {
    return this.#state
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener)
  }

  set(state: StoreHealth, reason: string): void {
    if (this.#state === state || this.#state === 'failed') return
    this.#state = state
    for (const listener of this.#listeners) listener(state, reason)
  }

  /** The store has failed from here on. */
  fail(reason: string, cause: unknown): StoreError {
    const detail = cause instanceof Error ? `${reason}: ${cause.message}` : reason
    this.set('failed', detail)
    return new StoreError('failed', detail, { cause })
  }

  isNoRoom(cause: unknown): boolean {
    const code = (cause as { code?: unknown } | undefined)?.code
    return NO_ROOM.has(code) || (IO_ERROR.has(code) && this.freeBytes() < NO_ROOM_BYTES)
  }

  /** Work of the disk that must end in time: one that hangs has failed for good. Rejects as the work does. */
  async inTime<T>(what: string, work: () => Promise<T>): Promise<T> {
    const watchdog = Promise.withResolvers<never>()
    const timer = this.#clock.after(this.#timeoutMs, () =>
      watchdog.reject(this.fail(`${what} did not settle in time`, undefined)),
    )
    try {
      const running = work()
      this.#clock.standStillFor?.(running)
      return await Promise.race([running, watchdog.promise])
    } finally {
      timer.cancel()
    }
  }

  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#directory)
    return bavail * bsize
  }
}
