// A suppression: an address (or domain) that a tenant, or everybody, must not mail, with its whole provenance. It stands
// in one of four ways (standingOf); only one that is in force keeps mail back.

import type { Cause } from '../mail/outcome.ts'
import type { EpochMs } from '../util/clock.ts'

export const REASONS = [
  'hard_bounce',
  'soft_bounce_limit',
  'complaint',
  'unsubscribe',
  'manual',
  'imported',
  'inactivity',
  'policy',
] as const
export type Reason = (typeof REASONS)[number]

/** A tenant's name, or '*' for all tenants. */
export type Scope = string
export const GLOBAL_SCOPE = '*'

/** What Studs learned by itself. */
export const LEARNER = 'studs'

export interface Reactivation {
  readonly at: EpochMs
  readonly who: string
  readonly why: string
}

export interface Suppression {
  readonly scope: Scope
  /** Normalised address, or `@domain` for a whole domain. */
  readonly target: string
  readonly reason: Reason
  readonly createdAt: EpochMs
  readonly expiresAt?: EpochMs
  readonly note?: string
  /** Who: `studs` itself, or `cli:<user>`, `api:<token>`, `import:<file>`. */
  readonly who: string
  /** Learned in a surge that nobody can explain yet: it keeps no mail back, and is void from this time on. */
  readonly pendingUntil?: EpochMs
  /** Half-open: mail goes one at a time until a message got through. */
  readonly reactivated?: Reactivation
  /** Half-open, learned from reports: the first message the site took since. It may still come back. */
  readonly accepted?: { readonly message: string; readonly at: EpochMs }
  /** How often it was suppressed, this time included, and who gave it the last chance; absent the first time. */
  readonly again?: { readonly times: number; readonly reactivated?: Reactivation }
  /** What it was learned from; absent for entries made by hand. */
  readonly evidence?: {
    readonly rule: string
    readonly category: string
    readonly code: number
    /** Absent for complaints and unsubscribe requests: nobody refused anything. */
    readonly cause?: Cause
    readonly message?: string
    readonly mx?: string
    readonly source?: string
    readonly site?: string
    /** It came back after the site had taken it. */
    readonly bounced?: true
    /** Id of the report that told. */
    readonly report?: string
    /** Type of the complaint (RFC 5965 §7.3). */
    readonly feedback?: string
    /** soft_bounce_limit: the messages whose strikes counted. */
    readonly strikes?: readonly string[]
  }
}

export const STANDINGS = ['in-force', 'pending', 'half-open', 'over'] as const
export type Standing = (typeof STANDINGS)[number]

export function standingOf(entry: Suppression, now: EpochMs): Standing {
  if (entry.pendingUntil !== undefined) return entry.pendingUntil > now ? 'pending' : 'over'
  if (entry.expiresAt !== undefined && entry.expiresAt <= now) return 'over'
  return entry.reactivated === undefined ? 'in-force' : 'half-open'
}

export function isInForce(entry: Suppression, now: EpochMs): boolean {
  return standingOf(entry, now) === 'in-force'
}

const ASKED_FOR: ReadonlySet<Reason> = new Set(['complaint', 'unsubscribe'])

/** A person asked for it: not undone by an import or a rollback, nor by hand without `force`. */
export function isProtected(entry: Suppression): boolean {
  return ASKED_FOR.has(entry.reason)
}

/** Learned from failures, so that a message that gets through can prove it wrong. */
export function isLearned({ who, reason }: Suppression): boolean {
  return who === LEARNER && (reason === 'hard_bounce' || reason === 'soft_bounce_limit')
}
