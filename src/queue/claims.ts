// Which due recipients of a lane can be claimed, and what a claim writes. Composes, writes nothing: queue.ts does.

import type { LaneName, Message, Recipient } from '../mail/message.ts'
import { laneKey, prefixRange, readDueKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import type { Permit } from '../throttle/limit.ts'
import type { EpochMs } from '../util/clock.ts'
import { recipientWrites } from './acceptance.ts'
import type { Flight } from './flight.ts'
import { transition } from './state.ts'

export interface ClaimParts {
  readonly store: Store
  /** In flight, or with a write under way: whoever ends it wakes the lane. */
  readonly isBusy: (id: string, n: number) => boolean
  readonly recipient: (id: string, n: number) => Recipient | undefined
  readonly message: (id: string) => Message | undefined
  /** When a recipient is due again should we die during its attempt number `attempts`. */
  readonly dueAfter: (attempts: number, message: Message) => EpochMs
  readonly onStale: (id: string, n: number) => void
  /** Absent: everybody is admitted. */
  readonly admit?: Admit
}

/**
 * A permit, or for how long the message is put off, or that it stays as it is. Called once for each that is about to be
 * claimed.
 */
export type Admit = (message: Message, recipient: Recipient) => Permit | { readonly waitMs: number } | 'pass'

export interface Claims {
  readonly flights: readonly Flight[]
  readonly writes: readonly Write[]
  /** Attempts that were begun and never settled: the relay ended during them. */
  readonly unsettled: readonly Recipient[]
  /** Not claimed: moved to when their limits will have something for them. */
  readonly putOff: readonly Recipient[]
  /** When the next of the lane is due; undefined when nobody else waits. */
  readonly firstDue: EpochMs | undefined
  /** When the first comes due that is not due yet; absent also when it was not come to. */
  readonly nextDue?: EpochMs
}

const SPARE_KEYS = 8

export function claimsOf(parts: ClaimParts, lane: LaneName, limit: number, now: EpochMs): Claims {
  const flights: Flight[] = []
  const writes: Write[] = []
  const unsettled: Recipient[] = []
  const putOff: Recipient[] = []
  let firstDue: EpochMs | undefined
  let nextDue: EpochMs | undefined
  const isNext = (dueAt: EpochMs): void => {
    firstDue = Math.min(firstDue ?? Number.POSITIVE_INFINITY, dueAt)
  }
  for (const [at, key] of dueKeys(parts, lane, limit + 1, now).entries()) {
    const due = readDueKey(key)
    if (due.dueAt > now || at === limit) {
      isNext(due.dueAt)
      if (due.dueAt > now) nextDue = due.dueAt
      break
    }
    const claimed = claimOne(parts, due, now)
    if (claimed === 'pass') isNext(due.dueAt)
    else if (claimed !== undefined && 'putOff' in claimed) {
      writes.push(...claimed.writes)
      putOff.push(claimed.putOff)
      isNext(claimed.dueAt)
    } else if (claimed === undefined) {
      const { repair, dueAt } = repaired(parts, key, due)
      writes.push(...repair)
      if (dueAt !== undefined) isNext(dueAt)
    } else {
      flights.push(claimed.flight)
      writes.push(...claimed.writes)
      if (claimed.unsettled !== undefined) unsettled.push(claimed.unsettled)
    }
  }
  return { flights, writes, unsettled, putOff, firstDue, ...(nextDue !== undefined && { nextDue }) }
}

/** An entry that does not fit its recipient goes; a recipient that waits gets the right one. It should never happen. */
function repaired(
  { recipient, message, onStale }: ClaimParts,
  key: Buffer,
  { id, n }: { id: string; n: number },
): { repair: Write[]; dueAt?: EpochMs } {
  onStale(id, n)
  const entry: Write = { table: 'due', key, value: undefined }
  const found = recipient(id, n)
  if (found?.state.kind !== 'waiting' || message(id) === undefined) return { repair: [entry] }
  // Whole milliseconds: with a fraction it would have the same wrong key again.
  const state = { ...found.state, dueAt: Math.ceil(found.state.dueAt) }
  return { repair: [entry, ...recipientWrites(undefined, { ...found, state })], dueAt: state.dueAt }
}

/** The first `limit` keys of a lane that nobody is busy with, and no more after the first that is not due. */
function dueKeys({ store, isBusy }: ClaimParts, lane: LaneName, limit: number, now: EpochMs): Buffer[] {
  const found: Buffer[] = []
  const range = prefixRange(laneKey(lane))
  let { from } = range
  for (;;) {
    const keys = store.keys('due', { ...range, from, limit: limit + SPARE_KEYS })
    for (const key of keys) {
      const { id, n, dueAt } = readDueKey(key)
      if (!isBusy(id, n)) found.push(key)
      if (found.length === limit || dueAt > now) return found
    }
    const last = keys.at(-1)
    if (last === undefined || keys.length < limit + SPARE_KEYS) return found
    from = Buffer.concat([last, Buffer.from([0])])
  }
}

function claimOne(
  parts: ClaimParts,
  due: { id: string; n: number; dueAt: EpochMs },
  now: EpochMs,
):
  | { flight: Flight; writes: Write[]; unsettled?: Recipient }
  | { putOff: Recipient; dueAt: EpochMs; writes: Write[] }
  | 'pass'
  | undefined {
  const recipient = parts.recipient(due.id, due.n)
  const message = parts.message(due.id)
  if (recipient?.state.kind !== 'waiting' || recipient.state.dueAt !== due.dueAt || message === undefined)
    return undefined
  const admitted = parts.admit?.(message, recipient)
  if (admitted === 'pass') return 'pass'
  const isRefused = admitted !== undefined && 'waitMs' in admitted
  if (isRefused && now < message.expiresAt) {
    // No claim: its limits have nothing for it, so it is moved to when they will, and others pass.
    const dueAt = Math.min(Math.ceil(now + admitted.waitMs), message.expiresAt)
    const later = { ...recipient, state: transition(recipient.state, { kind: 'retried', dueAt }) }
    return { putOff: later, dueAt, writes: recipientWrites(recipient, later) }
  }
  const dueAt = parts.dueAfter(recipient.state.attempts + 1, message)
  const claimed = { ...recipient, state: transition(recipient.state, { kind: 'claimed', dueAt }) }
  return {
    flight: {
      message,
      recipient: claimed,
      content: undefined,
      hot: false,
      ...(isRefused ? { throttledMs: admitted.waitMs } : { permit: admitted }),
    },
    writes: recipientWrites(recipient, claimed),
    ...(recipient.state.attempts > (recipient.settled ?? 0) ? { unsettled: recipient } : {}),
  }
}
