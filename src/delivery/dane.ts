// What DNSSEC says about the hosts of a domain (DANE for SMTP, RFC 7672): which of them published by what their
// certificate is known, and which must not be used because that cannot be found out.
// It counts only what the name server has validated: MX, addresses and TLSA records. A look-up that fails (bogus, SERVFAIL,
// silence) is never taken for "there are none": the host is left alone for now (RFC 7672 §2.1).

import type { Answer } from 'dns-packet'
import { type Clock, HOUR, MINUTE, SECOND } from '../util/clock.ts'
import type { AuthenticAnswer, AuthenticResolver } from './authentic-resolver.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { HostTls, Tlsa } from './tls-demand.ts'
import { DANE_TA, usableTlsa } from './tlsa.ts'

export interface DaneOptions {
  readonly resolver: AuthenticResolver
  /** SMTP port of the hosts: part of the records' names. */
  readonly port: number
  readonly clock: Clock
  /** Called when it turns out that the name servers do not validate, and when they do again. */
  readonly onValidation: (validates: boolean) => void
}

export interface DaneFinding {
  /** Whether the names of the hosts themselves are vouched for. */
  readonly isMxSecure: boolean
  /** By host name; hosts that demand nothing are not in it. */
  readonly hosts: ReadonlyMap<string, HostTls>
  readonly ttlMs: number
}

export interface Dane {
  find(domain: string, hosts: readonly string[]): Promise<DaneFinding>
}

type Refused = Extract<HostTls, { readonly by: 'refused' }>
type HostFinding =
  | { readonly kind: 'none' | 'unusable'; readonly ttlMs: number }
  | { readonly kind: 'tlsa'; readonly base: string; readonly records: readonly Tlsa[]; readonly ttlMs: number }
  | { readonly kind: 'refused'; readonly tls: Refused; readonly ttlMs: number }

const MAX_HOSTS = 50_000
const SHORTEST_MS = 30 * SECOND
const LONGEST_MS = HOUR
const DENIAL_MS = 5 * MINUTE
const FAILURE_MS = MINUTE
const VALIDATES_MS = HOUR
const VALIDATES_NOT_MS = 10 * MINUTE

export function createDane({ resolver, port, clock, onValidation }: DaneOptions): Dane {
  const known = new ExpiringMap<Promise<HostFinding>>(clock, MAX_HOSTS)
  const validates = validationProbe({ resolver, clock, onValidation })

  function hostFinding(host: string): Promise<HostFinding> {
    const before = known.get(host)
    if (before !== undefined) return before
    const asked = lookAtHost({ resolver, port, host })
    known.set(host, asked, LONGEST_MS)
    asked.then(
      ({ ttlMs }) => known.set(host, asked, clamp(ttlMs)),
      () => known.delete(host),
    )
    return asked
  }

  async function find(domain: string, hosts: readonly string[]): Promise<DaneFinding> {
    if (!(await validates())) return { isMxSecure: false, hosts: new Map(), ttlMs: VALIDATES_NOT_MS }
    const mx = await resolver.ask('MX', domain)
    if (mx.kind === 'failed') {
      const tls = refused(`MX of ${domain}: ${mx.detail}`)
      return { isMxSecure: false, hosts: new Map(hosts.map((host) => [host, tls])), ttlMs: FAILURE_MS }
    }
    // RFC 7672 §2.2.1: names of hosts that anybody could have put there prove nothing.
    if (!mx.secure) return { isMxSecure: false, hosts: new Map(), ttlMs: clamp(mx.ttlMs ?? DENIAL_MS) }
    const named = new Set(mx.records.length === 0 ? [domain] : mx.records.map(exchangeOf))
    const found = await Promise.all(
      hosts.map(async (host): Promise<readonly [string, HostFinding]> => {
        if (named.has(host)) return [host, await hostFinding(host)]
        const tls = refused(`${host} is not among the MX hosts that DNSSEC vouches for`)
        return [host, { kind: 'refused', tls, ttlMs: FAILURE_MS }]
      }),
    )
    const demands = found.flatMap(([host, finding]): readonly (readonly [string, HostTls])[] => {
      const tls = demandOf(finding, { host, domain })
      return tls === undefined ? [] : [[host, tls]]
    })
    const ttlMs = Math.min(mx.ttlMs ?? DENIAL_MS, ...found.map(([, finding]) => finding.ttlMs))
    return { isMxSecure: true, hosts: new Map(demands), ttlMs: clamp(ttlMs) }
  }

  return { find }
}

function demandOf(finding: HostFinding, of: { readonly host: string; readonly domain: string }): HostTls | undefined {
  switch (finding.kind) {
    case 'none':
      return undefined
    case 'unusable':
      return { by: 'dane-unusable' }
    case 'refused':
      return finding.tls
    case 'tlsa': {
      const { records, base } = finding
      // Only where a certificate authority is named does the name in the certificate matter (RFC 7672 §3.1.1).
      const hasAuthority = records.some(({ usage }) => usage === DANE_TA)
      const names = hasAuthority ? [...new Set([base, of.host, of.domain])] : []
      return { by: 'dane', dane: { records, base, names } }
    }
  }
}

/** The TLSA records of one host (RFC 7672 §2.2.2, §2.2.3). */
async function lookAtHost(about: {
  readonly resolver: AuthenticResolver
  readonly port: number
  readonly host: string
}): Promise<HostFinding> {
  const { resolver, port, host } = about
  const address = await resolver.ask('A', host)
  // Zones without DNSSEC often fail on unknown types: TLSA is asked for only where the address is vouched for.
  if (address.kind === 'failed') return hostRefused(`address of ${host}: ${address.detail}`)
  const bases = await tlsaBases(resolver, host, address)
  if (bases === undefined) return hostRefused(`alias of ${host}: no answer that DNSSEC vouches for`)
  let ttlMs = address.ttlMs ?? DENIAL_MS
  for (const base of bases) {
    const name = `_${port}._tcp.${base}`
    const answer = await resolver.ask('TLSA', name)
    if (answer.kind === 'failed') return hostRefused(`TLSA of ${name}: ${answer.detail}`)
    ttlMs = Math.min(ttlMs, answer.ttlMs ?? DENIAL_MS)
    if (!answer.secure || answer.records.length === 0) continue
    const records = usableTlsa(answer.records.flatMap(tlsaOf))
    return records.length === 0 ? { kind: 'unusable', ttlMs } : { kind: 'tlsa', base, records, ttlMs }
  }
  return { kind: 'none', ttlMs }
}

/** The names to look for TLSA records at: the end of a validated chain of aliases first, then the host's own. */
async function tlsaBases(
  resolver: AuthenticResolver,
  host: string,
  address: Extract<AuthenticAnswer, { kind: 'ok' }>,
): Promise<readonly string[] | undefined> {
  const isAlias = address.canonical !== host
  if (address.secure) return isAlias ? [address.canonical, host] : [host]
  if (!isAlias) return []
  // The alias may be vouched for although what it points to is not.
  const alias = await resolver.ask('CNAME', host)
  if (alias.kind === 'failed') return undefined
  return alias.secure ? [host] : []
}

function exchangeOf(record: Answer): string {
  return record.type === 'MX' ? record.data.exchange.toLowerCase().replace(/\.$/, '') : ''
}

function tlsaOf(record: Answer): readonly Tlsa[] {
  if (record.type !== 'TLSA') return []
  const { usage, selector, matchingType, certificate } = record.data
  return [{ usage, selector, matching: matchingType, data: certificate.toString('hex') }]
}

function refused(detail: string): Refused {
  return { by: 'refused', detail, failure: 'dnssec-invalid' }
}

function hostRefused(detail: string): HostFinding {
  return { kind: 'refused', tls: refused(detail), ttlMs: FAILURE_MS }
}

const clamp = (ttlMs: number): number => Math.min(Math.max(ttlMs, SHORTEST_MS), LONGEST_MS)

/** Whether the name servers validate at all: the root is signed, so they vouch for it if they vouch for anything. */
function validationProbe({ resolver, clock, onValidation }: Omit<DaneOptions, 'port'>): () => Promise<boolean> {
  let last: boolean | undefined
  let until = Number.NEGATIVE_INFINITY
  let underWay: Promise<boolean> | undefined

  async function probe(): Promise<boolean> {
    const answer = await resolver.ask('SOA', '.')
    underWay = undefined
    // No answer tells nothing: were it taken for "no", silence could switch DANE off.
    if (answer.kind === 'failed') return last ?? true
    const { secure } = answer
    if (secure !== (last ?? true)) onValidation(secure)
    last = secure
    until = clock.monotonic() + (secure ? VALIDATES_MS : VALIDATES_NOT_MS)
    return secure
  }

  return async () => {
    if (last !== undefined && clock.monotonic() < until) return last
    underWay ??= probe()
    return underWay
  }
}
