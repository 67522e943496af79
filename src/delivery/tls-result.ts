// How one attempt to speak TLS with a host went, for the reports that receivers ask for (RFC 8460): one result for each
// connection, and one for each host that was left alone. Plain data: it comes from worker threads.

import type { Domain } from '../mail/address.ts'
import type { TlsFailure } from '../mail/outcome.ts'
import type { Destination } from './destination.ts'
import type { HostDemand } from './tls-demand.ts'

/** The policy that was applied, in the words of RFC 8460 §4.2. */
export interface AppliedPolicy {
  readonly type: 'tlsa' | 'sts' | 'no-policy-found'
  /** The policy itself, line by line or record by record. */
  readonly strings: readonly string[]
  /** MX patterns of an MTA-STS policy. */
  readonly mx: readonly string[]
}

export interface TlsResult {
  /** The recipient's domain. */
  readonly domain: Domain
  readonly policy: AppliedPolicy
  /** Absent: TLS as the policy wants it. */
  readonly failure?: TlsFailure
  readonly mx: string
  readonly mxAddress?: string
  readonly localAddress?: string
}

export function appliedPolicy({ sts }: Pick<Destination, 'sts'>, demand: HostDemand): AppliedPolicy {
  if (demand.by === 'dane') {
    const strings = demand.dane?.records.map(
      ({ usage, selector, matching, data }) => `${usage} ${selector} ${matching} ${data}`,
    )
    return { type: 'tlsa', strings: strings ?? [], mx: [] }
  }
  if (demand.by === 'refused' && demand.failure === 'dnssec-invalid') return { type: 'tlsa', strings: [], mx: [] }
  if (sts === undefined) return { type: 'no-policy-found', strings: [], mx: [] }
  const lines = [
    'version: STSv1',
    `mode: ${sts.mode}`,
    ...sts.mx.map((name) => `mx: ${name}`),
    `max_age: ${sts.maxAgeS}`,
  ]
  return { type: 'sts', strings: lines, mx: sts.mx }
}

/** What a connection that came about is worth under the policy: one that is only being tried fails without being felt. */
export function shortcoming(
  { sts }: Pick<Destination, 'sts'>,
  connection: { readonly isInPolicy: boolean | undefined; readonly isTls: boolean; readonly isVerified: boolean },
): TlsFailure | undefined {
  if (!connection.isTls) return 'starttls-not-supported'
  if (sts === undefined || (connection.isInPolicy !== false && connection.isVerified)) return undefined
  return 'validation-failure'
}
