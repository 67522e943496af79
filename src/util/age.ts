// How old what was stored is, whatever the wall clock did meanwhile: told by the machine's uptime, also from one process to
// the next. Only where the machine itself was started in between does the wall clock count, and never as less than nothing.

import type { Clock, EpochMs, SinceBoot } from './clock.ts'

/** When something was stored. */
export interface Stamp {
  readonly savedAt: EpochMs
  readonly sinceBoot?: SinceBoot
}

type Times = Pick<Clock, 'now' | 'sinceBoot'>

export function stampOf(clock: Times): Stamp {
  const sinceBoot = clock.sinceBoot?.()
  return { savedAt: clock.now(), ...(sinceBoot !== undefined && { sinceBoot }) }
}

export function ageOf({ savedAt, sinceBoot }: Stamp, clock: Times): number {
  const now = clock.sinceBoot?.()
  const isSameBoot = now !== undefined && now.boot === sinceBoot?.boot
  return Math.max(0, isSameBoot ? now.ms - sinceBoot.ms : clock.now() - savedAt)
}
