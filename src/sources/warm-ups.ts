// Where each source stands in its warm-up, by provider, and what that allows now. Places without a provider count together
// as one. The rates themselves are kept by the throttle, over restarts; here is only which rate it is today. What the
// calendar says is not written; what brakes and cold addresses made of it is, with a record.

import type { WarmUpSettings } from '../config/schema.ts'
import type { RateLimit } from '../delivery/delivery.ts'
import type { Journal } from '../journal/journal.ts'
import type { JournalRecord } from '../journal/record.ts'
import { decode, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { type Clock, DAY, HOUR, type Timer } from '../util/clock.ts'
import type { SourceTally } from './source-tally.ts'
import { braked, dayOf, planLength, rateOfStep, sinceDay, standingOn, type WarmUpStanding } from './warm-up-plan.ts'

export interface WarmUpsParts {
  readonly store: Store
  readonly journal: Journal
  readonly clock: Clock
  readonly tally: SourceTally
  readonly planOf: (source: string) => WarmUpSettings | undefined
  readonly onError: (error: unknown) => void
}

/** The provider of sites that have none. */
export const OTHER = 'other'

const DEFERRALS_HOURS = 4
const COMPLAINTS_HOURS = 24
/** Fewer say nothing. */
const LEAST_JUDGED = 20
const LEAST_COMPLAINTS = 2

interface Known {
  readonly plan: WarmUpSettings
  readonly standing: WarmUpStanding
  readonly limit: RateLimit | undefined
}

export class WarmUps {
  readonly #parts: WarmUpsParts
  /** By source and provider: of today, and what the store has. */
  readonly #known = new Map<string, Known>()
  readonly #kept = new Map<string, WarmUpStanding>()
  readonly #listeners: (() => void)[] = []
  #timer: Timer | undefined
  #isClosed = false

  constructor(parts: WarmUpsParts) {
    this.#parts = parts
    for (const { key, value } of parts.store.range('warm-up', {}))
      this.#kept.set(key.toString().slice(0, -1), decode<WarmUpStanding>(value))
  }

  /** What may leave there; `not-yet` before the first day, undefined for a source that is warm or has no plan. */
  at(source: string, provider: string): RateLimit | 'not-yet' | undefined {
    const known = this.#today(source, provider)
    return known?.standing.step === 0 ? 'not-yet' : known?.limit
  }

  standing(source: string, provider: string): WarmUpStanding | undefined {
    return this.#today(source, provider)?.standing
  }

  /** Something spoke against the source there: whether its plan stands still for it. */
  judge(source: string, provider: string): void {
    const known = this.#today(source, provider)
    if (known === undefined || known.limit === undefined || known.standing.brakedOn === known.standing.day) return
    const why = this.#trouble(known.plan, source, provider)
    if (why === undefined) return
    const standing = braked(known.standing, why)
    this.#keep({ source, provider }, standing, { kind: 'slowed', why })
    this.#learn({ source, provider, plan: known.plan }, standing)
  }

  /** Called at the beginning of each day, when plans grow. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#listeners.splice(0)
  }

  /** Asked for every message: what was found out today holds. */
  #today(source: string, provider: string): Known | undefined {
    const plan = this.#parts.planOf(source)
    if (plan === undefined) return undefined
    const day = dayOf(this.#parts.clock.now())
    const name = nameOf(source, provider)
    const known = this.#known.get(name)
    if (known?.plan === plan && known.standing.day === day) return known
    const kept = this.#kept.get(name)
    const lastAt = this.#parts.tally.lastAt(source, provider)
    const usedOn = lastAt === undefined ? undefined : dayOf(lastAt)
    const standing = standingOn({ plan, day, kept, usedOn })
    const isByCalendar = standing.step === Math.min(planLength(plan) + 1, day - sinceDay(plan) + 1)
    if (standing !== kept && (kept !== undefined || (standing.step > 0 && !isByCalendar)))
      this.#keep({ source, provider }, standing, changeOf(kept, standing, isByCalendar))
    this.#arm()
    return this.#learn({ source, provider, plan }, standing)
  }

  #learn(of: { source: string; provider: string; plan: WarmUpSettings }, standing: WarmUpStanding): Known {
    const { source, provider, plan } = of
    const rate = rateOfStep(plan, standing.step)
    const limit = rate === undefined ? undefined : { name: `warm-up ${source} ${provider}`, rate }
    const known: Known = { plan, standing, limit }
    this.#known.set(nameOf(source, provider), known)
    return known
  }

  /** Of today only: yesterday's trouble has been counted already. */
  #trouble(plan: WarmUpSettings, source: string, provider: string): string | undefined {
    const { tally, clock } = this.#parts
    const hours = Math.floor((clock.now() % DAY) / HOUR) + 1
    const { judged, against } = tally.over(Math.min(DEFERRALS_HOURS, hours), source, provider)
    if (judged >= LEAST_JUDGED && against / judged > plan.brakeDeferrals)
      return `${against} of ${judged} attempts within ${DEFERRALS_HOURS} h were put off or refused`
    const { complaints } = tally.over(hours, source, provider)
    const { delivered } = tally.over(COMPLAINTS_HOURS, source, provider)
    if (complaints >= LEAST_COMPLAINTS && complaints > delivered * plan.brakeComplaints)
      return `${complaints} complaints today about ${delivered} messages within ${COMPLAINTS_HOURS} h`
    return undefined
  }

  #keep(
    { source, provider }: { source: string; provider: string },
    standing: WarmUpStanding,
    change: { kind: 'slowed' | 'recovered'; why: string } | undefined,
  ): void {
    const { store, journal, clock, onError } = this.#parts
    this.#kept.set(nameOf(source, provider), standing)
    const record: JournalRecord | undefined = change && {
      ...change,
      at: clock.now(),
      tenant: '*',
      recipient: '*',
      who: 'studs',
      target: { kind: 'warm-up', name: `${source} at ${provider}` },
    }
    const composed = record && journal.compose(record)
    const row = { table: 'warm-up', key: textKey(source, provider), value: encode(standing) } as const
    store.write([row, ...(composed?.writes ?? [])], 'soon').then(
      () => composed && journal.publish([composed.record]),
      onError, // what holds today holds in memory; tomorrow it is written again
    )
  }

  #arm(): void {
    const { clock } = this.#parts
    if (this.#timer !== undefined || this.#isClosed) return
    const day = dayOf(clock.now())
    // Not later than in an hour, so that a step of the wall clock is noticed.
    this.#timer = clock.after(Math.min(HOUR, (day + 1) * DAY - clock.now()), () => {
      this.#timer = undefined
      this.#arm()
      if (dayOf(clock.now()) !== day) for (const listener of this.#listeners) listener()
    })
  }
}

function changeOf(
  kept: WarmUpStanding | undefined,
  standing: WarmUpStanding,
  isByCalendar: boolean,
): { kind: 'slowed' | 'recovered'; why: string } | undefined {
  if (standing.step === 1 && kept?.step !== 1 && standing.brakedOn === undefined && !isByCalendar)
    return { kind: 'slowed', why: 'nothing was sent there for 30 days: the plan begins anew' }
  const wasHeld = kept?.brakedOn !== undefined && kept.day - kept.brakedOn <= 1
  if (wasHeld && standing.step > kept.step) return { kind: 'recovered', why: 'after a good day the plan grows again' }
  return undefined
}

function nameOf(source: string, provider: string): string {
  return `${source}\0${provider}`
}
