// The spike breaker: counts what every site answers every tenant, and all tenants together, hour by hour, says whether a
// hard bounce belongs to a surge (spike.ts decides that), and remembers the entries of the last hour, because a surge
// shows only after its first bounces have suppressed somebody.
//
// The current hour is counted in memory and stored with every hard bounce. What only delivered is never stored: after
// a restart a surge shows rather earlier. Whoever is not affected by what all see (a tenant whose own mail gets through)
// is not held back by it. Memory is bounded; what is forgotten is read again.

import type { Settings } from '../config/schema.ts'
import type { Store, Write } from '../store/store.ts'
import { type Clock, type EpochMs, HOUR } from '../util/clock.ts'
import { glidingHour, type HourCount, hardShare, isSpike, medianOf } from './spike.ts'
import { GLOBAL_SCOPE, type Suppression } from './suppression.ts'
import { EMPTY_HOUR, type HourTally, hourOf, readTally, tallyWrite } from './tally.ts'

/** A surge began or is over. */
export interface SurgeChange {
  readonly kind: 'began' | 'ended'
  /** `*`: seen over all tenants. */
  readonly tenant: string
  readonly site: string
  readonly code: number
  readonly since: EpochMs
  /** Within the last hour. */
  readonly hour: HourCount
  readonly usual: number
}

export interface SurgeVerdict {
  /** Since when the surge goes on that it belongs to; absent when it belongs to none. */
  readonly since?: EpochMs
  readonly changes: readonly SurgeChange[]
  /** Entries of the last hour that belong to a surge that has just shown. */
  readonly suspects: readonly Suppression[]
  readonly writes: readonly Write[]
}

export interface SurgePlace {
  readonly tenant: string
  readonly site: string
}

export interface Surges {
  /** The site said something in the dialogue about a mail of the tenant. */
  answered(place: SurgePlace): void
  /** A hard bounce; one in the dialogue was told to `answered` as well. */
  bounced(place: SurgePlace, code: number): SurgeVerdict
  /** An entry was learned that is in force. */
  learned(entry: Suppression): void
  /** Surges that have run out without another bounce, in the places given and those in memory. */
  runOut(places: readonly SurgePlace[]): Pick<SurgeVerdict, 'changes' | 'writes'>
}

interface Parts {
  readonly store: Store
  readonly settings: () => Settings['suppression']
  /** How many tenants there are: with one alone, all tenants together would only say the same. */
  readonly tenants: () => number
  readonly clock: Clock
  /** Entries learned within the last hour, before this start. */
  readonly recent?: readonly Suppression[]
}

/** What is known of one place in the current hour. */
interface Place extends SurgePlace {
  hour: number
  current: HourTally
  previous: HourTally
  /** Hard bounces of the seven days before, by code: this hour of the day and the one before it. */
  usual: Map<number, readonly HourCount[][]>
}

const MAX_PLACES = 20_000
const MAX_RECENT = 20_000
const DAYS = 7

export function createSurges(parts: Parts): Surges {
  return new StoredSurges(parts)
}

/** Where an entry was learned; what DNS said is said of the domain alone. */
export function siteOf({ target, evidence }: Suppression): string {
  return evidence?.site ?? target.slice(target.lastIndexOf('@') + 1)
}

class StoredSurges implements Surges {
  readonly #parts: Parts
  /** The ones longest unused first. */
  readonly #places = new Map<string, Place>()
  /** Oldest first. */
  readonly #recent = new Map<string, Suppression>()

  constructor(parts: Parts) {
    this.#parts = parts
    for (const entry of parts.recent ?? []) this.learned(entry)
  }

  answered({ tenant, site }: SurgePlace): void {
    for (const each of this.#tenantsOf(tenant)) {
      const place = this.#place({ tenant: each, site })
      place.current = { ...place.current, answered: place.current.answered + 1 }
    }
  }

  bounced({ tenant, site }: SurgePlace, code: number): SurgeVerdict {
    const places = this.#tenantsOf(tenant).map((each) => this.#place({ tenant: each, site }))
    for (const place of places) {
      const { current } = place
      place.current = { ...current, hard: { ...current.hard, [code]: (current.hard[code] ?? 0) + 1 } }
    }
    const changes = places.flatMap((place) => this.#judge(place, code, this.#mayBegin(place, places, code)))
    const since = places.map((place) => this.#sinceFor(place, tenant, code)).find((at) => at !== undefined)
    const suspects = changes.filter(({ kind }) => kind === 'began').flatMap((change) => this.#suspects(change))
    return {
      ...(since === undefined ? {} : { since }),
      changes,
      suspects: [...new Set(suspects)],
      writes: places.map((place) => tallyWrite(place, place.current)),
    }
  }

  learned(entry: Suppression): void {
    const name = `${entry.scope}\0${entry.target}`
    this.#recent.delete(name)
    this.#recent.set(name, entry)
    for (const [oldest, { createdAt }] of this.#recent) {
      if (this.#recent.size <= MAX_RECENT && createdAt >= entry.createdAt - HOUR) break
      this.#recent.delete(oldest)
    }
  }

  runOut(given: readonly SurgePlace[]): Pick<SurgeVerdict, 'changes' | 'writes'> {
    for (const place of given) this.#place(place)
    const changes: SurgeChange[] = []
    const writes: Write[] = []
    for (const { tenant, site } of [...this.#places.values()].filter(isSurging)) {
      const place = this.#place({ tenant, site })
      const ended = Object.keys(place.current.surges).flatMap((code) => this.#judge(place, Number(code), false))
      if (ended.length === 0) continue
      changes.push(...ended)
      writes.push(tallyWrite(place, place.current))
    }
    return { changes, writes }
  }

  #tenantsOf(tenant: string): string[] {
    return this.#parts.tenants() > 1 ? [tenant, GLOBAL_SCOPE] : [tenant]
  }

  /** What all tenants see together is a surge of its own only where it is not the one tenant's alone. */
  #mayBegin(place: Place, [own]: readonly Place[], code: number): boolean {
    if (own === undefined || place === own) return true
    const [ofOne, ofAll] = [this.#lastHour(own, code), this.#lastHour(place, code)]
    return ofOne.hard <= ofAll.hard / 2 && this.#isRefused(own, code)
  }

  /** Whether the surge of a place is one for the tenant: what all tenants see only when it is refused as well. */
  #sinceFor(place: Place, tenant: string, code: number): EpochMs | undefined {
    const since = place.current.surges[code]
    if (since === undefined || place.tenant === tenant) return since
    return this.#isRefused({ tenant, site: place.site }, code) ? since : undefined
  }

  #isRefused(place: SurgePlace, code: number): boolean {
    return hardShare(this.#lastHour(this.#place(place), code)) >= this.#parts.settings().spikeShare
  }

  #suspects({ tenant, site, code }: SurgeChange): Suppression[] {
    const from = this.#parts.clock.now() - HOUR
    return [...this.#recent.values()].filter(
      (entry) =>
        entry.createdAt > from &&
        entry.evidence?.code === code &&
        siteOf(entry) === site &&
        (tenant === GLOBAL_SCOPE ? this.#isRefused({ tenant: entry.scope, site }, code) : entry.scope === tenant),
    )
  }

  /** Lets a surge of the place begin or end. */
  #judge(place: Place, code: number, mayBegin: boolean): SurgeChange[] {
    const { settings, clock } = this.#parts
    const { surges } = place.current
    const before = surges[code]
    const hour = this.#lastHour(place, code)
    // The seven days are read only where it may matter.
    const isFew = hour.hard < settings().spikeMinimum / 2
    const usual = isFew ? 0 : this.#usual(place, code)
    const isOn = isSpike({ hour, usual, isOn: before !== undefined, settings: settings() })
    if (isOn === (before !== undefined) || (isOn && !mayBegin)) return []
    const { [code]: _ended, ...others } = surges
    place.current = { ...place.current, surges: isOn ? { ...others, [code]: clock.now() } : others }
    const { tenant, site } = place
    return [{ kind: isOn ? 'began' : 'ended', tenant, site, code, since: before ?? clock.now(), hour, usual }]
  }

  #lastHour({ current, previous }: Place, code: number): HourCount {
    return glidingHour(countOf(current, code), countOf(previous, code), this.#passed())
  }

  #usual(place: Place, code: number): number {
    const known = place.usual.get(code) ?? this.#readUsual(place, code)
    place.usual.set(code, known)
    const passed = this.#passed()
    return medianOf(known.map(([at, before]) => glidingHour(at ?? NOTHING, before ?? NOTHING, passed).hard))
  }

  #readUsual({ tenant, site, hour }: Place, code: number): HourCount[][] {
    const { store } = this.#parts
    const read = (at: number): HourCount => countOf(readTally(store, tenant, site, at) ?? EMPTY_HOUR, code)
    return Array.from({ length: DAYS }, (_, day) => {
      const at = hour - 24 * (day + 1)
      return [read(at), read(at - 1)]
    })
  }

  #passed(): number {
    return (this.#parts.clock.now() % HOUR) / HOUR
  }

  /** The place, in the hour that it is now. */
  #place({ tenant, site }: SurgePlace): Place {
    const hour = hourOf(this.#parts.clock.now())
    const name = `${tenant}\0${site}`
    const known = this.#places.get(name)
    this.#places.delete(name)
    const place = known ?? this.#read({ tenant, site }, hour)
    if (place.hour !== hour) this.#turn(place, hour)
    this.#places.set(name, place)
    if (this.#places.size > MAX_PLACES) {
      const oldest = this.#places.keys().next()
      if (oldest.done !== true) this.#places.delete(oldest.value)
    }
    return place
  }

  #read({ tenant, site }: SurgePlace, hour: number): Place {
    const previous = readTally(this.#parts.store, tenant, site, hour - 1) ?? EMPTY_HOUR
    const current = readTally(this.#parts.store, tenant, site, hour) ?? { ...EMPTY_HOUR, surges: previous.surges }
    return { tenant, site, hour, current, previous, usual: new Map() }
  }

  /** The hour is over, or the clock has stepped; a surge goes on until it is judged to be over. */
  #turn(place: Place, hour: number): void {
    const { surges } = place.current
    const read = this.#read(place, hour)
    place.previous = hour === place.hour + 1 ? place.current : read.previous
    place.current = { ...read.current, surges }
    place.hour = hour
    place.usual = read.usual
  }
}

const NOTHING: HourCount = { answered: 0, hard: 0 }

function countOf({ answered, hard }: HourTally, code: number): HourCount {
  return { answered, hard: hard[code] ?? 0 }
}

function isSurging({ current }: Place): boolean {
  return Object.keys(current.surges).length > 0
}
