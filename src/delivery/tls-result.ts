// How one attempt to speak TLS with a host went, for the reports that receivers ask for (RFC 8460): one result for each
// connection, and one for each host that was left alone. Plain data: it comes from worker threads.

import type { Domain } from '../mail/address.ts'
import type { TlsFailure } from '../mail/outcome.ts'
import type { Destination } from './destination.ts'
import type { HostDemand } from './tls-demand.ts'

/** The policy that was applied, in the words of RFC 8460 §4.2. */
export interface AppliedPolicy {
  readonly type: 'tlsa' | 'sts' | 'no-policy-found'
  /** Whose policy it is, where that is not the recipient's domain: DANE is a matter of the host (RFC 8460 §1.1). */
  readonly domain?: string
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
  /** More about it, for people. */
  readonly reason?: string
  readonly mx: string
  readonly mxAddress?: string
  readonly localAddress?: string
}

export function appliedPolicy({ sts }: Pick<Destination, 'sts'>, demand: HostDemand): AppliedPolicy {
  if (demand.by === 'dane') {
    const strings = demand.dane?.records.map(
      ({ usage, selector, matching, data }) => `${usage} ${selector} ${matching} ${data}`,
    )
    return {
      type: 'tlsa',
      ...(demand.dane !== undefined && { domain: demand.dane.base }),
      strings: strings ?? [],
      mx: [],
    }
  }
  if (demand.by === 'refused' && demand.failure === 'dnssec-invalid') return { type: 'tlsa', strings: [], mx: [] }
  return stsPolicy(sts) ?? { type: 'no-policy-found', strings: [], mx: [] }
}

function stsPolicy(sts: Destination['sts']): AppliedPolicy | undefined {
  if (sts === undefined) return undefined
  const lines = [
    'version: STSv1',
    `mode: ${sts.mode}`,
    ...sts.mx.map((name) => `mx: ${name}`),
    `max_age: ${sts.maxAgeS}`,
  ]
  return { type: 'sts', strings: lines, mx: sts.mx }
}

type PolicyTrouble = Pick<Required<TlsResult>, 'policy' | 'failure' | 'reason'>

/**
 * That the domain's own policy could not be had or used, to be told beside what came of the connection (RFC 8460 §4.3.2).
 * It is a failure of the policy in force, or else of one that nobody has seen.
 */
export function policyTroubles(
  { sts, securityTrouble, hosts }: Pick<Destination, 'sts' | 'securityTrouble' | 'hosts'>,
  mx: string,
): PolicyTrouble[] {
  const troubles: PolicyTrouble[] = []
  if (securityTrouble !== undefined) {
    const { failure, detail: reason } = securityTrouble
    troubles.push({ policy: stsPolicy(sts) ?? { type: 'sts', strings: [], mx: [] }, failure, reason })
  }
  if (hosts.find(({ name }) => name === mx)?.tls?.by === 'dane-unusable') {
    const reason = 'no TLSA record is of a kind that mail uses'
    troubles.push({ policy: { type: 'tlsa', domain: mx, strings: [], mx: [] }, failure: 'tlsa-invalid', reason })
  }
  return troubles
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
