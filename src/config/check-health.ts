// Thresholds that would raise alerts in the wrong order, or all the time.

import { MINUTE, SECOND } from '../util/clock.ts'
import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import type { Settings } from './schema.ts'

const SHORTEST_EXAMINATION = 10 * MINUTE

export function* checkHealth({ alert, health, doctor }: Settings): Iterable<Finding> {
  const lists = [
    ['alert.bounce_rates', alert.bounceRates],
    ['alert.complaint_rates', alert.complaintRates],
    ['alert.queue_age', alert.queueAge],
  ] as const
  for (const [path, list] of lists) {
    for (const [at, threshold] of list.entries()) {
      const before = list[at - 1] ?? 0
      if (threshold === 0) yield wrong(`${path}.${at}`, { message: 'a threshold of 0 is always reached' })
      else if (threshold < before) {
        const message = 'this threshold is below the one before it'
        yield wrong(`${path}.${at}`, { message, cure: 'begin with the least' })
      }
    }
  }
  if (alert.deferralShare === 0) yield wrong('alert.deferral_share', { message: 'a threshold of 0 is always reached' })
  if (health.saveEvery < SECOND)
    yield wrong('health.save_every', { message: 'counts may be stored once a second at most', cure: 'say "1m"' })
  const { every } = doctor
  if (every !== undefined && every > 0 && every < SHORTEST_EXAMINATION) {
    const message = 'so often it asks blocklists and name servers more than they like'
    yield doubtful('doctor.every', { message, cure: 'say "6h"' })
  }
  yield* checkHolds(alert.off, doctor)
}

/** What nobody looks for keeps no mail back: who relies on it must not learn that from the mail. */
function* checkHolds(off: Settings['alert']['off'], doctor: Settings['doctor']): Iterable<Finding> {
  const asked = [
    { path: 'doctor.hold_domains', isAsked: doctor.holdDomains, what: 'a sender domain', option: 'hold_domains' },
    { path: 'doctor.hold_sources', isAsked: doctor.holdSources, what: 'a source', option: 'hold_sources' },
  ]
  for (const { path, isAsked, what, option } of asked) {
    if (!isAsked || doctor.every !== 0) continue
    const message = `would hold nothing: with doctor.every = "0" nobody looks whether ${what} is broken`
    yield wrong(path, { message, cure: `leave doctor.every out (it is "6h" then), or ${option}` })
  }
  if (doctor.holdDomains && off.includes('dns-broken')) {
    const message = 'would hold nothing: it goes by the alert "dns-broken", which alert.off keeps from being raised'
    yield wrong('doctor.hold_domains', { message, cure: 'leave "dns-broken" out of alert.off' })
  }
}
