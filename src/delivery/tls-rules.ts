// The operator's demands on TLS by recipient domain ([[tls_policy]]), and [delivery].tls for all others. The most specific
// domain wins, as with routes.

import type { Settings } from '../config/schema.ts'
import { type DomainTable, domainTable } from './domain-table.ts'
import type { MinVersion } from './tls-demand.ts'

export interface TlsRule {
  readonly mode: 'opportunistic' | 'required' | 'none'
  /** With required: chain and name are checked. */
  readonly verify: boolean
  readonly minVersion?: MinVersion
  /** Whether what the domain itself publishes is looked for. */
  readonly dane: boolean
  readonly mtaSts: boolean
  /** Whether a [[tls_policy]] names the domain. */
  readonly isOwn: boolean
}

export type TlsRules = (domain: string) => TlsRule

export function createTlsRules(settings: Pick<Settings, 'tlsPolicy' | 'delivery'>): TlsRules {
  const { tls, dane, mtaSts } = settings.delivery
  const isOn = { dane: dane !== 'off', mtaSts }
  const usual: TlsRule = { ...isOn, mode: tls, verify: tls === 'required', isOwn: false }
  const rules: DomainTable<TlsRule> = domainTable(
    settings.tlsPolicy.map((policy) => {
      const wanted = policy.tls ?? (usual.verify ? 'verify' : usual.mode)
      const rule: TlsRule = {
        mode: wanted === 'verify' ? 'required' : wanted,
        verify: wanted === 'verify',
        dane: isOn.dane && policy.dane,
        mtaSts: isOn.mtaSts && policy.mtaSts,
        isOwn: true,
        ...(policy.minVersion !== undefined && { minVersion: policy.minVersion }),
      }
      return [policy.domain, rule]
    }),
  )
  return (domain) => rules(domain) ?? usual
}
