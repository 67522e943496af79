// The whole of what learns from failures, on a real store in a temporary directory, with a clock of the test's own.
// Every failure and delivery is committed like the queue does it; a restart keeps the store and forgets the rest.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClassifier } from '../../src/bounce/classify.ts'
import { shippedRules } from '../../src/bounce/rules.ts'
import type { Settings } from '../../src/config/schema.ts'
import { createJournal, type Journal } from '../../src/journal/journal.ts'
import { createLiveness } from '../../src/journal/liveness.ts'
import { recentSuppressions } from '../../src/journal/recent-suppressions.ts'
import { createRecorder, type Failure, type Recorded, type Recorder } from '../../src/journal/record-failure.ts'
import { keepSuppressions } from '../../src/journal/suppression-upkeep.ts'
import { type EmailAddress, parseAddress } from '../../src/mail/address.ts'
import type { Cause, Way } from '../../src/mail/outcome.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { createGate, type Gate } from '../../src/suppression/gate.ts'
import { createSuppressionList, type SuppressionList } from '../../src/suppression/list.ts'
import { createStrikeBook, type StrikeBook } from '../../src/suppression/strikes.ts'
import type { Suppression } from '../../src/suppression/suppression.ts'
import { createSurges } from '../../src/suppression/surges.ts'
import { createTrials } from '../../src/suppression/trials.ts'
import { DAY, systemClock } from '../../src/util/clock.ts'
import { FakeClock } from './fake-clock.ts'

export const SETTINGS: Settings['suppression'] = {
  softStrikes: 3,
  strikeSpacing: DAY,
  strikeMemory: 180 * DAY,
  lowerCaseLocalPart: true,
  globalTenants: 3,
  globalDecay: 180 * DAY,
  roles: ['abuse', 'noreply'],
  spikeMinimum: 10,
  spikeFactor: 5,
  spikeShare: 0.5,
  spikeHold: 3 * DAY,
}
export const SITE = 'mx.example.net'
export const WAY: Way = { site: SITE, source: 'ip1', mx: 'mx1.example.net', durationMs: 5 }

export const address = (text: string): EmailAddress => parseAddress(text)!.text

export const said = (code: number, text: string): Cause => ({
  kind: 'reply',
  command: 'RCPT',
  reply: { code, lines: [text], ...(/^[45]\.\d+\.\d+/.test(text) ? { enhanced: text.split(' ')[0]! } : {}) },
})
export const UNKNOWN_USER = said(550, '5.1.1 User unknown')
export const FULL = said(552, '5.2.2 mailbox full')

type TenantShape = Pick<Settings['tenant'][number], 'name' | 'useGlobal' | 'roleAddresses'>

export class Learning {
  readonly clock: FakeClock
  readonly tenants: readonly TenantShape[]
  readonly #directory = mkdtempSync(join(tmpdir(), 'studs-learning-'))
  #count = 0
  store!: Store
  journal!: Journal
  list!: SuppressionList
  strikes!: StrikeBook
  recorder!: Recorder
  gate!: Gate
  upkeep!: () => ReturnType<typeof keepSuppressions>

  constructor(options: { tenants?: readonly (Partial<TenantShape> & { name: string })[]; start?: number } = {}) {
    this.clock = new FakeClock(options.start ?? Date.UTC(2026, 0, 1, 10))
    this.tenants = (options.tenants ?? [{ name: 'a' }]).map((tenant) => ({
      useGlobal: true,
      roleAddresses: 'allow',
      ...tenant,
    }))
    this.#open()
  }

  #open(): void {
    const { clock, tenants } = this
    const store = openStore({ directory: this.#directory, mapSize: 2 ** 28, clock: systemClock })
    const journal = createJournal({ store, clock })
    const strikes = createStrikeBook({ store })
    const list = createSuppressionList({
      store,
      strikes,
      settings: () => SETTINGS,
      clock,
      record: (change) => {
        const { writes, record } = journal.compose(change)
        return { writes, publish: () => journal.publish([record]) }
      },
    })
    const trials = createTrials(clock)
    const surges = createSurges({
      store,
      settings: () => SETTINGS,
      tenants: () => tenants.length,
      clock,
      recent: recentSuppressions({ journal, list, settings: SETTINGS, now: clock.now() }),
    })
    const recorder = createRecorder({
      classifier: createClassifier(shippedRules()),
      list,
      strikes,
      surges,
      trials,
      settings: SETTINGS,
      tenants: tenants.filter(({ useGlobal }) => useGlobal).map(({ name }) => name),
      liveness: createLiveness(clock),
      clock,
    })
    const settings = { suppression: SETTINGS, tenant: tenants as Settings['tenant'] }
    const gate = createGate({ list, trials, settings: () => settings, clock })
    const upkeep = (): ReturnType<typeof keepSuppressions> =>
      keepSuppressions({ store, journal, surges, settings: () => SETTINGS, clock }, new AbortController().signal)
    Object.assign(this, { store, journal, list, strikes, recorder, gate, upkeep })
  }

  async restart(): Promise<void> {
    await this.store.close()
    this.#open()
  }

  async close(): Promise<void> {
    await this.store.close()
  }

  /** The failure as the recorder saw it; its writes and records are committed. */
  async fail(to: string, more: Partial<Failure> = {}): Promise<Recorded> {
    const { recorded, written } = this.failing(to, more)
    await written
    return recorded
  }

  /** As `fail`, without waiting for the commit: what follows does not see it yet. */
  failing(to: string, more: Partial<Failure> = {}): { recorded: Recorded; written: Promise<void> } {
    const failure: Failure = {
      tenant: 'a',
      message: `m${this.#count++}`,
      n: 0,
      recipient: address(to),
      attempt: 1,
      cause: UNKNOWN_USER,
      way: WAY,
      ending: 'failed',
      useGlobal: this.tenants.find(({ name }) => name === (more.tenant ?? 'a'))?.useGlobal ?? true,
      ...more,
    }
    const recorded = this.recorder.recordFailure(failure)
    const own =
      recorded.suppression === undefined
        ? []
        : [
            {
              kind: 'suppression-added' as const,
              at: this.clock.now(),
              tenant: failure.tenant,
              recipient: to,
              scope: failure.tenant,
              reason: recorded.suppression.reason,
            },
          ]
    const records = [...own, ...recorded.records].map((record) => this.journal.compose(record))
    return { recorded, written: this.store.write([...recorded.writes, ...records.flatMap(({ writes }) => writes)]) }
  }

  async deliver(to: string, more: { tenant?: string; message?: string; way?: Way } = {}): Promise<void> {
    await this.store.write(
      this.recorder.recordDelivery({
        tenant: 'a',
        recipient: address(to),
        message: `m${this.#count++}`,
        way: WAY,
        ...more,
      }),
    )
  }

  entry(to: string, scope = 'a'): Suppression | undefined {
    return this.list.get(scope, to)
  }

  isFree(to: string, tenant = 'a'): boolean {
    return this.gate.find(tenant, address(to)) === undefined
  }

  alerts(): { tenant: string; site: string | undefined; why: string | undefined }[] {
    return this.journal
      .since(undefined, { limit: 1000, kinds: ['alert'] })
      .map(({ tenant, site, why }) => ({ tenant, site, why }))
  }
}
