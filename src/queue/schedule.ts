// When to try again. Pure. The waits of the config with the last one repeating, ± jitter so that retries spread; a
// receiver's own "try again in N minutes" wins when it is later; never after the end of the message's life, where one
// last attempt is made.

import { DAY, type EpochMs, HOUR } from '../util/clock.ts'

export interface Schedule {
  /** Waits in ms after the 1st, 2nd, … attempt. */
  readonly retry: readonly number[]
  /** 0.1 = ±10 %. */
  readonly jitter: number
}

/** A receiver that asks for more than this is not obeyed beyond it. */
const LONGEST_RETRY_AFTER = 12 * HOUR

export interface NextAttempt {
  readonly schedule: Schedule
  /** Attempts begun, the failed one included. */
  readonly attempts: number
  readonly now: EpochMs
  readonly expiresAt: EpochMs
  readonly retryAfterMs?: number | undefined
  /** 0 ≤ random < 1. */
  readonly random: number
}

/** When the next attempt is due; undefined when the message's life is over. */
export function nextAttemptAt(next: NextAttempt): EpochMs | undefined {
  if (next.now >= next.expiresAt) return undefined
  const wait = next.schedule.retry[Math.min(next.attempts, next.schedule.retry.length) - 1] ?? HOUR
  const spread = wait * (1 + next.schedule.jitter * (2 * next.random - 1))
  const asked = Math.min(next.retryAfterMs ?? 0, LONGEST_RETRY_AFTER)
  return Math.min(next.now + Math.round(Math.max(spread, asked)), next.expiresAt)
}

export const PRESET_LIFETIME = { transactional: 8 * HOUR, patient: 5 * DAY } as const

/** How long a message of this tenant lives, in ms. */
export function lifetimeOf(
  tenant:
    | { readonly preset: 'standard' | 'transactional' | 'patient'; readonly lifetime?: number | undefined }
    | undefined,
  standard: number,
): number {
  if (tenant?.lifetime !== undefined) return tenant.lifetime
  return tenant === undefined || tenant.preset === 'standard' ? standard : PRESET_LIFETIME[tenant.preset]
}
