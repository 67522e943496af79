// Suspensions: an operator, or a rule of the shaping, keeps mail back until a time: of a domain, provider, site, source or
// tenant, the last two also at one place only (`mta1@google`). A slow one lets a little through: it is of a path. Durable,
// with who and why, and each begin and early end is a record. While one holds, what is due stays in its lane; nothing is
// written to recipients, so that an early end lets them all go at once. Invariant: every suspension ends by itself, after
// the time it was made for: when the wall clock is set, `since` and `until` go with it.

import type { Rate } from '../config/units.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalRecord } from '../journal/record.ts'
import { decode, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import { ageOf, type Stamp, stampOf } from '../util/age.ts'
import { type Clock, type EpochMs, MINUTE, SECOND, type Timer } from '../util/clock.ts'
import { HeldSuspensions, suspensionName } from './held-suspensions.ts'

export const SUSPENDABLE = ['domain', 'provider', 'site', 'source', 'tenant', 'slow'] as const
export type SuspensionKind = (typeof SUSPENDABLE)[number]

export interface Suspension {
  readonly kind: SuspensionKind
  /** Of a source or tenant at one provider or site: `mta1@google`; of a slow path: source@line. */
  readonly name: string
  /** A person, or `rule FILE:LINE`. */
  readonly who: string
  /** The reason, or the reply that met the rule. */
  readonly why: string
  /** When it began; setting it anew does not change that. */
  readonly since: EpochMs
  readonly until: EpochMs
  /** slow: what may still be sent. */
  readonly rate?: Rate
  readonly connections?: number
  /** source: its mail waits for it, as the receiver has asked, and does not leave from another one. */
  readonly keepsMail?: true
}

/** The name of a source or tenant at a place. */
export function nameAt(name: string, place: string): string {
  return `${name}@${place}`
}

/** The names by which a place is spoken of: its provider if it has one, and its site. */
export function placesOf({ site, provider }: { readonly site: string; readonly provider?: string }): readonly string[] {
  return provider === undefined ? [site] : [provider, site]
}

type StoredSuspension = Suspension & Partial<Stamp>

/** The wall clock is trimmed all the time; what is more was set. */
const STEP_MS = SECOND

export interface Suspensions {
  /** How many hold now, or have ended a moment ago. */
  readonly size: number
  /** Those that hold now, the first to end first. */
  list(): readonly Suspension[]
  /** As `size`, of a kind. */
  count(kind: SuspensionKind): number
  get(kind: SuspensionKind, name: string): Suspension | undefined
  /** Durable when it resolves. One that holds already gets the new end and reason. Rejects with StoreError. */
  add(given: Omit<Suspension, 'since'>): Promise<Suspension>
  /** Durable when it resolves; undefined when nothing of the kind is suspended. */
  remove(given: { kind: SuspensionKind; name: string; who: string; why: string }): Promise<Suspension | undefined>
  /** Called after each change with those that have begun, changed or ended, also when they end by themselves. */
  onChange(listener: (changed: readonly Suspension[]) => void): void
  close(): void
}

export interface SuspensionsParts {
  readonly store: Store
  readonly journal: Journal
  readonly clock: Clock
}

export function createSuspensions(parts: SuspensionsParts): Suspensions {
  return new SuspensionBook(parts)
}

class SuspensionBook implements Suspensions {
  readonly #parts: SuspensionsParts
  readonly #held = new HeldSuspensions<Suspension>()
  readonly #listeners: ((changed: readonly Suspension[]) => void)[] = []
  #timer: Timer | undefined
  /** Wall clock less monotonic time: steps when the wall clock is set. */
  #offset: number

  constructor(parts: SuspensionsParts) {
    this.#parts = parts
    this.#offset = offsetOf(parts.clock)
    for (const { value } of parts.store.range('suspension', {}))
      this.#held.put(asOfNow(decode<StoredSuspension>(value), parts.clock))
  }

  get size(): number {
    return this.#held.size
  }

  list(): readonly Suspension[] {
    return this.#held.list(this.#followClock())
  }

  count(kind: SuspensionKind): number {
    return this.#held.count(kind)
  }

  get(kind: SuspensionKind, name: string): Suspension | undefined {
    // Asked for every lane that comes due: mostly there is none at all.
    if (this.#held.size === 0) return undefined
    const now = this.#followClock()
    const found = this.#held.get(suspensionName({ kind, name }))
    return found !== undefined && found.until > now ? found : undefined
  }

  async add(given: Omit<Suspension, 'since'>): Promise<Suspension> {
    const at = this.#followClock()
    const since = this.get(given.kind, given.name)?.since ?? at
    const suspension: Suspension = { ...given, since }
    const row: StoredSuspension = { ...suspension, ...stampOf(this.#parts.clock) }
    await this.#write(given.kind === 'slow' ? 'slowed' : 'suspended', suspension, encode(row))
    this.#held.put(suspension)
    this.#tell([suspension])
    return suspension
  }

  async remove(given: {
    kind: SuspensionKind
    name: string
    who: string
    why: string
  }): Promise<Suspension | undefined> {
    const found = this.get(given.kind, given.name)
    if (found === undefined) return undefined
    await this.#write(
      given.kind === 'slow' ? 'recovered' : 'resumed',
      { ...found, who: given.who, why: given.why },
      undefined,
    )
    this.#held.drop(found)
    this.#tell([found])
    return found
  }

  onChange(listener: (changed: readonly Suspension[]) => void): void {
    this.#listeners.push(listener)
    this.#arm()
  }

  close(): void {
    this.#timer?.cancel()
    this.#listeners.splice(0)
  }

  async #write(kind: SuspensionRecord, suspension: Suspension, value: Buffer | undefined): Promise<void> {
    const { journal, store, clock } = this.#parts
    const composed = journal.compose(recordOf(kind, suspension, clock.now()))
    const row: Write = { table: 'suspension', key: keyOf(suspension), value }
    await store.write([row, ...composed.writes])
    journal.publish([composed.record])
  }

  #tell(changed: readonly Suspension[]): void {
    for (const listener of this.#listeners) listener(changed)
    this.#arm()
  }

  /** One timer: for the first that ends. Never longer than a minute, so that a step of the wall clock is noticed. */
  #arm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const now = this.#followClock()
    const first = this.#held.firstEnd
    if (first === undefined || this.#listeners.length === 0) return
    const delayMs = Math.min(Math.max(0, first - now), MINUTE)
    this.#timer = this.#parts.clock.after(delayMs, () => this.#endThoseOver())
  }

  /** The time; what is held goes with it when it was set. Asked often: two readings of a clock. */
  #followClock(): EpochMs {
    const { clock } = this.#parts
    const offset = offsetOf(clock)
    const stepMs = Math.round(offset - this.#offset)
    if (Math.abs(stepMs) >= STEP_MS) {
      this.#offset = offset
      this.#held.shift(stepMs)
    }
    return clock.now()
  }

  #endThoseOver(): void {
    const now = this.#followClock()
    const over = this.#held.takeOver(now)
    if (over.length === 0) {
      this.#arm()
      return
    }
    const writes = over.map((suspension): Write => ({ table: 'suspension', key: keyOf(suspension), value: undefined }))
    // Only tidying: what is over is over, whether its row has gone or not.
    this.#parts.store.write(writes, 'soon').catch(() => undefined)
    this.#tell(over)
  }
}

function offsetOf(clock: Clock): number {
  return clock.now() - clock.monotonic()
}

/** Of a run before: how long ago it was written says how much is left. Rows without a stamp were written when it began. */
function asOfNow({ savedAt, sinceBoot, ...row }: StoredSuspension, clock: Clock): Suspension {
  const stamp: Stamp = { savedAt: savedAt ?? row.since, ...(sinceBoot !== undefined && { sinceBoot }) }
  const byMs = clock.now() - ageOf(stamp, clock) - stamp.savedAt
  return byMs === 0 ? row : { ...row, since: row.since + byMs, until: row.until + byMs }
}

type SuspensionRecord = 'suspended' | 'resumed' | 'slowed' | 'recovered'

function keyOf({ kind, name }: Suspension): Buffer {
  return textKey(kind, name)
}

function recordOf(kind: SuspensionRecord, suspension: Suspension, at: EpochMs): JournalRecord {
  const { who, why, until, name, rate } = suspension
  return {
    kind,
    at,
    tenant: suspension.kind === 'tenant' ? (name.split('@')[0] ?? name) : '*',
    recipient: '*',
    target: { kind: suspension.kind, name },
    who,
    why,
    ...((kind === 'suspended' || kind === 'slowed') && { suspendedUntil: until }),
    ...(kind === 'slowed' && rate !== undefined && { pace: (rate.count * SECOND) / rate.per }),
  }
}
