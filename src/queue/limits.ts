// Which limits a lane or a message counts against, put together from settings, place and message. A lane is asked before
// anything is claimed from it: by what all its messages share. A message is asked once its source and tags are known.

import type { Settings } from '../config/schema.ts'
import type { Delivery, RateLimit, Site } from '../delivery/delivery.ts'
import type { Message } from '../mail/message.ts'
import type { Limit, Permit, Throttle } from './throttle.ts'
import type { SiteLine } from './turns.ts'

export interface LimitsParts {
  readonly throttle: Throttle
  readonly delivery: Pick<Delivery, 'sourceOf' | 'sourcesOf'>
  readonly settings: () => Settings
}

/** The place and what of it was asked already: for every message the same. */
interface Known {
  readonly bySource: Map<string, readonly RateLimit[]>
}

export type LaneBudget =
  | { readonly permits: number }
  | { readonly full: Limit }
  /** Every source of its pool rests. */
  | { readonly resting: true }

export class Limits {
  readonly #parts: LimitsParts
  readonly #known = new WeakMap<Site, Known>()

  constructor(parts: LimitsParts) {
    this.#parts = parts
  }

  /** How many a tenant may hand over at a line now. Who was woken by a limit passes those who wait there. */
  budget(line: SiteLine, tenant: string): LaneBudget {
    const { throttle } = this.#parts
    const granted = line.takeGrant(tenant)
    const shared = this.#shared(line.place, tenant)
    const queued = granted === undefined ? shared.find(({ waiting }) => waiting.size > 0) : undefined
    if (queued !== undefined) return { full: queued }
    const common = throttle.budget(shared)
    if ('full' in common) return common
    const bySource = this.#bySources(line.place, tenant, granted !== undefined)
    if (!('permits' in bySource)) return bySource
    return { permits: Math.min(common.permits, bySource.permits, granted ?? Number.POSITIVE_INFINITY) }
  }

  admit(message: Message, place: Site): Permit | { readonly waitMs: number; readonly full?: Limit } {
    const { delivery, throttle } = this.#parts
    const source = delivery.sourceOf(this.#poolOf(message.tenant, message.pool), message.id)
    const limits = this.#shared(place, message.tenant)
    // Without a source delivery says what is wrong.
    if (source !== undefined)
      for (const limit of this.#ofSource(place, source)) if (!isProvider(limit)) limits.push(throttle.rate(limit))
    for (const limit of this.#ofTags(message)) limits.push(throttle.rate(limit))
    return throttle.take(limits)
  }

  /** What all messages of a tenant to a place share. */
  #shared(place: Site, tenant: string): Limit[] {
    const { throttle, settings } = this.#parts
    const limits: Limit[] = []
    if (place.shared !== undefined) limits.push(throttle.slots(place.shared))
    const rate = settings().tenant.find(({ name }) => name === tenant)?.messageRate
    if (rate !== undefined) limits.push(throttle.rate({ name: `tenant ${tenant}`, rate }))
    const [source] = this.#parts.delivery.sourcesOf(this.#poolOf(tenant, undefined))
    for (const limit of source === undefined ? [] : this.#ofSource(place, source))
      if (isProvider(limit)) limits.push(throttle.rate(limit))
    return limits
  }

  /** Over the sources of the pool: one that is open is enough. */
  #bySources(place: Site, tenant: string, isGranted: boolean): LaneBudget {
    const { delivery, throttle } = this.#parts
    if (place.limits === undefined) return { permits: Number.POSITIVE_INFINITY }
    const sources = delivery.sourcesOf(this.#poolOf(tenant, undefined))
    if (sources.length === 0)
      return this.#hasSources(tenant) ? { resting: true } : { permits: Number.POSITIVE_INFINITY }
    let permits = 0
    let soonest: Limit | undefined
    for (const source of sources) {
      const limits = this.#ofSource(place, source).flatMap((limit) => (isProvider(limit) ? [] : [throttle.rate(limit)]))
      const queued = isGranted ? undefined : limits.find(({ waiting }) => waiting.size > 0)
      const budget = queued === undefined ? throttle.budget(limits) : { full: queued }
      if ('permits' in budget) permits += budget.permits
      else if (soonest === undefined || throttle.waitMs(budget.full) < throttle.waitMs(soonest)) soonest = budget.full
    }
    return permits === 0 && soonest !== undefined ? { full: soonest } : { permits }
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
    return pool ?? this.#parts.settings().tenant.find(({ name }) => name === tenant)?.pool ?? 'default'
  }

  #hasSources(tenant: string): boolean {
    const pool = this.#parts.settings().pool.find(({ name }) => name === this.#poolOf(tenant, undefined))
    return pool?.sources.some(({ weight }) => weight > 0) ?? false
  }
}

function isProvider({ name }: RateLimit): boolean {
  return name.startsWith('provider ')
}
