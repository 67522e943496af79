// What is counted of the records: every kind that tells of mail. Labels are few: providers, sources, tenants, categories;
// never a domain or a recipient.

import { Histogram, type Registry } from '@prometheus-io/client'
import type { JournalRecord } from '../journal/record.ts'
import { SECOND } from '../util/clock.ts'
import { idTime, isId } from '../util/id.ts'
import { createTally, type Tally } from './tally.ts'

export interface RecordCounterParts {
  readonly registry: Registry
  /** Of the MX host that answered. */
  readonly providerOf: (mx: string) => string | undefined
}

const LATENCY_BUCKETS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600]
/** A receiver that no provider of the shaping has; and mail that never met one. */
const OTHER = 'other'
const NONE = 'none'
const KNOWN_HOSTS = 10_000

/** Returns what counts a record. */
export function recordCounter({ registry, providerOf }: RecordCounterParts): (record: JournalRecord) => void {
  const tally = (name: string, help: string, ...labels: readonly string[]): Tally =>
    createTally({ registry, name: `studs_${name}`, help, labels })
  const received = tally('recipients_received_total', 'Recipients accepted from apps', 'tenant')
  const delivered = tally('recipients_delivered_total', 'Recipients whose receiver took the mail', 'provider', 'source')
  const deferred = tally('attempts_deferred_total', 'Attempts put off', 'provider', 'source', 'category')
  const bounced = tally(
    'recipients_bounced_total',
    'Recipients refused by reply, or by a report afterwards',
    ...['provider', 'source', 'kind', 'category', 'by'],
  )
  const expired = tally('recipients_expired_total', 'Recipients whose time was over', 'provider')
  const suppressed = tally('recipients_suppressed_total', 'Recipients not tried because they are suppressed', 'reason')
  const complained = tally('complaints_total', 'Complaints about mail that was delivered', 'provider')
  const reports = tally('reports_total', 'Mail that came back and was understood', 'kind')
  const learned = tally('suppressions_added_total', 'Suppressions added', 'reason')
  const alerts = tally('alerts_total', 'Alerts raised', 'name', 'level')
  const latency = new Histogram({
    name: 'studs_delivery_latency_seconds',
    help: 'From acceptance to the 250 of the receiver',
    labelNames: ['provider'],
    buckets: LATENCY_BUCKETS,
    registers: [registry],
  })
  const provider = providersOf(providerOf)

  return (record) => {
    const { kind, way, verdict, report } = record
    if (report !== undefined) reports.add(report.kind)
    if (kind === 'accepted') received.add(record.tenant)
    else if (kind === 'delivered') {
      const its = provider(way?.mx)
      delivered.add(its, way?.source ?? NONE)
      if (record.message !== undefined && isId(record.message))
        latency.observe({ provider: its }, Math.max(0, record.at - idTime(record.message)) / SECOND)
    } else if (kind === 'deferred')
      deferred.add(provider(way?.mx), way?.source ?? NONE, verdict?.category ?? 'unclassified')
    else if (kind === 'failed' || kind === 'bounced') {
      const by = kind === 'failed' ? 'reply' : 'report'
      const what = [verdict?.kind ?? 'soft', verdict?.category ?? 'unclassified']
      bounced.add(provider(way?.mx), way?.source ?? NONE, ...what, by)
    } else if (kind === 'expired') expired.add(provider(way?.mx))
    else if (kind === 'suppressed') suppressed.add(record.reason ?? OTHER)
    else if (kind === 'complained') complained.add(provider(way?.mx))
    else if (kind === 'suppression-added') learned.add(record.reason ?? OTHER)
    else if (kind === 'alert' && record.alert?.state !== 'cleared')
      alerts.add(record.alert?.name ?? 'bounce-surge', record.alert?.level ?? 'warn')
  }
}

/** The provider of a host is asked once. */
function providersOf(providerOf: RecordCounterParts['providerOf']): (mx: string | undefined) => string {
  const known = new Map<string, string>()
  return (mx) => {
    if (mx === undefined) return NONE
    const found = known.get(mx)
    if (found !== undefined) return found
    // Also what a reload changes comes round.
    if (known.size >= KNOWN_HOSTS) known.clear()
    const provider = providerOf(mx) ?? OTHER
    known.set(mx, provider)
    return provider
  }
}
