// How many connections a path may use at this moment. It has so many of its own; a rule that slows it down, or a limit of
// the provider over all paths, may leave it fewer.

import type { PathStatus, ResolvedPath } from '../delivery/delivery.ts'
import { nameAt } from '../throttle/suspensions.ts'
import type { ListedSuspension } from './suspension-list.ts'

export interface PathStanding extends PathStatus {
  /** Fewer than `connections` just now, and what says so. Absent: nothing. */
  readonly allowed?: { readonly connections: number; readonly by: 'slow' | 'provider'; readonly why: string }
}

export interface StandingParts {
  readonly path: PathStatus
  readonly bound: readonly ListedSuspension[]
  /** The values in force for each source, where they are known. */
  readonly resolved?: readonly Pick<ResolvedPath, 'source' | 'effective'>[]
}

export function pathStanding({ path, bound, resolved = [] }: StandingParts): PathStanding {
  const { source, site, domain, connections } = path
  const line = domain === undefined ? site : `${site} ${domain}`
  const slow = bound.find(({ kind, name }) => kind === 'slow' && name === nameAt(source, line))
  const values = resolved.find((each) => each.source === source)?.effective.values
  const limits: NonNullable<PathStanding['allowed']>[] = [
    ...(slow?.connections === undefined
      ? []
      : [{ connections: slow.connections, by: 'slow' as const, why: `slowed down by ${slow.who}` }]),
    ...(values?.providerConnections === undefined
      ? []
      : [{ connections: values.providerConnections, by: 'provider' as const, why: 'provider_connections' }]),
    ...(values?.providerConnectionsPerSource === undefined
      ? []
      : [
          {
            connections: values.providerConnectionsPerSource,
            by: 'provider' as const,
            why: 'provider_connections_per_source',
          },
        ]),
  ]
  const [least] = limits.sort((one, other) => one.connections - other.connections)
  return least === undefined || least.connections >= connections ? path : { ...path, allowed: least }
}
