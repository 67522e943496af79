// What holds at a place (domain, destination, source): the shaping applied to what DNS said. Routes are the operator's
// most exact word: what they say of connections and TLS wins over the shaping. Asked for every attempt, so answers for
// equal places are remembered.

import type { Settings } from '../config/schema.ts'
import type { Rate } from '../config/units.ts'
import type { Domain } from '../mail/address.ts'
import type { Effective, Shaping } from '../shaping/shaping.ts'
import { TLS_STRENGTH } from '../shaping/values.ts'
import type { RateLimit, Resolution, ResolvedPath, SharedSlots, Site } from './delivery.ts'
import type { Destination, Found } from './destination.ts'
import { publishedTls } from './published-tls.ts'
import type { RouteTable } from './routes.ts'
import type { Source } from './sources.ts'
import type { TlsRules } from './tls-rules.ts'
import { pathName, providerLimit, type WorkLimits, workLimits } from './work-limits.ts'

export interface PlacesParts {
  readonly shaping: Shaping
  readonly routes: RouteTable
  readonly tlsRules: TlsRules
  readonly settings: Pick<Settings, 'pool' | 'tenant'>
}

/** What a place is asked about besides itself: the sources of a pool that carry mail, and how long the answer holds. */
export interface LocateOptions {
  readonly sourcesOf: (pool: string) => readonly string[]
  readonly validMs: number
}

export interface AttemptPlace {
  readonly destination: Destination
  readonly limits: WorkLimits
}

export interface Places {
  /** For an attempt; the same objects each time it is asked. */
  of(domain: Domain, destination: Destination, source: Source): AttemptPlace
  locate(domain: Domain, destination: Destination, about: LocateOptions): Site
  resolve(domain: Domain, found: Found): Resolution
}

export function createPlaces(parts: PlacesParts): Places {
  return new ShapedPlaces(parts)
}

class ShapedPlaces implements Places {
  readonly #parts: PlacesParts
  readonly #providers = new WeakMap<Destination, { readonly provider: string | undefined; readonly isWhole: boolean }>()
  readonly #limits = new WeakMap<Effective, Map<string, WorkLimits>>()
  /** By source. A destination was found out for one domain; asked for another, the answers begin anew. */
  readonly #places = new WeakMap<
    Destination,
    { readonly domain: Domain; readonly bySource: Map<string, AttemptPlace> }
  >()
  /** By tenant. */
  readonly #poolOf: ReadonlyMap<string, string>

  constructor(parts: PlacesParts) {
    this.#parts = parts
    this.#poolOf = new Map(parts.settings.tenant.map(({ name, pool = 'default' }) => [name, pool]))
  }

  of(domain: Domain, destination: Destination, source: Source): AttemptPlace {
    const known = this.#places.get(destination)
    const bySource = known?.domain === domain ? known.bySource : new Map<string, AttemptPlace>()
    if (bySource !== known?.bySource) this.#places.set(destination, { domain, bySource })
    const place = bySource.get(source.name)
    if (place !== undefined) return place
    const made = {
      destination: this.#shaped(domain, destination, this.#effective(domain, destination, source.name)),
      limits: this.#limitsOf(domain, destination, source.name),
    }
    bySource.set(source.name, made)
    return made
  }

  locate(domain: Domain, destination: Destination, about: LocateOptions): Site {
    const provider = this.#providerOf(destination)
    const { values, ownPath } = this.#effective(domain, destination, undefined)
    const { site } = destination
    const slotsOver = (sources: readonly string[]): number => {
      const sum = sources.reduce((total, source) => total + this.#slotsOf(domain, destination, source), 0)
      return Math.max(1, Math.min(sum, values.providerConnections ?? sum))
    }
    const pools = this.#parts.settings.pool.map(({ name }) => ({ name, sources: about.sourcesOf(name) }))
    const slots = new Map(pools.map((pool) => [pool.name, slotsOver(pool.sources)]))
    const all = [...new Set(pools.flatMap((pool) => pool.sources))]
    const sharedOf = (source: string | undefined, isWide: boolean): SharedSlots | undefined => {
      if (source === undefined || provider === undefined) return undefined
      const found = this.#limitsOf(domain, destination, source).shared.find(
        ({ name }) => (name === providerLimit(provider)) === isWide,
      )
      return found && { name: found.name, slots: found.connections }
    }
    const shared = sharedOf(all[0], true)
    return {
      kind: 'site',
      site,
      line: ownPath ? `${site} ${domain}` : site,
      ...(provider !== undefined && { provider }),
      slots: slotsOver(all),
      sources: all,
      shareOf: (tenant, named) => {
        const pool = named ?? this.#poolOf.get(tenant) ?? 'default'
        return { pool, slots: slots.get(pool) ?? 1 }
      },
      ...(shared !== undefined && { shared }),
      sharedFrom: (source) => sharedOf(source, false),
      retry: values.retry,
      limits: (source) => this.#ratesOf(domain, destination, source),
      validMs: about.validMs,
    }
  }

  resolve(domain: Domain, found: Found): Resolution {
    const route = this.#parts.routes(domain)?.route
    const about = { domain, routed: route !== undefined }
    if (found.kind === 'nowhere') return { ...about, ...found }
    const { destination } = found
    const provider = this.#providerOf(destination)
    const pools = this.#parts.settings.pool
    const rule = this.#parts.tlsRules(domain)
    const carrying = [
      ...new Set(
        pools.flatMap(({ sources }) => sources.filter(({ weight }) => weight > 0).map(({ source }) => source)),
      ),
    ]
    return {
      ...about,
      kind: 'site',
      site: destination.site,
      ...(provider !== undefined && { provider }),
      hosts: destination.hosts,
      port: destination.port,
      paths: carrying.map((source): ResolvedPath => {
        const sourceRate = this.#parts.shaping.sourceRate(source)
        const effective = this.#effective(domain, destination, source)
        const published = publishedTls(this.#shaped(domain, destination, effective))
        return {
          source,
          pools: pools
            .filter(({ sources }) => sources.some((member) => member.source === source && member.weight > 0))
            .map(({ name }) => name),
          effective,
          ...(published.length > 0 && { published }),
          ...(sourceRate !== undefined && { sourceRate }),
          ...(rule.isOwn && { tlsPolicy: rule.verify ? 'verify' : rule.mode }),
          ...(route !== undefined && {
            route: { tls: route.tls, ...(route.connections !== undefined && { connections: route.connections }) },
          }),
        }
      }),
    }
  }

  #effective(domain: Domain, destination: Destination, source: string | undefined): Effective {
    return this.#parts.shaping.effective({
      domain,
      site: destination.site,
      provider: this.#providerOf(destination),
      source,
    })
  }

  #providerOf(destination: Destination): string | undefined {
    return this.#knownProvider(destination).provider
  }

  #knownProvider(destination: Destination): { readonly provider: string | undefined; readonly isWhole: boolean } {
    const known = this.#providers.get(destination)
    if (known !== undefined) return known
    const { shaping } = this.#parts
    const provider = shaping.providerOfHosts(destination.hosts)
    const found = { provider, isWhole: destination.hosts.every(({ name }) => shaping.providerOf(name) === provider) }
    this.#providers.set(destination, found)
    return found
  }

  /** Routes and [[tls_policy]] are the operator's word on one domain, and win; a preset only ever demands more. */
  #shaped(domain: Domain, destination: Destination, { values, from }: Effective): Destination {
    const { routes, tlsRules } = this.#parts
    if (routes(domain) !== undefined || tlsRules(domain).isOwn) return destination
    const wanted = TLS_STRENGTH.indexOf(values.tls)
    const isThere = TLS_STRENGTH.indexOf(destination.verify ? 'verify' : destination.tls)
    if (wanted === isThere || (from.tls.kind === 'preset' && wanted < isThere)) return destination
    return { ...destination, tls: values.tls === 'verify' ? 'required' : values.tls, verify: values.tls === 'verify' }
  }

  /** Attempts that a source can make here at one time. */
  #slotsOf(domain: Domain, destination: Destination, source: string): number {
    const { connections, shared } = this.#limitsOf(domain, destination, source)
    return Math.min(connections, ...shared.map((each) => each.connections))
  }

  #limitsOf(domain: Domain, destination: Destination, source: string): WorkLimits {
    const effective = this.#effective(domain, destination, source)
    // Anybody may name a provider's hosts beside their own: what theirs keep us waiting for is not the provider's.
    const known = this.#knownProvider(destination)
    const provider = known.isWhole ? known.provider : undefined
    const connections = this.#parts.routes(domain)?.route.connections
    const made = this.#limits.get(effective) ?? new Map<string, WorkLimits>()
    this.#limits.set(effective, made)
    const own = effective.ownPath ? domain : ''
    const key = `${provider ?? ''} ${source} ${own} ${connections ?? ''}`
    const found = made.get(key)
    if (found !== undefined) return found
    const limits = workLimits({ effective, domain, provider, source, connections })
    made.set(key, limits)
    return limits
  }

  #ratesOf(domain: Domain, destination: Destination, source: string): readonly RateLimit[] {
    const { values, ownPath } = this.#effective(domain, destination, source)
    const provider = this.#providerOf(destination)
    const total = this.#parts.shaping.sourceRate(source)
    const limits: RateLimit[] = []
    const add = (name: string, rate: Rate | 'unlimited' | undefined): void => {
      if (rate !== undefined && rate !== 'unlimited') limits.push({ name, rate })
    }
    if (provider !== undefined) add(providerLimit(provider), values.providerMessageRate)
    add(`source ${source}`, total?.value)
    add(`path ${pathName(source, destination.site, ownPath ? domain : undefined)}`, values.messageRate)
    return limits
  }
}
