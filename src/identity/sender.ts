// Who we are to receivers, from the settings: for each sender domain its keys, its return path, and the sources its mail may
// leave from, with the addresses that receivers see. Reads key files; asks nobody.

import { isIP } from 'node:net'
import { isWildcard } from '../config/network.ts'
import type { DomainSettings, Settings, SourceSettings } from '../config/schema.ts'
import { bitsOf, dnsRecord, parseKey } from '../sign/key.ts'
import { reasonOf } from '../sign/keyring.ts'
import { isPublic } from './address.ts'

export interface Sender {
  readonly domain: string
  readonly subdomains: boolean
  readonly returnPath: string | undefined
  /** Mode of the MTA-STS policy that we serve for it; absent: we serve none. */
  readonly mtaSts?: DomainSettings['mtaSts']
  readonly keys: readonly SenderKey[]
  readonly sources: readonly SenderSource[]
  /** Whom the MX of the return path must name, and at which addresses it answers. */
  readonly mxHost: string
  readonly mxAddresses: readonly string[]
}

export interface SenderKey {
  readonly selector: string
  readonly file: string
  readonly state: DomainSettings['dkim'][number]['state']
  /** Absent when the file cannot be used. */
  readonly key?: { readonly algorithm: 'rsa' | 'ed25519'; readonly bits?: number; readonly record: string }
  readonly problem?: string
}

export interface SenderSource {
  readonly name: string
  readonly ehlo: string
  /** As receivers see them. */
  readonly addresses: readonly string[]
  /** Addresses of this machine that it binds to; empty = the system chooses. */
  readonly local: readonly string[]
}

export interface SenderParts {
  readonly settings: Settings
  /** Name of this machine, for whoever has none of its own. */
  readonly hostname: string
  /** Of its interfaces. */
  readonly machineAddresses: readonly string[]
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string
}

export function sendersOf(parts: SenderParts): Sender[] {
  return parts.settings.domain.map((domain) => senderOf(domain, parts))
}

function senderOf(domain: DomainSettings, parts: SenderParts): Sender {
  const { settings } = parts
  const sources = sourcesOf(parts).filter(({ name }) => sourceNames(settings, domain.tenant).has(name))
  const mxHost = parts.settings.node.hostname ?? parts.hostname
  return {
    domain: domain.name,
    subdomains: domain.subdomains,
    returnPath: domain.returnPath,
    mtaSts: domain.mtaSts,
    keys: domain.dkim.map((key) => keyOf(key, parts.readFile)),
    sources,
    mxHost,
    mxAddresses: mxAddresses({ parts, mxHost, sources }),
  }
}

export function sourcesOf({ settings, hostname, machineAddresses }: Omit<SenderParts, 'readFile'>): SenderSource[] {
  return settings.source.map((source) => ({
    name: source.name,
    ehlo: (source.ehlo ?? settings.node.hostname ?? hostname).toLowerCase(),
    addresses: seenAddresses(source, { machineAddresses, ipv6: settings.delivery.ipv6 }),
    local: [source.ipv4, source.ipv6].filter((address) => address !== undefined),
  }))
}

function seenAddresses(
  { ipv4, ipv6, publicIpv4, publicIpv6 }: SourceSettings,
  machine: { readonly machineAddresses: readonly string[]; readonly ipv6: boolean },
): string[] {
  const named = [publicIpv4 ?? ipv4, publicIpv6 ?? ipv6].filter((address) => address !== undefined)
  if (named.length > 0) return named.filter(isPublic)
  return machine.machineAddresses.filter((address) => isPublic(address) && (machine.ipv6 || isIP(address) === 4))
}

/** Sources its mail may leave from: the tenant's pool, those that messages may name, and `default`. Resting ones too. */
function sourceNames({ tenant, pool }: Settings, tenantName: string): Set<string> {
  const settings = tenant.find(({ name }) => name === tenantName)
  const pools = new Set([
    'default',
    ...(settings?.pools ?? []),
    ...(settings?.pool === undefined ? [] : [settings.pool]),
  ])
  return new Set(
    pool.filter(({ name }) => pools.has(name)).flatMap(({ sources }) => sources.map(({ source }) => source)),
  )
}

/** Of a bounce listener that names one; else of the sources that go by the same name, else of the first source. */
function mxAddresses({
  parts: { settings },
  mxHost,
  sources,
}: {
  parts: SenderParts
  mxHost: string
  sources: readonly SenderSource[]
}): string[] {
  const listening = settings.bounceListener.map(({ address }) => address)
  const named = listening.filter((each) => !isWildcard(each) && isPublic(each))
  if (named.length > 0) return [...new Set(named)]
  // 0.0.0.0 is every address of one family: at those of the other nobody answers.
  const isFourOnly = listening.includes('0.0.0.0') && !listening.some((each) => isIP(each) === 6)
  const same = sources.filter(({ ehlo }) => ehlo === mxHost.toLowerCase())
  const chosen = same.length > 0 ? same : sources.filter(({ addresses }) => addresses.length > 0).slice(0, 1)
  const reached = chosen.flatMap(({ addresses }) => addresses).filter((each) => !isFourOnly || isIP(each) === 4)
  return [...new Set(reached)]
}

function keyOf({ selector, keyFile, state }: DomainSettings['dkim'][number], read: SenderParts['readFile']): SenderKey {
  const about = { selector, file: keyFile, state }
  let pem: string
  try {
    pem = read(keyFile)
  } catch (error) {
    return { ...about, problem: `cannot be read (${reasonOf(error)})` }
  }
  const key = parseKey(pem)
  if ('problem' in key) return { ...about, problem: key.problem }
  const bits = bitsOf(key)
  const algorithm = key.algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'
  return { ...about, key: { algorithm, record: dnsRecord(key), ...(bits !== undefined && { bits }) } }
}
