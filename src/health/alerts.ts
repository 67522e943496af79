// The alerts that hold: durable, so that a restart raises none a second time. Each beginning, change of level and end is one
// record of the journal, written together with the state it tells of.
// Invariant: at most one alert of a name and scope.

import type { Settings } from '../config/schema.ts'
import type { Journal } from '../journal/journal.ts'
import type { AlertLevel, JournalRecord, RecordedAlert } from '../journal/record.ts'
import { decode, encode } from '../store/codec.ts'
import { prefixRange, textKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import { LEARNER } from '../suppression/suppression.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { TABLE } from './rows.ts'

export type AlertName = Settings['alert']['off'][number]

/** `domain`: one of our sender domains. */
export interface AlertScope {
  readonly kind: 'relay' | 'tenant' | 'provider' | 'source' | 'domain'
  readonly name: string
}

export interface Alert {
  readonly name: AlertName
  readonly scope: AlertScope
  readonly level: AlertLevel
  readonly value: number
  readonly threshold: number
  readonly since: EpochMs
  /** When it got its level. */
  readonly at: EpochMs
  /** A sentence. */
  readonly why: string
}

/** How something stands now: what it is if it holds, or that it does not. */
export interface Standing {
  readonly name: AlertName
  readonly scope: AlertScope
  readonly raised?: Pick<Alert, 'level' | 'value' | 'threshold' | 'why'>
  /** Where it is not raised: the number now, and a sentence for the end. */
  readonly over?: { readonly value?: number; readonly why: string }
}

const PREFIX = 'alert'

export class Alerts {
  readonly #parts: { readonly store: Store; readonly journal: Journal; readonly clock: Clock }
  readonly #held = new Map<string, Alert>()

  constructor(parts: { readonly store: Store; readonly journal: Journal; readonly clock: Clock }) {
    this.#parts = parts
    for (const { value } of parts.store.range(TABLE, prefixRange(textKey(PREFIX)))) {
      const alert = decode<Alert>(value)
      this.#held.set(nameOf(alert), alert)
    }
  }

  /** The worst first, then the newest. */
  list(): readonly Alert[] {
    const rank: Readonly<Record<AlertLevel, number>> = { critical: 0, bad: 1, warn: 2 }
    return [...this.#held.values()].sort((a, b) => rank[a.level] - rank[b.level] || b.since - a.since)
  }

  get(name: AlertName, scope: AlertScope): Alert | undefined {
    return this.#held.get(nameOf({ name, scope }))
  }

  /** Of one name. */
  ofName(name: AlertName): readonly Alert[] {
    return [...this.#held.values()].filter((alert) => alert.name === name)
  }

  /** Raises, changes and clears what these say; durable when it resolves. Rejects with StoreError, and nothing has changed then. */
  async take(standings: readonly Standing[]): Promise<void> {
    const { store, journal } = this.#parts
    for (const standing of standings) this.#refresh(standing)
    const changes = standings.flatMap((standing) => this.#changeOf(standing) ?? [])
    if (changes.length === 0) return
    const composed = changes.map(({ record }) => journal.compose(record))
    const rows = changes.map(({ key, after }): Write => ({ table: TABLE, key, value: after && encode(after) }))
    await store.write([...rows, ...composed.flatMap(({ writes }) => writes)])
    for (const { name, after } of changes) {
      if (after === undefined) this.#held.delete(name)
      else this.#held.set(name, after)
    }
    journal.publish(composed.map(({ record }) => record))
  }

  /** What people are shown is the number of now; it is not worth a write. */
  #refresh({ name, scope, raised }: Standing): void {
    const held = this.#held.get(nameOf({ name, scope }))
    if (held === undefined || raised === undefined || raised.level !== held.level) return
    this.#held.set(nameOf(held), { ...held, value: raised.value, why: raised.why })
  }

  #changeOf(
    standing: Standing,
  ):
    | { readonly name: string; readonly key: Buffer; readonly after: Alert | undefined; readonly record: JournalRecord }
    | undefined {
    const { name, scope, raised, over } = standing
    const before = this.#held.get(nameOf(standing))
    if (raised?.level === before?.level) return undefined
    const at = this.#parts.clock.now()
    const about = { name: nameOf(standing), key: textKey(PREFIX, name, scope.kind, scope.name) }
    if (raised !== undefined) {
      const after: Alert = { name, scope, ...raised, since: before?.since ?? at, at }
      const { level, value, threshold, why } = after
      return { ...about, after, record: recordOf({ name, scope, state: 'raised', level, value, threshold }, why, at) }
    }
    if (before === undefined) return undefined
    const { level, threshold } = before
    const value = over?.value === undefined ? {} : { value: over.value }
    const alert: RecordedAlert = { name, scope, state: 'cleared', level, threshold, ...value }
    return { ...about, after: undefined, record: recordOf(alert, over?.why ?? 'It is over.', at) }
  }
}

function recordOf(alert: RecordedAlert, why: string, at: EpochMs): JournalRecord {
  const tenant = alert.scope.kind === 'tenant' ? alert.scope.name : '*'
  return { kind: 'alert', at, tenant, recipient: '*', alert, who: LEARNER, why }
}

function nameOf({ name, scope }: Pick<Alert, 'name' | 'scope'>): string {
  return `${name} ${scope.kind} ${scope.name}`
}
