// A connection together with where it leads to: opened within the time of an attempt, known to those who may have to cut it,
// and told of to those who report how TLS went (RFC 8460).

import type { Cause } from '../mail/outcome.ts'
import type { Clock } from '../util/clock.ts'
import type { Candidate } from './candidates.ts'
import { type ClientSettings, type ConnectResult, SmtpClient } from './client.ts'
import type { Authorities } from './client-tls.ts'
import type { Connection } from './kept-connections.ts'
import type { TlsMode } from './tls-policy.ts'
import { appliedPolicy, policyTroubles, shortcoming, type TlsResult } from './tls-result.ts'
import type { Work } from './work.ts'

export interface Link extends Connection {
  readonly client: SmtpClient
  readonly candidate: Candidate
}

export interface LinkOptions {
  readonly settings: ClientSettings
  readonly clock: Clock
  /** Instead of the well-known authorities. */
  readonly authorities?: Authorities
  /** Told how TLS went with every host that MX led to. */
  readonly onTls?: (result: TlsResult) => void
  /** All open connections, so that they can be cut. */
  readonly links: Set<Link>
  /** Aborts when the relay does not wait any longer. */
  readonly stop: AbortSignal
}

export interface Opening {
  readonly work: Work
  readonly candidate: Candidate
  readonly tls: TlsMode
  /** Monotonic: when the attempt is over. */
  readonly until: number
  readonly options: LinkOptions
}

export async function openLink(opening: Opening): Promise<Link | Cause> {
  const { candidate, until, options } = opening
  const { clock, stop } = options
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  const timer = clock.after(until - clock.monotonic(), abort)
  stop.addEventListener('abort', abort)
  try {
    const result = await connect(opening, controller.signal)
    tellOfTls(opening, result)
    return result.ok ? link(result.client, candidate, options) : result.cause
  } finally {
    timer.cancel()
    stop.removeEventListener('abort', abort)
  }
}

function connect({ work, candidate, tls, options }: Opening, signal: AbortSignal): Promise<ConnectResult> {
  const { settings, clock, authorities } = options
  const { destination, source } = work
  const { host, address, localAddress } = candidate
  return SmtpClient.connect({
    target: { host, address, port: destination.port, implicitTls: destination.implicitTls },
    ...(localAddress !== undefined && { localAddress }),
    ehlo: source.ehlo,
    tls,
    verify: candidate.tls.verify,
    ...(candidate.tls.dane !== undefined && { dane: candidate.tls.dane }),
    ...(candidate.tls.minVersion !== undefined && { minVersion: candidate.tls.minVersion }),
    ...(authorities !== undefined && { authorities }),
    ...(destination.auth !== undefined && { auth: destination.auth }),
    settings,
    clock,
    signal,
  })
}

/** Nothing is told of hosts that are known to be broken, or that we cut off ourselves. */
function tellOfTls({ work, candidate, tls, until, options }: Opening, result: ConnectResult): void {
  const { destination, attempt } = work
  const { onTls, stop, clock } = options
  const isOver = stop.aborted || clock.monotonic() >= until
  if (onTls === undefined || destination.vouched === 'config' || tls === 'none' || isOver) return
  if (!result.ok && result.cause.kind !== 'tls') return
  const { isInPolicy, localAddress = result.ok ? result.client.localAddress : undefined } = candidate
  const failure = result.ok
    ? shortcoming(destination, {
        isInPolicy,
        isTls: result.client.tls !== undefined,
        isVerified: result.client.tlsVerified !== undefined,
      })
    : ((result.cause.kind === 'tls' ? result.cause.failure : undefined) ?? 'validation-failure')
  const about = {
    domain: attempt.domain,
    mx: candidate.host,
    mxAddress: candidate.address,
    ...(localAddress !== undefined && { localAddress }),
  }
  const policy = appliedPolicy(destination, candidate.tls)
  onTls({ ...about, policy, ...(failure !== undefined && { failure }) })
  for (const trouble of policyTroubles(destination, candidate.host)) onTls({ ...about, ...trouble })
}

function link(client: SmtpClient, candidate: Candidate, { links, stop }: LinkOptions): Link {
  const made: Link = {
    client,
    candidate,
    get usable() {
      return client.usable
    },
    quit: () => client.quit(),
    destroy: () => client.destroy(),
    onClose: (callback) => client.onClose(callback),
  }
  links.add(made)
  made.onClose(() => links.delete(made))
  if (stop.aborted) made.destroy() // opened in the moment of closing: nobody else would cut it
  return made
}
