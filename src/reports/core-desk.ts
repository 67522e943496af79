// The desk on the core of a relay, running or stopped.

import type { ReturnPathKey } from '../bounce/return-path.ts'
import type { Settings } from '../config/schema.ts'
import type { Core } from '../queue/core.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'
import { createReportDesk } from './create-desk.ts'
import type { ReportDesk, ReportParser } from './desk.ts'
import { createReportBook } from './report-book.ts'
import { createSignersOf } from './signers.ts'

export function createCoreDesk(parts: {
  readonly core: Core
  readonly store: Store
  readonly parser: ReportParser
  readonly keys: readonly ReturnPathKey[]
  readonly settings: () => Settings
  readonly clock: Clock
}): ReportDesk {
  const { core, store, parser, keys, settings, clock } = parts
  const { queue, journal, recorder, suppressions, makeId } = core
  return createReportDesk({
    store,
    book: createReportBook({ store }),
    queue,
    journal,
    recorder,
    suppressions,
    parser,
    classifier: () => core.classifier,
    keys,
    settings,
    makeId,
    clock,
    signersOf: createSignersOf(() => settings().delivery.resolvers),
  })
}
