// Who may send as whom, compiled once from the settings: credentials, trusted networks, sender domains. Pure look-ups.

import { BlockList, isIP } from 'node:net'
import type { CredentialSettings, DomainSettings, Settings, TenantSettings } from '../config/schema.ts'
import { type Domain, parseDomain } from '../mail/address.ts'
import { lifetimeOf } from '../queue/schedule.ts'
import { dearestOf } from './password.ts'

interface Network {
  readonly list: BlockList
  readonly tenant: TenantSettings
}

export class Tenancy {
  readonly #tenants: ReadonlyMap<string, TenantSettings>
  readonly #credentials: ReadonlyMap<string, CredentialSettings>
  /** The longest prefix first, so that the first match is the most specific one. */
  readonly #networks: readonly Network[]
  readonly #domains: ReadonlyMap<string, DomainSettings>
  readonly #pools: ReadonlySet<string>
  readonly #standardLifetimeMs: number
  readonly #dearestHash: string | undefined

  constructor(settings: Settings) {
    this.#tenants = new Map(settings.tenant.map((tenant) => [tenant.name, tenant]))
    this.#credentials = new Map(settings.credential.map((credential) => [credential.name, credential]))
    this.#domains = new Map(settings.domain.map((domain) => [parseDomain(domain.name) ?? domain.name, domain]))
    this.#pools = new Set(settings.pool.map(({ name }) => name))
    this.#standardLifetimeMs = settings.queue.lifetime
    this.#dearestHash = dearestOf(settings.credential.flatMap(({ password = [] }) => password))
    this.#networks = this.#compileNetworks(settings.network)
  }

  #compileNetworks(networks: Settings['network']): Network[] {
    return [...networks]
      .sort((a, b) => b.cidr.prefix - a.cidr.prefix)
      .flatMap(({ cidr, tenant: name }) => {
        const tenant = this.#tenants.get(name)
        if (tenant === undefined) return []
        const list = new BlockList()
        list.addSubnet(cidr.address, cidr.prefix, cidr.family === 4 ? 'ipv4' : 'ipv6')
        return [{ list, tenant }]
      })
  }

  tenant(name: string): TenantSettings | undefined {
    return this.#tenants.get(name)
  }

  credential(name: string): CredentialSettings | undefined {
    return this.#credentials.get(name)
  }

  /** The dearest of all password hashes. */
  get dearestHash(): string | undefined {
    return this.#dearestHash
  }

  /** The tenant whose trusted network the client is in. */
  trusted(clientAddress: string): TenantSettings | undefined {
    const family = isIP(clientAddress) === 6 ? 'ipv6' : 'ipv4'
    return this.#networks.find(({ list }) => list.check(clientAddress, family))?.tenant
  }

  /** A domain that is configured belongs to its tenant alone, also where another may use any sender. */
  maySendAs(tenant: TenantSettings, domain: Domain): boolean {
    const covering = this.#covering(domain)
    return covering === undefined ? tenant.anySender : covering.tenant === tenant.name
  }

  /** The configured domain of this tenant that covers `domain`: what we sign as and where returns go. */
  ownDomain(tenant: TenantSettings, domain: Domain): Domain | undefined {
    const covering = this.#covering(domain)
    return covering?.tenant === tenant.name ? (covering.name as Domain) : undefined
  }

  /** The return-path domain of a domain that ownDomain gave. */
  returnPathOf(own: Domain): string | undefined {
    return this.#domains.get(own)?.returnPath
  }

  /** The domain itself, or the nearest parent with `subdomains`. */
  #covering(domain: Domain): DomainSettings | undefined {
    for (let name: string = domain; ; name = name.slice(name.indexOf('.') + 1)) {
      const settings = this.#domains.get(name)
      if (settings !== undefined && (name === domain || settings.subdomains)) return settings
      if (!name.includes('.')) return undefined
    }
  }

  /** A tenant's messages may name its own pool, the standard one and what the configuration adds: others pay with reputation. */
  mayUsePool(tenant: TenantSettings, name: string): boolean {
    const isIts = name === 'default' || name === tenant.pool || tenant.pools.includes(name)
    return isIts && this.#pools.has(name)
  }

  /** How long mail of the tenant is tried. */
  lifetimeMs(tenant: TenantSettings): number {
    return lifetimeOf(tenant, this.#standardLifetimeMs)
  }
}
