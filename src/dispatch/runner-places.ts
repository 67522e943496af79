// Where domains live, as far as it was found out, for as long as it holds. In memory, and bounded.

import type { Delivery, Location } from '../delivery/delivery.ts'
import type { Domain } from '../mail/address.ts'
import type { Logger } from '../observe/logger.ts'
import { type Clock, SECOND } from '../util/clock.ts'

export interface KnownPlacesParts {
  readonly delivery: Pick<Delivery, 'locate'>
  readonly clock: Clock
  readonly logger: Logger
}

interface Place {
  readonly location: Location
  /** Monotonic. */
  readonly until: number
}

const PLACES_LIMIT = 50_000
const ERROR_PAUSE = SECOND

export class KnownPlaces {
  readonly #parts: KnownPlacesParts
  readonly #places = new Map<string, Place>()
  /** How often everything was forgotten. */
  #forgotten = 0

  constructor(parts: KnownPlacesParts) {
    this.#parts = parts
  }

  /** As it was found out last, even if that holds no longer. */
  last(domain: Domain): Location | undefined {
    return this.#places.get(domain)?.location
  }

  get forgotten(): number {
    return this.#forgotten
  }

  forget(): void {
    this.#forgotten++
    this.#places.clear()
  }

  async locate(domain: Domain): Promise<Location> {
    const { clock } = this.#parts
    const known = this.#places.get(domain)
    if (known !== undefined && known.until > clock.monotonic()) return known.location
    const asked = this.#forgotten
    const location = await this.#find(domain)
    // The answer is of a configuration that is over.
    if (asked !== this.#forgotten) return this.locate(domain)
    if (this.#places.size >= PLACES_LIMIT) this.#places.clear()
    this.#places.set(domain, { location, until: clock.monotonic() + location.validMs })
    return location
  }

  async #find(domain: Domain): Promise<Location> {
    const { delivery, logger } = this.#parts
    try {
      return await delivery.locate(domain)
    } catch (error) {
      logger.error({ event: 'runner.locate-failed', domain, err: error }, 'finding the site of a domain failed')
      const detail = 'finding the site failed; see the log'
      return {
        kind: 'nowhere',
        outcome: { kind: 'deferred', cause: { kind: 'local', code: '4.3.0', detail } },
        validMs: ERROR_PAUSE,
      }
    }
  }
}
