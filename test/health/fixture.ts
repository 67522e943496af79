// Health over a real journal and a clock of the test's own: what is told is published as the queue publishes it.

import { CATEGORIES, type Category, type Verdict } from '../../src/bounce/verdict.ts'
import type { Settings } from '../../src/config/schema.ts'
import { Health } from '../../src/health/health.ts'
import { createJournal, type Journal } from '../../src/journal/journal.ts'
import type { JournalRecord, RecordKind, StoredRecord } from '../../src/journal/record.ts'
import type { RecipientState } from '../../src/mail/message.ts'
import type { Cause, Way } from '../../src/mail/outcome.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { encode } from '../../src/store/codec.ts'
import { dueKey, partKey } from '../../src/store/keys.ts'
import type { Store } from '../../src/store/store.ts'
import { HOUR } from '../../src/util/clock.ts'
import { idMaker } from '../../src/util/id.ts'
import { settingsWith } from '../support/delivery-settings.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'

/** Its wall clock can be set. */
export class SettableClock extends FakeClock {
  skewMs = 0
  override now(): number {
    return super.now() + this.skewMs
  }
}

export interface Told {
  readonly tenant?: string
  readonly source?: string
  readonly site?: string
  readonly mx?: string
  readonly category?: Category
  readonly cause?: Cause
  /** Time since acceptance. */
  readonly afterMs?: number
  /** Without a way. */
  readonly nowhere?: boolean
}

export interface Patient {
  readonly clock: SettableClock
  readonly store: Store
  readonly journal: Journal
  readonly health: Health
  readonly records: readonly StoredRecord[]
  /** `count` records of a kind, told at once. */
  tell(kind: RecordKind, count?: number, about?: Told): void
  /** Alerts told so far: `name scope state level`. */
  alerts(): string[]
}

export const GMAIL_MX = 'alt1.gmail-smtp-in.l.google.com'

export async function startPatient(
  given: {
    readonly clock?: SettableClock
    readonly store?: Store
    readonly settings?: { readonly [Section in keyof Settings]?: unknown }
    readonly ways?: ReadonlyMap<string, Way>
    /** Tests that look minute by minute themselves need no timers. */
    readonly timers?: boolean
  } = {},
): Promise<Patient> {
  const clock = given.clock ?? new SettableClock(Date.UTC(2026, 5, 1, 10))
  const store = given.store ?? memoryStore()
  const settings = settingsWith(given.settings)
  const journal = createJournal({ store, clock })
  const makeId = idMaker(clock, 0)
  const records: StoredRecord[] = []
  journal.follow((record) => records.push(record))
  const health = new Health({
    store,
    clock,
    journal,
    settings: () => settings,
    providerOf: (mx) => (mx.endsWith('.google.com') ? 'google' : undefined),
    lastWay: (id, n) => given.ways?.get(`${id}.${n}`),
    logger: silentLogger(),
  })
  await health.restore()
  health.start()
  return {
    clock,
    store,
    journal,
    health,
    records,
    tell(kind, count = 1, about = {}) {
      for (let each = 0; each < count; each++) {
        const { record } = journal.compose(recordOf(kind, about, clock.now(), makeId()))
        journal.publish([record])
      }
    },
    alerts: () =>
      records.flatMap(({ alert }) =>
        alert === undefined
          ? []
          : [`${alert.name} ${alert.scope.kind} ${alert.scope.name} ${alert.state} ${alert.level}`],
      ),
  }
}

export function verdictFor(category: Category): Verdict {
  return { ...CATEGORIES[category], category, action: 'fail', rule: 'test@1' }
}

function recordOf(kind: RecordKind, about: Told, at: number, id: string): JournalRecord {
  const { tenant = 'shop', source = 'default', site = 'mx.example.net', mx = site, afterMs = 0 } = about
  const category = about.category ?? (kind === 'deferred' ? 'transient' : 'bad-mailbox')
  const isFailure = kind === 'deferred' || kind === 'failed' || kind === 'expired' || kind === 'bounced'
  const way: Way = { site, source, mx, durationMs: 100 }
  const code = kind === 'deferred' ? 451 : 550
  const said: Cause = { kind: 'reply', command: 'RCPT', reply: { code, lines: ['No.'] } }
  return {
    kind,
    at: at + afterMs,
    tenant,
    recipient: 'jane@example.net',
    message: id,
    n: 0,
    ...(about.nowhere === true || kind === 'bounced' || kind === 'complained' ? {} : { way }),
    ...(isFailure ? { cause: about.cause ?? said, verdict: verdictFor(category) } : {}),
  }
}

/** Recipients of a tenant that were accepted so long ago, and are due at `dueInMs`. */
export async function waits(
  { store, clock }: Patient,
  given: { tenant: string; count: number; ageMs: number; attempts?: number; dueInMs?: number },
): Promise<void> {
  const { tenant, count, ageMs, attempts = 1, dueInMs = HOUR } = given
  const makeId = idMaker({ ...clock, now: () => clock.now() - ageMs } as typeof clock, 0)
  for (let each = 0; each < count; each++) {
    const id = makeId()
    const dueAt = clock.now() + dueInMs
    const state: RecipientState = { kind: 'waiting', attempts, dueAt }
    const domain = `d${each % 7}.example`
    await store.write([
      { table: 'due', key: dueKey({ tenant, domain, dueAt, id, n: 0 }), value: Buffer.alloc(0) },
      { table: 'recipient', key: partKey(id, 0), value: encode({ id, n: 0, tenant, address: `x@${domain}`, state }) },
    ])
  }
}
