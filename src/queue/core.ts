// Journal, suppression list, recorder and queue on one store: what a running relay and a tool on the store of a stopped
// one have in common.

import { type Classifier, createClassifier } from '../bounce/classify.ts'
import { shippedRules } from '../bounce/rules.ts'
import type { Settings } from '../config/schema.ts'
import { createJournal, type Journal } from '../journal/journal.ts'
import { createLiveness } from '../journal/liveness.ts'
import { createRecorder, type Recorder } from '../journal/record-failure.ts'
import type { EmailAddress } from '../mail/address.ts'
import type { Logger } from '../observe/logger.ts'
import type { Store } from '../store/store.ts'
import { createSuppressionList, type SuppressionList } from '../suppression/list.ts'
import { createStrikeBook } from '../suppression/strikes.ts'
import type { Suppression } from '../suppression/suppression.ts'
import type { Clock } from '../util/clock.ts'
import { idMaker, readId } from '../util/id.ts'
import { QueueOperator } from './operator.ts'
import { Queue } from './queue.ts'
import { createDsnWriter } from './report.ts'
import { readChunk } from './spool.ts'

export interface Core {
  readonly journal: Journal
  readonly suppressions: SuppressionList
  readonly classifier: Classifier
  readonly queue: Queue
  readonly operator: QueueOperator
  readonly findSuppression: (tenant: string, address: EmailAddress) => Suppression | undefined
  /** Takes new settings over; what they change applies from the next message on. */
  reconfigure(settings: Settings): void
}

export interface CoreParts {
  readonly store: Store
  readonly settings: Settings
  readonly hostname: string
  readonly clock: Clock
  readonly logger: Logger
}

export function createCore({ store, settings: first, hostname, clock, logger }: CoreParts): Core {
  let settings = first
  const journal = createJournal({ store, clock })
  const strikes = createStrikeBook({ store })
  const classifier = createClassifier(shippedRules())
  const suppressions = createSuppressionList({
    store,
    strikes,
    settings: settings.suppression,
    clock,
    record: (change) => {
      const { writes, record } = journal.compose(change)
      return { writes, publish: () => journal.publish([record]) }
    },
  })
  const liveness = createLiveness(clock)
  const recorderFor = (now: Settings): Recorder =>
    createRecorder({
      classifier,
      list: suppressions,
      strikes,
      settings: now.suppression,
      tenants: now.tenant.map(({ name }) => name),
      liveness,
      clock,
    })
  let recorder = recorderFor(settings)
  const findSuppression = (tenant: string, address: EmailAddress): Suppression | undefined =>
    suppressions.find(tenant, address, {
      useGlobal: settings.tenant.find(({ name }) => name === tenant)?.useGlobal ?? true,
    })
  const newest = store.keys('message', { reverse: true, limit: 1 })[0]
  const makeId = idMaker(clock, settings.node.id, newest === undefined ? undefined : readId(newest, 0))
  const queue = new Queue({
    store,
    journal,
    recorder: {
      classify: (failure) => recorder.classify(failure),
      recordFailure: (failure) => recorder.recordFailure(failure),
      recordDelivery: (delivery) => recorder.recordDelivery(delivery),
    },
    findSuppression,
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
  return {
    journal,
    suppressions,
    classifier,
    queue,
    operator: new QueueOperator({ queue, store, clock }),
    findSuppression,
    reconfigure: (next) => {
      settings = next
      recorder = recorderFor(next)
    },
  }
}
