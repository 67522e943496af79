// A suppression: an address (or domain) that a tenant, or everybody, must not mail, with its whole provenance.

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
  /** What it was learned from; absent for entries made by hand. */
  readonly evidence?: {
    readonly rule: string
    readonly category: string
    readonly code: number
    readonly cause: Cause
    readonly message?: string
    readonly mx?: string
    readonly source?: string
    readonly site?: string
    /** soft_bounce_limit: the messages whose strikes counted. */
    readonly strikes?: readonly string[]
  }
}
