// Which of the things that can keep mail back does so now, the strongest first: for a lane, and for one recipient, which
// something of its own may keep back while the rest of its lane goes.

import { formatPace, formatRate, type Rate } from '../config/units.ts'
import type { LaneStanding, LimitStanding, MessageStanding } from '../dispatch/runner-standing.ts'
import { type Domain, domainOf } from '../mail/address.ts'
import type { LaneName, Message, Recipient } from '../mail/message.ts'
import type { Queue } from '../queue/queue.ts'
import type { LanePlace } from '../queue/walk.ts'
import type { Suspension } from '../throttle/suspensions.ts'
import { type Clock, type EpochMs, SECOND } from '../util/clock.ts'

/** `free`: nothing but its turn. */
export type Binding =
  | { readonly kind: 'suspended'; readonly suspension: Suspension }
  | {
      readonly kind: 'limit'
      readonly limit: string
      readonly rate?: string
      /** Absent where nobody stands in line: each is put off by itself. */
      readonly since?: EpochMs
      readonly until?: EpochMs
    }
  /** No source of the pool may send there: drained, missing, or not begun to warm up. */
  | { readonly kind: 'no-source' }
  | { readonly kind: 'connections'; readonly inFlight: number; readonly slots: number }
  /** An operator keeps this one back. */
  | { readonly kind: 'held'; readonly who: string; readonly why: string; readonly since: EpochMs }
  /** DNS of the domain that it is sent as is broken (`doctor.hold_domains`); looked at again then. */
  | { readonly kind: 'sender-domain'; readonly domain: Domain; readonly until: EpochMs }
  /** Delivery has it right now. */
  | { readonly kind: 'tried'; readonly since: EpochMs }
  /** Nobody is due yet: those that wait were refused, or are for later. */
  | { readonly kind: 'back-off'; readonly until: EpochMs }
  | { readonly kind: 'free' }

export interface BindingParts {
  readonly core: { readonly queue: Pick<Queue, 'flight' | 'heldUntil' | 'recipient' | 'message'> }
  readonly clock: Pick<Clock, 'now'>
  readonly relay?: {
    standing(lane: LaneName): LaneStanding | undefined
    standingOf?(message: Message, recipient: Recipient): Promise<MessageStanding | undefined>
  }
}

interface Mail {
  readonly recipient: Recipient
  readonly message: Message
}

const FREE: Binding = { kind: 'free' }

/** `first`: of those that wait and are not in flight; `flying`: the first that is. */
export async function laneBinding(
  parts: BindingParts,
  lane: LaneName,
  { first, flying }: { readonly first: LanePlace | undefined; readonly flying: LanePlace | undefined },
): Promise<Binding> {
  const { queue } = parts.core
  const binding = ofStanding(parts, lane)
  if (binding.kind === 'suspended') return binding
  if (first === undefined) return flying === undefined ? binding : tried(parts, flying)
  if (binding.kind !== 'back-off') return binding
  const recipient = queue.recipient(first.id, first.n)
  const message = queue.message(first.id)
  // The lane may only know an earlier time, at which it looks again.
  const until = Math.max(binding.until, first.dueAt)
  if (recipient?.state.kind !== 'waiting' || message === undefined) return { kind: 'back-off', until }
  return (await ofItsOwn(parts, { recipient, message })) ?? { kind: 'back-off', until }
}

/** Undefined once it is over. */
export async function recipientBinding(parts: BindingParts, mail: Mail): Promise<Binding | undefined> {
  const { recipient } = mail
  const { id, n, tenant, pool, address, state } = recipient
  if (state.kind === 'held') return { kind: 'held', who: state.who, why: state.why, since: state.at }
  if (state.kind !== 'waiting') return undefined
  const lane = ofStanding(parts, { tenant, domain: domainOf(address), ...(pool !== undefined && { pool }) })
  const waits = lane.kind === 'back-off' ? FREE : lane
  if (parts.core.queue.flight(id, n) !== undefined) {
    const now = tried(parts, { id, n })
    return now.kind === 'tried' ? now : waits
  }
  if (lane.kind === 'suspended' || lane.kind === 'no-source') return lane
  const own = await ofItsOwn(parts, mail)
  if (own !== undefined) return own
  return state.dueAt > parts.clock.now() ? { kind: 'back-off', until: state.dueAt } : waits
}

/** When it will be tried, as far as can be known. */
export function nextAttemptAt({ state }: Recipient, binding: Binding | undefined): EpochMs | undefined {
  if (state.kind !== 'waiting' || binding === undefined) return undefined
  switch (binding.kind) {
    case 'tried':
      return undefined
    case 'suspended':
      return Math.max(state.dueAt, binding.suspension.until)
    case 'limit':
      return binding.until === undefined ? undefined : Math.max(state.dueAt, binding.until)
    case 'no-source':
      return undefined
    default:
      return state.dueAt
  }
}

/** What keeps this one back, and the others of its lane perhaps not. */
async function ofItsOwn(
  { core, clock, relay }: BindingParts,
  { recipient, message }: Mail,
): Promise<Binding | undefined> {
  const { state } = recipient
  if (state.kind !== 'waiting') return undefined
  const heldUntil = message.senderDomain === undefined ? undefined : core.queue.heldUntil(message)
  if (message.senderDomain !== undefined && heldUntil !== undefined)
    return { kind: 'sender-domain', domain: message.senderDomain, until: Math.max(state.dueAt, clock.now()) }
  if (state.dueAt <= clock.now()) return undefined
  const standing = await relay?.standingOf?.(message, recipient)
  if (standing?.isWithoutSource === true) return { kind: 'no-source' }
  if (standing?.limit === undefined) return undefined
  // Refused, and by then the limit will have something again: it is the refusal that it waits for.
  const isOverByThen = (standing.limit.until ?? state.dueAt) <= state.dueAt
  return recipient.lastCause !== undefined && isOverByThen ? undefined : ofLimit(standing.limit)
}

function tried({ core }: BindingParts, { id, n }: Pick<LanePlace, 'id' | 'n'>): Binding {
  const since = core.queue.flight(id, n)?.triedSince
  return since === undefined ? FREE : { kind: 'tried', since }
}

function ofStanding({ relay, clock }: BindingParts, lane: LaneName): Binding {
  const standing = relay?.standing(lane)
  if (standing?.suspension !== undefined) return { kind: 'suspended', suspension: standing.suspension }
  if (standing?.isWithoutSource === true) return { kind: 'no-source' }
  if (standing?.limit !== undefined) return ofLimit(standing.limit)
  if (standing?.nextDue !== undefined && standing.nextDue > clock.now() && !standing.isReady)
    return { kind: 'back-off', until: standing.nextDue }
  const { inFlight, slots } = standing ?? {}
  if (inFlight !== undefined && slots !== undefined && inFlight >= slots)
    return { kind: 'connections', inFlight, slots }
  return FREE
}

function ofLimit({ name, rate, since, until }: LimitStanding): Binding {
  return {
    kind: 'limit',
    limit: name,
    ...(rate !== undefined && { rate: rateText(name, rate) }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  }
}

/** A pace is a number that was learned, and reads best in its own unit. */
function rateText(limit: string, rate: Rate): string {
  return /^(?:pace|slow) /.test(limit) ? formatPace((rate.count * SECOND) / rate.per) : formatRate(rate)
}
