// What left from each source to each provider in the last 25 hours, by the hour, and when the last of it did. What warm-up
// is judged by and `studs source` shows; not what limits are kept by (that is quota-book.ts). In memory, written once a
// minute where something changed: a crash loses what the last minute counted. Bounded: sources × providers.

import { decode, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { type Clock, type EpochMs, HOUR, MINUTE, type Timer } from '../util/clock.ts'

export interface HourCount {
  /** Number of the hour since 1970. */
  readonly hour: number
  readonly delivered: number
  /** Attempts that a receiver answered for what the source is or does, delivered ones included. */
  readonly judged: number
  /** Of these, put off or refused. */
  readonly against: number
  readonly complaints: number
}

export type Counted = 'delivered' | 'against' | 'complaint'

interface Row {
  readonly source: string
  readonly provider: string
  readonly hours: readonly HourCount[]
  readonly lastAt?: EpochMs
}

const KEPT_HOURS = 25
const NOTHING = { delivered: 0, judged: 0, against: 0, complaints: 0 }

export interface SourceTallyParts {
  readonly store: Store
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export class SourceTally {
  readonly #parts: SourceTallyParts
  /** By source, then provider. */
  readonly #rows = new Map<string, Map<string, Row>>()
  readonly #changed = new Set<Row>()
  #timer: Timer | undefined

  constructor(parts: SourceTallyParts) {
    this.#parts = parts
    for (const { value } of parts.store.range('source-tally', {})) this.#put(decode<Row>(value))
  }

  count(source: string, provider: string, what: Counted): void {
    const now = this.#parts.clock.now()
    const hour = Math.floor(now / HOUR)
    const before = this.#rows.get(source)?.get(provider) ?? { source, provider, hours: [] }
    const last = before.hours.find((each) => each.hour === hour) ?? { hour, ...NOTHING }
    const next: HourCount = {
      hour,
      delivered: last.delivered + (what === 'delivered' ? 1 : 0),
      judged: last.judged + (what === 'complaint' ? 0 : 1),
      against: last.against + (what === 'against' ? 1 : 0),
      complaints: last.complaints + (what === 'complaint' ? 1 : 0),
    }
    // Also what lies in the future, should the clock have gone back: it would count for ever.
    const others = before.hours.filter((each) => each.hour !== hour && Math.abs(hour - each.hour) < KEPT_HOURS)
    const lastAt = what === 'delivered' ? now : before.lastAt
    const row: Row = { source, provider, hours: [...others, next], ...(lastAt !== undefined && { lastAt }) }
    this.#changed.delete(before)
    this.#changed.add(row)
    this.#put(row)
    this.#timer ??= this.#parts.clock.after(MINUTE, () => void this.#write())
  }

  /** Over the last so many hours, the one under way included. Without a provider: over all. */
  over(hours: number, source: string, provider?: string): Omit<HourCount, 'hour'> {
    const hour = Math.floor(this.#parts.clock.now() / HOUR)
    const rows = this.#rows.get(source)
    const asked = provider === undefined ? [...(rows?.values() ?? [])] : [rows?.get(provider)]
    let sum = NOTHING
    for (const row of asked)
      for (const each of row?.hours ?? []) {
        if (each.hour <= hour - hours || each.hour > hour) continue
        sum = {
          delivered: sum.delivered + each.delivered,
          judged: sum.judged + each.judged,
          against: sum.against + each.against,
          complaints: sum.complaints + each.complaints,
        }
      }
    return sum
  }

  /** When the provider last took mail from the source. */
  lastAt(source: string, provider: string): EpochMs | undefined {
    return this.#rows.get(source)?.get(provider)?.lastAt
  }

  /** That got mail from the source, ever. */
  providersOf(source: string): readonly string[] {
    return [...(this.#rows.get(source)?.keys() ?? [])]
  }

  async close(): Promise<void> {
    this.#timer?.cancel()
    await this.#write()
  }

  #put(row: Row): void {
    const rows = this.#rows.get(row.source) ?? new Map<string, Row>()
    this.#rows.set(row.source, rows)
    rows.set(row.provider, row)
  }

  async #write(): Promise<void> {
    this.#timer = undefined
    const rows = [...this.#changed]
    this.#changed.clear()
    if (rows.length === 0) return
    try {
      await this.#parts.store.write(
        rows.map((row) => ({
          table: 'source-tally',
          key: textKey(row.source, row.provider),
          value: encode(row),
        })),
        'soon',
      )
    } catch (error) {
      this.#parts.onError(error) // the next change of the row is written whole again
    }
  }
}
