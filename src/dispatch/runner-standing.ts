// What binds a lane right now, for people: the words in which the runner answers `studs explain`.

import type { Rate } from '../config/units.ts'
import type { Limit } from '../throttle/limit.ts'
import type { Suspension } from '../throttle/suspensions.ts'
import type { Throttle } from '../throttle/throttle.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import type { Lane } from './lanes.ts'
import type { SiteLine } from './turns.ts'

export interface LaneStanding {
  readonly suspension?: Suspension
  readonly limit?: LimitStanding
  /** No source of its pool may send there: drained, missing, or not begun to warm up. */
  readonly isWithoutSource?: true
  /** At its site, over all tenants. */
  readonly inFlight?: number
  readonly slots?: number
  /** When the first of it is due. */
  readonly nextDue?: EpochMs
  /** Stands in line at the site. */
  readonly isReady: boolean
}

export interface LimitStanding {
  readonly name: string
  readonly rate?: Rate
  /** Absent where nobody stands in line: each is put off by itself. */
  readonly since?: EpochMs
  /** When it gives the next permit. */
  readonly until?: EpochMs
}

/** Of one message: its tags, and the source it would leave from. */
export type MessageStanding = Pick<LaneStanding, 'limit' | 'isWithoutSource'>

export interface Bound {
  readonly lane: Lane
  readonly line: SiteLine | undefined
  readonly suspension: Suspension | undefined
  readonly limit: Limit | undefined
  readonly isWithoutSource: boolean
}

interface Now {
  readonly clock: Clock
  readonly throttle: Throttle
}

export function laneStanding(bound: Bound, now: Now): LaneStanding {
  const { lane, line, suspension, limit, isWithoutSource } = bound
  return {
    ...(suspension !== undefined && { suspension }),
    ...(limit !== undefined && { limit: limitStanding(limit, now) }),
    ...(isWithoutSource && { isWithoutSource }),
    ...(line !== undefined && { inFlight: line.inFlight, slots: line.place.slots }),
    ...(lane.nextDue < Number.POSITIVE_INFINITY && { nextDue: lane.nextDue }),
    isReady: lane.place === 'ready',
  }
}

/** What keeps one message back, and others of its lane perhaps not. */
export function messageStanding(binding: Limit | 'no-source' | undefined, now: Now): MessageStanding {
  if (binding === undefined) return {}
  return binding === 'no-source' ? { isWithoutSource: true } : { limit: limitStanding(binding, now) }
}

function limitStanding(limit: Limit, { clock, throttle }: Now): LimitStanding {
  const { name, rate, waitingSince } = limit
  const waitMs = throttle.waitMs(limit)
  return {
    name,
    ...(waitingSince !== undefined && { since: Math.round(clock.now() - (clock.monotonic() - waitingSince)) }),
    ...(rate !== undefined && { rate }),
    ...(waitMs < Number.POSITIVE_INFINITY && { until: Math.ceil(clock.now() + waitMs) }),
  }
}
