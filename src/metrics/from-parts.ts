// What is read from the parts when somebody asks: how things are, where the records tell what has happened. Everything here
// is a counter somebody keeps anyway, or a list that is short.

import { Gauge, type Registry } from '@prometheus-io/client'
import type { PathStatus } from '../delivery/delivery.ts'
import type { Alert } from '../health/alerts.ts'
import type { Examination } from '../health/examination.ts'
import { isError, isOk } from '../identity/diagnosis.ts'
import type { Store } from '../store/store.ts'
import { SECOND } from '../util/clock.ts'

export interface GaugeParts {
  readonly registry: Registry
  readonly version: string
  readonly store: Pick<Store, 'count' | 'stats' | 'health'>
  readonly inFlight: () => number
  readonly paths: () => Promise<readonly PathStatus[]>
  readonly alerts: () => readonly Alert[]
  /** Undefined: the relay has not examined itself yet. */
  readonly examination: () => Examination | undefined
  readonly suspensions: () => readonly { readonly kind: string }[]
  /** How many paths go slower than they may. */
  readonly slowed: () => number
}

export function registerGauges(parts: GaugeParts): void {
  const { registry, store } = parts
  const gauge = gaugesIn(registry)
  gauge('build_info', 'Always 1', ['version', 'node'], (set) =>
    set(1, { version: parts.version, node: process.version }),
  )
  gauge('queue_recipients', 'Recipients that wait, are held, or are being tried now', ['state'], (set) => {
    set(store.count('due'), { state: 'waiting' })
    set(store.count('held'), { state: 'held' })
    set(parts.inFlight(), { state: 'in_flight' })
  })
  gauge('suppressions', 'Entries of the suppression list', [], (set) => set(store.count('suppression')))
  gauge('store_bytes', 'Of the store: in use, and what it may grow to', ['kind'], (set) => {
    const { usedBytes, mapBytes } = store.stats()
    set(usedBytes, { kind: 'used' })
    set(mapBytes, { kind: 'map' })
  })
  gauge('store_healthy', '1: mail can be kept; 0: there is no room, or the store has failed', [], (set) =>
    set(store.health === 'ok' ? 1 : 0),
  )
  gauge('store_last_commit_seconds', 'How long the last commit took', [], (set) =>
    set(store.stats().lastCommitMs / SECOND),
  )
  gauge('smtp_client_connections', 'Open connections to receivers', ['source'], async (set) => {
    const open = new Map<string, number>()
    for (const { source, connections } of await parts.paths()) open.set(source, (open.get(source) ?? 0) + connections)
    for (const [source, count] of open) set(count, { source })
  })
  gauge('suspensions', 'Suspensions that hold, by what they are of', ['kind'], (set) => {
    const kinds = new Map<string, number>()
    for (const { kind } of parts.suspensions()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    for (const [kind, count] of kinds) set(count, { kind })
  })
  gauge('slowed_paths', 'Paths that go slower because of what their receiver said', [], (set) => set(parts.slowed()))
  gauge('alert', '1 while an alert holds', ['name', 'level', 'kind', 'of'], (set) => {
    for (const { name, level, scope } of parts.alerts()) set(1, { name, level, kind: scope.kind, of: scope.name })
  })
  registerExamination(parts, gauge)
}

type Set = (value: number, labels?: Readonly<Record<string, string>>) => void
type AddGauge = (
  name: string,
  help: string,
  labels: readonly string[],
  read: (set: Set) => void | Promise<void>,
) => void

/** What the relay found when it examined itself. */
function registerExamination({ examination }: GaugeParts, gauge: AddGauge): void {
  gauge('doctor_last_examination_timestamp_seconds', 'When the relay last examined itself; 0: not yet', [], (set) => {
    const last = examination()
    if (last !== undefined) set(last.at / SECOND)
  })
  gauge(
    'dns_check_status',
    '1: as it should be; 0: wrong, and mail suffers; 0.5: doubtful, or nobody could tell',
    ['about', 'check'],
    (set) => {
      // Several may be of one thing; the worst counts.
      const worst = new Map<string, { labels: Record<string, string>; value: number }>()
      for (const { title, diagnoses } of examination()?.sections ?? [])
        for (const diagnosis of diagnoses) {
          if (diagnosis.state === 'skipped') continue
          const value = isOk(diagnosis) ? 1 : isError(diagnosis) && diagnosis.state !== 'unknown' ? 0 : 0.5
          const key = `${title}\0${diagnosis.topic}`
          const known = worst.get(key)
          if (known === undefined || value < known.value)
            worst.set(key, { labels: { about: title, check: diagnosis.topic }, value })
        }
      for (const { labels, value } of worst.values()) set(value, labels)
    },
  )
}

function gaugesIn(registry: Registry): AddGauge {
  return (name, help, labelNames, read) => {
    new Gauge({
      name: `studs_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      async collect() {
        // What is over is gone, and does not stay at its last value.
        this.reset()
        await read((value, labels = {}) => this.set(labels, value))
      },
    })
  }
}
