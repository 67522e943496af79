// What people see of the queue and do to it. Reading goes along the schedule in the store, a bounded piece per turn of the
// event loop; every change goes through Queue.change, with who and why, and is counted when it happened.

import { CATEGORIES, type Verdict } from '../bounce/verdict.ts'
import type { JournalRecord } from '../journal/record.ts'
import { type Domain, domainOf, parseDomain } from '../mail/address.ts'
import type { LaneName, Message, Recipient } from '../mail/message.ts'
import type { Cause } from '../mail/outcome.ts'
import { lanesRange, prefixRange, readDueKey, readPartKey, textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { idTime } from '../util/id.ts'
import type { Queue } from './queue.ts'
import { mayHappen, type StateEvent } from './state.ts'
import { countLane, eachKey, type LaneCount, lanesTo, PIECE, type Walk } from './walk.ts'

export interface QueueFilter {
  readonly tenant?: string
  readonly domain?: string
  readonly state?: 'waiting' | 'held'
  readonly sender?: string
  readonly olderThanMs?: number
}

export interface QueueRow extends Recipient {
  readonly domain: Domain
  readonly sender: string
  readonly receivedAt: EpochMs
  readonly sizeBytes: number
  readonly inFlight: boolean
}

export interface SummaryRow {
  readonly key: string
  readonly waiting: number
  /** Waiting and due now. */
  readonly due: number
  readonly held: number
  readonly inFlight: number
  /** When the oldest of them was accepted. */
  readonly oldestAt?: EpochMs
}

export interface Selection {
  readonly ids?: readonly { readonly id: string; readonly n?: number }[]
  readonly filter?: QueueFilter
}

export interface OperatorChange {
  readonly select: Selection
  readonly who: string
  readonly why: string
}

type Counted = Promise<{ readonly count: number }>
type SummaryKey = 'domain' | 'tenant' | 'state'
interface Position {
  readonly table: 'due' | 'held'
  readonly key: Buffer
}

export class QueueOperator {
  readonly #queue: Queue
  readonly #store: Store
  readonly #clock: Clock

  constructor(parts: { queue: Queue; store: Store; clock: Clock }) {
    this.#queue = parts.queue
    this.#store = parts.store
    this.#clock = parts.clock
  }

  async find(query: QueueFilter & { readonly limit: number; readonly cursor?: string }): Promise<{
    readonly recipients: readonly QueueRow[]
    readonly cursor?: string
  }> {
    const recipients: QueueRow[] = []
    const start = query.cursor === undefined ? undefined : readCursor(query.cursor)
    for await (const { row, position } of this.#rows(query, start)) {
      recipients.push(row)
      if (recipients.length === query.limit) return { recipients, cursor: writeCursor(position) }
    }
    return { recipients }
  }

  /** Counts along the keys of the whole schedule: no recipient is read, so a million take a second or two. */
  async summary(by: SummaryKey): Promise<readonly SummaryRow[]> {
    const rows = new Map<string, { -readonly [Key in keyof SummaryRow]: SummaryRow[Key] }>()
    const now = this.#clock.now()
    for await (const { place, state } of this.#places({}, undefined)) {
      const key = by === 'state' ? state : place[by]
      const row = rows.get(key) ?? { key, waiting: 0, due: 0, held: 0, inFlight: 0 }
      rows.set(key, row)
      row[state]++
      if (state === 'waiting' && place.dueAt <= now) row.due++
      if (this.#queue.isInFlight(place.id, place.n)) row.inFlight++
      row.oldestAt = Math.min(row.oldestAt ?? Number.POSITIVE_INFINITY, place.acceptedAt)
    }
    return [...rows.values()].sort((a, b) => b.waiting + b.held - (a.waiting + a.held))
  }

  /** The lanes to a domain in which somebody waits: of each tenant, also of one that is gone, one for each pool. */
  lanesTo(domain: Domain): readonly LaneName[] {
    return lanesTo(this.#store, domain)
  }

  /** Counts one lane, up to a bound. */
  countLane(lane: LaneName): Promise<LaneCount> {
    const isInFlight = (id: string, n: number): boolean => this.#queue.isInFlight(id, n)
    return countLane({ store: this.#store, clock: this.#clock, isInFlight }, lane)
  }

  hold({ select, who, why }: OperatorChange): Counted {
    return this.#changeAll(select, { kind: 'held', at: this.#clock.now(), who, why }, { kind: 'held', who, why })
  }

  release({ select, who, why }: OperatorChange): Counted {
    return this.#changeAll(select, { kind: 'released', dueAt: this.#clock.now() }, { kind: 'released', who, why })
  }

  retry({ select, who, why }: OperatorChange): Counted {
    return this.#changeAll(select, { kind: 'retried', dueAt: this.#clock.now() }, { kind: 'retried', who, why })
  }

  /** `drop` tells nobody; `bounce` ends the recipient as failed, so that the sender gets the report it asked for. */
  cancel({ select, who, why, mode }: OperatorChange & { readonly mode: 'drop' | 'bounce' }): Counted {
    const at = this.#clock.now()
    if (mode === 'drop')
      return this.#changeAll(
        select,
        { kind: 'cancelled', at, who, why },
        { kind: 'cancelled', who, why, verdict: QUEUE_DUMPED },
      )
    const cause: Cause = { kind: 'local', code: '5.0.0', detail: `given up by the operator: ${why}` }
    return this.#changeAll(select, { kind: 'failed', at }, { kind: 'failed', who, why, cause, verdict: QUEUE_DUMPED })
  }

  async #changeAll(
    select: Selection,
    event: StateEvent,
    record: Pick<JournalRecord, 'kind'> & Partial<JournalRecord>,
  ): Counted {
    let count = 0
    let under: Promise<unknown>[] = []
    for await (const { id, n } of this.#selected(select)) {
      const recipient = this.#queue.recipient(id, n)
      if (recipient === undefined || !mayHappen(recipient.state, event)) continue
      if (select.filter !== undefined && isRetriedAlready(recipient, event, this.#clock.now())) continue
      under.push(
        this.#queue.change({ id, n, event, record }).then((after) => {
          if (after !== undefined) count++
        }),
      )
      // Enough for one group commit; not the whole queue at once.
      if (under.length === PIECE) {
        await Promise.all(under)
        under = []
      }
    }
    await Promise.all(under)
    return { count }
  }

  async *#selected({ ids, filter }: Selection): AsyncGenerator<{ id: string; n: number }> {
    for (const { id, n } of ids ?? []) {
      if (n !== undefined) yield { id, n }
      else for (let each = 0; each < (this.#queue.message(id)?.recipients ?? 0); each++) yield { id, n: each }
    }
    if (filter !== undefined) for await (const { row } of this.#rows(filter, undefined)) yield row
  }

  async *#rows(
    filter: QueueFilter,
    start: Position | undefined,
  ): AsyncGenerator<{ row: QueueRow; position: Position }> {
    const domain = filter.domain === undefined ? undefined : parseDomain(filter.domain)
    if (filter.domain !== undefined && domain === undefined) return
    const newest = filter.olderThanMs === undefined ? undefined : this.#clock.now() - filter.olderThanMs
    const messages = new Map<string, Message | undefined>()
    for await (const { place, position } of this.#places(
      { ...filter, ...(domain === undefined ? {} : { domain }) },
      start,
    )) {
      if (newest !== undefined && place.acceptedAt > newest) continue
      const recipient = this.#queue.recipient(place.id, place.n)
      // One message after the other stands in a lane; a small memory spares reading it for each recipient.
      if (messages.size > PIECE) messages.clear()
      const message = messages.get(place.id) ?? this.#queue.message(place.id)
      messages.set(place.id, message)
      if (recipient === undefined || message === undefined) continue
      if (filter.sender !== undefined && message.sender !== filter.sender) continue
      const { sender, receivedAt, sizeBytes } = message
      const inFlight = this.#queue.isInFlight(place.id, place.n)
      yield {
        row: { ...recipient, domain: domainOf(recipient.address), sender, receivedAt, sizeBytes, inFlight },
        position,
      }
    }
  }

  /** Walks `due`, then `held`. */
  async *#places(
    filter: QueueFilter,
    start: Position | undefined,
  ): AsyncGenerator<{
    readonly place: Place
    readonly state: 'waiting' | 'held'
    readonly position: Position
  }> {
    if (filter.state !== 'held' && start?.table !== 'held') {
      for await (const key of eachKey(this.#store, { table: 'due', after: start?.key, range: rangeOf(filter) })) {
        const due = readDueKey(key)
        if (filter.domain !== undefined && due.domain !== filter.domain) continue
        yield { place: { ...due, acceptedAt: idTime(due.id) }, state: 'waiting', position: { table: 'due', key } }
      }
    }
    if (filter.state === 'waiting') return
    const after = start?.table === 'held' ? start.key : undefined
    for await (const key of eachKey(this.#store, { table: 'held', after })) {
      const { id, n } = readPartKey(key)
      const recipient = this.#queue.recipient(id, n)
      if (recipient === undefined) continue
      const place = {
        tenant: recipient.tenant,
        domain: domainOf(recipient.address),
        dueAt: 0,
        id,
        n,
        acceptedAt: idTime(id),
      }
      const fits = (filter.tenant ?? place.tenant) === place.tenant && (filter.domain ?? place.domain) === place.domain
      if (fits) yield { place, state: 'held', position: { table: 'held', key } }
    }
  }
}

interface Place {
  readonly tenant: string
  readonly domain: string
  readonly dueAt: EpochMs
  readonly id: string
  readonly n: number
  readonly acceptedAt: EpochMs
}

const QUEUE_DUMPED: Verdict = {
  ...CATEGORIES['queue-dumped'],
  category: 'queue-dumped',
  action: 'fail',
  rule: 'operator',
}

/** Due already, or tried since the walk along the schedule began: a retry moves what it meets, and would meet it again. */
function isRetriedAlready({ state, lastAt }: Recipient, event: StateEvent, now: EpochMs): boolean {
  if (event.kind !== 'retried' || state.kind !== 'waiting') return false
  // A last attempt that is still to come is of a clock that was ahead.
  return state.dueAt <= event.dueAt || (lastAt !== undefined && lastAt > event.dueAt && lastAt <= now)
}

function rangeOf({ tenant, domain }: QueueFilter): Walk['range'] {
  if (tenant === undefined) return undefined
  return domain === undefined ? prefixRange(textKey(tenant)) : lanesRange(tenant, domain)
}

function writeCursor({ table, key }: Position): string {
  return `${table}.${key.toString('base64url')}`
}

/** Throws a RangeError for anything writeCursor did not make. */
function readCursor(cursor: string): Position {
  const [table, key] = cursor.split('.')
  if ((table !== 'due' && table !== 'held') || key === undefined) throw new RangeError(`not a cursor: ${cursor}`)
  return { table, key: Buffer.from(key, 'base64url') }
}
