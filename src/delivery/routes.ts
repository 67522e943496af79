// Static routes: which configured next hop, if any, takes the mail of a domain. The most specific domain wins: the
// domain itself, then the longest `*.suffix`, then `*`.

import { isIP } from 'node:net'
import type { RouteSettings } from '../config/schema.ts'
import { type DomainTable, domainTable } from './domain-table.ts'

export interface NextHop {
  readonly route: RouteSettings
  /** Host name, or an address without brackets. */
  readonly host: string
  readonly port: number
  readonly implicitTls: boolean
  /** `route:<host>:<port>`: no domain name can look like it. */
  readonly site: string
}

const DEFAULT_PORTS = { smtp: 25, smtps: 465 } as const

/** Undefined when `to` is no usable URL. */
export function parseNextHop(route: RouteSettings): NextHop | undefined {
  const match = /^(smtps?):\/\/(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(route.to)
  if (match === null) return undefined
  const scheme = match[1]?.toLowerCase() === 'smtps' ? 'smtps' : 'smtp'
  const host = (match[2] ?? '').toLowerCase().replace(/^\[(?:ipv6:)?|\]$/g, '')
  const port = match[3] === undefined ? DEFAULT_PORTS[scheme] : Number(match[3])
  if (port < 1 || port > 65_535) return undefined
  const shown = isIP(host) === 6 ? `[${host}]` : host
  return { route, host, port, implicitTls: scheme === 'smtps', site: `route:${shown}:${port}` }
}

export type RouteTable = DomainTable<NextHop>

/** Throws when a route cannot be understood: better at start than at the first mail. */
export function createRoutes(settings: readonly RouteSettings[]): RouteTable {
  return domainTable(
    settings.map((route) => {
      const hop = parseNextHop(route)
      if (hop === undefined)
        throw new Error(`route for ${route.domain}: cannot understand "${route.to}"; expected smtp://host:port`)
      return [route.domain, hop]
    }),
  )
}
