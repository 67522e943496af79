// Where mail for a domain goes and what holds there, every value with the line it comes from.

import { formatDuration, formatRate, type Rate } from '../config/units.ts'
import type { Delivery, Resolution as Resolved, ResolvedPath } from '../delivery/delivery.ts'
import type { Host } from '../delivery/destination.ts'
import type { PublishedTls } from '../delivery/published-tls.ts'
import { parseAddress, parseDomain } from '../mail/address.ts'
import type { Origin, Shaping } from '../shaping/shaping.ts'
import { snake, VALUE_NAMES, type ValueName } from '../shaping/values.ts'
import { checked, domainParam } from './input.ts'
import { OperationError } from './problem.ts'
import { type ShownRule, shownRule } from './shown-rule.ts'
import { toWire, type Wire } from './wire.ts'

/**
 * `route`, `tls_policy`: they say so, whatever the shaping says. The others are what the recipient's domain publishes, which is
 * demanded on top of that: by TLSA records (that mail does not use: `dane_unusable`), or by an MTA-STS policy in force.
 */
export type ValueOrigin =
  | Origin
  | { readonly kind: 'route' | 'tls_policy' | 'dane' | 'dane_unusable' | 'mta_sts' }
  /** The host gets no mail now. */
  | { readonly kind: 'refused'; readonly detail: string }

export interface ShownValue {
  readonly name: string
  /** Only with this host; absent: with all of them. */
  readonly host?: string
  /** As it could stand in the file; absent where there is no limit. */
  readonly value?: string | readonly string[] | number
  readonly from: ValueOrigin
}

export interface ShownPath {
  readonly source: string
  readonly pools: readonly string[]
  readonly values: readonly ShownValue[]
}

export type Resolution =
  | Wire<
      Omit<Extract<Resolved, { kind: 'nowhere' }>, 'outcome'> & {
        cause: Extract<Resolved, { kind: 'nowhere' }>['outcome']['cause']
      }
    >
  | (Wire<Omit<Extract<Resolved, { kind: 'site' }>, 'paths'>> & {
      readonly paths: readonly Wire<ShownPath>[]
      /** In the order in which they are asked. */
      readonly rules: readonly Wire<ShownRule>[]
    })

export interface DestinationOperations {
  /** MX hosts, site, provider and the values in force for each source. Asks DNS as a delivery would. */
  resolve(domain: string): Promise<Resolution>
}

export interface DestinationParts {
  readonly delivery: Pick<Delivery, 'resolve'> | undefined
  readonly shaping: () => Pick<Shaping, 'rulesFor'>
}

export function destinationOperations({ delivery, shaping }: DestinationParts): DestinationOperations {
  return {
    resolve: async (text) => {
      const { domain: given } = checked(domainParam, { domain: text })
      const domain = parseAddress(given)?.domain ?? parseDomain(given)
      if (domain === undefined) throw new OperationError('invalid', `${given} is not a domain.`)
      if (delivery === undefined)
        throw new OperationError(
          'stopped',
          'The relay is not running, and in the sandbox it is the name server: start it first.',
        )
      return shown(await delivery.resolve(domain), shaping())
    },
  }
}

function shown(resolved: Resolved, shaping: Pick<Shaping, 'rulesFor'>): Resolution {
  if (resolved.kind === 'nowhere') {
    const { outcome, ...rest } = resolved
    return toWire({ ...rest, cause: outcome.cause })
  }
  const { domain, site, provider } = resolved
  const rules = shaping.rulesFor({ domain, site, provider }).map(shownRule)
  return toWire({ ...resolved, paths: resolved.paths.map((path) => shownPath(path, resolved.hosts)), rules })
}

function shownPath(path: ResolvedPath, hosts: readonly Host[]): ShownPath {
  const { source, pools, effective, sourceRate, route, tlsPolicy, published = [] } = path
  const values = VALUE_NAMES.flatMap((name): readonly ShownValue[] => {
    const routed = name === 'connections' ? route?.connections : name === 'tls' ? route?.tls : undefined
    const ruled = routed ?? (name === 'tls' ? tlsPolicy : undefined)
    const value = ruled ?? effective.values[name]
    const from: ValueOrigin =
      ruled === undefined ? effective.from[name] : { kind: routed === undefined ? 'tls_policy' : 'route' }
    const text = valueText(name, value)
    const shown = { name: snake(name), ...(text !== undefined && { value: text }), from }
    return name === 'tls' ? withPublished(shown, { published, hosts }) : [shown]
  })
  const total: ShownValue[] =
    sourceRate === undefined
      ? []
      : [{ name: 'source_message_rate', value: formatRate(sourceRate.value), from: sourceRate.from }]
  return { source, pools, values: [...values, ...total] }
}

/** What the domain demands: once where all its hosts have it alike, else host by host. */
function withPublished(
  own: ShownValue,
  { published, hosts }: { readonly published: readonly PublishedTls[]; readonly hosts: readonly Host[] },
): readonly ShownValue[] {
  if (published.length === 0) return [own]
  const shown = hosts.map(({ name }): ShownValue => {
    const found = published.find(({ host }) => host === name)
    if (found === undefined) return { ...own, host: name }
    return { name: own.name, host: name, value: found.tls, from: publishedBy(found) }
  })
  const [first = own, ...others] = shown.map(({ host: _, ...value }) => value)
  return others.every((each) => JSON.stringify(each) === JSON.stringify(first)) ? [first] : shown
}

function publishedBy({ by, detail = '' }: PublishedTls): ValueOrigin {
  switch (by) {
    case 'refused':
      return { kind: 'refused', detail }
    case 'dane':
      return { kind: 'dane' }
    case 'dane-unusable':
      return { kind: 'dane_unusable' }
    case 'mta-sts':
      return { kind: 'mta_sts' }
  }
}

function valueText(name: ValueName, value: unknown): ShownValue['value'] | undefined {
  if (value === undefined || value === 'unlimited') return undefined
  if (Array.isArray(value)) return value.map((ms: number) => formatDuration(ms))
  if (typeof value === 'number') return name.endsWith('Timeout') ? formatDuration(value) : value
  if (typeof value === 'object') return formatRate(value as Rate)
  return String(value)
}
