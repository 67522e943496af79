// What an answer of a host means for the attempt: its outcome, or nothing, so that another host may decide. Pure. The
// policy in prose stands in deliver.ts.

import type { Cause, Outcome, Way } from '../mail/outcome.ts'
import { isPermanent, isTransient } from '../mail/reply.ts'
import type { Candidate } from './candidates.ts'
import type { SendResult } from './client.ts'
import { NO_REQUIRETLS } from './client-envelope.ts'
import { retryAfter } from './retry-after.ts'

/** Undefined: it decided nothing. */
export function judged(result: SendResult, way: Way): Outcome | undefined {
  if (result.ok) return { kind: 'delivered', reply: result.reply, way }
  return isUndecided(result.cause) ? undefined : { ...decided(result.cause), way }
}

/** Words about more than the connection they were said on, which 421 may be alone about. */
export function isRefusal(cause: Cause): boolean {
  return cause.kind === 'reply' && cause.reply.code !== 421
}

/** Whether leaving TLS out may help. */
export function isAboutTls(cause: Cause): boolean {
  return cause.kind === 'tls' || ('command' in cause && cause.command === 'STARTTLS')
}

export function lacksRequireTls(cause: Cause): boolean {
  return cause.kind === 'local' && cause.code === NO_REQUIRETLS
}

export function deferred(cause: Cause, way?: Way): Extract<Outcome, { kind: 'deferred' }> {
  const retryAfterMs = cause.kind === 'reply' ? retryAfter(cause.reply) : undefined
  return {
    kind: 'deferred',
    cause,
    ...(way !== undefined && { way }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** An authority and the name are what MTA-STS demands; where it does, that is what they count for. */
export function verifiedAs({ tls }: Candidate, by: 'dane' | 'pki'): 'dane' | 'mta-sts' | 'pki' {
  return by === 'pki' && tls.by === 'mta-sts' ? 'mta-sts' : by
}

/** Whether the host spoke of itself or broke off before the dot, so that another one may do better. */
function isUndecided(cause: Cause): boolean {
  switch (cause.kind) {
    case 'connect':
    case 'tls':
    case 'timeout':
    case 'protocol':
      return true
    case 'local':
      return lacksRequireTls(cause) // RFC 8689 §4.2.1: another host may offer it
    case 'reply':
      return (
        (cause.reply.code === 421 && cause.command !== 'dot') || (isTransient(cause.reply) && cause.command === 'MAIL')
      )
    default:
      return false
  }
}

function decided(cause: Cause): Outcome & { readonly kind: 'deferred' | 'failed' } {
  const isFinal =
    cause.kind === 'reply' ? isPermanent(cause.reply) : cause.kind === 'local' && cause.code.startsWith('5')
  return isFinal ? { kind: 'failed', cause } : deferred(cause)
}
