// What is asked of TLS with one host for one message: the stronger of what the operator, the recipient's domain and the
// message itself want. Pure.

import type { TlsWish } from '../mail/message.ts'
import type { Destination, Host } from './destination.ts'
import type { HostDemand, HostTls, Open, Refused } from './tls-demand.ts'

/** The stronger of what the operator, the recipient's domain and the message want of TLS with one host. */
export function demandFor(destination: Destination, host: Host, wish?: TlsWish): HostDemand {
  const { tls, verify, minVersion } = destination
  const floor: Open = { mode: tls, verify, ...(minVersion !== undefined && { minVersion }), by: 'config' }
  // RFC 8689 §3: what the domain publishes is left aside; what the operator demands is not the sender's to waive.
  if (wish === 'optional') return floor
  const demand = strongerOf(floor, host.tls)
  return wish === 'required' ? verifiedOnly(demand, { destination, host }) : demand
}

function strongerOf(floor: Open, wanted: HostTls | undefined): HostDemand {
  switch (wanted?.by) {
    case undefined:
      return floor
    case 'refused':
      return wanted
    case 'dane':
      return { ...floor, mode: 'required', verify: true, dane: wanted.dane, by: 'dane' }
    case 'mta-sts':
      return { ...floor, mode: 'required', verify: true, by: 'mta-sts' }
    case 'dane-unusable':
      return { ...floor, mode: 'required' }
  }
}

/** RFC 8689 §4.2.1, steps 2 and 4: a host whose name is vouched for, and its certificate verified. */
function verifiedOnly(
  demand: HostDemand,
  { destination, host }: { readonly destination: Destination; readonly host: Host },
): HostDemand {
  if (demand.by === 'refused') return demand
  const refused = (detail: string): Refused => ({ by: 'refused', detail, failure: 'validation-failure' })
  if (demand.mode === 'none')
    return refused(`TLS with ${host.name} is turned off, and the message demands it (REQUIRETLS)`)
  if (destination.vouched === 'mta-sts' && host.isInPolicy === false)
    return refused(`${host.name} is not among the MX hosts of the domain's MTA-STS policy, as REQUIRETLS demands`)
  return { ...demand, mode: 'required', verify: true }
}
