// Brings together what the operator ([[tls_policy]]) and the recipient's domain (DANE, MTA-STS) demand of TLS, and writes it
// beside the hosts of a destination. Evaluated per recipient domain, also where domains share their hosts: a connection
// that was opened under one set of demands is never used under another (Destination.security).
// DANE outranks MTA-STS (RFC 8461 §2): a host with usable TLSA records is authenticated by them alone.

import { createHash } from 'node:crypto'
import type { Domain } from '../mail/address.ts'
import { SECOND } from '../util/clock.ts'
import type { Dane, DaneFinding } from './dane.ts'
import type { Destination, Host } from './destination.ts'
import { isNamedBy, type MtaSts, type StsFinding } from './mta-sts.ts'
import type { Looked } from './mx.ts'
import type { HostTls } from './tls-demand.ts'
import type { TlsRules } from './tls-rules.ts'

export interface SecurityOptions {
  readonly rules: TlsRules
  readonly dane: Dane | undefined
  readonly mtaSts: MtaSts
}

/** Never rejects for what DNS or a policy host says. */
export type TransportSecurity = (domain: Domain, looked: Looked) => Promise<Looked>

const NOTHING: DaneFinding = { isMxSecure: false, hosts: new Map(), ttlMs: Number.POSITIVE_INFINITY }
const NO_POLICY: StsFinding = { ttlMs: Number.POSITIVE_INFINITY }

export function createTransportSecurity({ rules, dane, mtaSts }: SecurityOptions): TransportSecurity {
  return async (domain, looked) => {
    if (looked.found.kind === 'nowhere') return looked
    const { destination } = looked.found
    const rule = rules(domain)
    const { mode: tls, verify, minVersion } = rule
    const ruled = { ...destination, tls, verify, ...(minVersion !== undefined && { minVersion }) }
    // Who says "never TLS" for a domain has his reasons, and cannot at the same time obey what it publishes.
    if (tls === 'none') return { ...looked, found: { kind: 'destination', destination: ruled } }
    const names = destination.hosts.map(({ name }) => name)
    const [byDane, bySts] = await Promise.all([
      rule.dane && dane !== undefined ? dane.find(domain, names) : NOTHING,
      rule.mtaSts ? mtaSts.find(domain) : NO_POLICY,
    ])
    const secured = withDemands(ruled, byDane, bySts)
    const ttlMs = Math.min(looked.ttlMs, byDane.ttlMs, bySts.ttlMs)
    return { found: { kind: 'destination', destination: secured }, ttlMs }
  }
}

function withDemands(destination: Destination, dane: DaneFinding, { policy, trouble }: StsFinding): Destination {
  const sts =
    policy === undefined || policy.mode === 'none'
      ? undefined
      : { mode: policy.mode, mx: policy.mx, maxAgeS: policy.maxAgeMs / SECOND }
  const hosts = destination.hosts.map((host): Host => {
    const isInPolicy = policy !== undefined && sts !== undefined && isNamedBy(policy, host.name)
    const tls = demandOn(host.name, { dane, policy, isInPolicy })
    return { ...host, ...(tls !== undefined && { tls }), ...(sts !== undefined && { isInPolicy }) }
  })
  // A policy on trial demands nothing, but what it would do has to be seen on connections of its own.
  const isDemanded = sts !== undefined || hosts.some(({ tls }) => tls !== undefined)
  return {
    ...destination,
    hosts,
    ...(isDemanded && { security: digestOf(hosts, sts) }),
    ...(sts !== undefined && { vouched: 'mta-sts', sts }),
    ...(dane.isMxSecure && { vouched: 'dnssec' }),
    ...(trouble !== undefined && { securityTrouble: trouble }),
  }
}

interface Demands {
  readonly dane: DaneFinding
  readonly policy: StsFinding['policy']
  readonly isInPolicy: boolean
}

function demandOn(host: string, { dane, policy, isInPolicy }: Demands): HostTls | undefined {
  const byDane = dane.hosts.get(host)
  if (byDane?.by === 'dane' || byDane?.by === 'refused') return byDane
  if (policy?.mode !== 'enforce') return byDane
  if (isInPolicy) return { by: 'mta-sts' }
  const detail = `${host} is not among the MX hosts of the domain's MTA-STS policy (${policy.mx.join(', ').slice(0, 200)})`
  return { by: 'refused', detail, failure: 'validation-failure' }
}

function digestOf(hosts: readonly Host[], sts: Destination['sts']): string {
  const demands = hosts.map(({ name, tls }) => JSON.stringify([name, tls ?? null])).sort()
  return createHash('sha256')
    .update([...demands, JSON.stringify(sts ?? null)].join('\n'))
    .digest('hex')
    .slice(0, 32)
}
