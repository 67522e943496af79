// Counts how TLS went, by day, recipient domain and policy: what a report of RFC 8460 is made of. Counted in memory and
// written every minute: a crash costs a minute of numbers, never mail.
// Invariant: bounded by domains × MAX_DETAILS; what is over is still counted as failed, only not told apart.

import { createHash } from 'node:crypto'
import type { AppliedPolicy, TlsResult } from '../delivery/tls-result.ts'
import type { TlsFailure } from '../mail/outcome.ts'
import { decode, encode } from '../store/codec.ts'
import { prefixRange, textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'

export interface FailureCount {
  readonly failure: TlsFailure
  readonly mx: string
  readonly mxAddress?: string
  readonly localAddress?: string
  readonly reason?: string
  count: number
}

/** One day, one domain, one policy. */
export interface DayCount {
  /** UTC, `2026-01-31`. */
  readonly day: string
  readonly domain: string
  readonly policy: AppliedPolicy
  ok: number
  failed: number
  readonly failures: FailureCount[]
}

const TABLE = 'tls-tally'
const MAX_DETAILS = 100
const MAX_WAITING = 50_000

export class TlsTally {
  readonly #store: Store
  readonly #clock: Pick<Clock, 'now'>
  /** Not yet written, by key. */
  #fresh = new Map<string, DayCount>()

  constructor({ store, clock }: { readonly store: Store; readonly clock: Pick<Clock, 'now'> }) {
    this.#store = store
    this.#clock = clock
  }

  count(result: TlsResult): void {
    const day = dayOf(this.#clock.now())
    const key = `${day} ${result.domain} ${digestOf(result.policy)}`
    const known = this.#fresh.get(key)
    if (known === undefined && this.#fresh.size >= MAX_WAITING) return
    const counted = known ?? { day, domain: result.domain, policy: result.policy, ok: 0, failed: 0, failures: [] }
    this.#fresh.set(key, counted)
    if (result.failure === undefined) {
      counted.ok++
      return
    }
    counted.failed++
    const { failure, mx, mxAddress, localAddress, reason } = result
    const about = {
      ...(mxAddress !== undefined && { mxAddress }),
      ...(localAddress !== undefined && { localAddress }),
      ...(reason !== undefined && { reason }),
    }
    addFailure(counted.failures, { failure, mx, ...about, count: 1 })
  }

  /** Adds what was counted to what is stored; durable when it resolves. Numbers that cannot be written wait. */
  async flush(): Promise<void> {
    const fresh = this.#fresh
    if (fresh.size === 0) return
    this.#fresh = new Map()
    const writes = [...fresh.values()].map((counted): Write => {
      const key = keyOf(counted)
      const before = this.#store.get(TABLE, key)
      const sum = before === undefined ? counted : added(decode<DayCount>(before), counted)
      return { table: TABLE, key, value: encode(sum) }
    })
    try {
      await this.#store.write(writes, 'soon')
    } catch (error) {
      for (const [key, counted] of fresh) {
        const later = this.#fresh.get(key)
        this.#fresh.set(key, later === undefined ? counted : added(counted, later))
      }
      throw error
    }
  }

  /** The days before `day` that there are counts of. */
  daysBefore(day: string): readonly string[] {
    const days: string[] = []
    let from: Buffer = Buffer.alloc(0)
    for (;;) {
      const [key] = this.#store.keys(TABLE, { from, to: textKey(day), limit: 1 })
      if (key === undefined) return days
      const found = key.toString('utf8', 0, key.indexOf(0))
      days.push(found)
      from = prefixRange(textKey(found)).to ?? textKey(day)
    }
  }

  /** The counts of one day, domain by domain. */
  *ofDay(day: string): Iterable<readonly DayCount[]> {
    let from: Buffer = textKey(day)
    const { to } = prefixRange(textKey(day))
    for (;;) {
      const [first] = this.#store.range(TABLE, { from, ...(to !== undefined && { to }), limit: 1 })
      if (first === undefined) return
      const ofDomain = prefixRange(textKey(day, decode<DayCount>(first.value).domain))
      yield this.#store.range(TABLE, ofDomain).map(({ value }) => decode<DayCount>(value))
      if (ofDomain.to === undefined) return
      from = ofDomain.to
    }
  }

  async forget(counts: readonly DayCount[]): Promise<void> {
    await this.#store.write(counts.map((counted) => ({ table: TABLE, key: keyOf(counted), value: undefined })))
  }
}

export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

function keyOf({ day, domain, policy }: DayCount): Buffer {
  return textKey(day, domain, digestOf(policy))
}

function digestOf(policy: AppliedPolicy): string {
  return createHash('sha256').update(JSON.stringify(policy)).digest('hex').slice(0, 16)
}

function added(one: DayCount, other: DayCount): DayCount {
  const failures = one.failures.map((each) => ({ ...each }))
  for (const each of other.failures) addFailure(failures, { ...each })
  return { ...one, ok: one.ok + other.ok, failed: one.failed + other.failed, failures }
}

function addFailure(failures: FailureCount[], more: FailureCount): void {
  const same = failures.find(
    ({ failure, mx, mxAddress, localAddress, reason }) =>
      failure === more.failure &&
      mx === more.mx &&
      mxAddress === more.mxAddress &&
      localAddress === more.localAddress &&
      reason === more.reason,
  )
  if (same !== undefined) same.count += more.count
  else if (failures.length < MAX_DETAILS) failures.push(more)
}
