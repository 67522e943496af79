// Which source a message leaves from: its pool's weights decide, and the same message always gets the same source, so
// that a greylisting receiver sees its retries come from the address it has already met.

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
   * Undefined when the pool is unknown or all its weights are 0: mail must not leave from an address nobody chose.
   * A message whose source rests leaves from another one of the pool, if there is one.
   */
  choose(pool: string, message: string, isResting?: (source: string) => boolean): Source | undefined
  /** Those of the pool that carry mail. */
  names(pool: string): readonly string[]
}

interface Share {
  readonly source: Source
  readonly weight: number
  /** Sum of the weights up to and with this source. */
  readonly upTo: number
}

/** `hostname`: said in EHLO by sources without a name of their own. */
export function createSources(settings: Pick<Settings, 'pool' | 'source'>, hostname: string): Sources {
  const byName = new Map(
    settings.source.map(({ name, ipv4, ipv6, ehlo }) => [
      name,
      { name, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }), ehlo: ehlo ?? hostname } satisfies Source,
    ]),
  )
  const pools = new Map<string, readonly Share[]>()
  for (const pool of settings.pool) {
    const members = pool.sources.flatMap(({ source: name, weight }) => {
      const source = byName.get(name)
      return source === undefined || weight === 0 ? [] : [{ source, weight }]
    })
    pools.set(pool.name, weighted(members))
  }
  return {
    choose(pool, message, isResting) {
      const shares = pools.get(pool) ?? []
      const chosen = chosenFrom(shares, message)
      if (chosen === undefined || isResting === undefined || !isResting(chosen.name)) return chosen
      // Its share is divided among the others; theirs stay with them.
      const awake = shares.filter(({ source }) => !isResting(source.name))
      return chosenFrom(weighted(awake), message)
    },
    names: (pool) => (pools.get(pool) ?? []).map(({ source }) => source.name),
  }
}

function chosenFrom(shares: readonly Share[], message: string): Source | undefined {
  const total = shares.at(-1)?.upTo ?? 0
  const point = shares.length > 1 ? hash(message) % total : 0
  return shares.find(({ upTo }) => point < upTo)?.source
}

function weighted(members: readonly { readonly source: Source; readonly weight: number }[]): Share[] {
  let upTo = 0
  return members.map(({ source, weight }) => {
    upTo += weight
    return { source, weight, upTo }
  })
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
