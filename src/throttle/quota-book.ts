// Quotas that a restart does not forget. Permits are given out of a lease: the store says that the lease is spent before
// the first of it is, so that after a crash a quota is never exceeded, at the price of what was left of a lease (two per
// cent of the quota). So there are about a hundred small writes in a span, and none where nothing is sent. A clean stop
// writes what was really spent. Ages are stored, not times, and how long nobody ran is told by the machine's own uptime: steps
// of the wall clock do not matter. Only across a start of the machine does it count; set back it makes a quota fuller.

import type { Rate } from '../config/units.ts'
import { decodeOptional, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { ageOf, type Stamp, stampOf } from '../util/age.ts'
import { type Clock, SECOND } from '../util/clock.ts'
import { type Piece, Quota, type RateLimiter, type Returns } from './rate-limit.ts'

interface StoredQuota extends Stamp {
  readonly perMs: number
  /** Taken before it was saved. */
  readonly pieces: readonly Piece[]
  /** Given out afterwards, perhaps, nobody knows when. */
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
    const earlier = this.#open.get(name)
    const quota = new LeasedQuota({ ...this.#parts, name, rate, before: earlier?.pieces() })
    earlier?.retire()
    this.#open.set(name, quota)
    return quota
  }

  /** It is not used any more: its row stays for as long as it counts, and gives back what was leased. */
  forget(name: string): void {
    this.#open.get(name)?.release()
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
  /** Monotonic: when the row was written. */
  #savedAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(parts: LeasedQuotaParts) {
    const { store, clock, name, rate, before } = parts
    this.#parts = parts
    this.#leaseSize = Math.max(1, Math.floor(rate.count / LEASES_IN_A_SPAN))
    const stored = decodeOptional<StoredQuota>(store.get('quota', textKey(name)))
    const earlier = before ?? (stored === undefined ? [] : piecesOf(stored, clock))
    this.#quota = new Quota(rate, clock.monotonic(), earlier)
  }

  pieces(): readonly Piece[] {
    return this.#quota.pieces(this.#parts.clock.monotonic())
  }

  available(now: number): number {
    const left = this.#quota.available(now)
    const isLow = left > this.#leased && this.#leased * 2 <= this.#leaseSize
    // A row of a quota in use is never so old that it is taken for one that counts nothing any more.
    if (isLow || (this.#leased > 0 && now - this.#savedAt > this.#parts.rate.per / 2)) this.#save()
    return Math.min(left, this.#leased)
  }

  waitMs(now: number): number {
    const waitMs = this.#quota.waitMs(now)
    return waitMs > 0 || this.available(now) > 0 ? waitMs : Math.max(WRITE_MS, this.#pausedUntil - now)
  }

  returns(now: number, after: number): Returns {
    return this.#quota.returns(now, after)
  }

  left(now: number): number {
    return this.#quota.available(now)
  }

  isBrief(now: number): boolean {
    return this.#quota.available(now) > 0
  }

  take(now: number): void {
    this.#quota.take(now)
    this.#leased--
  }

  giveBack(takenAt: number): void {
    // What the store counts as spent then is not spent any more: another is given out of a lease of its own time.
    this.#quota.giveBack(takenAt)
  }

  /** Another one has its name and its row: what is still asked of it writes nothing any more. */
  retire(): void {
    this.#isClosed = true
  }

  /** In this very turn: whoever opens the quota again writes after it. */
  release(): void {
    this.#isClosed = true
    if (this.#saving !== undefined || this.#leased === 0) return
    this.#leased = 0
    this.#write(0).catch(this.#parts.onError)
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
    const isLow = this.#leased * 2 <= this.#leaseSize
    const more = isLow ? Math.min(this.#leaseSize * 2, this.#quota.available(now) - this.#leased) : 0
    this.#saving = this.#write(this.#leased + more).then(
      () => {
        this.#saving = undefined
        this.#savedAt = now
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
    const row: StoredQuota = {
      ...stampOf(clock),
      perMs: rate.per,
      pieces: this.pieces(),
      lease,
    }
    return store.write([{ table: 'quota', key: textKey(name), value: encode(row) }], 'soon')
  }
}

type Times = Pick<Clock, 'now' | 'sinceBoot'>

/** What was leased may have been given out up to the last moment: it counts from now on. */
function piecesOf(row: StoredQuota, clock: Times): Piece[] {
  const sinceMs = ageOf(row, clock)
  return [
    ...row.pieces.map(({ ageMs, count }) => ({ ageMs: ageMs + sinceMs, count })),
    ...(row.lease > 0 ? [{ ageMs: 0, count: row.lease }] : []),
  ]
}

/** Rows that count nothing any more; to be called from time to time. A lease may have been used for a while after it was written. */
export async function pruneQuotas(store: Store, clock: Times): Promise<number> {
  const over = store.range('quota', {}).filter(({ value }) => {
    const row = decodeOptional<StoredQuota>(value)
    return row === undefined || ageOf(row, clock) > row.perMs * (row.lease > 0 ? 2 : 1)
  })
  if (over.length > 0)
    await store.write(
      over.map(({ key }) => ({ table: 'quota', key, value: undefined })),
      'soon',
    )
  return over.length
}
