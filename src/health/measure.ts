// What an alert looks at: a share out of a scope's counters, with the least of mail below which a share says nothing.
// Pure.
//
// Bounces and complaints: of the last hour or of the last day, whichever is worse; an hour shows a bad list at once, a day
// shows what comes in drops. One or two are chance, however few the mail: MINIMUM_EVENTS.
// Deferrals: of the last hour, against the same hour of the last seven days, and whatever is usual when every other attempt is
// put off.

import type { Settings } from '../config/schema.ts'
import { attemptsIn, bounceShare, type Counts, complaintShare, deferredShare, endedIn } from './counts.ts'

export type AlertSettings = Settings['alert']

export interface Measured {
  /** Undefined: too little mail to tell. */
  readonly value: number | undefined
  readonly thresholds: readonly number[]
  /** `62 of 1,000 in the last hour`, when there is a value. */
  readonly words: string
}

export interface Windows {
  readonly hour: Counts
  readonly day: Counts
  /** Deferred shares of the same hour of the last seven days, of those that had mail. */
  readonly usualDeferred: () => readonly number[]
}

export const RATE_ALERTS = ['bounce-rate', 'complaint-rate', 'deferral-surge'] as const
export type RateAlert = (typeof RATE_ALERTS)[number]

const MINIMUM_EVENTS = 3
/** Of the seven days; what was seen less often is not usual yet. */
const MINIMUM_DAYS = 3
/** Below this share nothing is a surge, however good the days before were. */
const LEAST_SURGE = 0.1

export const MEASURES: Readonly<Record<RateAlert, (windows: Windows, settings: AlertSettings) => Measured>> = {
  'bounce-rate': (windows, { bounceRates, bounceMinimum }) =>
    worst(windows, bounceRates, (counts) => {
      const of = endedIn(counts)
      return { share: bounceShare(counts), events: counts.hard + counts.soft, of, isEnough: of >= bounceMinimum }
    }),
  'complaint-rate': (windows, { complaintRates, complaintMinimum }) =>
    worst(windows, complaintRates, (counts) => {
      const of = counts.delivered
      return { share: complaintShare(counts), events: counts.complained, of, isEnough: of >= complaintMinimum }
    }),
  'deferral-surge': ({ hour, usualDeferred }, { deferralShare, deferralFactor, deferralMinimum }) => {
    const of = attemptsIn(hour)
    if (of < deferralMinimum) return { value: undefined, thresholds: [deferralShare], words: '' }
    const value = deferredShare(hour)
    // Asked only where it may matter: it reads the store.
    const usual = value < LEAST_SURGE / 2 ? [] : usualDeferred()
    const isKnown = usual.length >= MINIMUM_DAYS
    const many = isKnown ? surgeFrom(medianOf(usual), deferralFactor) : deferralShare
    const words = `${amount(hour.deferred)} of ${amount(of)} attempts in the last hour${isKnown ? `; usual at this hour are ${percent(medianOf(usual))}` : ''}`
    return { value, thresholds: [many, Math.max(many, deferralShare)], words }
  },
}

/** A share that is high every day cannot be three times as high: then half of what is left to everything counts. */
function surgeFrom(usual: number, factor: number): number {
  return Math.max(LEAST_SURGE, Math.min(factor * usual, (1 + usual) / 2))
}

interface Share {
  readonly share: number
  readonly events: number
  readonly of: number
  readonly isEnough: boolean
}

function worst({ hour, day }: Windows, thresholds: readonly number[], shareOf: (counts: Counts) => Share): Measured {
  const told = [
    { ...shareOf(hour), when: 'in the last hour' },
    { ...shareOf(day), when: 'in the last 24 hours' },
  ].filter(({ isEnough }) => isEnough)
  const [first] = told.sort((a, b) => significant(b) - significant(a))
  if (first === undefined) return { value: undefined, thresholds, words: '' }
  return {
    value: significant(first),
    thresholds,
    words: `${amount(first.events)} of ${amount(first.of)} ${first.when}`,
  }
}

function significant({ share, events }: Share): number {
  return events < MINIMUM_EVENTS ? 0 : share
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

/** `6.2 %`, `0.31 %` */
export function percent(share: number): string {
  const value = share * 100
  return `${value >= 1 ? Math.round(value * 10) / 10 : Math.round(value * 100) / 100} %`
}

function amount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}
