// Health as the API tells it: how mail fares by scope, which alerts hold, what the relay found when it examined itself. Of a
// stopped relay: what it stored last.

import type { z } from 'zod'
import type { Settings } from '../config/schema.ts'
import type { Alert as Held } from '../health/alerts.ts'
import { type Examination as Kept, readExamination } from '../health/examination.ts'
import { Health, type ScopeHealth as Read } from '../health/health.ts'
import { OTHERS, type ScopeKind } from '../health/scope.ts'
import type { StoredRecord } from '../journal/record.ts'
import { silentLogger } from '../observe/logger.ts'
import type { Core } from '../queue/core.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'
import { checked, healthQuery } from './input.ts'
import { assertNamed, namesOf } from './known-name.ts'
import { toWire, type Wire } from './wire.ts'

export type ScopeHealth = Wire<Read>
export type Alert = Wire<Held>
export type Examination = Wire<Kept>
export type HealthQuery = z.input<typeof healthQuery>

export interface HealthOperations {
  /** Those with most mail first. */
  health(query: HealthQuery): Promise<readonly ScopeHealth[]>
  /** Those that hold, the worst first. */
  alerts(): Promise<readonly Alert[]>
  /** What was raised and cleared, surges of hard bounces too; newest first. */
  alertHistory(limit: number): Promise<readonly Wire<StoredRecord>[]>
  /** Undefined: the relay has not examined itself yet. */
  examination(): Promise<Examination | undefined>
}

export interface HealthParts {
  readonly health?: Health
  readonly core: Core
  readonly store: Store
  readonly settings: () => Settings
  readonly clock: Clock
}

export function healthOperations(parts: HealthParts): HealthOperations {
  const { core } = parts
  let read: Promise<Health> | undefined
  const health = (): Promise<Health> => {
    read ??= parts.health === undefined ? fromStore(parts) : Promise.resolve(parts.health)
    return read
  }
  return {
    health: async (query) => {
      const { scope, name, limit } = checked(healthQuery, query)
      const rows = (await health()).read({ kind: scope, limit, ...(name !== undefined && { name }) })
      if (rows.length === 0 && name !== undefined && name !== OTHERS) assertScopeNamed(parts, scope, name)
      return rows.map(toWire)
    },
    alerts: async () => (await health()).alerts.list().map(toWire),
    alertHistory: async (limit) => core.journal.latest({ limit, kinds: ['alert'] }).map(toWire),
    examination: async () => {
      const kept = readExamination(parts.store)
      return kept === undefined ? undefined : toWire(kept)
    },
  }
}

/** What was counted of a tenant or source that is no longer configured can still be seen. */
function assertScopeNamed({ core, settings }: HealthParts, scope: ScopeKind, name: string): void {
  const pointer = 'name'
  if (scope === 'provider') assertNamed({ kind: scope, name, known: core.shaping().providers, pointer })
  if (scope === 'tenant' || scope === 'source')
    assertNamed({ kind: scope, name, known: namesOf(settings()[scope]), pointer })
  const [source = ''] = name.split('->')
  if (scope === 'path') assertNamed({ kind: 'source', name: source, known: namesOf(settings().source), pointer })
}

async function fromStore({ core, store, settings, clock }: HealthParts): Promise<Health> {
  const health = new Health({
    store,
    clock,
    settings,
    journal: core.journal,
    providerOf: () => undefined,
    lastWay: () => undefined,
    logger: silentLogger(),
  })
  await health.restore()
  return health
}
