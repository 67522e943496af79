// Which source a message leaves from: its pool's weights decide, and the same message always gets the same source, so
// that a greylisting receiver sees its retries come from the address it has already met. Weighted rendezvous: when a
// source goes or comes, only the mail that was its own (or becomes so) moves.

import { isIPv6 } from 'node:net'
import type { Settings } from '../config/schema.ts'

export interface Source {
  readonly name: string
  readonly ipv4?: string
  readonly ipv6?: string
  /** Said in EHLO. */
  readonly ehlo: string
}

export interface Sources {
  /**
   * The message's own source of the pool, or the next in its order that may send. Undefined when there is none: mail
   * must not leave from an address nobody chose.
   */
  choose(pool: string, message: string, may?: (source: string) => boolean): Source | undefined
  /** A source of the pool by its name. */
  find(pool: string, name: string): Source | undefined
  /** Those of the pool that carry mail. */
  names(pool: string): readonly string[]
}

/** What of the settings it goes by. */
export interface SourceSettings {
  readonly source: readonly Pick<Settings['source'][number], 'name' | 'ipv4' | 'ipv6' | 'ehlo'>[]
  readonly pool: readonly Pick<Settings['pool'][number], 'name' | 'sources'>[]
}

interface Member {
  readonly source: Source
  readonly weight: number
}

/**
 * `hostname`: said in EHLO by sources without a name of their own. `isThere`: whether this machine has the address; a
 * source of which it has none carries nothing, and one that lost an address goes on with the other alone.
 */
export function createSources(
  settings: SourceSettings,
  hostname: string,
  isThere: (address: string) => boolean = () => true,
): Sources {
  const byName = new Map(
    settings.source.flatMap(({ name, ipv4, ipv6, ehlo }): [string, Source][] => {
      const addresses = {
        ...(ipv4 !== undefined && isThere(ipv4) && { ipv4 }),
        ...(ipv6 !== undefined && isThere(ipv6) && { ipv6 }),
      }
      const isLost = (ipv4 ?? ipv6) !== undefined && Object.keys(addresses).length === 0
      return isLost ? [] : [[name, { name, ...addresses, ehlo: ehlo ?? hostname }]]
    }),
  )
  const pools = new Map<string, readonly Member[]>()
  for (const pool of settings.pool) {
    const members = pool.sources.flatMap(({ source: name, weight }) => {
      const source = byName.get(name)
      return source === undefined || weight === 0 ? [] : [{ source, weight }]
    })
    pools.set(pool.name, members)
  }
  return {
    choose: (pool, message, may) => chosenFrom(pools.get(pool) ?? [], message, may),
    find: (pool, name) => pools.get(pool)?.find(({ source }) => source.name === name)?.source,
    names: (pool) => (pools.get(pool) ?? []).map(({ source }) => source.name),
  }
}

function chosenFrom(
  members: readonly Member[],
  message: string,
  may: ((source: string) => boolean) | undefined,
): Source | undefined {
  const [only] = members
  if (only === undefined) return undefined
  if (members.length === 1) return may === undefined || may(only.source.name) ? only.source : undefined
  const left = members.map(({ source, weight }) => ({ source, distance: distanceOf(message, source.name, weight) }))
  // Mostly the nearest may send: nothing is sorted for that.
  while (left.length > 0) {
    const nearest = left.reduce((best, each, at) => (each.distance < (left[best]?.distance ?? 0) ? at : best), 0)
    const [next] = left.splice(nearest, 1)
    if (next !== undefined && (may === undefined || may(next.source.name))) return next.source
  }
  return undefined
}

/** An exponential variate for each pair, the faster the heavier: which is the least follows the weights exactly. */
function distanceOf(message: string, source: string, weight: number): number {
  return -Math.log((hash(`${message} ${source}`) + 1) / 2 ** 32) / weight
}

/** The local address for a connection to `address`; 'unusable' when the source has none of that family. */
export function localAddressFor(source: Source, address: string): string | undefined | 'unusable' {
  if (source.ipv4 === undefined && source.ipv6 === undefined) return undefined
  return (isIPv6(address) ? source.ipv6 : source.ipv4) ?? 'unusable'
}

/** FNV-1a with a final mix: spreads ids that differ in their last characters only. Stable over restarts. */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d)
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39)
  return (value ^ (value >>> 15)) >>> 0
}
