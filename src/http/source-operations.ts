// Sources as people ask about them: where each stands, what it may send and has sent, where its warm-up is; and draining.

import type { z } from 'zod'
import type { Settings, SourceSettings } from '../config/schema.ts'
import { formatRate } from '../config/units.ts'
import type { RateLimit } from '../delivery/delivery.ts'
import type { Shaping } from '../shaping/shaping.ts'
import type { Drain, SourceBook } from '../sources/source-book.ts'
import { dayOf, isBraked, planLength, rateOfStep, sinceDay } from '../sources/warm-up-plan.ts'
import { OTHER } from '../sources/warm-ups.ts'
import type { Suspension, Suspensions } from '../throttle/suspensions.ts'
import { type Clock, DAY, type EpochMs } from '../util/clock.ts'
import { checked, sourceDrain } from './input.ts'
import { namesOf, unknownName } from './known-name.ts'
import { OperationError } from './problem.ts'
import { toWire, type Wire } from './wire.ts'

export type SourceState = 'ready' | 'warming' | 'not-yet' | 'drained' | 'suspended' | 'missing' | 'unused'

/** What of a rate is used and what it has left now. */
export interface RateStanding {
  readonly name: string
  readonly rate: string
  /** Absent on a stopped relay, whose store has not all of it. */
  readonly spare?: number
}

export interface ProviderStanding {
  readonly provider: string
  /** Day of the plan that counts there; one more than there are: warm. */
  readonly step: number
  readonly limit?: RateStanding
  readonly isBraked: boolean
  /** The last bad day and what was bad. */
  readonly brakedAt?: EpochMs
  readonly why?: string
  readonly sentLastHour: number
  readonly sentLastDay: number
  readonly lastAt?: EpochMs
}

export interface SourceStanding {
  readonly name: string
  readonly addresses: readonly string[]
  /** Of these, what this machine does not have; absent on a stopped relay. */
  readonly missing?: readonly string[]
  readonly pools: readonly { readonly pool: string; readonly weight: number }[]
  readonly state: SourceState
  readonly drain?: Drain
  readonly suspension?: Suspension
  /** Where it rests: a provider or a site. */
  readonly rests: readonly { readonly place: string; readonly until: EpochMs; readonly why: string }[]
  /** Over all its paths, from the shaping. */
  readonly limit?: RateStanding
  readonly warmUp?: {
    readonly day: number
    readonly days: number
    readonly since: string
    readonly overflow: boolean
    readonly providers: readonly ProviderStanding[]
  }
  readonly sentLastHour: number
  readonly sentLastDay: number
}

export type Drained = Wire<Drain>
export type Source = Wire<SourceStanding>
export type WarmUpStory = Awaited<ReturnType<SourceOperations['warmUp']>>

export interface WarmUpDay {
  readonly day: number
  readonly date: string
  readonly rate: string
  /** Providers that stand there today. */
  readonly here: readonly string[]
}

export interface SourceOperations {
  sources(): Promise<readonly Wire<SourceStanding>[]>
  warmUp(name: string): Promise<{ readonly source: Wire<SourceStanding>; readonly plan: readonly WarmUpDay[] }>
  /** Durable when it resolves. */
  drainSource(name: string, given: z.input<typeof sourceDrain>): Promise<Wire<Drain>>
  /** Durable when it resolves; undefined when it was not drained. */
  undrainSource(name: string, given: z.input<typeof sourceDrain>): Promise<Wire<Drain> | undefined>
}

export interface SourceParts {
  readonly core: { readonly sources: SourceBook; readonly suspensions: Suspensions; shaping(): Shaping }
  readonly settings: () => Settings
  readonly clock: Clock
  readonly relay?: {
    /** Of the addresses of sources, those that this machine has. */
    hasAddress?(address: string): boolean
    /** What a limit has left. */
    spare?(limit: RateLimit): number
  }
}

export function sourceOperations(parts: SourceParts): SourceOperations {
  const { core, settings } = parts
  const known = (name: string): SourceSettings => {
    const found = settings().source.find((each) => each.name === name)
    if (found === undefined) throw unknownName({ kind: 'source', name, known: namesOf(settings().source) })
    return found
  }
  return {
    sources: async () => settings().source.map((source) => toWire(standingOf(parts, source))),
    warmUp: async (name) => {
      const source = known(name)
      if (source.warmUp === undefined)
        throw new OperationError('conflict', `The source ${name} has no warm-up plan: it counts as warm.`)
      const standing = standingOf(parts, source)
      return { source: toWire(standing), plan: planOf(source.warmUp, standing.warmUp?.providers ?? []) }
    },
    drainSource: async (name, given) => {
      const { who, reason } = checked(sourceDrain, given)
      return toWire(await core.sources.begin({ name: known(name).name, who, why: reason }))
    },
    // Also of one that the configuration has no more.
    undrainSource: async (name, given) => {
      const { who, reason } = checked(sourceDrain, given)
      const ended = await core.sources.end({ name, who, why: reason })
      return ended === undefined ? undefined : toWire(ended)
    },
  }
}

function standingOf(parts: SourceParts, source: SourceSettings): SourceStanding {
  const { core, settings, relay } = parts
  const { name } = source
  const addresses = [source.ipv4, source.ipv6].filter((each) => each !== undefined)
  const { hasAddress } = relay ?? {}
  const missing = hasAddress === undefined ? undefined : addresses.filter((address) => !hasAddress(address))
  const pools = settings().pool.flatMap((pool) =>
    pool.sources.flatMap((member) => (member.source === name ? [{ pool: pool.name, weight: member.weight }] : [])),
  )
  const drain = core.sources.drain(name)
  const suspension = core.suspensions.get('source', name)
  const total = core.shaping().sourceRate(name)?.value
  const warmUp = warmUpOf(parts, source)
  const { tally } = core.sources
  return {
    name,
    addresses,
    ...(missing !== undefined && { missing }),
    pools,
    state: stateOf({ drain, suspension, isMissing: isGone(addresses, missing), pools, warmUp }),
    ...(drain !== undefined && { drain }),
    ...(suspension !== undefined && { suspension }),
    rests: restsOf(core.suspensions, name),
    ...(total !== undefined && { limit: rateStanding(parts, { name: `source ${name}`, rate: total }) }),
    ...(warmUp !== undefined && { warmUp }),
    sentLastHour: tally.over(1, name).delivered,
    sentLastDay: tally.over(24, name).delivered,
  }
}

function isGone(addresses: readonly string[], missing: readonly string[] | undefined): boolean {
  return addresses.length > 0 && missing?.length === addresses.length
}

function stateOf(of: {
  readonly drain: Drain | undefined
  readonly suspension: Suspension | undefined
  readonly isMissing: boolean
  readonly pools: SourceStanding['pools']
  readonly warmUp: SourceStanding['warmUp']
}): SourceState {
  const { drain, suspension, isMissing, pools, warmUp } = of
  if (isMissing) return 'missing'
  if (drain !== undefined) return 'drained'
  if (suspension !== undefined) return 'suspended'
  if (pools.every(({ weight }) => weight === 0)) return 'unused'
  if (warmUp === undefined) return 'ready'
  if (warmUp.day < 1) return 'not-yet'
  return warmUp.providers.some(({ limit }) => limit !== undefined) || warmUp.day <= warmUp.days ? 'warming' : 'ready'
}

/** Suspensions at one place are named `source@place`. */
function restsOf(suspensions: Suspensions, name: string): SourceStanding['rests'] {
  return suspensions.list().flatMap((each) => {
    const isIts = each.kind === 'source' && each.name.startsWith(`${name}@`)
    return isIts ? [{ place: each.name.slice(name.length + 1), until: each.until, why: each.why }] : []
  })
}

function warmUpOf(parts: SourceParts, { name, warmUp: plan }: SourceSettings): SourceStanding['warmUp'] {
  if (plan === undefined) return undefined
  const { core, clock } = parts
  const providers = [...new Set([...core.sources.tally.providersOf(name), OTHER])].toSorted()
  return {
    day: dayOf(clock.now()) - sinceDay(plan) + 1,
    days: planLength(plan),
    since: plan.since,
    overflow: plan.overflow,
    providers: providers.map((provider) => providerStanding(parts, name, provider)),
  }
}

function providerStanding(parts: SourceParts, source: string, provider: string): ProviderStanding {
  const { warmUps, tally } = parts.core.sources
  const standing = warmUps.standing(source, provider)
  const limit = warmUps.at(source, provider)
  const lastAt = tally.lastAt(source, provider)
  return {
    provider,
    step: standing?.step ?? 0,
    ...(limit !== undefined && limit !== 'not-yet' && { limit: rateStanding(parts, limit) }),
    isBraked: standing !== undefined && isBraked(standing),
    ...(standing?.brakedOn !== undefined && { brakedAt: standing.brakedOn * DAY }),
    ...(standing?.why !== undefined && { why: standing.why }),
    sentLastHour: tally.over(1, source, provider).delivered,
    sentLastDay: tally.over(24, source, provider).delivered,
    ...(lastAt !== undefined && { lastAt }),
  }
}

function rateStanding({ relay }: SourceParts, limit: RateLimit): RateStanding {
  const spare = relay?.spare?.(limit)
  return { name: limit.name, rate: formatRate(limit.rate), ...(spare !== undefined && { spare }) }
}

function planOf(plan: NonNullable<SourceSettings['warmUp']>, providers: readonly ProviderStanding[]): WarmUpDay[] {
  const length = planLength(plan)
  return Array.from({ length: length + 1 }, (_, at) => {
    const rate = rateOfStep(plan, at + 1)
    return {
      day: at + 1,
      date: new Date((sinceDay(plan) + at) * DAY).toISOString().slice(0, 10),
      rate: rate === undefined ? 'unlimited' : formatRate(rate),
      here: providers.filter(({ step }) => step === at + 1).map(({ provider }) => provider),
    }
  })
}
