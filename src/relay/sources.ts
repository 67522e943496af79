// Sending addresses of a running relay: a source whose address this machine does not have leaves its pools, at start or
// when the address is lost, and comes back with it. The log says so, and a record.

import type { Settings } from '../config/schema.ts'
import { LocalAddresses } from '../delivery/local-addresses.ts'
import type { Logger } from '../observe/logger.ts'
import type { Core } from '../queue/core.ts'
import type { Clock } from '../util/clock.ts'

export interface WatchedSources {
  readonly addresses: LocalAddresses
  /** Looks after the addresses of these settings from now on. */
  watch(settings: Settings): Promise<void>
  stop(): Promise<void>
}

export async function watchSources(parts: {
  readonly settings: () => Settings
  readonly core: Pick<Core, 'sources'>
  readonly clock: Clock
  readonly logger: Logger
}): Promise<WatchedSources> {
  const { settings, core, clock, logger } = parts
  const addresses = new LocalAddresses({ clock })
  addresses.onChange(({ address, isThere }) => {
    for (const source of settings().source) {
      if (source.ipv4 !== address && source.ipv6 !== address) continue
      const why = isThere ? `${address} is on this machine again` : `${address} is not on this machine`
      const about = { event: isThere ? 'source-address-found' : 'source-address-missing', source: source.name, address }
      if (isThere) logger.info(about, `${why}: source ${source.name} sends from it`)
      else logger.warn(about, `${why}: source ${source.name} sends nothing from it`)
      void core.sources.noteAddress({ source: source.name, why, isThere })
    }
  })
  const watch = (of: Settings): Promise<void> =>
    addresses.watch(of.source.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].filter((each) => each !== undefined)))
  await watch(settings())
  return {
    addresses,
    watch,
    stop: async () => {
      addresses.close()
      await core.sources.close()
    },
  }
}
