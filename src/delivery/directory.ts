// What is known about domains: lookUp with a memory. Answers live by their TTL (30 s to 1 h), denials 5 min; look-ups
// under way are shared; the memory is bounded. Lives in the main thread: attempts carry what they need to the workers.

import type { Domain } from '../mail/address.ts'
import type { Cause } from '../mail/outcome.ts'
import { type Clock, HOUR, SECOND } from '../util/clock.ts'
import type { Found } from './destination.ts'
import { ExpiringMap } from './expiring-map.ts'
import { type Looked, lookUp, type MxOptions } from './mx.ts'
import type { Answer, Resolver } from './resolver.ts'
import type { TransportSecurity } from './transport-security.ts'

const MAX_DOMAINS = 50_000
const MAX_HOSTS = 50_000
const SHORTEST_MS = 30 * SECOND
const LONGEST_MS = HOUR

export interface Directory {
  /** From memory, if known. */
  known(domain: Domain): Found | undefined
  find(domain: Domain): Promise<Found>
  /** How long the answer for `domain` is still used. */
  validMs(domain: Domain): number
  nullMx(domain: Domain): Cause | undefined
}

export interface DirectoryOptions extends Omit<MxOptions, 'resolver'> {
  readonly resolver: Pick<Resolver, 'mx' | 'addresses'>
  readonly clock: Clock
  /** Adds what is demanded of TLS to where MX leads. Routes say it themselves. */
  readonly security?: TransportSecurity
}

export function createDirectory(options: DirectoryOptions): Directory {
  const domains = new ExpiringMap<Found>(options.clock, MAX_DOMAINS)
  const underWay = new Map<Domain, Promise<Found>>()
  const mxOptions = { ...options, resolver: rememberingHosts(options.resolver, options.clock) }

  async function lookUpSecurely(domain: Domain): Promise<Looked> {
    const looked = await lookUp(domain, mxOptions)
    const isByMx = options.routes(domain) === undefined && !domain.startsWith('[')
    if (isByMx) return options.security === undefined ? looked : options.security(domain, looked)
    if (looked.found.kind === 'nowhere') return looked
    return {
      ...looked,
      found: { kind: 'destination', destination: { ...looked.found.destination, vouched: 'config' } },
    }
  }

  async function ask(domain: Domain): Promise<Found> {
    try {
      const { found, ttlMs } = await lookUpSecurely(domain)
      domains.set(domain, found, clamp(ttlMs))
      return found
    } finally {
      underWay.delete(domain)
    }
  }

  return {
    known: (domain) => domains.get(domain),
    find(domain) {
      const known = domains.get(domain)
      if (known !== undefined) return Promise.resolve(known)
      const asked = underWay.get(domain) ?? ask(domain)
      underWay.set(domain, asked)
      return asked
    },
    validMs: (domain) => domains.remainingMs(domain),
    nullMx(domain) {
      const found = domains.get(domain)
      if (found?.kind !== 'nowhere') return undefined
      const { cause } = found.outcome
      return cause.kind === 'dns' && cause.code === '5.1.10' ? cause : undefined
    },
  }
}

/** The MX hosts of big receivers serve very many domains: their addresses are asked for once. */
function rememberingHosts(resolver: MxOptions['resolver'], clock: Clock): MxOptions['resolver'] {
  const hosts = new ExpiringMap<Promise<Answer<string>>>(clock, MAX_HOSTS)
  return {
    mx: (name) => resolver.mx(name),
    addresses(host) {
      const known = hosts.get(host)
      if (known !== undefined) return known
      const asked = resolver.addresses(host)
      // While it is under way it is shared; afterwards only a positive answer is kept, for as long as it lives.
      hosts.set(host, asked, LONGEST_MS)
      const settle = (ttlMs: number): void => (ttlMs > 0 ? hosts.set(host, asked, clamp(ttlMs)) : hosts.delete(host))
      asked.then(
        (answer) => settle(answer.kind === 'ok' ? answer.ttlMs : 0),
        () => settle(0),
      )
      return asked
    },
  }
}

const clamp = (ttlMs: number): number => Math.min(Math.max(ttlMs, SHORTEST_MS), LONGEST_MS)
