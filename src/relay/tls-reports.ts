// Puts the daily TLS reports together: what delivery tells is counted, what DNS asks for is sent. Nothing is counted while
// they are off.

import { request } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { Settings } from '../config/schema.ts'
import { createAddressPolicy } from '../delivery/address-policy.ts'
import { createResolver } from '../delivery/resolver.ts'
import type { TlsResult } from '../delivery/tls-result.ts'
import type { Logger } from '../observe/logger.ts'
import type { Acceptor } from '../queue/submission.ts'
import type { Signer } from '../sign/signer.ts'
import type { Store } from '../store/store.ts'
import { type Post, type TextLookUp, TlsReporter } from '../tls-report/reporter.ts'
import { TlsTally } from '../tls-report/tally.ts'
import { type Clock, SECOND } from '../util/clock.ts'

export interface TlsReports {
  count(result: TlsResult): void
  /** Begins to send; what it needs is there only now. */
  start(parts: { readonly acceptor: Acceptor; readonly signer: Signer }): void
  stop(): Promise<void>
}

const POST_TIMEOUT_MS = 60 * SECOND

export function createTlsReports(given: {
  readonly settings: () => Settings
  readonly hostname: string
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
}): TlsReports {
  const { settings, hostname, store, clock, logger } = given
  const tally = new TlsTally({ store, clock })
  let reporter: TlsReporter | undefined
  return {
    count(result) {
      if (settings().tlsReport.enabled) tally.count(result)
    },
    start({ acceptor, signer }) {
      reporter = new TlsReporter({
        settings: () => settings().tlsReport,
        hostname: () => hostname,
        lifetimeMs: () => settings().queue.lifetime,
        tally,
        txt: textLookUp(settings),
        post: postTo(settings, clock),
        acceptor,
        signer,
        clock,
        random: Math.random,
        logger,
      })
      reporter.start()
    },
    stop: async () => reporter?.stop(),
  }
}

function resolverOf({ delivery }: Settings) {
  return createResolver({ servers: delivery.resolvers, timeoutMs: delivery.dnsTimeout })
}

function textLookUp(settings: () => Settings): TextLookUp {
  return async (name) => {
    const answer = await resolverOf(settings()).txt(name)
    if (answer.kind === 'ok') return answer
    return { kind: answer.kind === 'failed' ? 'failed' : 'none' }
  }
}

/** To public addresses only: whoever publishes the URL must not make this relay knock at its neighbours. */
function postTo(settings: () => Settings, clock: Clock): Post {
  const policy = createAddressPolicy({ interfaces: [], listening: [], allowed: [] })
  return async (url, content, stop) => {
    const answer = await resolverOf(settings()).addresses(url.hostname)
    const port = Number(url.port || 443)
    const { allowPrivate, ca } = settings().delivery
    const host = (answer.kind === 'ok' ? answer.items : []).find(
      (address) => policy.judge(address, { port, allowPrivate }).kind === 'allowed',
    )
    if (host === undefined) return false
    const limit = new AbortController()
    const timer = clock.after(POST_TIMEOUT_MS, () => limit.abort())
    const signal = AbortSignal.any([stop, limit.signal])
    try {
      return await post({
        ...content,
        url,
        host,
        port,
        signal,
        ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
      })
    } finally {
      timer.cancel()
    }
  }
}

interface Posting {
  readonly url: URL
  /** Address of its host. */
  readonly host: string
  readonly port: number
  readonly body: Buffer
  readonly type: string
  readonly ca?: string[]
  readonly signal: AbortSignal
}

/** Whether it was taken (RFC 8460 §5.4); redirects are not followed. */
function post({ url, host, port, body, type, ca, signal }: Posting): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({
      host,
      port,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      servername: url.hostname,
      headers: { host: url.host, 'content-type': type, 'content-length': body.length },
      agent: false,
      signal,
      ...(ca !== undefined && { ca }),
    })
    call.on('error', () => resolve(false))
    call.on('response', (response) => {
      const code = response.statusCode ?? 0
      // The answer is its first line; what else is said nobody waits for.
      resolve(code >= 200 && code < 300)
      response.on('error', () => undefined)
      response.destroy()
    })
    call.end(body)
  })
}
