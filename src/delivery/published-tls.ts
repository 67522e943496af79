// What the recipient's domain itself demands of TLS with one host, for people: as demand-for.ts has it for an attempt, so that
// what is shown is what is done. Says nothing where the operator alone decides. Pure.

import { demandFor } from './demand-for.ts'
import type { Destination, Host } from './destination.ts'

export interface PublishedTls {
  readonly host: string
  /** `dane`: the certificate that the TLSA records name. `verify`: chain and name. `refused`: it gets no mail now. */
  readonly tls: 'dane' | 'verify' | 'required' | 'refused'
  /** `dane-unusable`: TLSA records that mail does not use. */
  readonly by: 'dane' | 'dane-unusable' | 'mta-sts' | 'refused'
  /** Why it is refused. */
  readonly detail?: string
}

export function publishedTls(destination: Destination): readonly PublishedTls[] {
  return destination.hosts.flatMap((host) => {
    const found = ofHost(destination, host)
    return found === undefined ? [] : [{ host: host.name, ...found }]
  })
}

function ofHost(destination: Destination, host: Host): Omit<PublishedTls, 'host'> | undefined {
  const demand = demandFor(destination, host)
  switch (demand.by) {
    case 'refused':
      return { tls: 'refused', by: 'refused', detail: demand.detail }
    case 'dane':
      return { tls: 'dane', by: 'dane' }
    case 'mta-sts':
      return { tls: 'verify', by: 'mta-sts' }
    case 'config': {
      const isMore = host.tls?.by === 'dane-unusable' && destination.tls !== 'required'
      return isMore ? { tls: 'required', by: 'dane-unusable' } : undefined
    }
  }
}
