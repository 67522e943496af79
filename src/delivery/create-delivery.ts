// Delivery as its neighbours see it: finds out where a domain's mail goes, chooses the source, and hands the attempt to
// the courier of this thread or to the thread that owns the path. DNS and its memory live here, connections there.

import { hostname, networkInterfaces } from 'node:os'
import type { Settings } from '../config/schema.ts'
import type { Domain } from '../mail/address.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Logger } from '../observe/logger.ts'
import { createShaping, type Shaping } from '../shaping/shaping.ts'
import { type Clock, SECOND } from '../util/clock.ts'
import { createAddressPolicy, type Listening } from './address-policy.ts'
import { type Carrier, Courier } from './courier.ts'
import type { Attempt, ChunkReader, Delivery, Location } from './delivery.ts'
import { createDirectory, type Directory } from './directory.ts'
import type { LocalAddresses } from './local-addresses.ts'
import { forgetfulMemory, type PolicyMemory } from './mta-sts.ts'
import { createPlaces, type Places } from './places.ts'
import { createResolver, type Resolver } from './resolver.ts'
import { createRoutes } from './routes.ts'
import { securityOf } from './security-of.ts'
import { createSources, hash, type Source, type Sources } from './sources.ts'
import { Thread } from './thread.ts'
import type { TlsResult } from './tls-result.ts'
import { createTlsRules } from './tls-rules.ts'
import type { Work } from './work.ts'
import { pathName } from './work-limits.ts'

export interface DeliveryOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly readChunk: ChunkReader
  readonly logger: Logger
  /** Where Studs listens beyond settings.listener, or on ports that were only found out at start. */
  readonly listening?: readonly Listening[]
  /** Special networks that may be mailed whatever delivery.allow_private says. */
  readonly allowed?: readonly string[]
  /** Default: the settings alone, the same for every place. */
  readonly shaping?: Shaping
  /** Instead of asking real name servers. */
  readonly resolver?: Resolver
  /** Keeps MTA-STS policies over a restart; without it they end with the process. */
  readonly policies?: PolicyMemory
  /** Which sending addresses this machine has; without it all of them are taken to be there. */
  readonly addresses?: LocalAddresses
  /** Told how TLS went with every host that MX led to. */
  readonly onTls?: (result: TlsResult) => void
  /** Another port of the hosts of MTA-STS policies than 443. */
  readonly policyPort?: number
}

const OWN_ERROR = 'an attempt was deferred by an error of our own'
const CLOSING: Outcome = { kind: 'returned', reason: 'shutting down', retryAfterMs: SECOND }

/** Throws when a route or name server cannot be understood. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { logger } = options
  const carrier = createCarrier(options)
  const policies = options.policies ?? forgetfulMemory()
  const closing = new AbortController()
  const learning = { ...options, policies, stop: closing.signal }
  let knowledge = learn(learning, options.settings, options.shaping)
  let resting: ReadonlySet<string> = new Set()
  const isAwake = (source: string): boolean => !resting.has(source)
  // An address has gone or come: connections and what is known of domains stay.
  options.addresses?.onChange(() => {
    knowledge = { ...knowledge, sources: sourcesOf(options, knowledge.settings) }
  })

  /** An unknown error is transient: it must not bounce a mail. */
  function broken(error: unknown, about: Record<string, unknown>): Extract<Outcome, { kind: 'deferred' }> {
    logger.error({ event: 'delivery.own-error', ...about, err: error }, OWN_ERROR)
    const detail = error instanceof Error ? error.message : String(error)
    return { kind: 'deferred', cause: { kind: 'local', code: '4.3.0', detail: `internal error: ${detail}` } }
  }

  async function deliver(attempt: Attempt): Promise<Outcome> {
    if (closing.signal.aborted) return CLOSING
    const { directory, sources, places } = knowledge
    const found = directory.known(attempt.domain) ?? (await directory.find(attempt.domain))
    if (found.kind === 'nowhere') return found.outcome
    const named = attempt.source === undefined ? undefined : sources.find(attempt.pool, attempt.source)
    const source = named ?? sources.choose(attempt.pool, attempt.message, isAwake)
    if (source === undefined) {
      const detail = `pool "${attempt.pool}" has no source to send from`
      return { kind: 'deferred', cause: { kind: 'local', code: '4.3.5', detail } }
    }
    if (closing.signal.aborted) return CLOSING
    const outcome = await carrier.carry({ attempt, source, ...places.of(attempt.domain, found.destination, source) })
    return hadNoAddress(outcome) ? ((await unlessLost(source)) ?? outcome) : outcome
  }

  /** The address it was to leave from has gone: nothing was tried, and the source is chosen anew without it. */
  async function unlessLost(source: Source): Promise<Outcome | undefined> {
    const { addresses } = options
    if (addresses === undefined) return undefined
    const own = [source.ipv4, source.ipv6].filter((address) => address !== undefined)
    await Promise.all(own.map((address) => addresses.look(address)))
    const lost = own.filter((address) => !addresses.isThere(address))
    if (lost.length === 0) return undefined
    const reason = `${lost.join(' and ')} of source ${source.name} is not on this machine`
    return { kind: 'returned', reason, retryAfterMs: SECOND }
  }

  async function locate(domain: Domain): Promise<Location> {
    const { directory, sources, places } = knowledge
    const found = await directory.find(domain)
    const validMs = directory.validMs(domain)
    if (found.kind === 'nowhere') return { ...found, validMs }
    return places.locate(domain, found.destination, { sourcesOf: (pool) => sources.names(pool), validMs })
  }

  const awake = (pool: string): readonly string[] => {
    const names = knowledge.sources.names(pool)
    return resting.size === 0 ? names : names.filter(isAwake)
  }

  return {
    deliver: (attempt) =>
      deliver(attempt).catch((error: unknown) => broken(error, { message: attempt.message, n: attempt.n })),
    locate: (domain) =>
      locate(domain).catch((error: unknown) => ({
        kind: 'nowhere',
        outcome: broken(error, { domain }),
        validMs: SECOND,
      })),
    resolve: async (domain) => knowledge.places.resolve(domain, await knowledge.directory.find(domain)),
    sourceOf: (pool, message, may = () => true) =>
      knowledge.sources.choose(pool, message, (source) => isAwake(source) && may(source))?.name,
    sourcesOf: awake,
    rest(sources) {
      resting = sources
    },
    knownNullMx: (domain) => knowledge.directory.nullMx(domain),
    paths: () => carrier.paths(),
    reconfigure(settings, shaping) {
      knowledge = learn(learning, settings, shaping)
      carrier.reconfigure(settings.delivery)
    },
    async close(graceMs) {
      closing.abort()
      await carrier.close(graceMs)
    },
  }
}

/** Names of its errors stay in the words of the system. */
function hadNoAddress(outcome: Outcome): boolean {
  if (outcome.kind !== 'deferred') return false
  const { cause } = outcome
  return cause.kind === 'connect' && cause.ours === true && cause.detail.includes('EADDRNOTAVAIL')
}

interface Knowledge {
  readonly settings: Settings
  readonly directory: Directory
  readonly sources: Sources
  readonly places: Places
}

type Learning = DeliveryOptions & { readonly policies: PolicyMemory; readonly stop: AbortSignal }

/** Everything that follows from the settings; made anew when they change. */
function learn(options: Learning, settings: Settings, shaping = bareShaping(settings)): Knowledge {
  const { delivery } = settings
  const configured = settings.listener.filter(({ port }) => port !== 0)
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  )
  const resolver = options.resolver ?? createResolver({ servers: delivery.resolvers, timeoutMs: delivery.dnsTimeout })
  const policy = createAddressPolicy({
    interfaces,
    listening: [...configured, ...(options.listening ?? [])],
    allowed: options.allowed ?? [],
  })
  const routes = createRoutes(settings.route)
  const directory = createDirectory({
    delivery,
    routes,
    resolver,
    policy,
    random: Math.random,
    clock: options.clock,
    security: securityOf({ ...options, settings, resolver, addressPolicy: policy }),
  })
  return {
    settings,
    directory,
    sources: sourcesOf(options, settings),
    places: createPlaces({ shaping, routes, tlsRules: createTlsRules(settings), settings }),
  }
}

function sourcesOf({ addresses }: DeliveryOptions, settings: Settings): Sources {
  return createSources(settings, settings.node.hostname ?? hostname(), (address) => addresses?.isThere(address) ?? true)
}

function bareShaping(settings: Settings): Shaping {
  return createShaping({ settings, files: [], families: new Map() })
}

function createCarrier({ settings, clock, readChunk, logger, onTls }: DeliveryOptions): Carrier {
  const { delivery } = settings
  const told = onTls === undefined ? {} : { onTls }
  if (delivery.workers === 0) {
    const onError = (error: unknown, { attempt }: Work): void =>
      logger.error({ event: 'delivery.own-error', message: attempt.message, n: attempt.n, err: error }, OWN_ERROR)
    return new Courier({ settings: delivery, clock, readChunk, random: Math.random, onError, ...told })
  }
  const threads = Array.from(
    { length: delivery.workers },
    () => new Thread({ settings: delivery, clock, readChunk, logger, ...told }),
  )
  return dividedAmong(threads)
}

/**
 * Each path belongs to one thread, and paths that share a limit to the same one, so that every limit holds without any
 * talk between threads.
 */
function dividedAmong(threads: readonly Carrier[]): Carrier {
  const [only] = threads
  if (only === undefined) throw new RangeError('there is no delivery thread')
  if (threads.length === 1) return only
  const ownerOf = ({ source, destination, limits }: Work): Carrier => {
    const owner = limits?.owner ?? pathName(source.name, destination.site, limits?.domain)
    return threads[hash(owner) % threads.length] ?? only
  }
  return {
    carry: (work) => ownerOf(work).carry(work),
    paths: async () => (await Promise.all(threads.map((thread) => thread.paths()))).flat(),
    reconfigure(settings) {
      for (const thread of threads) thread.reconfigure(settings)
    },
    close: async (graceMs) => void (await Promise.all(threads.map((thread) => thread.close(graceMs)))),
  }
}
