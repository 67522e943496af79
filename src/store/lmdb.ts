// The store on LMDB. Gathers every write that waits into one LMDB batch and keeps at most one commit in flight: a group
// commit whose size follows the load (docs/decisions/0001). After an I/O error the store never writes again: what was
// flushed is then unknown, and the process must stop.

import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, SECOND } from '../util/clock.ts'
import { readId } from '../util/id.ts'
import { backUp } from './backup.ts'
import { BodyDirectory } from './body-files.ts'
import { closeEnvironment, type Db, type Environment, openEnvironment } from './environment.ts'
import { Headroom } from './headroom.ts'
import { Health } from './health.ts'
import { type DirectoryLock, lockDirectory } from './lock.ts'
import { migrate } from './migrate.ts'
import { probeStore } from './probe.ts'
import {
  type Entry,
  type Range,
  type Store,
  StoreError,
  type StoreHealth,
  type Table,
  type Urgency,
  type Write,
} from './store.ts'

export interface StoreOptions {
  readonly directory: string
  readonly mapSize: number
  /** Free bytes on the disk below which the store reports `full`; 0 = never. */
  readonly minFree?: number
  readonly clock: Clock
  /** A commit that does not settle in this time has failed for good (LMDB can hang after a fatal error). */
  readonly commitTimeoutMs?: number
}

interface Waiting {
  readonly writes: readonly Write[]
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

const HEALTH_INTERVAL_MS = SECOND
// Turns are short when there is little to do and long when there is much: the patience follows the load.
const PATIENT_TURNS = 6
/** After so many commits: there is enough of the file ahead for hundreds of them. */
const COMMITS_A_LOOK = 64
// A group larger than this is split: it bounds how long the first of it waits for the last.
const GROUP_BYTES = 4 * 1024 * 1024

/** Opens (or makes) the store in `directory`. Throws when another process has it or its schema is newer. */
export function openStore(options: StoreOptions): Store {
  // LMDB's own default would be a world-readable queue in a 0755 directory.
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  chmodSync(options.directory, 0o700)
  const lock = lockDirectory(options.directory, options.clock.now())
  try {
    const path = join(options.directory, 'store')
    probeStore(path)
    const health = new Health({ ...options, timeoutMs: options.commitTimeoutMs })
    const bodies = new BodyDirectory({ ...options, health })
    const store = new LmdbStore({ ...options, path, health, bodies, lock })
    migrate(store, (writes) => store.writeSync(writes))
    return store
  } catch (error) {
    lock.release()
    throw error
  }
}

interface StoreParts extends StoreOptions {
  readonly path: string
  readonly health: Health
  readonly bodies: BodyDirectory
  readonly lock: DirectoryLock
}

class LmdbStore implements Store {
  readonly bodies: BodyDirectory
  readonly #options: StoreParts
  readonly #health: Health
  readonly #headroom: Headroom
  #environment: Environment
  #waiting: Waiting[] = []
  #committing: Promise<void> | undefined
  /** A write failed for want of room: nothing that was composed on top of it may overtake. */
  #isOutOfRoom = false
  /** Somebody waits for the next commit. */
  #isUrgent = false
  #closed = false
  #commits = 0
  #lastCommitMs = 0
  readonly #stopWatch = new AbortController()

  constructor(parts: StoreParts) {
    this.#options = parts
    this.#health = parts.health
    this.bodies = parts.bodies
    this.#headroom = new Headroom({
      file: join(parts.path, 'data.mdb'),
      usedBytes: () => this.stats().usedBytes,
      freeBytes: () => parts.health.freeBytes(),
      minFree: parts.minFree ?? 0,
    })
    this.#environment = openEnvironment(parts.path, parts.mapSize)
    void this.#watchRoom()
  }

  get health(): StoreHealth {
    return this.#health.state
  }

  onHealth(listener: (health: StoreHealth, reason: string) => void): void {
    this.#health.listen(listener)
  }

  get(table: Table, key: Buffer): Buffer | undefined {
    return this.#open(table).get(key)
  }

  range(table: Table, range: Range): Entry[] {
    return this.#open(table).getRange(rangeOptions(range)).asArray as unknown as Entry[]
  }

  keys(table: Table, range: Range): Buffer[] {
    return this.#open(table).getKeys(rangeOptions(range)).asArray as unknown as Buffer[]
  }

  count(table: Table): number {
    return (this.#open(table).getStats() as { entryCount: number }).entryCount
  }

  #open(table: Table): Db {
    // LMDB itself would read freed memory.
    if (this.#closed) throw new StoreError('closed', 'the store is closed')
    return this.#environment.tables[table]
  }

  write(writes: readonly Write[], urgency: Urgency = 'now'): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreError('closed', 'the store is closed'))
    if (this.health === 'failed') return Promise.reject(new StoreError('failed', 'the store has failed'))
    if (this.#isOutOfRoom) return Promise.reject(new StoreError('full', 'no room on the disk'))
    return this.#enqueue(writes, urgency)
  }

  #enqueue(writes: readonly Write[], urgency: Urgency = 'now'): Promise<void> {
    if (urgency === 'now') this.#isUrgent = true
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writes, resolve, reject })
      this.#committing ??= this.#commitAll()
    })
  }

  /** For start and tools only: blocks the event loop until durable. */
  writeSync(writes: readonly Write[]): void {
    this.#environment.root.transactionSync(() => this.#put(writes))
  }

  async #commitAll(): Promise<void> {
    // Everything asked for in this turn of the event loop joins the group; a commit costs the same for one as for many.
    await turn()
    while (this.#waiting.length > 0) {
      for (let turns = 0; !this.#isUrgent && turns < PATIENT_TURNS; turns++) await turn()
      this.#isUrgent = false
      const group = this.#takeGroup()
      const startedAt = this.#options.clock.monotonic()
      const failure = await this.#commit(group)
      this.#commits++
      this.#lastCommitMs = this.#options.clock.monotonic() - startedAt
      if (failure === undefined) for (const { resolve } of group) resolve()
      else for (const { reject } of group) reject(failure)
      if (failure !== undefined) for (const { reject } of this.#waiting.splice(0)) reject(failure)
      else if (this.#commits % COMMITS_A_LOOK === 0) this.#headroom.keep()
      // The callers just woken write their next; let them join the next group.
      if (this.#waiting.length > 0) await turn()
    }
    this.#committing = undefined
  }

  #takeGroup(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const { writes } of this.#waiting) {
      for (const { value } of writes) bytes += value?.length ?? 0
      if (count > 0 && bytes > GROUP_BYTES) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  /** One LMDB transaction; the callback only puts ready buffers, so it cannot throw half-way. */
  async #commit(group: readonly Waiting[]): Promise<StoreError | undefined> {
    const filesGone: string[] = []
    try {
      await this.#health.inTime('a commit', () =>
        this.#environment.root.batch(() => {
          for (const { writes } of group) this.#put(writes, filesGone)
        }),
      )
    } catch (error) {
      return error instanceof StoreError ? error : await this.#explain(error)
    }
    for (const id of filesGone) void this.bodies.remove(id)
    return undefined
  }

  #put(writes: readonly Write[], filesGone: string[] = []): void {
    const { tables } = this.#environment
    let heard: unknown
    for (const { table, key, value } of writes) {
      const db = tables[table]
      const result: unknown = value === undefined ? db.remove(key) : db.put(key, value)
      // The batch's own promise reports the failure; theirs (one for all of them) would only be unhandled.
      if (result !== heard) ignoreRejection(result)
      heard = result
      if (value === undefined && table === 'body-file') filesGone.push(readId(key, 0))
    }
  }

  async #explain(error: unknown): Promise<StoreError> {
    const cause = await commitErrorOf(error)
    if (!this.#health.isNoRoom(cause)) return this.#health.fail('writing failed', cause)
    this.#isOutOfRoom = true
    this.#health.set('full', 'no room on the disk')
    return new StoreError('full', 'no room on the disk', { cause })
  }

  /** Looks at the room on the disk, and after `full` tries a write before it says `ok` again. */
  async #watchRoom(): Promise<void> {
    const { clock, lock, minFree = 0 } = this.#options
    while (!this.#stopWatch.signal.aborted) {
      lock.touch(clock.now())
      const isLow = minFree > 0 && this.#health.freeBytes() < minFree
      // What waits to be written uses the reserve, too: only new mail is refused for its sake.
      const canWrite = this.health !== 'full' || (await this.#canWrite())
      if (isLow) this.#health.set('full', `less than ${Math.round(minFree / 2 ** 20)} MiB free on the disk`)
      else if (canWrite) this.#health.set('ok', 'there is room again')
      await clock.sleep(HEALTH_INTERVAL_MS, this.#stopWatch.signal)
    }
  }

  async #canWrite(): Promise<boolean> {
    try {
      // Large enough to need pages of its own: the last few bytes of room are not room.
      const key = Buffer.from('probe\0')
      await this.#enqueue([{ table: 'meta', key, value: Buffer.alloc(64 * 1024) }])
      await this.#enqueue([{ table: 'meta', key, value: undefined }])
      this.#isOutOfRoom = false
      return true
    } catch {
      return false // Still full: #commit has said so; asked again in a second.
    }
  }

  backup(directory: string): Promise<void> {
    return backUp({ root: this.#environment.root, bodies: this.bodies, directory })
  }

  async unmap(): Promise<void> {
    await this.#committing
    // What is asked for meanwhile waits, as for a commit.
    this.#committing = this.#reopen()
    await this.#committing
    this.#committing = this.#waiting.length === 0 ? undefined : this.#commitAll()
  }

  async #reopen(): Promise<void> {
    await closeEnvironment(this.#environment.root)
    this.#environment = openEnvironment(this.#options.path, this.#options.mapSize)
  }

  stats(): { usedBytes: number; mapBytes: number; commits: number; lastCommitMs: number } {
    const { lastPageNumber, pageSize } = this.#environment.root.getStats() as {
      lastPageNumber: number
      pageSize: number
    }
    return {
      usedBytes: (lastPageNumber + 1) * pageSize,
      mapBytes: this.#options.mapSize,
      commits: this.#commits,
      lastCommitMs: this.#lastCommitMs,
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#stopWatch.abort()
    await this.#committing
    this.#closed = true
    // After a fatal error LMDB may hang in close; the process is about to end anyway.
    if (this.health !== 'failed') {
      await this.#headroom.close()
      await this.bodies.close()
      await closeEnvironment(this.#environment.root)
    }
    this.#options.lock.release()
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function rangeOptions({ from, to, limit, reverse }: Range): Record<string, unknown> {
  const bounds = reverse
    ? { start: to, end: from, reverse: true, exclusiveStart: to !== undefined, inclusiveEnd: true }
    : { start: from, end: to }
  return limit === undefined ? bounds : { ...bounds, limit }
}

function ignoreRejection(result: unknown): void {
  if (result instanceof Promise) result.catch(() => undefined)
}

/** lmdb-js hides the reason of a failed commit behind a promise. */
async function commitErrorOf(error: unknown): Promise<unknown> {
  const hidden = (error as { commitError?: unknown } | undefined)?.commitError
  if (hidden === undefined) return error
  try {
    return (await hidden) ?? error
  } catch (reason) {
    return reason
  }
}
