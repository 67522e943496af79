// What the rest of Studs knows of the store: named tables of byte keys and byte values, one kind of write. Small enough
// to be put on another engine. lmdb.ts implements it; nothing outside store/ imports lmdb.

/** One database each; keys.ts says how their keys are built. */
export const TABLES = [
  'message', // id → Message
  'body', // id, chunk no. → up to CHUNK_BYTES of raw bytes
  'body-file', // id → its bytes: the body is a file (Store.bodies), which goes after the commit that removes its row
  'recipient', // id, n → Recipient
  'due', // lane, due at, id, n → nothing: the schedule
  'held', // id, n → nothing: recipients an operator holds
  'journal', // time, sequence → JournalRecord
  'journal-by-message', // id, time, sequence → nothing
  'journal-by-kind', // kind, time, sequence → nothing; every kind but accepted and delivered
  'journal-by-target', // address or @domain, time, sequence → nothing: suppressions changed by hand
  'recipient-by-address', // address, id, n → nothing
  'message-by-header', // Message-ID header, id → nothing
  'idempotency', // tenant, key → {id, expiresAt}
  'suppression', // scope, address or @domain → Suppression
  'suppression-pending', // pending until, scope, target → nothing
  'strike', // tenant, address → Strikes
  'tally', // tenant or *, site, hour → HourTally: what the spike breaker compares with
  'report', // id → ReportEntry
  'report-raw', // id, chunk no. → the mail that came back, cut and compressed
  'report-by-outcome', // outcome, id → nothing
  'report-by-message', // message id, n, id → nothing, or `?` where nothing proves that it is about that message
  'unsubscribe', // message id, n → whose mail it was: signed unsubscribe addresses outlive their message
  'tls-policy', // recipient domain → its MTA-STS policy
  'tls-tally', // day, recipient domain, policy → how TLS went: what reports are made of
  'suspension', // kind, name → Suspension: what an operator or a rule keeps back
  'pace', // path → what was learned of the rate that its receiver takes
  'quota', // name of a limit → what of it is spent
  'drain', // source → who lets nothing leave from it any more, and why
  'source-tally', // source, provider → what left, by the hour
  'warm-up', // source, provider → where it stands in its plan, when that is not what the calendar says
  'health', // hour, scope → what was counted; scope → the last hour; alerts that hold; what the doctor found last
  'meta', // name → small JSON values: schema version, node id, keys
] as const
export type Table = (typeof TABLES)[number]

/** What a value holds at most, and the piece in which large bodies are read. A body that needs more is a file. */
export const CHUNK_BYTES = 256 * 1024

/** Put when `value` is there, remove when it is undefined. The buffers must not change until the write is durable. */
export interface Write {
  readonly table: Table
  readonly key: Buffer
  readonly value: Buffer | undefined
}

export interface Range {
  /** Inclusive. */
  readonly from?: Buffer
  /** Exclusive. */
  readonly to?: Buffer
  readonly limit?: number
  /** From `to` (exclusive) down to `from` (inclusive). */
  readonly reverse?: boolean
}

export interface Entry {
  readonly key: Buffer
  readonly value: Buffer
}

/** `full`: writes fail for want of room, reads work. `failed`: an I/O error; the process must stop (exit 70). */
export type StoreHealth = 'ok' | 'full' | 'failed'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: 'full' | 'failed' | 'closed'
  constructor(code: 'full' | 'failed' | 'closed', message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** `soon`: nobody waits for it; it may let a few turns of the event loop pass to share a commit with what is urgent. */
export type Urgency = 'now' | 'soon'

/** A body on its way into a file. */
export interface BodyFile {
  /** Resolves when more may come: a client can be no faster than the disk. The buffers must not change until then. */
  write(pieces: readonly Buffer[]): Promise<void>
  /** Everything is durable, the name of the file included, when it resolves: with the bytes written. */
  finish(): Promise<number>
  /** Forgets it, also in the middle of a write. */
  discard(): Promise<void>
}

/** Bodies of more than CHUNK_BYTES. What is wrong with the disk rejects as StoreError, as with `write`. */
export interface BodyFiles {
  /** A new one; it stays only if a row of `body-file` names it. */
  create(id: string): BodyFile
  pathOf(id: string): string
  /** Chunk `index`; undefined when the file is gone. */
  read(id: string, index: number): Buffer | undefined
  sizeOf(id: string): number | undefined
  /** Of all files that are there, whether a row names them or not. */
  ids(): readonly string[]
  /** For files that no row names. */
  remove(id: string): Promise<void>
}

export interface Store {
  /** Committed state only: a write is visible here when its promise has resolved, not before. */
  get(table: Table, key: Buffer): Buffer | undefined
  /** Materialised within this turn; a snapshot is never held over an await. */
  range(table: Table, range: Range): Entry[]
  /** As range, keys only. */
  keys(table: Table, range: Range): Buffer[]
  count(table: Table): number
  /**
   * All or nothing; durable (fdatasync has happened) when it resolves. Concurrent writes share a commit and are
   * applied in call order. Rejects with StoreError: `full` (nothing was written, try again when there is room) or `failed`.
   */
  write(writes: readonly Write[], urgency?: Urgency): Promise<void>
  readonly bodies: BodyFiles
  readonly health: StoreHealth
  /** Called on each change of health. */
  onHealth(listener: (health: StoreHealth, reason: string) => void): void
  /**
   * Gives back the memory that reading has mapped in (it counts as resident). Nothing may read, write or hold anything
   * of the store until it resolves.
   */
  unmap(): Promise<void>
  /** Copies the store into an empty or new directory while it runs; resolves when the copy is complete and synced. */
  backup(directory: string): Promise<void>
  stats(): {
    readonly usedBytes: number
    readonly mapBytes: number
    readonly commits: number
    readonly lastCommitMs: number
  }
  /** Waits for writes under way. */
  close(): Promise<void>
}
