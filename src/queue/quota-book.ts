// Quotas that a restart does not forget. Permits are given out of a lease: the store says that the lease is spent before
// the first of it is, so that after a crash a quota is never exceeded, at the price of what was left of a lease (two per
// cent of the quota). So there are about a hundred small writes in a span, and none where nothing is sent. A clean stop
// writes what was really spent. Ages are stored, not times: a clock that was set back makes a quota fuller, never emptier.

import type { Rate } from '../config/units.ts'
import { decodeOptional, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { type Clock, type EpochMs, SECOND } from '../util/clock.ts'
import { type Piece, Quota, type RateLimiter } from './rate-limit.ts'

interface StoredQuota {
  readonly savedAt: EpochMs
  readonly perMs: number
  /** Taken before it was saved. */
  readonly pieces: readonly Piece[]
  /** Given out afterwards, perhaps. */
  readonly lease: number
}

const LEASES_IN_A_SPAN = 50
/** A write takes a few milliseconds; asked again then. */
const WRITE_MS = 5
const AGAIN_AFTER_MS = 5 * SECOND

export interface QuotaBookParts {
  readonly store: Store
  readonly clock: Clock
  /** A lease is there: whoever waits may go on. */
  readonly onLease: (name: string) => void
  readonly onError: (error: unknown) => void
}

export class QuotaBook {
  readonly #parts: QuotaBookParts
  readonly #open = new Map<string, LeasedQuota>()

  constructor(parts: QuotaBookParts) {
    this.#parts = parts
  }

  /** With another rate than before, what was taken still counts. */
  open(name: string, rate: Rate): RateLimiter {
    const quota = new LeasedQuota({ ...this.#parts, name, rate, before: this.#open.get(name)?.pieces() })
    this.#open.set(name, quota)
    return quota
  }

  /** It is not used any more: its row stays for as long as it counts. */
  forget(name: string): void {
    this.#open.delete(name)
  }

  /** Writes what was really spent. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((quota) => quota.close()))
    this.#open.clear()
  }
}

interface LeasedQuotaParts extends QuotaBookParts {
  readonly name: string
  readonly rate: Rate
  /** Taken so far, when it is known better than the store knows it. */
  readonly before: readonly Piece[] | undefined
}

class LeasedQuota implements RateLimiter {
  readonly #parts: LeasedQuotaParts
  readonly #quota: Quota
  readonly #leaseSize: number
  /** Permits that the store counts as spent already. */
  #leased = 0
  #saving: Promise<void> | undefined
  #pausedUntil = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(parts: LeasedQuotaParts) {
    const { store, clock, name, rate, before } = parts
    this.#parts = parts
    this.#leaseSize = Math.max(1, Math.floor(rate.count / LEASES_IN_A_SPAN))
    const stored = decodeOptional<StoredQuota>(store.get('quota', textKey(name)))
    const earlier = before ?? (stored === undefined ? [] : piecesOf(stored, clock.now()))
    this.#quota = new Quota(rate, clock.monotonic(), earlier)
  }

  pieces(): readonly Piece[] {
    return this.#quota.pieces(this.#parts.clock.monotonic())
  }

  available(now: number): number {
    const left = this.#quota.available(now)
    if (left > this.#leased && this.#leased * 2 <= this.#leaseSize) this.#save()
    return Math.min(left, this.#leased)
  }

  waitMs(now: number): number {
    const waitMs = this.#quota.waitMs(now)
    return waitMs > 0 || this.available(now) > 0 ? waitMs : Math.max(WRITE_MS, this.#pausedUntil - now)
  }

  isBrief(now: number): boolean {
    return this.#quota.available(now) > 0
  }

  take(now: number): void {
    this.#quota.take(now)
    this.#leased--
  }

  giveBack(takenAt: number): void {
    this.#quota.giveBack(takenAt)
    this.#leased++
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#saving
    try {
      await this.#write(0)
    } catch (error) {
      this.#parts.onError(error) // the row that is there counts a lease too many
    }
  }

  #save(): void {
    const { clock, name, onLease, onError } = this.#parts
    const now = clock.monotonic()
    if (this.#saving !== undefined || this.#isClosed || now < this.#pausedUntil) return
    // What is left of the lease before is given out meanwhile, and the new row has to cover it as well.
    const more = Math.min(this.#leaseSize * 2, this.#quota.available(now) - this.#leased)
    this.#saving = this.#write(this.#leased + more).then(
      () => {
        this.#saving = undefined
        this.#leased += more
        onLease(name)
      },
      (error: unknown) => {
        this.#saving = undefined
        this.#pausedUntil = clock.monotonic() + AGAIN_AFTER_MS
        onError(error)
      },
    )
  }

  #write(lease: number): Promise<void> {
    const { store, clock, name, rate } = this.#parts
    const row: StoredQuota = { savedAt: clock.now(), perMs: rate.per, pieces: this.pieces(), lease }
    return store.write([{ table: 'quota', key: textKey(name), value: encode(row) }], 'soon')
  }
}

function piecesOf({ savedAt, pieces, lease }: StoredQuota, now: EpochMs): Piece[] {
  const sinceMs = Math.max(0, now - savedAt)
  return [
    ...pieces.map(({ ageMs, count }) => ({ ageMs: ageMs + sinceMs, count })),
    ...(lease > 0 ? [{ ageMs: 0, count: lease }] : []),
  ]
}

/** Rows that count nothing any more; to be called from time to time. */
export async function pruneQuotas(store: Store, now: EpochMs): Promise<number> {
  const over = store.range('quota', {}).filter(({ value }) => {
    const row = decodeOptional<StoredQuota>(value)
    return row === undefined || now - row.savedAt > row.perMs
  })
  if (over.length > 0)
    await store.write(
      over.map(({ key }) => ({ table: 'quota', key, value: undefined })),
      'soon',
    )
  return over.length
}
