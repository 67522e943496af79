// Which limits a lane or a message counts against, put together from settings, place and message. A lane is asked before
// anything is claimed from it: by what all its messages share. A message is asked once it is known; with its permit it
// gets the source it leaves from.

import { byName } from '../config/by-name.ts'
import type { Settings } from '../config/schema.ts'
import type { Delivery, RateLimit, Site } from '../delivery/delivery.ts'
import type { Message } from '../mail/message.ts'
import type { SourceGate } from '../sources/source-book.ts'
import type { Limit, Permit } from '../throttle/limit.ts'
import type { Throttle } from '../throttle/throttle.ts'
import { type EpochMs, MINUTE } from '../util/clock.ts'
import type { Lane } from './lanes.ts'
import type { Pacer } from './pacer.ts'
import { SourceChoice } from './source-choice.ts'
import type { Claimant, SiteLine } from './turns.ts'

export interface LimitsParts {
  readonly throttle: Throttle
  readonly delivery: Pick<Delivery, 'sourceOf' | 'sourcesOf'>
  readonly settings: () => Settings
  /** Absent: nothing is learned from receivers. */
  readonly pacer?: Pick<Pacer, 'limits' | 'slots' | 'restsUntil' | 'keepsMail'>
  /** Absent: every source may send everywhere. */
  readonly gate?: SourceGate
}

/** The place and what of it was asked already: for every message the same. */
interface Known {
  readonly bySource: Map<string, readonly RateLimit[]>
}

export interface Asking {
  readonly message: Message
  readonly place: Site
  /** The source that tried the recipient last. */
  readonly before?: string | undefined
}

/** All that a message counts against, and where it would leave from. */
interface Asked {
  readonly limits: readonly Limit[]
  readonly source?: string
}

export type LaneBudget = { readonly permits: number } | { readonly full: Limit } | { readonly resting: Resting }

/** No source of a pool may send to a place. */
export interface Resting {
  /** All of the pool. */
  readonly sources: readonly string[]
  /** When that is to be looked at again, as far as can be known. */
  readonly until?: EpochMs
}

/** Messages that are put off because their pool stands still, one write each: not too often. */
const RESTS_MS = 5 * MINUTE

export class Limits {
  readonly #parts: LimitsParts
  readonly #choice: SourceChoice
  readonly #known = new WeakMap<Site, Known>()

  constructor(parts: LimitsParts) {
    this.#parts = parts
    this.#choice = new SourceChoice(parts)
  }

  /** How many a claimant may hand over at a line now. Who was woken by a limit passes those who wait there. */
  budget(line: SiteLine, claimant: Claimant & Pick<Lane, 'mayHoldOthers'>): LaneBudget {
    const { throttle } = this.#parts
    const { tenant } = claimant
    const granted = line.takeGrant(claimant)
    const pool = this.#poolOf(tenant, claimant.pool)
    const shared = this.#shared(line.place, tenant, pool)
    const queued = granted === undefined ? shared.find(({ waiting }) => waiting.size > 0) : undefined
    if (queued !== undefined) return { full: queued }
    const common = throttle.budget(shared)
    if ('full' in common) return common
    const others = claimant.mayHoldOthers === true ? this.#othersOf(tenant) : []
    const bySource = this.#bySources(line.place, { pool, others, isGranted: granted !== undefined })
    if (!('permits' in bySource)) return bySource
    return { permits: Math.min(common.permits, bySource.permits, granted ?? Number.POSITIVE_INFINITY) }
  }

  /** `before`: the source that tried the recipient last. */
  admit(message: Message, place: Site, before?: string): Permit | { readonly waitMs: number; readonly full?: Limit } {
    const asked = this.#asked({ message, place, before })
    // Its pool stands still; others in its lane go on from another one.
    if (asked === 'no-source') return { waitMs: RESTS_MS }
    return this.#parts.throttle.take(asked.limits, asked.source)
  }

  /** What would keep this message back now, for people: of the limits that are used up, the last to give something. */
  binding(asking: Asking): Limit | 'no-source' | undefined {
    const { throttle } = this.#parts
    const asked = this.#asked(asking)
    if (asked === 'no-source') return asked
    return asked.limits
      .filter((limit) => throttle.isUsedUp(limit))
      .reduce<Limit | undefined>(
        (last, limit) => (last === undefined || throttle.waitMs(limit) > throttle.waitMs(last) ? limit : last),
        undefined,
      )
  }

  /** The source of a message and all that it counts against, once more than its lane. */
  #asked({ message, place, before }: Asking): Asked | 'no-source' {
    const { throttle, settings } = this.#parts
    const pool = this.#poolOf(message.tenant, message.pool)
    const mayMove = byName(settings().pool, pool)?.move ?? true
    const source = this.#choice.choose({ pool, message: message.id, place, before, mayMove })
    if (source === undefined && this.#membersOf(pool).length > 0) return 'no-source'
    const limits = this.#shared(place, message.tenant, pool)
    // Without a source delivery says what is wrong.
    if (source !== undefined) limits.push(...this.#fromSource(place, source))
    for (const limit of this.#ofTags(message)) limits.push(throttle.rate(limit))
    return { limits, ...(source !== undefined && { source }) }
  }

  /** What all messages of a tenant that leave from a pool to a place share. */
  #shared(place: Site, tenant: string, pool: string): Limit[] {
    const { throttle, settings } = this.#parts
    const limits: Limit[] = []
    if (place.shared !== undefined) limits.push(throttle.slots(place.shared))
    const rate = byName(settings().tenant, tenant)?.messageRate
    if (rate !== undefined) limits.push(throttle.rate({ name: `tenant ${tenant}`, rate }))
    const [source] = this.#parts.delivery.sourcesOf(pool)
    for (const limit of source === undefined ? [] : this.#ofSource(place, source))
      if (isProvider(limit)) limits.push(throttle.rate(limit))
    return limits
  }

  /** Over the sources of the pool: one that is open is enough. */
  #bySources(
    place: Site,
    { pool, others, isGranted }: { pool: string; others: readonly string[]; isGranted: boolean },
  ): LaneBudget {
    const { delivery, pacer, gate } = this.#parts
    if (place.limits === undefined && pacer === undefined && gate === undefined)
      return { permits: Number.POSITIVE_INFINITY }
    const sources = this.#membersOf(pool)
    if (sources.length === 0) return { permits: Number.POSITIVE_INFINITY }
    const own = this.#over(delivery.sourcesOf(pool), place, isGranted)
    const further = 'resting' in own ? [...new Set(others.flatMap((name) => delivery.sourcesOf(name)))] : []
    const budget = further.length === 0 ? own : this.#over(further, place, isGranted)
    return 'resting' in budget ? { resting: { sources, ...budget.resting } } : budget
  }

  /** Pools that mail in a lane of older versions may name besides. */
  #othersOf(tenant: string): readonly string[] {
    return byName(this.#parts.settings().tenant, tenant)?.pools ?? []
  }

  #over(
    sources: readonly string[],
    place: Site,
    isGranted: boolean,
  ): Exclude<LaneBudget, { resting: Resting }> | { readonly resting: Pick<Resting, 'until'> } {
    const { throttle } = this.#parts
    let permits = 0
    let soonest: Limit | undefined
    let until: EpochMs | undefined
    for (const source of sources) {
      const held = this.#choice.heldUntil(source, place)
      if (held !== undefined) {
        until = Math.min(held, until ?? held)
        continue
      }
      const limits = this.#fromSource(place, source)
      const queued = isGranted ? undefined : limits.find(({ waiting }) => waiting.size > 0)
      const budget = queued === undefined ? throttle.budget(limits) : { full: queued }
      if ('permits' in budget) permits += budget.permits
      else if (soonest === undefined || throttle.waitMs(budget.full) < throttle.waitMs(soonest)) soonest = budget.full
    }
    if (permits > 0) return { permits }
    if (soonest !== undefined) return { full: soonest }
    return { resting: { ...(until !== undefined && { until }) } }
  }

  /** All that counts for what leaves from this source, and not for what leaves from others. */
  #fromSource(place: Site, source: string): Limit[] {
    const { throttle, pacer } = this.#parts
    const limits: Limit[] = []
    for (const slots of [place.sharedFrom?.(source), pacer?.slots?.(place, source)])
      if (slots !== undefined) limits.push(throttle.slots(slots))
    for (const limit of this.#ofSource(place, source)) if (!isProvider(limit)) limits.push(throttle.rate(limit))
    for (const limit of this.#choice.limits(source, place)) limits.push(throttle.rate(limit))
    return limits
  }

  #ofSource(place: Site, source: string): readonly RateLimit[] {
    const known = this.#known.get(place) ?? { bySource: new Map() }
    this.#known.set(place, known)
    const found = known.bySource.get(source)
    if (found !== undefined) return found
    const limits = place.limits?.(source) ?? []
    known.bySource.set(source, limits)
    return limits
  }

  #ofTags({ tags, tenant }: Message): RateLimit[] {
    const { tagLimit } = this.#parts.settings()
    if (tags === undefined || tagLimit.length === 0) return []
    return tagLimit.flatMap((limit) =>
      tags.includes(limit.tag) && (limit.tenant ?? tenant) === tenant
        ? [{ name: `tag ${limit.tag} of ${tenant}`, rate: limit.messageRate }]
        : [],
    )
  }

  #poolOf(tenant: string, pool: string | undefined): string {
    return pool ?? byName(this.#parts.settings().tenant, tenant)?.pool ?? 'default'
  }

  /** The sources of a pool that carry mail, whether they may now or not. */
  #membersOf(name: string): readonly string[] {
    const pool = byName(this.#parts.settings().pool, name)
    return pool?.sources.flatMap(({ source, weight }) => (weight > 0 ? [source] : [])) ?? []
  }
}

function isProvider({ name }: RateLimit): boolean {
  return name.startsWith('provider ')
}
