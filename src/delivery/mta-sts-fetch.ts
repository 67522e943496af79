// Fetches a domain's MTA-STS policy over HTTPS (RFC 8461 §3.3): from mta-sts.<domain> only, whose certificate must carry
// that name; no redirects, 64 KiB, half a minute. The name is resolved by us, so that a domain cannot make this relay
// knock at private addresses.

import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { isIPv6 } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { parsePolicy } from 'mailauth/lib/mta-sts.js'
import type { TlsFailure } from '../mail/outcome.ts'
import { type Clock, SECOND } from '../util/clock.ts'
import type { AddressPolicy } from './address-policy.ts'
import type { Resolver } from './resolver.ts'

/** What the policy file says. */
export interface PolicyText {
  readonly mode: 'enforce' | 'testing' | 'none'
  /** Names of hosts, some as `*.example.com`, in lower case. */
  readonly mx: readonly string[]
  readonly maxAgeMs: number
}

export type Fetched =
  | { readonly kind: 'policy'; readonly policy: PolicyText }
  | { readonly kind: 'failed'; readonly detail: string; readonly failure: TlsFailure }

export type PolicyFetcher = (domain: string) => Promise<Fetched>

export interface FetcherOptions {
  readonly resolver: Pick<Resolver, 'addresses'>
  readonly addressPolicy: AddressPolicy
  readonly allowPrivate: boolean
  readonly ipv6: boolean
  /** Certificate authorities to trust; absent: the well-known ones. */
  readonly ca?: readonly string[]
  /** Another port than 443. */
  readonly port?: number
  readonly clock: Clock
  /** Aborts when nobody waits for policies any more. */
  readonly stop: AbortSignal
}

const PORT = 443
const PATH = '/.well-known/mta-sts.txt'
const MAX_BYTES = 64 * 1024
const TIMEOUT_MS = 30 * SECOND
const MAX_ADDRESSES = 4

export function createPolicyFetcher(options: FetcherOptions): PolicyFetcher {
  return async (domain) => {
    const host = `mta-sts.${domain}`
    const found = await usableAddresses(host, options)
    if ('detail' in found) return failed(found.detail)
    const limit = new AbortController()
    const timer = options.clock.after(TIMEOUT_MS, () => limit.abort())
    try {
      return await fetchFrom(found.addresses, { host, options, signal: AbortSignal.any([limit.signal, options.stop]) })
    } finally {
      timer.cancel()
    }
  }
}

async function usableAddresses(
  host: string,
  { resolver, addressPolicy, allowPrivate, ipv6, port = PORT }: FetcherOptions,
): Promise<{ readonly addresses: readonly string[] } | { readonly detail: string }> {
  const answer = await resolver.addresses(host)
  if (answer.kind === 'failed') return { detail: `address of ${host}: ${answer.detail}` }
  if (answer.kind !== 'ok') return { detail: `${host} has no address` }
  const addresses = answer.items.filter(
    (address) => (ipv6 || !isIPv6(address)) && addressPolicy.judge(address, { port, allowPrivate }).kind === 'allowed',
  )
  if (addresses.length === 0) return { detail: `${host} has no address that may be connected to` }
  return { addresses: addresses.slice(0, MAX_ADDRESSES) }
}

interface Asking {
  readonly host: string
  readonly options: FetcherOptions
  readonly signal: AbortSignal
}

async function fetchFrom(addresses: readonly string[], asking: Asking): Promise<Fetched> {
  let last = failed(`no address of ${asking.host}`)
  for (const address of addresses) {
    const response = await get(address, asking)
    if (typeof response === 'string') return read(response)
    last = response
    if (asking.signal.aborted) return failed(`${asking.host} did not answer in time`)
    // Whoever showed a certificate or answered is the policy host; only one that is not there has another address.
    if (!response.isUnreachable) return { ...last }
  }
  return last
}

type Failed = Extract<Fetched, { kind: 'failed' }> & { readonly isUnreachable?: true }

function get(address: string, { host, options, signal }: Asking): Promise<string | Failed> {
  const { ca, port = PORT } = options
  return new Promise((resolve) => {
    const call = request({
      host: address,
      port,
      path: PATH,
      servername: host,
      headers: { host, accept: 'text/plain', connection: 'close' },
      agent: false, // no connection that was opened under other conditions
      signal,
      minVersion: 'TLSv1.2',
      ...(ca !== undefined && { ca: [...ca] }),
      rejectUnauthorized: true,
      checkServerIdentity: checkPolicyHost,
    })
    call.on('error', (error: NodeJS.ErrnoException) => resolve(callFailed(error, host)))
    call.on('response', (response) => {
      take(response, host).then(resolve)
      response.on('close', () => call.destroy())
    })
    call.end()
  })
}

/** RFC 8461 §3.3: the name must stand among the certificate's DNS names; the common name does not count. */
function checkPolicyHost(host: string, certificate: PeerCertificate): Error | undefined {
  const problem = checkServerIdentity(host, certificate)
  if (problem !== undefined) return problem
  const named = new X509Certificate(certificate.raw).checkHost(host, { subject: 'never', partialWildcards: false })
  return named === undefined ? new Error(`the certificate is not for ${host}`) : undefined
}

function callFailed(error: NodeJS.ErrnoException, host: string): Failed {
  const code = error.code ?? ''
  if (/^(?:ECONN|EHOST|ENET|ETIMEDOUT|EADDRNOTAVAIL)/.test(code))
    return { ...failed(`${host}: ${error.message}`), isUnreachable: true }
  const detail = `${host}: ${(error.message.split(/[;\n]/, 1)[0] ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 300)}`
  const isTls = /CERT|TLS|SSL|SIGNED|VERIFY|ISSUER/.test(code) || /certificate/.test(error.message)
  return isTls ? { kind: 'failed', detail, failure: 'sts-webpki-invalid' } : failed(detail)
}

async function take(response: IncomingMessage, host: string): Promise<string | Failed> {
  response.on('error', () => undefined) // told by the loop below
  // RFC 8461 §3.3: redirects are not followed; anything but 200 is no policy.
  if (response.statusCode !== 200) return failed(`${host} answered ${response.statusCode}`)
  const type = response.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'text/plain')
    return failed(`${host} answered with ${type === undefined ? 'no type' : 'another type than text/plain'}`)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > MAX_BYTES) return failed(`${host} sent more than 64 KiB`)
      chunks.push(chunk)
    }
  } catch {
    // Cut off in the middle: whatever came is not the policy.
    return failed(`${host} broke off in the middle of the policy`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function read(text: string): Fetched {
  try {
    const { mode, mx = [], maxAge } = parsePolicy(text, { strict: true })
    return { kind: 'policy', policy: { mode: modeOf(mode), mx, maxAgeMs: (maxAge ?? 0) * SECOND } }
  } catch (error) {
    return {
      kind: 'failed',
      detail: `the policy is not valid: ${(error as Error).message}`,
      failure: 'sts-policy-invalid',
    }
  }
}

function modeOf(mode: string | undefined): PolicyText['mode'] {
  return mode === 'enforce' || mode === 'testing' ? mode : 'none'
}

function failed(detail: string): Failed {
  return { kind: 'failed', detail, failure: 'sts-policy-fetch-error' }
}
