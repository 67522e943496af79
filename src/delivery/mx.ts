// From a domain to the hosts that take its mail (RFC 5321 §5.1, RFC 7505) or to the outcome that says why there are none.
// Only what DNS states as a fact fails a mail; whatever it could not tell defers it. Faults of a static route are the
// operator's and never the recipient's: they defer as well.

import { isIP } from 'node:net'
import type { Settings } from '../config/schema.ts'
import { type Domain, parseDomain } from '../mail/address.ts'
import { MINUTE } from '../util/clock.ts'
import type { AddressPolicy } from './address-policy.ts'
import { type Destination, type Found, type Host, nowhere } from './destination.ts'
import type { Answer, MxRecord, Resolver } from './resolver.ts'
import type { NextHop, RouteTable } from './routes.ts'
import { siteName } from './site.ts'

export interface MxOptions {
  readonly delivery: Pick<Settings['delivery'], 'port' | 'tls' | 'connections' | 'maxHosts' | 'allowPrivate'>
  readonly routes: RouteTable
  readonly resolver: Pick<Resolver, 'mx' | 'addresses'>
  readonly policy: AddressPolicy
  /** From 0 up to 1; orders hosts of equal preference before the list is cut. */
  readonly random: () => number
}

/** What was found, and how long it may be remembered (not yet clamped). */
export interface Looked {
  readonly found: Found
  readonly ttlMs: number
}

const NEGATIVE_TTL_MS = 5 * MINUTE
const FAILURE_TTL_MS = MINUTE

/** Never rejects for what DNS says. */
export function lookUp(domain: Domain, options: MxOptions): Promise<Looked> {
  const hop = options.routes(domain)
  if (hop !== undefined) return byRoute(hop, options)
  return domain.startsWith('[') ? byLiteral(domain, options) : byMx(domain, options)
}

async function byMx(domain: Domain, options: MxOptions): Promise<Looked> {
  const answer = await options.resolver.mx(domain)
  switch (answer.kind) {
    case 'nxdomain':
      return negative(nowhere('failed', { kind: 'dns', code: '5.1.2', detail: `the domain ${domain} does not exist` }))
    case 'failed':
      return doubt({ ...answer, detail: `MX of ${domain}: ${answer.detail}` })
    case 'nodata':
      return byImplicitMx(domain, options)
    case 'ok':
      return byRecords(domain, answer, options)
  }
}

async function byRecords(
  domain: Domain,
  answer: Extract<Answer<MxRecord>, { kind: 'ok' }>,
  options: MxOptions,
): Promise<Looked> {
  // RFC 7505 §3: a single MX at the root says that the domain takes no mail; beside others the root is just no host.
  const named = answer.items.filter(({ exchange }) => exchange !== '' && exchange !== '.')
  if (named.length === 0) {
    return negative(nowhere('failed', { kind: 'dns', code: '5.1.10', detail: `${domain} accepts no mail (null MX)` }))
  }
  const candidates = named.map(({ exchange, preference }) => ({ name: parseDomain(exchange) ?? exchange, preference }))
  const chosen = inOrder(candidates, options.random).slice(0, options.delivery.maxHosts)
  const looks = await Promise.all(chosen.map((candidate) => lookAt(candidate, options)))
  // A host that no DNS name can be is never connected to: it must not tell sites apart, nor put odd characters in records.
  const hosts = candidates.map(({ name }) => name).filter((name) => parseDomain(name) !== undefined)
  const site = hosts.length === 0 ? domain : siteName(hosts)
  return { ...decide({ domain, site, looks, options }), ttlMs: shortest(answer.ttlMs, looks) }
}

/** No MX record: the domain itself is the host (RFC 5321 §5.1), if it has an address. */
async function byImplicitMx(domain: Domain, options: MxOptions): Promise<Looked> {
  const look = await lookAt({ name: domain, preference: 0 }, options)
  if (look.kind === 'absent') {
    return negative(
      nowhere('failed', { kind: 'dns', code: '5.1.2', detail: `${domain} has neither MX nor address records` }),
    )
  }
  return {
    ...decide({ domain, site: domain, looks: [look], options }),
    ttlMs: shortest(Number.POSITIVE_INFINITY, [look]),
  }
}

/** `user@[192.0.2.1]` (RFC 5321 §4.1.3). */
async function byLiteral(domain: Domain, options: MxOptions): Promise<Looked> {
  const address = domain.slice(1, -1).replace(/^ipv6:/i, '')
  const answer: Answer<string> = { kind: 'ok', items: [address], ttlMs: Number.POSITIVE_INFINITY }
  const look = judge({ candidate: { name: domain, preference: 0 }, answer, options })
  return { ...decide({ domain, site: domain, looks: [look], options }), ttlMs: Number.POSITIVE_INFINITY }
}

async function byRoute(hop: NextHop, options: MxOptions): Promise<Looked> {
  const { route, host, port, implicitTls, site } = hop
  const answer: Answer<string> =
    isIP(host) !== 0
      ? { kind: 'ok', items: [host], ttlMs: Number.POSITIVE_INFINITY }
      : await options.resolver.addresses(host)
  const allowPrivate = route.allowPrivate || options.delivery.allowPrivate
  const look = judge({ candidate: { name: host, preference: 0 }, answer, options, port, allowPrivate })
  if (look.kind !== 'usable') {
    const detail = `next hop ${host} of the route for ${route.domain}: ${look.detail}`
    return { found: nowhere('deferred', { kind: 'local', code: '4.3.5', detail }), ttlMs: FAILURE_TTL_MS }
  }
  const destination: Destination = {
    site,
    hosts: [look.host],
    port,
    implicitTls,
    tls: implicitTls ? 'required' : route.tls,
    verify: route.tls === 'required' && route.verify,
    connections: route.connections ?? options.delivery.connections,
    ...(route.user !== undefined && { auth: { user: route.user, password: route.password ?? '' } }),
  }
  return { found: { kind: 'destination', destination }, ttlMs: look.ttlMs }
}

interface Candidate {
  readonly name: string
  readonly preference: number
}

/** What one host turned out to be. */
type Look =
  | { readonly kind: 'usable'; readonly host: Host; readonly ttlMs: number }
  | {
      readonly kind: 'loop' | 'prohibited' | 'absent' | 'unknown'
      readonly preference: number
      readonly detail: string
      /** Unknown because our resolver gave no answer. */
      readonly ours?: true
    }

async function lookAt(candidate: Candidate, options: MxOptions): Promise<Look> {
  // An exchange that is no domain name cannot be asked for: as good as one that does not exist.
  const answer: Answer<string> =
    parseDomain(candidate.name) === undefined ? { kind: 'nxdomain' } : await options.resolver.addresses(candidate.name)
  return judge({ candidate, answer, options })
}

function judge(asked: {
  readonly candidate: Candidate
  readonly answer: Answer<string>
  readonly options: MxOptions
  readonly port?: number
  readonly allowPrivate?: boolean
}): Look {
  const { candidate, answer, options } = asked
  const { name, preference } = candidate
  if (answer.kind === 'failed')
    return { ...answer, kind: 'unknown', preference, detail: `address of ${name}: ${answer.detail}` }
  if (answer.kind !== 'ok') {
    const detail = answer.kind === 'nxdomain' ? `${name} does not exist` : `${name} has no address`
    return { kind: 'absent', preference, detail }
  }
  const target = {
    port: asked.port ?? options.delivery.port,
    allowPrivate: asked.allowPrivate ?? options.delivery.allowPrivate,
  }
  const verdicts = answer.items.map((address) => ({ address, verdict: options.policy.judge(address, target) }))
  if (verdicts.some(({ verdict }) => verdict.kind === 'loop'))
    return { kind: 'loop', preference, detail: `${name} is this relay` }
  const addresses = verdicts.filter(({ verdict }) => verdict.kind === 'allowed').map(({ address }) => address)
  if (addresses.length > 0) return { kind: 'usable', host: { name, preference, addresses }, ttlMs: answer.ttlMs }
  const reasons = verdicts.map(
    ({ address, verdict }) => `${address} (${verdict.kind === 'prohibited' ? verdict.reason : verdict.kind})`,
  )
  return {
    kind: 'prohibited',
    preference,
    detail: `${name} has only addresses that mail is not sent to: ${reasons.join(', ')}`,
  }
}

/** From what the hosts turned out to be to a destination, or to why there is none. */
function decide(given: {
  readonly domain: Domain
  readonly site: string
  readonly looks: readonly Look[]
  readonly options: MxOptions
}): Pick<Looked, 'found'> {
  const { domain, site, looks, options } = given
  // RFC 5321 §5.1: a relay that finds itself among the hosts must not use itself or any that is less preferred.
  const ourPreference = Math.min(
    ...looks.map((look) => (look.kind === 'loop' ? look.preference : Number.POSITIVE_INFINITY)),
  )
  const before = looks.filter((look) => preferenceOf(look) < ourPreference)
  const hosts = before.flatMap((look) => (look.kind === 'usable' ? [look.host] : []))
  if (hosts.length > 0) {
    const { port, tls, connections } = options.delivery
    const destination = { site, hosts, port, implicitTls: false, tls, verify: tls === 'required', connections }
    return { found: { kind: 'destination', destination } }
  }
  const detailOf = (kind: Look['kind']): string | undefined =>
    before.flatMap((look) => (look.kind === kind && look.kind !== 'usable' ? [look.detail] : []))[0]
  const [unknown] = before.flatMap((look) => (look.kind === 'unknown' ? [look] : []))
  if (unknown !== undefined) return { found: deferredDns(unknown) }
  if (ourPreference < Number.POSITIVE_INFINITY) {
    return {
      found: nowhere('failed', { kind: 'local', code: '5.4.6', detail: `mail for ${domain} loops back to this relay` }),
    }
  }
  const prohibited = detailOf('prohibited')
  if (prohibited !== undefined)
    return { found: nowhere('failed', { kind: 'local', code: '5.4.4', detail: prohibited }) }
  const detail = `no MX host of ${domain} has an address: ${detailOf('absent') ?? 'none named'}`
  return { found: nowhere('failed', { kind: 'dns', code: '5.4.4', detail }) }
}

function preferenceOf(look: Look): number {
  return look.kind === 'usable' ? look.host.preference : look.preference
}

/** Lower preference first, equal ones at random (RFC 5321 §5.1). */
export function inOrder<Item extends { readonly preference: number }>(
  items: readonly Item[],
  random: () => number,
): Item[] {
  return items
    .map((item) => ({ item, tie: random() }))
    .sort((a, b) => a.item.preference - b.item.preference || a.tie - b.tie)
    .map(({ item }) => item)
}

type Doubt = { readonly detail: string; readonly ours?: true }
const deferredDns = ({ detail, ours }: Doubt): Found =>
  nowhere('deferred', { kind: 'dns', code: '4.4.3', detail, ...(ours && { ours }) })
const negative = (found: Found): Looked => ({ found, ttlMs: NEGATIVE_TTL_MS })
const doubt = (why: Doubt): Looked => ({ found: deferredDns(why), ttlMs: FAILURE_TTL_MS })

function shortest(ttlMs: number, looks: readonly Look[]): number {
  const lives = looks.map((look) => {
    if (look.kind === 'usable') return look.ttlMs
    return look.kind === 'unknown' ? FAILURE_TTL_MS : NEGATIVE_TTL_MS
  })
  return Math.min(ttlMs, ...lives)
}
