// The parts that choose sources and keep limits, as a relay puts them together, over a store in memory and a clock that
// jumps: so that six weeks take seconds. Delivery is its own choice of sources alone; whoever asks is told which one.

import type { Settings } from '../../src/config/schema.ts'
import type { Site } from '../../src/delivery/delivery.ts'
import { createSources } from '../../src/delivery/sources.ts'
import { type LaneBudget, Limits } from '../../src/dispatch/limits.ts'
import type { Pacer } from '../../src/dispatch/pacer.ts'
import { SiteLine } from '../../src/dispatch/turns.ts'
import { createJournal, type Journal } from '../../src/journal/journal.ts'
import type { JournalRecord, StoredRecord } from '../../src/journal/record.ts'
import type { Message } from '../../src/mail/message.ts'
import { SourceBook } from '../../src/sources/source-book.ts'
import type { Store } from '../../src/store/store.ts'
import { QuotaBook } from '../../src/throttle/quota-book.ts'
import { Throttle } from '../../src/throttle/throttle.ts'
import type { FakeClock } from '../support/fake-clock.ts'

export const BIG: Site = {
  kind: 'site',
  site: 'mx.big.test',
  line: 'mx.big.test',
  provider: 'big',
  slots: 1000,
  validMs: 1,
}
export const SMALL: Site = { kind: 'site', site: 'mx.small.test', line: 'mx.small.test', slots: 1000, validMs: 1 }

export interface SendingParts {
  readonly store: Store
  readonly clock: FakeClock
  readonly settings: Settings
  readonly pacer?: Pick<Pacer, 'limits' | 'restsUntil'>
}

/** What became of a message: the source it left from, or for how long it waits. */
export type Sent = { readonly source: string | undefined } | { readonly waitMs: number }

export class Sending {
  readonly book: SourceBook
  readonly limits: Limits
  readonly throttle: Throttle
  readonly journal: Journal
  readonly records: StoredRecord[] = []
  readonly #parts: SendingParts
  readonly #quotas: QuotaBook
  readonly sourceOf: (pool: string, message: string) => string | undefined

  constructor(parts: SendingParts) {
    const { store, clock, settings, pacer } = parts
    this.#parts = parts
    const fail = (error: unknown): void => {
      throw error
    }
    this.journal = createJournal({ store, clock })
    this.journal.follow((record) => void this.records.push(record))
    this.#quotas = new QuotaBook({ store, clock, onLease: (name) => this.throttle.look(name), onError: fail })
    this.throttle = new Throttle({ clock, quotas: this.#quotas })
    this.book = new SourceBook({
      store,
      clock,
      journal: this.journal,
      settings: () => settings,
      providerOf: (mx) => (mx.endsWith('big.test') ? 'big' : undefined),
      wayOf: () => ({ site: 's', source: 'cold', mx: 'mx.big.test', durationMs: 1 }),
      onError: fail,
    })
    const sources = createSources(settings, 'relay.test')
    this.sourceOf = (pool, message) => sources.choose(pool, message)?.name
    this.limits = new Limits({
      throttle: this.throttle,
      delivery: { sourceOf: (...given) => sources.choose(...given)?.name, sourcesOf: (pool) => sources.names(pool) },
      settings: () => settings,
      gate: this.book,
      ...(pacer !== undefined && { pacer }),
    })
  }

  budget(place: Site, claimant: Parameters<Limits['budget']>[1] = { tenant: 'default' }): LaneBudget {
    return this.limits.budget(new SiteLine(place, () => undefined), claimant)
  }

  /** Asks again while a permit is on its way, as the runner does. */
  async send(
    message: string,
    place: Site,
    more: { before?: string; tenant?: string; pool?: string } = {},
  ): Promise<Sent> {
    for (;;) {
      const { tenant = 'default', pool, before } = more
      const admitted = this.limits.admit(messageOf({ id: message, tenant, ...(pool && { pool }) }), place, before)
      if (!('waitMs' in admitted)) return { source: admitted.source }
      if (admitted.full === undefined || !this.throttle.isBrief(admitted.full)) return { waitMs: admitted.waitMs }
      await new Promise(setImmediate)
    }
  }

  /** As if an attempt had been recorded. */
  tell(record: Partial<JournalRecord> & Pick<JournalRecord, 'kind'>, source = 'cold', mx = 'mx.big.test'): void {
    const way = { site: 's', source, mx, durationMs: 1 }
    const whole = { at: this.#parts.clock.now(), tenant: 'default', recipient: 'a@big.test', way, ...record }
    this.journal.publish([this.journal.compose(whole).record])
  }

  /** A clean stop. What is left out is what a crash leaves out. */
  async stop(): Promise<void> {
    this.throttle.close()
    await this.book.close()
    await this.#quotas.close()
  }
}

export function messageOf(of: { id: string; tenant: string; pool?: string }): Message {
  return {
    ...of,
    sender: '',
    recipients: 1,
    receivedAt: 0,
    expiresAt: Number.MAX_SAFE_INTEGER,
    sizeBytes: 1,
    prefix: '',
    chunks: 1,
    body: '7bit',
    smtpUtf8: false,
    headers: { messageId: of.id },
    client: { address: '127.0.0.1', listener: 'x' },
  }
}
