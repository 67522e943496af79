// The suppression list: who must not be mailed, by scope (a tenant or everybody) and target (an address or a whole
// domain). Answers from committed state in at most four point reads, usually one; composes the writes that others put
// into their transaction; adds and removes entries by hand together with their journal record. What leads to an entry
// is policy.ts and the recorder, never this file.

import type { Settings } from '../config/schema.ts'
import type { EmailAddress } from '../mail/address.ts'
import { decodeOptional, EMPTY, encode } from '../store/codec.ts'
import { prefixRange, textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { isOnTrial, reactivate } from './life.ts'
import { addressTarget } from './normalise.ts'
import { type PageQuery, pageOf, type SuppressionFilter, type SuppressionPage, scanOf } from './pages.ts'
import { pendingKey } from './prune.ts'
import type { StrikeBook, Strikes } from './strikes.ts'
import {
  GLOBAL_SCOPE,
  isInForce,
  isLearned,
  isProtected,
  type Reason,
  type Scope,
  type Suppression,
  standingOf,
} from './suppression.ts'

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

/** Everything known of one address: `suppress why ADDRESS`. */
export interface SuppressionStory {
  /** The entry that keeps it from being mailed; absent when nothing does. */
  readonly active?: Suppression
  /** All entries that touch it, expired ones too, in the order they are asked. */
  readonly entries: readonly Suppression[]
  readonly strikes?: Strikes
}

/** What stands between a tenant and an address. */
export interface Obstacles {
  /** The entry because of which it must not be mailed. */
  readonly inForce?: Suppression
  /** The entry that lets mail through one at a time; looked for only as far as nothing is in force. */
  readonly halfOpen?: Suppression
}

export interface SuppressionList {
  /** The entry because of which `tenant` must not mail `address`; only one that is in force. */
  find(tenant: string, address: EmailAddress, options?: { readonly useGlobal: boolean }): Suppression | undefined
  ask(tenant: string, address: EmailAddress, options?: { readonly useGlobal: boolean }): Obstacles
  /** The entry of exactly this scope and target, however it stands. Costs nothing while the scope has none. */
  get(scope: Scope, target: string): Suppression | undefined
  /** The write that stores `entry`, replacing what is there; the caller commits it. */
  put(entry: Suppression): Write[]
  /** The write that removes an entry; the caller commits it. */
  take(scope: Scope, target: string): Write[]
  /** Adds an entry by hand with its record; durable when it resolves. One that is in force stays unless `replace`. */
  add(entry: Suppression, options?: { readonly replace: boolean }): Promise<'added' | 'already'>
  /**
   * Lets an address be mailed again, with a record. What Studs learned becomes half-open, unless it is to `forget`;
   * everything else is removed, a protected entry (isProtected) only with `force`.
   */
  remove(removal: Removal): Promise<'removed' | 'half-open' | 'not-found' | 'protected'>
  /** Adds or removes many in one transaction; durable when it resolves. The caller has looked what is there. */
  apply(many: ManyChanges): Promise<void>
  list(filter: PageQuery): SuppressionPage
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
  readonly forget?: boolean
}

export interface ManyChanges {
  readonly kind: 'add' | 'delete'
  readonly scope: Scope
  readonly entries: readonly Suppression[]
  readonly who: string
  /** For the record; what is left out says that a list was imported. */
  readonly why?: string
  readonly reason?: Reason
  /** A record for each address, so that `suppress why` finds it; else one for all of them. */
  readonly eachRecorded?: boolean
}

interface Parts {
  readonly store: Store
  readonly strikes: StrikeBook
  /** As of now. */
  readonly settings: () => Settings['suppression']
  readonly clock: Clock
  readonly record: ChangeRecorder
}

/** What a scope certainly lacks. Read once per scope, set by put, never cleared: at worst a read is wasted. */
interface Presence {
  any: boolean
  domains: boolean
}

const NO_OBSTACLES: Obstacles = {}

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
    return this.ask(tenant, address, options).inForce
  }

  ask(tenant: string, address: EmailAddress, options?: { readonly useGlobal: boolean }): Obstacles {
    const targets = this.#targetsOf(address)
    const now = this.#parts.clock.now()
    let halfOpen: Suppression | undefined
    for (const scope of options?.useGlobal === false ? [tenant] : [tenant, GLOBAL_SCOPE]) {
      for (const entry of this.#touching(scope, targets)) {
        const standing = standingOf(entry, now)
        if (standing === 'in-force') return { inForce: entry }
        if (standing === 'half-open' && isOnTrial(entry, now)) halfOpen ??= entry
      }
    }
    return halfOpen === undefined ? NO_OBSTACLES : { halfOpen }
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
    const write: Write = { table: 'suppression', key: textKey(entry.scope, entry.target), value: encode(entry) }
    return entry.pendingUntil === undefined ? [write] : [write, pendingIndex(entry, entry.pendingUntil)]
  }

  take(scope: Scope, target: string): Write[] {
    return [{ table: 'suppression', key: textKey(scope, target), value: undefined }]
  }

  async add(entry: Suppression, options?: { readonly replace: boolean }): Promise<'added' | 'already'> {
    const there = this.get(entry.scope, entry.target)
    const keep = there !== undefined && isInForce(there, this.#parts.clock.now())
    if (keep && options?.replace !== true) return 'already'
    await this.#commit(
      this.put(entry),
      changeOf('suppression-added', entry, { who: entry.who, why: entry.note ?? entry.reason }),
    )
    return 'added'
  }

  async remove(removal: Removal): Promise<'removed' | 'half-open' | 'not-found' | 'protected'> {
    const { scope, target, who, why, force, forget } = removal
    const entry = this.get(scope, target)
    if (entry === undefined) return 'not-found'
    if (isProtected(entry) && force !== true) return 'protected'
    const now = this.#parts.clock.now()
    const standing = standingOf(entry, now)
    const isKept = forget !== true && isLearned(entry)
    if (isKept && standing === 'half-open') return 'half-open'
    const isReactivation = isKept && standing === 'in-force'
    const writes = isReactivation ? this.put(reactivate(entry, { at: now, who, why })) : []
    await this.#commit([...this.#forget(entry), ...writes], changeOf('suppression-removed', entry, { who, why }))
    return isReactivation ? 'half-open' : 'removed'
  }

  async apply({ kind, scope, entries, who, ...told }: ManyChanges): Promise<void> {
    const isAdding = kind === 'add'
    const writes = entries.flatMap((entry) => (isAdding ? this.put(entry) : this.#forget(entry)))
    if (told.eachRecorded === true) {
      const change = isAdding ? 'suppression-added' : 'suppression-removed'
      const changes = entries.map((entry) => changeOf(change, entry, { who, why: told.why ?? entry.reason }))
      return this.#commit(writes, ...changes)
    }
    const why =
      told.why ??
      `${entries.length} ${entries.length === 1 ? 'address' : 'addresses'} ${isAdding ? 'imported' : 'removed by list'}`
    await this.#commit(writes, {
      kind: isAdding ? 'suppression-added' : 'suppression-removed',
      tenant: scope,
      recipient: '*',
      who,
      why,
      scope,
      reason: told.reason ?? 'imported',
    })
  }

  list(filter: PageQuery): SuppressionPage {
    return pageOf(this.#parts.store, filter, this.#parts.clock.now())
  }

  scan(filter: SuppressionFilter): Generator<Suppression, void> {
    return scanOf(this.#parts.store, filter, this.#parts.clock.now())
  }

  why(tenant: string, address: EmailAddress): SuppressionStory {
    const targets = this.#targetsOf(address)
    const [target] = targets
    const domain = target.slice(target.lastIndexOf('@'))
    const places = [tenant, GLOBAL_SCOPE].flatMap((scope) => [...targets, domain].map((each) => this.get(scope, each)))
    const entries = places.filter((entry) => entry !== undefined)
    const active = entries.find((entry) => isInForce(entry, this.#parts.clock.now()))
    const strikes = this.#parts.strikes.read(tenant, target)
    return { ...(active ? { active } : {}), entries, ...(strikes ? { strikes } : {}) }
  }

  /** The strikes that led here go too: whoever is mailed again begins with none. */
  #forget({ scope, target }: Suppression): Write[] {
    return [...this.take(scope, target), ...this.#parts.strikes.reset(scope, target)]
  }

  /** The entries of one scope for an address, its own first; usually one point read, none where the scope has none. */
  *#touching(scope: Scope, targets: readonly [string, ...string[]]): Generator<Suppression, void> {
    const presence = this.#presenceOf(scope)
    if (!presence.any) return
    for (const each of targets) {
      const exact = this.get(scope, each)
      if (exact !== undefined) yield exact
    }
    const [target] = targets
    const domain = presence.domains ? this.get(scope, target.slice(target.lastIndexOf('@'))) : undefined
    if (domain !== undefined) yield domain
  }

  /** What an address may stand under, first what is written now: it may have been learned when letters counted. */
  #targetsOf(address: EmailAddress): readonly [string, ...string[]] {
    const target = addressTarget(address, this.#parts.settings())
    const asWritten = addressTarget(address, { lowerCaseLocalPart: false })
    return target === asWritten ? [target] : [target, asWritten]
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

  async #commit(writes: readonly Write[], ...changes: readonly Omit<SuppressionChange, 'at'>[]): Promise<void> {
    const at = this.#parts.clock.now()
    const records = changes.map((change) => this.#parts.record({ ...change, at }))
    await this.#parts.store.write([...writes, ...records.flatMap((record) => record.writes)])
    for (const record of records) record.publish()
  }
}

function changeOf(
  kind: SuppressionChange['kind'],
  entry: Suppression,
  { who, why }: { readonly who: string; readonly why: string },
): Omit<SuppressionChange, 'at'> {
  return { kind, tenant: entry.scope, recipient: entry.target, who, why, scope: entry.scope, reason: entry.reason }
}

/** By which void entries are found again without walking all of them; see prune.ts. */
function pendingIndex({ scope, target }: Suppression, until: EpochMs): Write {
  return { table: 'suppression-pending', key: pendingKey({ until, scope, target }), value: EMPTY }
}
