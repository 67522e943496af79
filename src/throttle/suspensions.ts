// Suspensions: an operator, or a rule of the shaping, keeps mail back until a time: of a domain, provider, site, source or
// tenant, the last two also at one place only (`mta1@google`). A slow one lets a little through: it is of a path. Durable,
// with who and why, and each begin and early end is a record. While one holds, what is due stays in its lane; nothing is
// written to recipients, so that an early end lets them all go at once. Invariant: every suspension ends by itself.

import type { Rate } from '../config/units.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalRecord } from '../journal/record.ts'
import { decode, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
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

  constructor(parts: SuspensionsParts) {
    this.#parts = parts
    for (const { value } of parts.store.range('suspension', {})) this.#held.put(decode<Suspension>(value))
    this.#held.followClock(parts.clock.now())
  }

  get size(): number {
    return this.#held.size
  }

  list(): readonly Suspension[] {
    return this.#held.list(this.#parts.clock.now())
  }

  count(kind: SuspensionKind): number {
    return this.#held.count(kind)
  }

  get(kind: SuspensionKind, name: string): Suspension | undefined {
    // Asked for every lane that comes due: mostly there is none at all.
    if (this.#held.size === 0) return undefined
    const found = this.#held.get(suspensionName({ kind, name }))
    return found !== undefined && found.until > this.#parts.clock.now() ? found : undefined
  }

  async add(given: Omit<Suspension, 'since'>): Promise<Suspension> {
    const at = this.#parts.clock.now()
    const since = this.get(given.kind, given.name)?.since ?? at
    const suspension: Suspension = { ...given, since }
    await this.#write(given.kind === 'slow' ? 'slowed' : 'suspended', suspension, encode(suspension))
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
    const first = this.#held.firstEnd
    if (first === undefined || this.#listeners.length === 0) return
    const { clock } = this.#parts
    const delayMs = Math.min(Math.max(0, first - clock.now()), MINUTE)
    this.#timer = clock.after(delayMs, () => this.#endThoseOver())
  }

  #endThoseOver(): void {
    const now = this.#parts.clock.now()
    this.#held.followClock(now)
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
