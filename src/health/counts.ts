// What is counted of a scope in a stretch of time: a row of cells, the last of them a histogram of how long deliveries
// took. Stored rows are these cells: new ones may only be added at the end of a group that readers take as zero when absent.

import { HOUR, MINUTE, SECOND } from '../util/clock.ts'

/** Outcomes of recipients, and attempts that were put off. Their order is stored. */
export const COUNTERS = [
  'delivered', // taken by the receiver
  'deferred', // attempts put off; a recipient may be, several times
  'hard', // ended by the receiver, and the recipient is at fault
  'soft', // ended otherwise, and not by us
  'late', // of hard and soft, those that came after the receiver had taken the mail
  'complained',
  'suppressed', // not tried
  'ours', // put off or ended by a fault or a limit of our own: nobody else's bounce
] as const
export type Counter = (typeof COUNTERS)[number]

/** Upper ends of the histogram in ms, the last is open. */
export const LATENCY_ENDS: readonly number[] = [
  100,
  200,
  500,
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  20 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  6 * HOUR,
  24 * HOUR,
]
/** What was faster than the first counts as if it had taken this long. */
const FASTEST_MS = 50
export const LATENCY_AT: number = COUNTERS.length
export const CELLS: number = LATENCY_AT + LATENCY_ENDS.length + 1
export const AT: Readonly<Record<Counter, number>> = Object.fromEntries(
  COUNTERS.map((name, at) => [name, at]),
) as Record<Counter, number>

/** One row, or the sum of several. */
export type Cells = ArrayLike<number>

export interface Counts extends Readonly<Record<Counter, number>> {
  /** From acceptance to delivery, half of them and 95 % of them; absent when nothing was delivered. */
  readonly p50Ms?: number
  readonly p95Ms?: number
}

export function countsOf(cells: Cells): Counts {
  const named = Object.fromEntries(COUNTERS.map((name, at) => [name, cells[at] ?? 0])) as Record<Counter, number>
  const [p50Ms, p95Ms] = [latencyAt(cells, 0.5), latencyAt(cells, 0.95)]
  return { ...named, ...(p50Ms !== undefined && { p50Ms }), ...(p95Ms !== undefined && { p95Ms }) }
}

/** Recipients that came to an end with a receiver. */
export function endedIn({ delivered, hard, soft, late }: Counts): number {
  return delivered + hard + soft - late
}

/** Of those that ended. A late bounce was a delivery before; when only it is within the window, it is all there is. */
export function bounceShare(counts: Counts): number {
  const bounced = counts.hard + counts.soft
  return bounced === 0 ? 0 : bounced / Math.max(bounced, endedIn(counts))
}

/** Of attempts that a receiver answered or did not answer. */
export function deferredShare(counts: Counts): number {
  const { deferred } = counts
  return deferred === 0 ? 0 : deferred / attemptsIn(counts)
}

export function attemptsIn(counts: Counts): number {
  return counts.deferred + Math.max(0, endedIn(counts))
}

export function complaintShare({ complained, delivered }: Counts): number {
  return complained === 0 ? 0 : complained / Math.max(complained, delivered)
}

export function latencySlot(ms: number): number {
  // A loop over a dozen numbers is faster than anything clever.
  let slot = 0
  while (slot < LATENCY_ENDS.length && ms > (LATENCY_ENDS[slot] ?? 0)) slot++
  return slot
}

/** Interpolated within its slot as if the times in it grew by factors: right to the slot, and about right inside of it. */
function latencyAt(cells: Cells, share: number): number | undefined {
  let total = 0
  for (let slot = 0; slot <= LATENCY_ENDS.length; slot++) total += cells[LATENCY_AT + slot] ?? 0
  if (total === 0) return undefined
  const wanted = total * share
  let before = 0
  for (const [slot, to] of LATENCY_ENDS.entries()) {
    const count = cells[LATENCY_AT + slot] ?? 0
    if (count > 0 && before + count >= wanted) {
      const from = LATENCY_ENDS[slot - 1] ?? FASTEST_MS
      return Math.round(from * (to / from) ** ((wanted - before) / count))
    }
    before += count
  }
  return LATENCY_ENDS.at(-1)
}
