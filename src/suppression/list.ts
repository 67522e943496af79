// The suppression list: who must not be mailed, by scope (a tenant or everybody) and target (an address or a whole
// domain). Answers from committed state in at most four point reads, usually one; composes the writes that others put
// into their transaction; adds and removes entries by hand together with their journal record. What leads to an entry
// is policy.ts and the recorder, never this file.

import type { Settings } from '../config/schema.ts'
import type { EmailAddress } from '../mail/address.ts'
import { decode, decodeOptional, encode } from '../store/codec.ts'
import { prefixRange, textKey } from '../store/keys.ts'
import type { Range, Store, Write } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { addressTarget } from './normalise.ts'
import type { StrikeBook, Strikes } from './strikes.ts'
import { GLOBAL_SCOPE, type Reason, type Scope, type Suppression } from './suppression.ts'

/** The journal record of a change made by hand; every field has the meaning it has there. */
export interface SuppressionChange {
  readonly kind: 'suppression-added' | 'suppression-removed'
  readonly at: EpochMs
  readonly tenant: string
  readonly recipient: string
  readonly who: string
  readonly why: string
  readonly scope: Scope
  readonly reason: Reason
}

/** Composes the journal record of a change; `publish` is called once its writes are durable. */
export type ChangeRecorder = (change: SuppressionChange) => { readonly writes: readonly Write[]; publish(): void }

export interface SuppressionFilter {
  readonly scope?: Scope
  readonly reason?: Reason
  /** Addresses of this domain, and the domain itself. */
  readonly domain?: string
  /** Part of the target. */
  readonly query?: string
  readonly since?: EpochMs
}

export interface SuppressionPage {
  readonly entries: readonly Suppression[]
  /** Where to go on; absent at the end. A page may be short, even empty, and still have one. */
  readonly cursor?: string
}

/** Everything known of one address: `suppress why ADDRESS`. */
export interface SuppressionStory {
  /** The entry that keeps it from being mailed; absent when nothing does. */
  readonly active?: Suppression
  /** All entries that touch it, expired ones too, in the order they are asked. */
  readonly entries: readonly Suppression[]
  readonly strikes?: Strikes
}

export interface SuppressionList {
  /** The entry because of which `tenant` must not mail `address`; expired ones do not count. */
  find(tenant: string, address: EmailAddress, options?: { readonly useGlobal: boolean }): Suppression | undefined
  /** The entry of exactly this scope and target, expired or not. */
  get(scope: Scope, target: string): Suppression | undefined
  /** The write that stores `entry`, replacing what is there; the caller commits it. */
  put(entry: Suppression): Write[]
  /** The write that removes an entry; the caller commits it. */
  take(scope: Scope, target: string): Write[]
  /** Adds an entry by hand with its record; durable when it resolves. An active entry stays unless `replace`. */
  add(entry: Suppression, options?: { readonly replace: boolean }): Promise<'added' | 'already'>
  /** Removes by hand with its record. A protected entry (isProtected) goes only with `force`. */
  remove(removal: Removal): Promise<'removed' | 'not-found' | 'protected'>
  /** Adds or removes many in one transaction with one record; durable when it resolves. The caller has looked what is there. */
  apply(many: ManyChanges): Promise<void>
  list(filter: SuppressionFilter & { readonly limit: number; readonly cursor?: string }): SuppressionPage
  /** Every entry that fits, read in pages: memory stays bounded, and the loop may take turns between them. */
  scan(filter: SuppressionFilter): Generator<Suppression, void>
  why(tenant: string, address: EmailAddress): SuppressionStory
}

export interface Removal {
  readonly scope: Scope
  readonly target: string
  readonly who: string
  readonly why: string
  readonly force?: boolean
}

export interface ManyChanges {
  readonly kind: 'add' | 'delete'
  readonly scope: Scope
  readonly entries: readonly Suppression[]
  readonly who: string
}

interface Parts {
  readonly store: Store
  readonly strikes: StrikeBook
  readonly settings: Settings['suppression']
  readonly clock: Clock
  readonly record: ChangeRecorder
}

/** What a scope certainly lacks. Read once per scope, set by put, never cleared: at worst a read is wasted. */
interface Presence {
  any: boolean
  domains: boolean
}

const SCAN_PAGE = 500
/** Entries looked at for one page of list(): bounds how long a rare filter holds the event loop. */
const SCAN_BUDGET = 5000
const PROTECTED: ReadonlySet<Reason> = new Set(['complaint', 'unsubscribe'])

/** A person asked for it: not undone by an import, nor by hand without `force`. */
export function isProtected(entry: Suppression): boolean {
  return PROTECTED.has(entry.reason)
}

export function isActive(entry: Suppression, now: EpochMs): boolean {
  return entry.expiresAt === undefined || entry.expiresAt > now
}

export function createSuppressionList(parts: Parts): SuppressionList {
  return new StoredSuppressionList(parts)
}

class StoredSuppressionList implements SuppressionList {
  readonly #parts: Parts
  readonly #presence = new Map<Scope, Presence>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  find(tenant: string, address: EmailAddress, options?: { readonly useGlobal: boolean }): Suppression | undefined {
    const target = addressTarget(address, this.#parts.settings)
    const own = this.#findIn(tenant, target)
    return own === undefined && options?.useGlobal !== false ? this.#findIn(GLOBAL_SCOPE, target) : own
  }

  get(scope: Scope, target: string): Suppression | undefined {
    return this.#presenceOf(scope).any
      ? decodeOptional<Suppression>(this.#parts.store.get('suppression', textKey(scope, target)))
      : undefined
  }

  put(entry: Suppression): Write[] {
    const presence = this.#presenceOf(entry.scope)
    presence.any = true
    if (entry.target.startsWith('@')) presence.domains = true
    return [{ table: 'suppression', key: textKey(entry.scope, entry.target), value: encode(entry) }]
  }

  take(scope: Scope, target: string): Write[] {
    return [{ table: 'suppression', key: textKey(scope, target), value: undefined }]
  }

  async add(entry: Suppression, options?: { readonly replace: boolean }): Promise<'added' | 'already'> {
    const there = this.get(entry.scope, entry.target)
    const keep = there !== undefined && isActive(there, this.#parts.clock.now())
    if (keep && options?.replace !== true) return 'already'
    await this.#commit(
      this.put(entry),
      changeOf('suppression-added', entry, { who: entry.who, why: entry.note ?? entry.reason }),
    )
    return 'added'
  }

  async remove(removal: Removal): Promise<'removed' | 'not-found' | 'protected'> {
    const { scope, target, force } = removal
    const entry = this.get(scope, target)
    if (entry === undefined) return 'not-found'
    if (isProtected(entry) && force !== true) return 'protected'
    await this.#commit(this.#forget(entry), changeOf('suppression-removed', entry, removal))
    return 'removed'
  }

  async apply({ kind, scope, entries, who }: ManyChanges): Promise<void> {
    const isAdding = kind === 'add'
    const why = `${entries.length} ${entries.length === 1 ? 'address' : 'addresses'} ${isAdding ? 'imported' : 'removed by list'}`
    await this.#commit(
      entries.flatMap((entry) => (isAdding ? this.put(entry) : this.#forget(entry))),
      {
        kind: isAdding ? 'suppression-added' : 'suppression-removed',
        tenant: scope,
        recipient: '*',
        who,
        why,
        scope,
        reason: 'imported',
      },
    )
  }

  list(filter: SuppressionFilter & { readonly limit: number; readonly cursor?: string }): SuppressionPage {
    const entries: Suppression[] = []
    let looked = 0
    let last: Buffer | undefined
    for (const [key, entry] of this.#walk(filter, filter.cursor)) {
      if (entries.length >= filter.limit || looked >= SCAN_BUDGET) {
        return { entries, ...(last === undefined ? {} : { cursor: last.toString('base64url') }) }
      }
      looked++
      last = key
      if (fits(entry, filter)) entries.push(entry)
    }
    return { entries }
  }

  *scan(filter: SuppressionFilter): Generator<Suppression, void> {
    for (const [, entry] of this.#walk(filter, undefined)) if (fits(entry, filter)) yield entry
  }

  why(tenant: string, address: EmailAddress): SuppressionStory {
    const target = addressTarget(address, this.#parts.settings)
    const domain = target.slice(target.lastIndexOf('@'))
    const places = [tenant, GLOBAL_SCOPE].flatMap((scope) => [this.get(scope, target), this.get(scope, domain)])
    const entries = places.filter((entry) => entry !== undefined)
    const active = entries.find((entry) => isActive(entry, this.#parts.clock.now()))
    const strikes = this.#parts.strikes.read(tenant, target)
    return { ...(active ? { active } : {}), entries, ...(strikes ? { strikes } : {}) }
  }

  /** The strikes that led here go too: whoever is mailed again begins with none. */
  #forget({ scope, target }: Suppression): Write[] {
    return [...this.take(scope, target), ...this.#parts.strikes.reset(scope, target)]
  }

  #findIn(scope: Scope, target: string): Suppression | undefined {
    const presence = this.#presenceOf(scope)
    if (!presence.any) return undefined
    const exact = this.#active(scope, target)
    if (exact !== undefined || !presence.domains) return exact
    return this.#active(scope, target.slice(target.lastIndexOf('@')))
  }

  #active(scope: Scope, target: string): Suppression | undefined {
    const value = this.#parts.store.get('suppression', textKey(scope, target))
    if (value === undefined) return undefined
    const entry = decode<Suppression>(value)
    return isActive(entry, this.#parts.clock.now()) ? entry : undefined
  }

  #presenceOf(scope: Scope): Presence {
    const known = this.#presence.get(scope)
    if (known !== undefined) return known
    const isThere = (prefix: Buffer): boolean =>
      this.#parts.store.keys('suppression', { ...prefixRange(prefix), limit: 1 }).length > 0
    // No address begins with '@', so the keys of domains stand together.
    const presence = { any: isThere(textKey(scope)), domains: isThere(textKey(scope, Buffer.from('@'))) }
    this.#presence.set(scope, presence)
    return presence
  }

  *#walk(filter: SuppressionFilter, cursor: string | undefined): Generator<[Buffer, Suppression], void> {
    const bounds: Range = filter.scope === undefined ? {} : prefixRange(textKey(filter.scope))
    let from = cursor === undefined ? bounds.from : laterOf(bounds.from, justAfter(Buffer.from(cursor, 'base64url')))
    for (;;) {
      const range = { ...bounds, ...(from === undefined ? {} : { from }), limit: SCAN_PAGE }
      const page = this.#parts.store.range('suppression', range)
      for (const { key, value } of page) yield [key, decode<Suppression>(value)]
      const last = page.at(-1)
      if (last === undefined || page.length < SCAN_PAGE) return
      from = justAfter(last.key)
    }
  }

  async #commit(writes: readonly Write[], change: Omit<SuppressionChange, 'at'>): Promise<void> {
    const record = this.#parts.record({ ...change, at: this.#parts.clock.now() })
    await this.#parts.store.write([...writes, ...record.writes])
    record.publish()
  }
}

function changeOf(
  kind: SuppressionChange['kind'],
  entry: Suppression,
  { who, why }: { readonly who: string; readonly why: string },
): Omit<SuppressionChange, 'at'> {
  return { kind, tenant: entry.scope, recipient: entry.target, who, why, scope: entry.scope, reason: entry.reason }
}

function fits(entry: Suppression, { scope, reason, domain, query, since }: SuppressionFilter): boolean {
  if (scope !== undefined && entry.scope !== scope) return false
  if (reason !== undefined && entry.reason !== reason) return false
  if (since !== undefined && entry.createdAt < since) return false
  if (domain !== undefined && entry.target.slice(entry.target.lastIndexOf('@') + 1) !== domain.toLowerCase())
    return false
  return query === undefined || entry.target.toLowerCase().includes(query.toLowerCase())
}

function justAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}

function laterOf(a: Buffer | undefined, b: Buffer): Buffer {
  return a !== undefined && Buffer.compare(a, b) > 0 ? a : b
}
