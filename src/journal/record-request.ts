// What a person asks for: a complaint ("this is spam") or an unsubscribe request. Both suppress at once, for the tenant
// whose message it was, and take the place of everything weaker. Composes, writes nothing.

import type { Category } from '../bounce/verdict.ts'
import type { Settings } from '../config/schema.ts'
import type { EmailAddress } from '../mail/address.ts'
import { outranks } from '../suppression/life.ts'
import type { SuppressionList } from '../suppression/list.ts'
import { addressTarget } from '../suppression/normalise.ts'
import { LEARNER, type Suppression } from '../suppression/suppression.ts'
import { verdictOf } from '../suppression/verdict.ts'
import type { Clock } from '../util/clock.ts'
import type { Recorded } from './recorded.ts'

export interface UnsubscribeRequest {
  readonly tenant: string
  readonly message: string
  readonly n: number
  /** The recipient that was really sent to, whatever a report names. */
  readonly recipient: EmailAddress
  /** Id of the report that brought it. */
  readonly report?: string
}

export interface Complaint extends UnsubscribeRequest {
  /** RFC 5965 §7.3. */
  readonly feedbackType: string
}

interface Parts {
  readonly list: SuppressionList
  readonly settings: Settings['suppression']
  readonly clock: Clock
}

/** Feedback that complains of nothing: the opposite, and reports on authentication (RFC 6591). */
const NO_COMPLAINT: ReadonlySet<string> = new Set(['not-spam', 'auth-failure', 'dmarc'])
const OPT_OUT: ReadonlySet<string> = new Set(['opt-out', 'opt-out-list', 'unsubscribe'])
const REASON_OF = { 'spam-complaint': 'complaint', unsubscribe: 'unsubscribe' } as const

export function recordRequest(parts: Parts, request: Complaint | UnsubscribeRequest): Recorded {
  const { list, settings, clock } = parts
  const category = categoryOf(request)
  const verdict = verdictOf(category, 'feedbackType' in request ? 'feedback' : 'request')
  const nothing: Recorded = { verdict, writes: [], records: [], ambiguous: false }
  if (category === 'non-bounce') return nothing
  const target = addressTarget(request.recipient, settings)
  const reason = REASON_OF[category]
  if (!outranks(reason, list.get(request.tenant, target), clock.now())) return nothing
  const suppression: Suppression = {
    scope: request.tenant,
    target,
    reason,
    createdAt: clock.now(),
    who: LEARNER,
    evidence: {
      rule: verdict.rule,
      category,
      code: verdict.code,
      message: request.message,
      ...(request.report === undefined ? {} : { report: request.report }),
      ...('feedbackType' in request ? { feedback: request.feedbackType } : {}),
    },
  }
  return { ...nothing, suppression, writes: list.put(suppression) }
}

function categoryOf(request: Complaint | UnsubscribeRequest): Extract<Category, 'non-bounce' | keyof typeof REASON_OF> {
  const type = 'feedbackType' in request ? request.feedbackType.toLowerCase() : 'opt-out'
  if (NO_COMPLAINT.has(type)) return 'non-bounce'
  return OPT_OUT.has(type) ? 'unsubscribe' : 'spam-complaint'
}
