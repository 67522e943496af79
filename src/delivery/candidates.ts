// In which order the addresses of a destination are tried (RFC 5321 §5.1): by preference, equal ones at random, IPv6
// before IPv4, those that did not answer lately last. At most five: an attempt is not to knock at fifty doors.

import { isIPv6 } from 'node:net'
import type { TlsWish } from '../mail/message.ts'
import type { Cause } from '../mail/outcome.ts'
import { type Clock, MINUTE } from '../util/clock.ts'
import { demandFor } from './demand-for.ts'
import { type Destination, endpoint, type Host } from './destination.ts'
import { ExpiringMap } from './expiring-map.ts'
import { inOrder } from './mx.ts'
import { localAddressFor, type Source } from './sources.ts'
import type { Open } from './tls-demand.ts'

export interface Candidate {
  readonly host: string
  readonly address: string
  readonly localAddress?: string
  readonly tls: Open
  readonly isInPolicy?: boolean
}

const MAX_ADDRESSES = 5
const MAX_DEAD = 50_000
const UNREACHABLE_MS = 2 * MINUTE
const SILENT_MS = 15 * MINUTE

/** Remembers, by source, which addresses could not be reached. */
export class DeadHosts {
  readonly #until: ExpiringMap<true>

  constructor(clock: Clock) {
    this.#until = new ExpiringMap(clock, MAX_DEAD)
  }

  note(source: string, address: string, cause: Cause): void {
    // A fault of our own says nothing of the host.
    if ('ours' in cause) return
    if (cause.kind === 'connect') this.#until.set(`${source} ${address}`, true, UNREACHABLE_MS)
    if (cause.kind === 'timeout') this.#until.set(`${source} ${address}`, true, SILENT_MS)
  }

  has(source: string, address: string): boolean {
    return this.#until.has(`${source} ${address}`)
  }
}

export interface CandidateOptions {
  readonly destination: Destination
  readonly source: Source
  readonly dead: DeadHosts
  readonly ipv6: boolean
  readonly random: () => number
  readonly wish?: TlsWish
}

export function candidates(options: CandidateOptions): readonly Candidate[] {
  const { destination, source, dead, ipv6, random, wish } = options
  const usable = inOrder(destination.hosts, random).flatMap((host) => {
    const tls = demandFor(destination, host, wish)
    if (tls.by === 'refused') return []
    return interleaved(host, random).flatMap((address): Candidate[] => {
      const localAddress = localAddressFor(source, address)
      if (localAddress === 'unusable' || (isIPv6(address) && !ipv6)) return []
      const { isInPolicy } = host
      const at = { host: host.name, address, ...(localAddress !== undefined && { localAddress }) }
      return [{ ...at, tls, ...(isInPolicy !== undefined && { isInPolicy }) }]
    })
  })
  const isDead = ({ address }: Candidate): boolean => dead.has(source.name, endpoint(address, destination))
  return [...usable.filter((candidate) => !isDead(candidate)), ...usable.filter(isDead)].slice(0, MAX_ADDRESSES)
}

/** IPv6, IPv4, IPv6, …: a host with many IPv6 addresses must not use up the attempt of a machine without IPv6. */
function interleaved(host: Host, random: () => number): readonly string[] {
  const shuffled = inOrder(
    host.addresses.map((address) => ({ address, preference: 0 })),
    random,
  ).map(({ address }) => address)
  const six = shuffled.filter((address) => isIPv6(address))
  const four = shuffled.filter((address) => !isIPv6(address))
  return Array.from({ length: Math.max(six.length, four.length) }, (_, at) => [six[at], four[at]])
    .flat()
    .filter((address) => address !== undefined)
}
