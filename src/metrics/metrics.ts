// Numbers for Prometheus, as text. Counters begin at zero with the process; what must outlive it is in health and in the
// journal.

import { Registry } from '@prometheus-io/client'
import type { Journal } from '../journal/journal.ts'
import { type GaugeParts, registerGauges } from './from-parts.ts'
import { registerProcess } from './from-process.ts'
import { recordCounter } from './from-records.ts'

export interface MetricsParts extends Omit<GaugeParts, 'registry'> {
  readonly journal: Pick<Journal, 'follow'>
  readonly providerOf: (mx: string) => string | undefined
}

export interface Metrics {
  readonly contentType: string
  /** The text format of Prometheus, 0.0.4. */
  text(): Promise<string>
  stop(): void
}

/** Counts from here on. */
export function startMetrics(parts: MetricsParts): Metrics {
  const registry = new Registry()
  registerProcess(registry)
  registerGauges({ ...parts, registry })
  const unfollow = parts.journal.follow(recordCounter({ registry, providerOf: parts.providerOf }))
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    stop: () => {
      unfollow()
      registry.clear()
    },
  }
}
