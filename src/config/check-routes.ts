// Static routes: a next hop that can be understood, is meant (private addresses need a word), is not Studs itself, and
// gets credentials only where they are safe.

import { isIP } from 'node:net'
import { parseDomain } from '../mail/address.ts'
import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import { isLoopback, isPrivate, isWildcard } from './network.ts'
import type { RouteSettings, Settings } from './schema.ts'

interface NextHop {
  readonly host: string
  readonly port: number
  readonly isImplicitTls: boolean
}

interface Route {
  readonly route: RouteSettings
  readonly hop: NextHop
  readonly path: string
}

export function* checkRoutes(settings: Settings): Iterable<Finding> {
  for (const [index, route] of settings.route.entries()) {
    const path = `route.${index}`
    if (!isPattern(route.domain)) {
      yield wrong(`${path}.domain`, {
        message: `"${route.domain}" is not a domain`,
        cure: 'write "example.com", "*.example.com" or "*", as in DNS (xn--…)',
      })
    }
    const hop = parseHop(route.to)
    if (hop === undefined) yield unreadable(route, path)
    else yield* checkHop(settings, { route, hop, path })
  }
}

function isPattern(domain: string): boolean {
  const name = domain.replace(/^\*\./, '')
  // Recipients' domains are compared as in DNS, so others would never match.
  return domain === '*' || parseDomain(name) === name
}

function parseHop(to: string): NextHop | undefined {
  const match = /^(smtps?):\/\/(\[[^\]]+\]|[^:[\]@]+)(?::(\d{1,5}))?$/.exec(to)
  if (match === null) return undefined
  const isImplicitTls = match[1] === 'smtps'
  const bracketed = /^\[(?:ipv6:)?(.*)\]$/i.exec(match[2] ?? '')?.[1]
  const host = bracketed ?? match[2] ?? ''
  const port = Number(match[3] ?? (isImplicitTls ? 465 : 25))
  const isUsable = port > 0 && port <= 65_535 && (bracketed === undefined ? isHost(host) : isIP(host) !== 0)
  return isUsable ? { host, port, isImplicitTls } : undefined
}

function isHost(host: string): boolean {
  return isIP(host) !== 0 || parseDomain(host) !== undefined
}

function unreadable({ to }: RouteSettings, path: string): Finding {
  // What stands before an "@" may be a password, so the value is not repeated.
  if (to.includes('@'))
    return wrong(`${path}.to`, {
      message: 'a next hop holds no user name',
      cure: 'use the options user and password_file',
    })
  return wrong(`${path}.to`, {
    message: `"${to}" is not a next hop`,
    cure: 'write smtp://host:port, with an IPv6 address in brackets',
  })
}

function* checkHop(settings: Settings, { route, hop, path }: Route): Iterable<Finding> {
  const isLocal = isIP(hop.host) === 0 ? isLocalName(hop.host) : isPrivate(hop.host)
  if (isLocal && !route.allowPrivate) {
    const message = `the next hop ${hop.host} is a loopback or private address`
    yield wrong(`${path}.to`, { message, cure: 'set allow_private = true in this route if that is meant' })
  }
  const isThisMachine = isLocalName(hop.host) || isLoopback(hop.host) || isWildcard(hop.host)
  const own = settings.listener.find(
    ({ address, port }) =>
      port === hop.port &&
      port !== 0 &&
      (address === hop.host || (isThisMachine && (isLoopback(address) || isWildcard(address)))),
  )
  if (own !== undefined) {
    yield wrong(`${path}.to`, {
      message: `the next hop is the listener "${own.name}": mail would come back for ever`,
      cure: 'name another host or port',
    })
  }
  yield* checkLogin({ route, hop, path })
}

function isLocalName(host: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(host)
}

function* checkLogin({ route, hop, path }: Route): Iterable<Finding> {
  const { user, password, tls } = route
  if (user === undefined && password === undefined) return
  if (password === undefined)
    yield wrong(`${path}.user`, { message: 'user without password', cure: 'give password or password_file' })
  if (user === undefined) yield wrong(`${path}.password`, { message: 'password without user', cure: 'give user' })
  if (hop.isImplicitTls || isLoopback(hop.host) || isLocalName(hop.host)) return
  if (tls === 'none') {
    yield wrong(`${path}.tls`, {
      message: 'AUTH is sent only under TLS, and tls is "none"',
      cure: 'set tls = "required"',
    })
  } else if (tls === 'opportunistic') {
    const message =
      'AUTH is sent only under TLS: a next hop that does not offer it gets no mail, and its certificate is not checked'
    yield doubtful(`${path}.tls`, { message, cure: 'set tls = "required"' })
  }
}
