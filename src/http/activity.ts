// What happened in the last minute, second by second, for `studs top` and /stats. Fed by the journal's records; memory
// is a minute of counters however busy the relay is.

import type { JournalRecord, RecordKind } from '../journal/record.ts'
import { type Clock, type EpochMs, SECOND } from '../util/clock.ts'

export const ACTIVITY_SECONDS = 60
export const COUNTED = [
  'accepted',
  'delivered',
  'deferred',
  'failed',
  'suppressed',
  'bounced',
  'complained',
  'unsubscribed',
  'reported',
] as const
export type Counted = (typeof COUNTED)[number]

/** `expired` counts as failed: for those who watch it is the same end. */
const COUNTER_OF: Partial<Record<RecordKind, Counted>> = {
  accepted: 'accepted',
  delivered: 'delivered',
  deferred: 'deferred',
  failed: 'failed',
  expired: 'failed',
  bounced: 'bounced',
  complained: 'complained',
  unsubscribed: 'unsubscribed',
  reported: 'reported',
  suppressed: 'suppressed',
}

export interface Activity {
  readonly at: EpochMs
  /** Per counter: the 60 last complete seconds, oldest first. */
  readonly seconds: Readonly<Record<Counted, readonly number[]>>
  /** Since the relay started. */
  readonly totals: Readonly<Record<Counted, number>>
}

export interface ActivityMeter {
  count(record: JournalRecord): void
  read(): Activity
}

export function createActivityMeter({ clock }: { readonly clock: Clock }): ActivityMeter {
  const totals = zeroes(() => 0)
  // One slot more than is shown: the second that is under way.
  const ring = zeroes(() => new Array<number>(ACTIVITY_SECONDS + 1).fill(0))
  let second = Math.floor(clock.monotonic() / SECOND)
  const advance = (): number => {
    const now = Math.floor(clock.monotonic() / SECOND)
    const passed = Math.min(now - second, ACTIVITY_SECONDS + 1)
    for (let at = now - passed + 1; at <= now; at++) for (const name of COUNTED) ring[name][at % ring[name].length] = 0
    second = now
    return now
  }
  return {
    count: (record) => {
      const name = COUNTER_OF[record.kind]
      if (name === undefined) return
      const slot = advance() % (ACTIVITY_SECONDS + 1)
      ring[name][slot] = (ring[name][slot] ?? 0) + 1
      totals[name]++
    },
    read: () => {
      const now = advance()
      const minute = (slots: readonly number[]): number[] =>
        Array.from({ length: ACTIVITY_SECONDS }, (_, index) => slots[(now + 1 + index) % slots.length] ?? 0)
      return {
        at: clock.now(),
        seconds: Object.fromEntries(COUNTED.map((name) => [name, minute(ring[name])])) as Record<Counted, number[]>,
        totals: { ...totals },
      }
    },
  }
}

function zeroes<T>(make: () => T): Record<Counted, T> {
  return Object.fromEntries(COUNTED.map((name) => [name, make()])) as Record<Counted, T>
}
