// Names: each stands once, and whatever names something names something that exists.

import { parseDomain } from '../mail/address.ts'
import type { Finding } from './finding.ts'
import { quoted, wrong } from './finding.ts'
import type { DomainSettings, Settings } from './schema.ts'
import { nearest } from './suggest.ts'

export function* checkNames(settings: Settings): Iterable<Finding> {
  for (const section of ['listener', 'tenant', 'credential', 'source', 'pool', 'mailbox'] as const) {
    yield* checkUnique(
      section,
      settings[section].map(({ name }) => ({ key: 'name', name })),
    )
  }
  yield* checkUnique(
    'domain',
    settings.domain.map(({ name }) => ({ key: 'name', name })),
  )
  yield* checkUnique(
    'route',
    settings.route.map(({ domain }) => ({ key: 'domain', name: domain })),
  )
  yield* checkUnique(
    'network',
    settings.network.map(({ cidr }) => ({ key: 'cidr', name: `${cidr.address}/${cidr.prefix}` })),
  )
  yield* checkReferences(settings)
  yield* checkPools(settings)
  for (const [index, domain] of settings.domain.entries()) yield* checkDomain(domain, `domain.${index}`)
  yield* checkHostnames(settings)
}

function* checkUnique(section: string, entries: readonly { key: string; name: string }[]): Iterable<Finding> {
  const seen = new Set<string>()
  for (const [index, { key, name }] of entries.entries()) {
    if (seen.has(name))
      yield wrong(`${section}.${index}.${key}`, {
        message: `${section} "${name}" stands twice`,
        cure: 'remove one of them',
      })
    seen.add(name)
  }
}

interface Reference {
  readonly path: string
  readonly kind: 'tenant' | 'pool' | 'source'
  readonly name: string
}

function* checkReferences(settings: Settings): Iterable<Finding> {
  for (const { path, kind, name } of references(settings)) {
    const known = settings[kind].map((entry) => entry.name)
    if (known.includes(name)) continue
    const suggestion = nearest(name, known)
    const add = `add a [[${kind}]] of that name`
    const cure =
      suggestion === undefined
        ? `there is ${quoted(known) || 'none'}; ${add}`
        : `did you mean "${suggestion}"? Otherwise ${add}`
    yield wrong(path, { message: `there is no ${kind} "${name}"`, cure })
  }
}

function references({ credential, network, domain, tenant, pool, tagLimit }: Settings): Reference[] {
  const toTenant = (section: string, entries: readonly { tenant: string }[]): Reference[] =>
    entries.map((entry, index) => ({ path: `${section}.${index}.tenant`, kind: 'tenant', name: entry.tenant }))
  return [
    ...toTenant('credential', credential),
    ...toTenant('network', network),
    ...toTenant('domain', domain),
    ...tagLimit.flatMap(({ tenant: name }, index): Reference[] =>
      name === undefined ? [] : [{ path: `tag_limit.${index}.tenant`, kind: 'tenant', name }],
    ),
    ...tenant.map(
      ({ pool: name = 'default' }, index): Reference => ({ path: `tenant.${index}.pool`, kind: 'pool', name }),
    ),
    ...tenant.flatMap(({ pools }, index) =>
      pools.map((name, at): Reference => ({ path: `tenant.${index}.pools.${at}`, kind: 'pool', name })),
    ),
    ...pool.flatMap(({ sources }, index) =>
      sources.map(
        ({ source }, at): Reference => ({ path: `pool.${index}.sources.${at}.source`, kind: 'source', name: source }),
      ),
    ),
  ]
}

function* checkPools({ pool }: Settings): Iterable<Finding> {
  for (const [index, { name, sources }] of pool.entries()) {
    const path = `pool.${index}.sources`
    yield* checkUnique(
      path,
      sources.map(({ source }) => ({ key: 'source', name: source })),
    )
    if (sources.every(({ weight }) => weight === 0)) {
      yield wrong(path, {
        message: `every weight of pool "${name}" is 0: no mail could leave`,
        cure: 'give one source a weight of 1',
      })
    }
  }
}

function* checkDomain({ name, returnPath, dkim }: DomainSettings, path: string): Iterable<Finding> {
  yield* checkDomainName(name, `${path}.name`)
  if (returnPath !== undefined) yield* checkDomainName(returnPath, `${path}.return_path`)
  yield* checkUnique(
    `${path}.dkim`,
    dkim.map(({ selector }) => ({ key: 'selector', name: selector })),
  )
  for (const [index, { selector }] of dkim.entries()) yield* checkDomainName(selector, `${path}.dkim.${index}.selector`)
}

function* checkDomainName(name: string, path: string): Iterable<Finding> {
  const parsed = parseDomain(name)
  if (parsed === undefined || parsed.startsWith('['))
    yield wrong(path, { message: `${show(name)} is not a domain name` })
  else if (parsed !== name) yield wrong(path, { message: `${show(name)} is not as in DNS`, cure: `write "${parsed}"` })
}

// What is not ASCII or not printable shows as an escape.
function show(name: string): string {
  return JSON.stringify(name)
}

// These go onto the wire in EHLO and into Received: an address literal is allowed there (RFC 5321 §4.1.3), a space is not.
function* checkHostnames({ node, source }: Settings): Iterable<Finding> {
  const names = [
    { path: 'node.hostname', name: node.hostname },
    ...source.map(({ ehlo }, at) => ({ path: `source.${at}.ehlo`, name: ehlo })),
  ]
  for (const { path, name } of names) {
    // The very text is sent, so it must be what was parsed: a parser of names forgives line breaks.
    if (name === undefined || parseDomain(name)?.toLowerCase() === name.toLowerCase()) continue
    yield wrong(path, { message: `${show(name)} is not a host name`, cure: 'write a name such as "relay.example.com"' })
  }
}
