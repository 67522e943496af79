// What one attempt has to keep to, as plain data that crosses to a worker: made from the shaping once for each place, so
// that attempts of one batch share the object.

import type { Rate } from '../config/units.ts'
import type { Effective } from '../shaping/shaping.ts'
import type { Values } from '../shaping/values.ts'

/** Waits of the SMTP client; the rest of its settings is the same everywhere. */
export type Timeouts = Pick<
  Values,
  | 'connectTimeout'
  | 'greetingTimeout'
  | 'commandTimeout'
  | 'dataTimeout'
  | 'blockTimeout'
  | 'dotTimeout'
  | 'attemptTimeout'
>

/** Connections that several paths share: all of a provider, or those of one source to it. */
export interface SharedLimit {
  readonly name: string
  readonly connections: number
}

export interface WorkLimits {
  readonly connections: number
  readonly messagesPerConnection: number
  readonly connectionRate: Rate
  readonly idleTimeoutMs: number
  /** The path is this domain's alone. */
  readonly domain?: string
  readonly shared: readonly SharedLimit[]
  /**
   * Whose thread: paths that share a limit have the same owner, so that the limit is kept in one thread. The widest
   * limit decides. Absent: each path by itself.
   */
  readonly owner?: string
  readonly timeouts: Timeouts
}

export interface LimitedPlace {
  readonly effective: Effective
  readonly domain: string
  readonly provider: string | undefined
  readonly source: string
  /** From a route, which wins over all shaping. */
  readonly connections?: number | undefined
}

export function workLimits({ effective, domain, provider, source, connections }: LimitedPlace): WorkLimits {
  const { values, ownPath } = effective
  const shared: SharedLimit[] = []
  if (provider !== undefined && values.providerConnections !== undefined)
    shared.push({ name: providerLimit(provider), connections: values.providerConnections })
  if (provider !== undefined && values.providerConnectionsPerSource !== undefined)
    shared.push({ name: `${providerLimit(provider)} from ${source}`, connections: values.providerConnectionsPerSource })
  const [widest] = shared
  const { connectTimeout, greetingTimeout, commandTimeout, dataTimeout, blockTimeout, dotTimeout, attemptTimeout } =
    values
  return {
    connections: connections ?? values.connections,
    messagesPerConnection: values.messagesPerConnection,
    connectionRate: values.connectionRate,
    idleTimeoutMs: values.idleTimeout,
    ...(ownPath && { domain }),
    shared,
    ...(widest !== undefined && { owner: widest.name }),
    timeouts: {
      connectTimeout,
      greetingTimeout,
      commandTimeout,
      dataTimeout,
      blockTimeout,
      dotTimeout,
      attemptTimeout,
    },
  }
}

/** The name of what all sources share at a provider. */
export function providerLimit(provider: string): string {
  return `provider ${provider}`
}

/** The name of a path among all of them. */
export function pathName(source: string, site: string, domain: string | undefined): string {
  return domain === undefined ? `${source} ${site}` : `${source} ${site} ${domain}`
}
