// Journal, suppression list, recorder and queue on one store: what a running relay and a tool on the store of a stopped
// one have in common.

import { type Classifier, createClassifier } from '../bounce/classify.ts'
import { loadRules } from '../bounce/load-rules.ts'
import type { Rules } from '../bounce/rules.ts'
import type { Settings } from '../config/schema.ts'
import { createJournal, type Journal } from '../journal/journal.ts'
import { createLiveness } from '../journal/liveness.ts'
import { recentSuppressions } from '../journal/recent-suppressions.ts'
import { createRecorder, type Recorder } from '../journal/record-failure.ts'
import { keepSuppressions } from '../journal/suppression-upkeep.ts'
import type { EmailAddress } from '../mail/address.ts'
import type { Message } from '../mail/message.ts'
import type { Logger } from '../observe/logger.ts'
import { loadShaping } from '../shaping/load-shaping.ts'
import type { Shaping, ShapingParts } from '../shaping/shaping.ts'
import { SourceBook } from '../sources/source-book.ts'
import type { Store } from '../store/store.ts'
import { createGate, type Gate } from '../suppression/gate.ts'
import { createSuppressionList, type SuppressionList } from '../suppression/list.ts'
import { createStrikeBook } from '../suppression/strikes.ts'
import type { Suppression } from '../suppression/suppression.ts'
import { createSurges } from '../suppression/surges.ts'
import { createTrials } from '../suppression/trials.ts'
import { createSuspensions, type Suspensions } from '../throttle/suspensions.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { idMaker, readId } from '../util/id.ts'
import { HeldExpiry } from './held-expiry.ts'
import { QueueOperator } from './operator.ts'
import { Queue } from './queue.ts'
import { createDsnWriter } from './report.ts'
import { readChunk } from './spool.ts'

export interface Core {
  readonly journal: Journal
  readonly suppressions: SuppressionList
  readonly classifier: Classifier
  readonly recorder: Recorder
  readonly queue: Queue
  readonly makeId: () => string
  readonly operator: QueueOperator
  /** Ends what is held past its life. */
  readonly heldExpiry: HeldExpiry
  readonly findSuppression: (tenant: string, address: EmailAddress) => Suppression | undefined
  readonly gate: Gate
  readonly suspensions: Suspensions
  readonly sources: SourceBook
  /** What holds at which destination, as it was read last. */
  shaping(): Shaping
  /** Ends surges that ran out, removes what is void; to be called from time to time. Rejects with StoreError. */
  keepSuppressions(signal: AbortSignal): ReturnType<typeof keepSuppressions>
  /**
   * Reads what new settings name, and gives back what takes them over; that applies from the next message on. Throws
   * RulesError or ConfigError when the operator's rules or shaping are wrong, and nothing has changed then.
   */
  prepare(settings: Settings, originOf?: ShapingParts['originOf']): () => void
  /** Both at once. */
  reconfigure(settings: Settings): void
}

export interface CoreParts {
  readonly store: Store
  readonly settings: Settings
  /** Where an option of the configuration comes from, for people. */
  readonly originOf?: ShapingParts['originOf']
  readonly hostname: string
  readonly clock: Clock
  readonly logger: Logger
  /** Until when a message is kept back. */
  readonly holdsUntil?: (message: Message) => EpochMs | undefined
}

export function createCore(parts: CoreParts): Core {
  const { store, settings: first, originOf, hostname, clock, logger, holdsUntil } = parts
  let settings = first
  const journal = createJournal({ store, clock })
  const strikes = createStrikeBook({ store })
  const onSlowRule = (rule: string): void =>
    logger.error(
      { event: 'rule-too-slow', rule },
      `the rule ${rule} took too long on a reply and was passed over; mend its pattern`,
    )
  const shapingFor = (now: Settings, { providers }: Rules, origin: ShapingParts['originOf']): Shaping =>
    loadShaping({ settings: now, families: providers, ...(origin !== undefined && { originOf: origin }) })
  const rules = loadRules(settings.bounce.rules)
  let judge = createClassifier(rules, { onSlowRule })
  let shaping = shapingFor(settings, rules, originOf)
  // Stays the same over a reload, so that whoever has it asks by the rules of now.
  const classifier: Classifier = {
    classify: (failure) => judge.classify(failure),
    explain: (failure) => judge.explain(failure),
    providerOf: (mx) => judge.providerOf(mx),
  }
  const suppressions = createSuppressionList({
    store,
    strikes,
    settings: () => settings.suppression,
    clock,
    record: (change) => {
      const { writes, record } = journal.compose(change)
      return { writes, publish: () => journal.publish([record]) }
    },
  })
  const liveness = createLiveness(clock)
  const trials = createTrials(clock)
  const surges = createSurges({
    store,
    settings: () => settings.suppression,
    tenants: () => settings.tenant.length,
    clock,
    recent: recentSuppressions({ journal, list: suppressions, settings: settings.suppression, now: clock.now() }),
  })
  const recorderFor = (now: Settings): Recorder =>
    createRecorder({
      classifier,
      list: suppressions,
      strikes,
      surges,
      trials,
      settings: now.suppression,
      tenants: now.tenant.filter(({ useGlobal }) => useGlobal).map(({ name }) => name),
      liveness,
      clock,
    })
  let recorder = recorderFor(settings)
  // Stays the same over a reload, so that whoever has it asks by the settings of now.
  const standing: Recorder = {
    classify: (failure) => recorder.classify(failure),
    recordFailure: (failure) => recorder.recordFailure(failure),
    recordDelivery: (delivery) => recorder.recordDelivery(delivery),
    recordComplaint: (complaint) => recorder.recordComplaint(complaint),
    recordUnsubscribe: (request) => recorder.recordUnsubscribe(request),
  }
  const gate = createGate({ list: suppressions, trials, settings: () => settings, clock })
  // Messages and reports take their ids from one row, which goes on where it ended, also when the clock went back.
  const newest = (['message', 'report'] as const)
    .flatMap((table) => store.keys(table, { reverse: true, limit: 1 }))
    .sort(Buffer.compare)
    .at(-1)
  const makeId = idMaker(clock, settings.node.id, newest === undefined ? undefined : readId(newest, 0))
  const queue = new Queue({
    store,
    journal,
    recorder: standing,
    admission: gate.admission,
    ...(holdsUntil !== undefined && { holdsUntil }),
    dsn: createDsnWriter({
      settings: () => settings,
      hostname: () => hostname,
      readChunk: (id, index) => readChunk(store, id, index),
      makeId,
      clock,
    }),
    settings: () => settings,
    makeId,
    clock,
    logger,
  })
  const prepare: Core['prepare'] = (next, origin) => {
    const nextRules = loadRules(next.bounce.rules)
    const nextJudge = createClassifier(nextRules, { onSlowRule })
    const nextShaping = shapingFor(next, nextRules, origin)
    return () => {
      settings = next
      judge = nextJudge
      shaping = nextShaping
      recorder = recorderFor(next)
    }
  }
  return {
    journal,
    suppressions,
    classifier,
    recorder: standing,
    queue,
    makeId,
    operator: new QueueOperator({ queue, store, clock }),
    heldExpiry: new HeldExpiry({ queue, store, clock }),
    findSuppression: gate.find,
    gate,
    suspensions: createSuspensions({ store, journal, clock }),
    sources: new SourceBook({
      store,
      journal,
      clock,
      settings: () => settings,
      providerOf: (mx) => shaping.providerOf(mx),
      wayOf: (id, n) => queue.recipient(id, n)?.lastWay,
      onError: (error) => logger.warn({ event: 'source-not-written', err: error }, 'a source could not be written'),
    }),
    shaping: () => shaping,
    keepSuppressions: (signal) =>
      keepSuppressions({ store, journal, surges, settings: () => settings.suppression, clock }, signal),
    prepare,
    reconfigure: (next) => prepare(next)(),
  }
}
