// Who answered lately: which sites, and through which sources. Silence alone says little. A site that answered a while
// ago and is silent now shuts us out; a source that reaches nobody is cut off itself, for example behind a network
// without outbound port 25. Only while neither is so may silence count against a recipient.
//
// In memory only, and bounded: after a start nothing is known, and then nobody is blamed.

import { type Clock, DAY, HOUR } from '../util/clock.ts'

export interface Liveness {
  /** Somebody at the other end of this way said something in SMTP. */
  heard(way: { readonly site: string; readonly source: string }): void
  /** The site answered within a day, whichever source asked. */
  isSiteAlive(site: string): boolean
  /** The source had an answer from some site within the last hour; without a name: any source. */
  isSourceAlive(source?: string): boolean
}

const MAX_REMEMBERED = 50_000
const SITE_MEMORY = DAY
const SOURCE_MEMORY = HOUR

export function createLiveness(clock: Clock): Liveness {
  const sites = new Map<string, number>()
  const sources = new Map<string, number>()
  let lastHeard = Number.NEGATIVE_INFINITY
  const within = (at: number | undefined, memory: number): boolean =>
    at !== undefined && clock.monotonic() - at < memory
  return {
    heard: ({ site, source }) => {
      lastHeard = clock.monotonic()
      remember(sites, site, lastHeard)
      remember(sources, source, lastHeard)
    },
    isSiteAlive: (site) => within(sites.get(site), SITE_MEMORY),
    isSourceAlive: (source) => within(source === undefined ? lastHeard : sources.get(source), SOURCE_MEMORY),
  }
}

/** A Map keeps the order of insertion: put last again, the first key is the one silent for longest. */
function remember(map: Map<string, number>, name: string, at: number): void {
  map.delete(name)
  map.set(name, at)
  if (map.size <= MAX_REMEMBERED) return
  const oldest = map.keys().next()
  if (oldest.done !== true) map.delete(oldest.value)
}
