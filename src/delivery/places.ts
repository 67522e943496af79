// What holds at a place (domain, destination, source): the shaping applied to what DNS said. Routes are the operator's
// most exact word: what they say of connections and TLS wins over the shaping. Asked for every attempt, so answers for
// equal places are remembered.

import type { Settings } from '../config/schema.ts'
import type { Rate } from '../config/units.ts'
import type { Domain } from '../mail/address.ts'
import type { Effective, Shaping } from '../shaping/shaping.ts'
import type { RateLimit, Resolution, ResolvedPath, Site } from './delivery.ts'
import type { Destination, Found } from './destination.ts'
import type { RouteTable } from './routes.ts'
import type { Source } from './sources.ts'
import type { TlsRules } from './tls-rules.ts'
import { pathName, type WorkLimits, workLimits } from './work-limits.ts'

export interface PlacesParts {
  readonly shaping: Shaping
  readonly routes: RouteTable
  readonly tlsRules: TlsRules
  readonly settings: Pick<Settings, 'pool'>
}

export interface Places {
  /** For an attempt. */
  of(
    domain: Domain,
    destination: Destination,
    source: Source,
  ): { readonly destination: Destination; readonly limits: WorkLimits }
  locate(domain: Domain, destination: Destination, about: { sources: readonly string[]; validMs: number }): Site
  resolve(domain: Domain, found: Found): Resolution
}

const TLS_STRENGTH: readonly Effective['values']['tls'][] = ['none', 'opportunistic', 'required', 'verify']

export function createPlaces(parts: PlacesParts): Places {
  return new ShapedPlaces(parts)
}

class ShapedPlaces implements Places {
  readonly #parts: PlacesParts
  readonly #providers = new WeakMap<Destination, { readonly provider: string | undefined }>()
  readonly #limits = new WeakMap<Effective, Map<string, WorkLimits>>()

  constructor(parts: PlacesParts) {
    this.#parts = parts
  }

  of(
    domain: Domain,
    destination: Destination,
    source: Source,
  ): { readonly destination: Destination; readonly limits: WorkLimits } {
    const effective = this.#effective(domain, destination, source.name)
    return {
      destination: this.#shaped(domain, destination, effective),
      limits: this.#limitsOf(domain, destination, source.name),
    }
  }

  locate(domain: Domain, destination: Destination, about: { sources: readonly string[]; validMs: number }): Site {
    const provider = this.#providerOf(destination)
    const { values, ownPath } = this.#effective(domain, destination, undefined)
    const { site } = destination
    const all = about.sources.map((source) => this.#limitsOf(domain, destination, source))
    const slots = all.reduce(
      (sum, { connections, shared }) => sum + Math.min(connections, ...shared.map((each) => each.connections)),
      0,
    )
    const shared = all[0]?.shared[0]
    return {
      kind: 'site',
      site,
      line: ownPath ? `${site} ${domain}` : site,
      ...(provider !== undefined && { provider }),
      slots: Math.max(1, Math.min(slots, values.providerConnections ?? slots)),
      ...(shared !== undefined && { shared: { name: shared.name, slots: shared.connections } }),
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
        return {
          source,
          pools: pools
            .filter(({ sources }) => sources.some((member) => member.source === source && member.weight > 0))
            .map(({ name }) => name),
          effective: this.#effective(domain, destination, source),
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
    const known = this.#providers.get(destination)
    if (known !== undefined) return known.provider
    const provider = this.#parts.shaping.providerOfHosts(destination.hosts)
    this.#providers.set(destination, { provider })
    return provider
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

  #limitsOf(domain: Domain, destination: Destination, source: string): WorkLimits {
    const effective = this.#effective(domain, destination, source)
    const provider = this.#providerOf(destination)
    const connections = this.#parts.routes(domain)?.route.connections
    const known = this.#limits.get(effective) ?? new Map<string, WorkLimits>()
    this.#limits.set(effective, known)
    const own = effective.ownPath ? domain : ''
    const key = `${provider ?? ''} ${source} ${own} ${connections ?? ''}`
    const found = known.get(key)
    if (found !== undefined) return found
    const made = workLimits({ effective, domain, provider, source, connections })
    known.set(key, made)
    return made
  }

  #ratesOf(domain: Domain, destination: Destination, source: string): readonly RateLimit[] {
    const { values, ownPath } = this.#effective(domain, destination, source)
    const provider = this.#providerOf(destination)
    const total = this.#parts.shaping.sourceRate(source)
    const limits: RateLimit[] = []
    const add = (name: string, rate: Rate | 'unlimited' | undefined): void => {
      if (rate !== undefined && rate !== 'unlimited') limits.push({ name, rate })
    }
    if (provider !== undefined) add(`provider ${provider}`, values.providerMessageRate)
    add(`source ${source}`, total?.value)
    add(`path ${pathName(source, destination.site, ownPath ? domain : undefined)}`, values.messageRate)
    return limits
  }
}
